//! Projects of new policies: `steadfast policy new` and what `steadfast policy build` asks for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{run, steadfast};

const LANGUAGES: [&str; 5] = ["rust", "python", "javascript", "c", "go"];

/// What the tools leave behind, and what is about the example alone.
const NOT_OF_THE_TEMPLATE: [&str; 6] = [
    "build",
    "bindings",
    "node_modules",
    "target",
    "__pycache__",
    "Cargo.lock",
];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Every file below a folder, by its path within it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if NOT_OF_THE_TEMPLATE.contains(&name) || name.ends_with(".wasm") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let within = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(within, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn new(folder: &Path, language: &str) -> BTreeMap<String, String> {
    let ended = run(folder, &["policy", "new", "night-shift", "--lang", language]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{}", ended.err);
    assert!(
        ended.err.contains("steadfast policy build night-shift"),
        "{}",
        ended.err
    );
    files(&folder.join("night-shift"))
}

#[test]
fn a_new_project_is_the_example_that_the_conformance_stories_hold_to() {
    for language in LANGUAGES {
        let folder = tempfile::tempdir().unwrap();
        let project = new(folder.path(), language);
        for (path, text) in files(&repository(&format!("examples/policies/{language}"))) {
            let mine = project.get(&path).unwrap_or_else(|| panic!("{language} lacks {path}"));
            if path != "Cargo.toml" {
                assert_eq!(*mine, text.replace("starter", "night-shift"), "{language}: {path}");
            }
        }
        for (path, text) in files(&repository("examples/policies/conformance/stories")) {
            assert_eq!(
                project.get(&format!("stories/{path}")),
                Some(&text),
                "{language}: {path}"
            );
        }
        assert_eq!(
            project.get("policy.wit"),
            Some(&run(folder.path(), &["policy", "wit"]).out),
            "{language}"
        );
    }
}

#[test]
fn a_project_in_rust_brings_the_sdk() {
    let folder = tempfile::tempdir().unwrap();
    let project = new(folder.path(), "rust");
    // Its own tests stay with the repository.
    let sdk = files(&repository("policies/sdk"));
    for (path, text) in sdk.into_iter().filter(|(path, _)| !path.starts_with("tests/")) {
        assert_eq!(project.get(&format!("sdk/{path}")), Some(&text), "{path}");
    }
    let manifest = &project["Cargo.toml"];
    assert!(manifest.contains("path = \"sdk\""), "{manifest}");
}

#[test]
fn a_project_on_the_default_policy_brings_that_policy_and_one_sdk() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(
        folder.path(),
        &["policy", "new", "night-shift", "--from", "conservative"],
    );
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{}", ended.err);
    let project = files(&folder.path().join("night-shift"));
    for (path, text) in files(&repository("examples/policies/on-conservative")) {
        let mine = project.get(&path).unwrap_or_else(|| panic!("it lacks {path}"));
        if path != "Cargo.toml" {
            assert_eq!(*mine, text.replace("on-conservative", "night-shift"), "{path}");
        }
    }
    // Its tests are about the repository.
    let base = files(&repository("policies/conservative"));
    for (path, text) in base.into_iter().filter(|(path, _)| !path.starts_with("src/tests")) {
        let mine = project.get(&format!("conservative/{path}"));
        let mine = mine.unwrap_or_else(|| panic!("it lacks conservative/{path}"));
        if path != "Cargo.toml" {
            assert_eq!(*mine, text.replace("#[cfg(test)]\nmod tests;\n", ""), "{path}");
        }
    }
    let sdk = files(&repository("policies/sdk"));
    for (path, text) in sdk.into_iter().filter(|(path, _)| !path.starts_with("tests/")) {
        assert_eq!(project.get(&format!("sdk/{path}")), Some(&text), "{path}");
    }
    for (path, wanted) in [
        ("Cargo.toml", "steadfast-policy = { path = \"sdk\" }"),
        (
            "Cargo.toml",
            "steadfast-policy-conservative = { path = \"conservative\", default-features = false }",
        ),
        ("Cargo.toml", "name = \"night-shift\""),
        ("conservative/Cargo.toml", "steadfast-policy = { path = \"../sdk\" }"),
        ("conservative/Cargo.toml", "\nrust-version = \"1."),
        ("Cargo.toml", "\nrust-version = \"1."),
    ] {
        let manifest = &project[path];
        assert!(manifest.contains(wanted), "{path}: {manifest}");
        assert!(!manifest.contains("workspace = true"), "{path}: {manifest}");
        manifest.parse::<toml::Table>().unwrap();
    }
}

#[test]
fn only_a_policy_in_rust_builds_on_the_default_policy() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(
        folder.path(),
        &["policy", "new", "mine", "--from", "conservative", "--lang", "go"],
    );
    assert_eq!(ended.code, Some(2), "{}", ended.out);
    assert!(ended.err.contains("is written in Rust"), "{}", ended.err);
    let ended = run(folder.path(), &["policy", "new", "mine"]);
    assert_eq!(ended.code, Some(2), "{}", ended.out);
    assert!(ended.err.contains("--lang"), "{}", ended.err);
    assert_eq!(files(folder.path()), BTreeMap::new());
}

#[test]
fn what_is_there_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/main.py"), "mine").unwrap();
    let ended = run(folder.path(), &["policy", "new", "mine", "--lang", "python"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.err.contains("mine is not empty") && ended.err.contains("--into"),
        "{}",
        ended.err
    );
    assert_eq!(
        files(folder.path()),
        BTreeMap::from([("mine/main.py".to_owned(), "mine".to_owned())])
    );

    let ended = run(
        folder.path(),
        &["policy", "new", "mine", "--lang", "python", "--into", "other"],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(folder.path().join("other/main.py").is_file());
}

#[test]
fn a_toolchain_that_is_missing_is_named_with_the_way_to_get_it() {
    for (language, program, package) in [
        ("rust", "`cargo`", "rustup target add wasm32-unknown-unknown"),
        ("python", "`python3`", "apt-get install python3-venv"),
        ("javascript", "`node`", "Debian 12 has 18"),
        ("c", "`clang`", "apt-get install clang lld wasi-libc"),
        ("go", "`go`", "install Go"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        new(folder.path(), language);
        let ended = steadfast(folder.path(), &["policy", "build", "night-shift"])
            .env("PATH", "")
            .output()
            .unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains(program) && told.contains(package), "{told}");
    }
}

#[test]
fn a_folder_that_is_no_project_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, told) in [(".", "main.py"), ("nowhere", "there is no folder nowhere")] {
        let ended = run(folder.path(), &["policy", "build", name]);
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains(told), "{}", ended.err);
    }
}

#[test]
fn a_new_project_has_tests_and_says_how_they_run() {
    for (language, file, command) in [
        ("rust", "src/lib.rs", "cargo test"),
        ("python", "test_main.py", "python3 -m unittest"),
        ("javascript", "main.test.js", "npm test"),
        ("c", "test/test.c", "build/test"),
        ("go", "policy/policy_test.go", "go test ./policy"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let ended = run(folder.path(), &["policy", "new", "night-shift", "--lang", language]);
        assert!(ended.err.contains(command), "{language}: {}", ended.err);
        let project = files(&folder.path().join("night-shift"));
        assert!(project[file].to_lowercase().contains("lost"), "{language}");
        let told = if language == "c" {
            &project[file]
        } else {
            &project["README.md"]
        };
        assert!(told.contains(command), "{language}: {told}");
    }
}
