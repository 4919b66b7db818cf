//! Whatever goes wrong in a call has a name, and costs that call alone.

use std::time::Duration;

use steadfast_core::decision::{Decide, PolicyFailure, PolicyFailureKind};
use steadfast_host::{PolicyEngine, PolicyLimits};

use crate::guest::{ANSWER, Guest, at};
use crate::situation;

fn limits() -> PolicyLimits {
    PolicyLimits {
        deadline: Duration::from_millis(30),
        memory_bytes: 2 * 1024 * 1024,
    }
}

/// What becomes of a decision, which must be no other on a second try.
fn failure(decide: impl Into<String>) -> PolicyFailure {
    let module = Guest::deciding(decide).module();
    let mut policy = PolicyEngine::new(None)
        .unwrap()
        .load("test", &module, "{}", limits())
        .unwrap();
    let failure = policy.decide(&situation::running()).unwrap_err();
    assert_eq!(policy.decide(&situation::running()), Err(failure.clone()));
    failure
}

#[test]
fn a_trap() {
    let failure = failure("(unreachable)");
    assert_eq!(failure.kind, PolicyFailureKind::Trap);
    assert!(failure.message.contains("`decide`"), "{}", failure.message);
}

#[test]
fn a_recursion_without_an_end() {
    assert_eq!(failure("(call $recurse (local.get 0))").kind, PolicyFailureKind::Trap);
}

#[test]
fn a_loop_without_an_end() {
    let failure = failure("(loop $again (br $again)) (unreachable)");
    assert_eq!(failure.kind, PolicyFailureKind::Deadline);
    for told in ["30ms", "; in recurse; mend what goes on without end there"] {
        assert!(failure.message.contains(told), "{}", failure.message);
    }
}

#[test]
fn more_memory_than_allowed() {
    // Like an allocator: it grows, and gives up when it cannot.
    let hog = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
    let failure = failure(hog);
    assert_eq!(failure.kind, PolicyFailureKind::Memory);
    for told in ["2097152", "memory = \"8MiB\""] {
        assert!(failure.message.contains(told), "{}", failure.message);
    }
}

#[test]
fn tables_count_as_memory_does() {
    // 20,000 entries of 8 bytes, beside a memory of 1 MiB.
    let module = Guest {
        imports: "(table $t 0 funcref)",
        ..Guest::deciding(format!(
            "(if (i32.ne (table.grow $t (ref.null func) (i32.const 20000)) (i32.const -1)) (then (unreachable))) {ANSWER}"
        ))
    }
    .module();
    let engine = PolicyEngine::new(None).unwrap();
    let grows = |kib: u64| {
        let memory_bytes = kib * 1024;
        let limits = PolicyLimits {
            memory_bytes,
            ..limits()
        };
        let mut policy = engine.load("test", &module, "{}", limits).unwrap();
        policy.decide(&situation::running()).is_err()
    };
    assert!(!grows(1024 + 156), "more than there is room for");
    assert!(grows(1024 + 157));
}

#[test]
fn a_decision_that_nobody_waits_for_is_broken_off() {
    let module = Guest::deciding("(loop $again (br $again)) (unreachable)").module();
    let limits = PolicyLimits {
        deadline: Duration::from_secs(3600),
        ..limits()
    };
    let engine = PolicyEngine::new(None).unwrap();
    let mut policy = engine.load("test", &module, "{}", limits).unwrap();
    let interrupt = policy.interrupt().unwrap();
    let deciding = std::thread::spawn(move || policy.decide(&situation::running()));
    interrupt.raise();
    let failure = deciding.join().unwrap().unwrap_err();
    assert_eq!(failure.kind, PolicyFailureKind::Error, "{}", failure.message);
}

#[test]
fn memory_refused_to_a_policy_that_can_do_without_is_no_failure() {
    let module = Guest::deciding(format!("(drop (memory.grow (i32.const 60000))) {ANSWER}")).module();
    let mut policy = PolicyEngine::new(None)
        .unwrap()
        .load("test", &module, "{}", limits())
        .unwrap();
    assert!(policy.decide(&situation::running()).is_ok());
}

#[test]
fn an_error_in_its_own_words() {
    let failure = failure("(i32.const 512)");
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (PolicyFailureKind::Error, "no parameters, please")
    );
}

#[test]
fn an_endless_error_is_cut_and_stays_on_one_line() {
    // 600,000 bytes, above what the host writes there, zeros but for a line feed.
    let failure = failure(
        "(i32.store8 (i32.const 400001) (i32.const 10)) (i32.store (i32.const 520) (i32.const 400000)) (i32.store (i32.const 524) (i32.const 600000)) \
         (i32.const 512)",
    );
    assert_eq!(failure.kind, PolicyFailureKind::Error);
    let message = failure.message.as_str();
    assert!(
        (1_000..=1_024).contains(&message.len()) && message.ends_with('…'),
        "{message}"
    );
    assert!(!message.chars().any(char::is_control), "{message:?}");
}

#[test]
fn a_state_that_does_not_exist() {
    let decide = format!("(i32.store8 (i32.const {}) (i32.const 200)) {ANSWER}", at::STATE);
    assert_eq!(failure(decide).kind, PolicyFailureKind::Invalid);
}

#[test]
fn an_answer_outside_its_memory() {
    assert_eq!(failure("(i32.const 0x7ffffff0)").kind, PolicyFailureKind::Invalid);
}

#[test]
fn a_result_that_is_neither_ok_nor_error() {
    let decide = format!("(i32.store8 (i32.const {}) (i32.const 7)) {ANSWER}", at::RESULT);
    assert_eq!(failure(decide).kind, PolicyFailureKind::Invalid);
}

#[test]
fn a_memory_that_is_too_large() {
    let remember = |bytes: u32| {
        format!(
            "(i32.store (i32.const {}) (i32.const 4096)) (i32.store (i32.const {}) (i32.const {bytes})) {ANSWER}",
            at::MEMORY,
            at::MEMORY + 4
        )
    };
    let failure = failure(remember(16 * 1024 + 1));
    assert_eq!(failure.kind, PolicyFailureKind::Invalid);
    assert!(failure.message.contains("16384"), "{}", failure.message);
    let mut policy = Guest::deciding(remember(16 * 1024)).load().unwrap();
    assert_eq!(policy.decide(&situation::running()).unwrap().memory.len(), 16 * 1024);
}

#[test]
fn one_text_named_so_often_that_it_would_fill_the_host() {
    // 4096 conditions, each with the same half megabyte as its message: 2 GiB outside the memory cap.
    let decide = format!(
        "(local $i i32)
         (loop $next
           (i32.store (i32.add (i32.const 8196) (i32.mul (local.get $i) (i32.const 12))) (i32.const 65536))
           (i32.store (i32.add (i32.const 8200) (i32.mul (local.get $i) (i32.const 12))) (i32.const 524288))
           (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096))))
         (i32.store (i32.const {}) (i32.const 8192)) (i32.store (i32.const {}) (i32.const 4096)) {ANSWER}",
        at::CONDITIONS,
        at::CONDITIONS + 4
    );
    assert_eq!(failure(decide).kind, PolicyFailureKind::Invalid);
}
