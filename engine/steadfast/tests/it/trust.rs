//! Keys, signatures and pins of modules in files, from making a key to refusing a module.

use std::path::Path;

use crate::command::{Ended, run};

/// A folder with a module, which is the built-in policy under a name of its own.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.wasm"), steadfast_host::builtin::CONSERVATIVE).unwrap();
    folder
}

/// Runs a command that must succeed, and gives what it printed.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let ended = run(folder, arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
    ended.out
}

/// Checks a configuration with that policy.
fn check(folder: &Path, keys: &str) -> Ended {
    let text = format!("[[policy]]\nname = \"p\"\nmodule = \"mine.wasm\"\n{keys}\n");
    std::fs::write(folder.join("config.toml"), text).unwrap();
    run(folder, &["check"])
}

/// What a refused configuration must say, and where.
fn refused(folder: &Path, keys: &str, line: usize, wanted: &[&str]) {
    for command in ["check", "run", "policies"] {
        let text = format!("[[policy]]\nname = \"p\"\nmodule = \"mine.wasm\"\n{keys}\n");
        std::fs::write(folder.join("config.toml"), text).unwrap();
        let ended = run(folder, &[command]);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(2), ""),
            "{command}: {}",
            ended.err
        );
        let place = format!("config.toml:{line}: ");
        for wanted in [&[place.as_str(), "help: "], wanted].concat() {
            assert!(ended.err.contains(wanted), "{command} lacks `{wanted}`:\n{}", ended.err);
        }
    }
}

#[test]
fn what_a_made_key_signs_is_trusted_by_its_public_key() {
    for algorithm in ["ecdsa-p256", "ed25519"] {
        let folder = folder();
        let folder = folder.path();
        let fingerprint = done(folder, &["policy", "keygen", "--out", "mine", "--algorithm", algorithm]);
        done(folder, &["policy", "sign", "mine.wasm", "--key", "mine.key"]);
        let ended = check(folder, "public_key = \"mine.pub\"");
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let signed = format!("a file, signed by {}", fingerprint.trim());
        assert!(ended.err.contains(&format!("from {signed}")), "{}", ended.err);
        let listed = done(folder, &["policy", "list", "--config", "config.toml", "-o", "wide"]);
        assert!(
            listed.contains("  sha256      ") && listed.contains(&signed),
            "{listed}"
        );
    }
}

#[test]
fn only_the_owner_may_read_a_private_key_and_nothing_overwrites_one() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let folder = folder.path();
    done(folder, &["policy", "keygen", "--out", "mine"]);
    let mode = std::fs::metadata(folder.join("mine.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(folder.join("mine.key")).unwrap();
    let again = run(folder, &["policy", "keygen", "--out", "mine"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("name a PREFIX that is free"), "{}", again.err);
    assert_eq!(std::fs::read(folder.join("mine.key")).unwrap(), before);
}

#[test]
fn while_keys_change_either_will_do_and_then_the_old_one_will_not() {
    let folder = folder();
    let folder = folder.path();
    done(folder, &["policy", "keygen", "--out", "old"]);
    done(folder, &["policy", "keygen", "--out", "new"]);
    let both = "public_key = [\"old.pub\", \"new.pub\"]";
    for key in ["old.key", "new.key"] {
        done(folder, &["policy", "sign", "mine.wasm", "--key", key]);
        assert_eq!(check(folder, both).code, Some(0));
    }
    refused(
        folder,
        "public_key = \"old.pub\"",
        4,
        &["signed by nobody who may", "add the"],
    );
}

#[test]
fn a_module_that_was_changed_or_not_signed_is_refused() {
    let folder = folder();
    let folder = folder.path();
    done(folder, &["policy", "keygen", "--out", "mine"]);
    let keys = "public_key = \"mine.pub\"";
    refused(
        folder,
        keys,
        4,
        &["mine.wasm is not signed", "mine.wasm.sig", "steadfast policy sign"],
    );
    done(folder, &["policy", "sign", "mine.wasm", "--key", "mine.key"]);
    std::fs::write(folder.join("mine.wasm"), steadfast_host::builtin::NAIVE).unwrap();
    refused(folder, keys, 4, &["signed by nobody who may"]);
    std::fs::write(folder.join("mine.wasm.sig"), "{}").unwrap();
    refused(folder, keys, 4, &["it is a bundle", "--new-bundle-format=false"]);
}

#[test]
fn a_signature_may_be_elsewhere() {
    let folder = folder();
    let folder = folder.path();
    done(folder, &["policy", "keygen", "--out", "mine"]);
    done(folder, &["policy", "sign", "mine.wasm", "--key", "mine.key"]);
    std::fs::rename(folder.join("mine.wasm.sig"), folder.join("elsewhere")).unwrap();
    let ended = check(folder, "public_key = \"mine.pub\"\nsignature = \"elsewhere\"");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[test]
fn a_pin_refuses_other_bytes_with_both_digests() {
    let folder = folder();
    let folder = folder.path();
    let listed = done(folder, &["policy", "inspect", "mine.wasm"]);
    let digest = listed
        .lines()
        .find_map(|line| line.strip_prefix("sha256"))
        .unwrap()
        .trim();
    let pin = format!("sha256 = \"{digest}\"");
    let ended = check(folder, &pin);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("from a file, pinned"), "{}", ended.err);
    std::fs::write(folder.join("mine.wasm"), steadfast_host::builtin::NAIVE).unwrap();
    let other = done(folder, &["policy", "inspect", "mine.wasm"]);
    let other = other
        .lines()
        .find_map(|line| line.strip_prefix("sha256"))
        .unwrap()
        .trim();
    refused(folder, &pin, 4, &["not the module that was pinned", digest, other]);
}

#[test]
fn a_key_that_cannot_be_used_is_reported_with_what_to_do() {
    let folder = folder();
    let folder = folder.path();
    let cosign = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\neyJrZGYiOnt9fQ==\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    std::fs::write(folder.join("cosign.key"), cosign).unwrap();
    let ended = run(folder, &["policy", "sign", "mine.wasm", "--key", "cosign.key"]);
    assert_eq!(ended.code, Some(2));
    for wanted in [
        "cosign's own format",
        "cosign sign-blob --key",
        "steadfast policy keygen",
    ] {
        assert!(ended.err.contains(wanted), "no `{wanted}` in {}", ended.err);
    }
    assert!(!folder.join("mine.wasm.sig").exists());
    done(folder, &["policy", "keygen", "--out", "mine"]);
    refused(
        folder,
        "public_key = \"mine.key\"",
        4,
        &["mine.key cannot be used", "the .pub file"],
    );
    refused(
        folder,
        "public_key = \"nobody.pub\"",
        4,
        &["there is no file", "nobody.pub"],
    );
    refused(
        folder,
        "public_key = [\"mine.pub\", \"mine.wasm\"]",
        4,
        &["mine.wasm cannot be used"],
    );
}
