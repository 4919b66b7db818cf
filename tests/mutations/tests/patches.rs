//! The patches are current: each applies, and names a test that there is.

// Clippy knows tests by their attribute; what they share has none.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use mutations::patch::Catcher;
use mutations::{Patch, Tree, table, workspace};

#[test]
fn each_patch_applies_alone_and_all_of_them_together() {
    let patches = Patch::all(&workspace()).unwrap();
    assert!(patches.len() >= 25, "only {} patches were read", patches.len());
    let mut together = Tree::of(&workspace());
    let mut complaints = Vec::new();
    for patch in &patches {
        let alone = Tree::of(&workspace()).apply(patch);
        let applied = alone.and_then(|()| together.apply(patch));
        complaints.extend(applied.err().map(|error| format!("{error:#}")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
    together.answer().unwrap();
}

#[test]
fn each_patch_names_a_test_that_there_is() {
    for patch in Patch::all(&workspace()).unwrap() {
        assert!(is_there(&patch.catcher), "{}: {:?}", patch.name, patch.catcher);
    }
}

/// Whether some file of the package has the function, or the story's file is there.
fn is_there(catcher: &Catcher) -> bool {
    let story = format!("tests/scenarios/stories/{}.toml", catcher.test);
    if catcher.package == "scenarios" && workspace().join(story).is_file() {
        return true;
    }
    let function = format!("fn {}(", catcher.test.rsplit("::").next().unwrap());
    let named = format!("name = \"{}\"\n", catcher.package);
    let packages = ["engine", "policies", "tests"].map(|group| std::fs::read_dir(workspace().join(group)).unwrap());
    let mut folders = packages.into_iter().flatten().map(|entry| entry.unwrap().path());
    let folder = folders.find(|folder| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|manifest| manifest.contains(&named))
    });
    let parts = if catcher.target == "lib" { "src" } else { "tests" };
    folder.is_some_and(|folder| any_file_has(&folder.join(parts), &function))
}

fn any_file_has(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            any_file_has(&path, text)
        } else {
            std::fs::read_to_string(&path).is_ok_and(|content| content.contains(text))
        }
    })
}

#[test]
fn the_track_record_lists_every_mistake() {
    let path = workspace().join("docs/track-record.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = written.split_once("<!-- mistakes: begin -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- mistakes: end -->").unwrap();
    let table = table::markdown(&Patch::all(&workspace()).unwrap());
    let due = format!("{before}<!-- mistakes: begin -->\n{table}<!-- mistakes: end -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &due).unwrap();
    }
    assert!(
        due == std::fs::read_to_string(&path).unwrap(),
        "docs/track-record.md is not current: UPDATE_DOCS=1 cargo test -p mutations track_record"
    );
}

#[test]
fn a_patch_whose_lines_have_moved_applies_and_one_whose_lines_have_changed_is_named() {
    let folder = std::env::temp_dir().join(format!("mutations-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("tests/mutations/patches")).unwrap();
    let patch = "Mistake: it is.\nSeen: here,\n  and there.\nCaught by: p lib t\n\n--- a/f.rs\n+++ b/f.rs\n@@ -1,2 +1,2 @@\n one\n-two\n\
                 +if crate::mutant(\"wrong\") {}\n";
    std::fs::write(folder.join("tests/mutations/patches/01-wrong.patch"), patch).unwrap();
    let patches = Patch::all(&folder).unwrap();
    assert_eq!(patches[0].seen, "here, and there.");

    std::fs::write(folder.join("f.rs"), "new\none\ntwo\nthree\n").unwrap();
    let mut tree = Tree::of(&folder);
    tree.apply(&patches[0]).unwrap();
    let patched = "new\none\nif crate::mutant(\"wrong\") {}\nthree\n";
    assert_eq!(tree.touched()[Path::new("f.rs")], patched);

    std::fs::write(folder.join("f.rs"), "one\nTWO\n").unwrap();
    let error = Tree::of(&folder).apply(&patches[0]).unwrap_err();
    assert!(
        format!("{error:#}").contains("patch wrong does not apply to f.rs"),
        "{error:#}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}
