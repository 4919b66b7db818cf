//! What a policy prints is kept, stands behind the failure it led to, and changes nothing.

use steadfast_core::decision::{Decide, PolicyFailureKind};
use steadfast_host::{LoadError, Policy};

use crate::guest::{ANSWER, Guest, at};
use crate::situation;

const PRINT: &str = r#"(import "steadfast:policy/output@0.2.0" "print" (func $print (param i32 i32)))"#;
/// `no parameters, please`
const WORDS: &str = "(call $print (i32.const 1048) (i32.const 21))";

fn guest(decide: impl Into<String>) -> Guest {
    Guest {
        imports: PRINT,
        ..Guest::deciding(decide)
    }
}

fn policy(decide: impl Into<String>) -> Policy {
    guest(decide).load().unwrap()
}

#[test]
fn a_trap_has_the_last_words_and_the_function_in_which_it_was() {
    let mut policy = policy(format!("{WORDS} (unreachable)"));
    let failure = policy.decide(&situation::running()).unwrap_err();
    assert_eq!(failure.kind, PolicyFailureKind::Trap);
    for part in [
        "`decide` ended in a wasm trap",
        "; in recurse",
        "; it printed: no parameters, please",
    ] {
        assert!(failure.message.contains(part), "no `{part}` in {}", failure.message);
    }
    assert_eq!(policy.printed(), "no parameters, please");
}

#[test]
fn what_is_printed_is_each_calls_own_and_changes_no_decision() {
    let mut silent = policy(ANSWER);
    let mut loud = policy(format!("{WORDS} {ANSWER}"));
    let expected = silent.decide(&situation::running());
    assert_eq!(silent.printed(), "");
    for _ in 0..3 {
        assert_eq!(loud.decide(&situation::running()), expected);
        assert_eq!(loud.printed(), "no parameters, please");
    }
}

#[test]
fn no_amount_of_it_is_a_failure() {
    // All of its memory, a thousand times.
    let much = format!(
        "(local $i i32)
         (loop $next
           (call $print (i32.const 0) (i32.const 1048576))
           (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
         {ANSWER}"
    );
    let mut policy = policy(much);
    assert!(policy.decide(&situation::running()).is_ok());
    assert!(
        (4_096..20_000).contains(&policy.printed().len()),
        "{}",
        policy.printed().len()
    );
}

#[test]
fn more_at_once_than_an_answer_may_hold_is_no_failure_either() {
    let much = format!(
        "(drop (memory.grow (i32.const 256)))
         (call $print (i32.const 0) (i32.const 16777216))
         {ANSWER}"
    );
    let mut policy = policy(much);
    assert!(policy.decide(&situation::running()).is_ok());
    assert!(policy.printed().contains("test1s"), "{}", policy.printed());
}

#[test]
fn what_is_printed_from_outside_of_the_memory_is_told_as_printed_and_where() {
    let mut policy = policy(format!("(call $print (i32.const 0) (i32.const 99999999)) {ANSWER}"));
    let failure = policy.decide(&situation::running()).unwrap_err();
    assert!(
        failure.message.contains("`decide` printed what cannot be read"),
        "{}",
        failure.message
    );
    assert!(failure.message.contains("; in recurse"), "{}", failure.message);
}

#[test]
fn an_answer_that_is_too_large_is_told_as_that() {
    // 100 conditions, each of the same 800,000 bytes.
    let text = at::CONDITIONS;
    let mut policy = policy(format!(
        "(local $i i32) (local $to i32)
         (loop $next
           (local.set $to (i32.mul (local.get $i) (i32.const 12)))
           (i32.store offset=1040004 (local.get $to) (i32.const 200000))
           (i32.store offset=1040008 (local.get $to) (i32.const 800000))
           (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
         (i32.store (i32.const {text}) (i32.const 1040000))
         (i32.store offset=4 (i32.const {text}) (i32.const 100))
         {ANSWER}"
    ));
    let failure = policy.decide(&situation::running()).unwrap_err();
    assert_eq!(failure.kind, PolicyFailureKind::Invalid);
    assert!(
        failure
            .message
            .contains("`decide` handed the engine more than 67108864 bytes at once"),
        "{}",
        failure.message
    );
}

#[test]
fn what_configure_prints_stands_in_the_refusal() {
    let failing = Guest {
        configure: "(call $print (i32.const 1048) (i32.const 21)) (unreachable)",
        ..guest(ANSWER)
    };
    let refusal = failing.load().unwrap_err();
    assert!(matches!(refusal, LoadError::Failed { .. }), "{refusal}");
    assert!(
        refusal.to_string().contains("it printed: no parameters, please"),
        "{refusal}"
    );
}

#[test]
fn nothing_else_is_imported_under_its_name() {
    let other = |import: &'static str| {
        Guest {
            imports: import,
            ..Guest::default()
        }
        .load()
        .unwrap_err()
    };
    let now = other(r#"(import "steadfast:policy/output@0.2.0" "now" (func (result i64)))"#);
    assert!(
        matches!(now, LoadError::Malformed { .. } | LoadError::Import { .. }),
        "{now}"
    );
    let component = wat::parse_str(
        r#"(component (import "steadfast:policy/output@0.2.0" (instance (export "now" (func (result u64))))))"#,
    );
    let refusal = crate::guest::load(&component.unwrap()).unwrap_err();
    assert!(matches!(refusal, LoadError::Import { .. }), "{refusal}");
    let component = wat::parse_str(
        r#"(component
             (import "steadfast:policy/output@0.2.0" (instance (export "print" (func (result u64)))))
             (core module $m (func (export "f")))
             (core instance $i (instantiate $m))
             (func $f (canon lift (core func $i "f")))
             (export "decide" (func $f)) (export "describe" (func $f)) (export "configure" (func $f)))"#,
    );
    let refusal = crate::guest::load(&component.unwrap()).unwrap_err();
    assert!(matches!(refusal, LoadError::Contract { .. }), "{refusal}");
}
