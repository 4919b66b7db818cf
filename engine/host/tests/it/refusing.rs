//! What is refused when it is loaded, and in which words.

use std::time::Duration;

use steadfast_host::{LoadError, PolicyEngine, PolicyLimits};
use steadfast_wit::POLICY_WIT;

use crate::guest::{self, Guest};

fn refused(module: &[u8]) -> (LoadError, String) {
    let error = guest::load(module).unwrap_err();
    let text = error.to_string();
    (error, text)
}

#[test]
fn bytes_that_are_no_module() {
    let (error, text) = refused(b"#!/bin/sh\necho hello\n");
    assert!(matches!(error, LoadError::NotWebAssembly { .. }), "{text}");
}

#[test]
fn a_module_cut_short() {
    let module = Guest::default().module();
    let (error, text) = refused(&module[..module.len() / 2]);
    assert!(matches!(error, LoadError::Malformed { .. }), "{text}");
}

#[test]
fn a_module_that_imports_wasi() {
    let imports = r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#;
    let (error, text) = refused(
        &Guest {
            imports,
            ..Guest::default()
        }
        .module(),
    );
    assert!(matches!(error, LoadError::Import { .. }));
    assert!(
        text.contains("wasi_snapshot_preview1/fd_write") && text.contains("without WASI"),
        "{text}"
    );
}

#[test]
fn a_component_that_imports_wasi() {
    let component = wat::parse_str(
        r#"(component (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64))))))"#,
    );
    let (error, text) = refused(&component.unwrap());
    assert!(matches!(error, LoadError::Import { .. }));
    assert!(text.contains("`wasi:clocks/monotonic-clock@0.2.0`"), "{text}");
}

#[test]
fn a_function_that_hides_behind_the_name_of_the_types() {
    let component = wat::parse_str(
        r#"(component (import "steadfast:policy/types@0.2.0" (instance (export "now" (func (result u64))))))"#,
    );
    let (error, text) = refused(&component.unwrap());
    assert!(matches!(error, LoadError::Import { .. }), "{text}");
}

#[test]
fn a_module_that_lacks_a_function() {
    let (error, text) = refused(&wat::parse_str(r#"(module (func (export "decide")))"#).unwrap());
    assert!(matches!(error, LoadError::Export { .. }));
    assert!(
        text.contains("`configure` and `describe`") && text.contains("steadfast:policy@0.2.0"),
        "{text}"
    );
    let (error, text) = refused(&wat::parse_str("(component)").unwrap());
    assert!(matches!(error, LoadError::Export { .. }), "{text}");
}

#[test]
fn a_module_without_a_component_type() {
    let (error, text) = refused(&Guest::default().bare());
    assert!(matches!(error, LoadError::Untyped { .. }), "{text}");
}

#[test]
fn another_version_of_the_contract() {
    let wit = POLICY_WIT.replace("policy@0.2.0", "policy@0.9.0");
    let (error, text) = refused(
        &Guest {
            wit,
            ..Guest::default()
        }
        .module(),
    );
    assert!(matches!(error, LoadError::Version { .. }));
    assert!(
        text.contains("policy@0.9.0") && text.contains("policy@0.2.0 and @0.1.0") && text.contains("policy wit"),
        "{text}"
    );
}

#[test]
fn other_types_under_the_same_version() {
    let wit = POLICY_WIT.replace(
        "record fleet { targets: u32, dark: u32 }",
        "record fleet { targets: u32, dark: u64 }",
    );
    assert_ne!(wit, POLICY_WIT);
    let (error, text) = refused(
        &Guest {
            wit,
            ..Guest::default()
        }
        .module(),
    );
    assert!(matches!(error, LoadError::Contract { .. }), "{text}");
}

#[test]
fn parameters_the_policy_does_not_take() {
    let guest = Guest {
        configure: "(i32.const 80)",
        ..Guest::default()
    };
    let (error, text) = refused(&guest.module());
    assert!(matches!(error, LoadError::Params { .. }));
    assert_eq!(text, "policy `test`: params: no parameters, please");
}

#[test]
fn an_endless_refusal_is_cut_and_stays_on_one_line() {
    let guest = Guest {
        configure: "(i32.store8 (i32.const 400001) (i32.const 10)) (i32.store (i32.const 84) (i32.const 400000)) \
                    (i32.store (i32.const 88) (i32.const 600000)) (i32.const 80)",
        ..Guest::default()
    };
    let (_, text) = refused(&guest.module());
    assert!(text.len() <= 1_100 && !text.chars().any(char::is_control), "{text:?}");
}

#[test]
fn a_policy_that_never_comes_to_decide() {
    let configure = "(loop $again (br $again)) (unreachable)";
    let limits = PolicyLimits {
        deadline: Duration::from_millis(30),
        ..PolicyLimits::default()
    };
    let module = Guest {
        configure,
        ..Guest::default()
    }
    .module();
    let error = PolicyEngine::new(None)
        .unwrap()
        .load("test", &module, "{}", limits)
        .unwrap_err();
    assert!(matches!(error, LoadError::Failed { call: "configure", .. }), "{error}");
}

#[test]
fn a_module_that_needs_more_memory_than_it_may_have() {
    let limits = PolicyLimits {
        memory_bytes: 1024,
        ..PolicyLimits::default()
    };
    let module = Guest::default().module();
    let error = PolicyEngine::new(None)
        .unwrap()
        .load("test", &module, "{}", limits)
        .unwrap_err();
    assert!(error.to_string().contains("1048576 bytes of memory"), "{error}");
}

#[test]
fn several_memories() {
    let module = Guest {
        imports: "(memory 1) (memory 1)",
        ..Guest::default()
    }
    .module();
    assert!(matches!(
        guest::load(&module).unwrap_err(),
        LoadError::Memories { memories: 3, .. }
    ));
}
