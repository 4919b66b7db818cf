//! `steadfast policy verify`: which code of the module never ran.

use std::path::Path;

use crate::command::{Ended, run};
use crate::guest::Guest;

/// Functions as Rust's compiler names them, of which one is called, and not in each of its branches.
const FUNCTIONS: &str = r#"
    (@producers (language "Rust" "1.95"))
    (func $"mine::never" (result i32) i32.const 256)
    (func $"mine::judge" (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (if (i32.gt_u (global.get $calls) (i32.const 100000)) (then (return (call $"mine::never"))))
        (i32.const 256))"#;

fn verify(folder: &Path, module: &[u8], more: &[&str]) -> Ended {
    std::fs::write(folder.join("mine.wasm"), module).unwrap();
    let little = ["--depth", "1", "--beyond", "0", "--law", "attempts-go-forward"];
    run(
        folder,
        &[&["policy", "verify", "mine.wasm"], &little[..], more].concat(),
    )
}

fn explored(folder: &Path, module: &[u8]) -> serde_json::Value {
    let ended = verify(folder, module, &["-o", "json"]);
    let whole: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    whole["explored"].clone()
}

#[test]
fn what_of_the_policys_own_code_never_ran_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Guest {
        imports: FUNCTIONS,
        ..Guest::deciding(r#"(call $"mine::judge")"#)
    };
    let told = "code that ran: 1 of 2 functions; what never did:\n  mine::judge, 1 of 2 branches\n  mine::never, never called\n";
    for module in [guest.module(), guest.component()] {
        let ended = verify(folder.path(), &module, &[]);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
        assert!(ended.out.contains(told), "no `{told}` in\n{}", ended.out);
    }
    let code = &explored(folder.path(), &guest.module())["code"];
    assert_eq!(code["functions"], 2);
    assert_eq!(code["functionsNeverCalled"], 1);
    assert_eq!(code["parts"][0]["branches"]["neverTaken"], 1);
}

#[test]
fn a_module_that_does_not_tell_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let ended = verify(folder.path(), steadfast_host::builtin::CONSERVATIVE, &[]);
    let told = "which of its code ran is not seen: the module carries no names of functions; ";
    assert!(ended.out.contains(told), "no `{told}` in\n{}", ended.out);
    let explored = explored(folder.path(), steadfast_host::builtin::CONSERVATIVE);
    assert!(explored["codeNotSeen"].is_string() && explored["code"].is_null());
}

#[test]
fn lines_of_another_build_and_a_project_that_is_not_there_are_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Guest {
        imports: FUNCTIONS,
        ..Guest::deciding(r#"(call $"mine::judge")"#)
    };
    let refused = verify(folder.path(), &guest.module(), &["--project", "nowhere"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""));
    assert!(
        refused.err.contains("--project `nowhere` is no folder; name"),
        "{}",
        refused.err
    );
    let none = verify(folder.path(), &guest.module(), &["--project", "."]);
    assert!(
        none.code == Some(0)
            && none
                .err
                .contains("build/mine.lines.wasm, and no lines are told; `steadfast policy build`"),
        "{}",
        none.err
    );
    std::fs::create_dir(folder.path().join("build")).unwrap();
    let other = Guest::deciding("(unreachable)").module();
    std::fs::write(folder.path().join("build/mine.lines.wasm"), other).unwrap();
    let stale = verify(folder.path(), &guest.module(), &[]);
    assert!(
        stale.code == Some(0)
            && stale
                .err
                .contains("build/mine.lines.wasm is of another build than the module"),
        "{}",
        stale.err
    );
}
