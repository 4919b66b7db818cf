//! Modules whose code is known: one in C with its lines, and the same with names alone, or with nothing.

use std::path::Path;

use crate::code::{Code, found};
use crate::marking::{Outline, marked};
use crate::{NeverRan, NotMarked, Origin, without_lines, without_names};

/// `tests/lines.c`, compiled as its first lines say.
const LINES: &[u8] = include_bytes!("tests/lines.wasm");
const SOURCE: &str = include_str!("tests/lines.c");

fn marks(module: &[u8], origin: Option<Origin<'_>>) -> Result<(Code, Vec<usize>), NotMarked> {
    found(module, &Outline::of(module)?, origin)
}

/// The number of the line that holds this text.
fn line(text: &str) -> u32 {
    let at = SOURCE.lines().position(|line| line.contains(text)).unwrap();
    u32::try_from(at).unwrap() + 1
}

/// As if all had run but what stands on lines with one of these texts.
fn without(texts: &[&str]) -> NeverRan {
    let (code, _) = marks(LINES, None).unwrap();
    let lines: Vec<u32> = texts.iter().map(|text| line(text)).collect();
    code.never_ran(|number| match &code.marks[number].of {
        crate::code::Of::Lines(spots) => !spots.iter().any(|spot| lines.contains(&spot.line)),
        crate::code::Of::Function(_) | crate::code::Of::Branch(_) => false,
    })
}

#[test]
fn a_function_and_a_branch_that_never_ran_are_told_by_their_lines() {
    let never_ran = without(&["seen = 1", "seen = count", "return count + 1"]);
    let told: Vec<String> = never_ran.parts.iter().map(ToString::to_string).collect();
    let branch = format!("lines.c:{}-{}  judge", line("seen = 1"), line("seen = never"));
    assert!(told.contains(&branch), "no `{branch}` in {told:#?}");
    let function = never_ran.parts.iter().find(|part| part.function == "never").unwrap();
    assert!(
        function.never_called && never_ran.functions_never_called == 1,
        "{told:#?}"
    );
    assert!(!told.iter().any(|part| part.contains("inlined")), "{told:#?}");
}

#[test]
fn what_was_inlined_is_told_by_its_own_name() {
    let never_ran = without(&["seen = 3"]);
    let told: Vec<String> = never_ran.parts.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("lines.c:{}  inlined", line("seen = 3"))]);
}

#[test]
fn what_ends_in_a_trap_is_not_missed() {
    assert_eq!(without(&["__builtin_trap"]).parts, []);
}

#[test]
fn lines_are_the_authors_if_they_stand_in_the_project() {
    let project = |project| {
        marks(
            LINES,
            Some(Origin {
                module: LINES,
                project: Path::new(project),
            }),
        )
    };
    assert!(project("/project").is_ok());
    assert!(matches!(project("/elsewhere"), Err(NotMarked::NothingOwn)));
}

#[test]
fn a_module_that_names_nothing_is_refused_with_what_helps() {
    let nameless = marks(&without_names(LINES).unwrap(), None).unwrap_err();
    assert!(matches!(nameless, NotMarked::Stripped), "{nameless}");
    assert!(nameless.to_string().contains("steadfast policy build"), "{nameless}");
    let lineless = marks(&without_lines(LINES).unwrap(), None).unwrap_err();
    assert!(
        matches!(&lineless, NotMarked::Lineless(language) if language == "C"),
        "{lineless}"
    );
    // The lines may stand beside it.
    let origin = Origin {
        module: LINES,
        project: Path::new("/project"),
    };
    assert!(marks(&without_names(LINES).unwrap(), Some(origin)).is_ok());
}

#[test]
fn marks_change_no_instruction() {
    let outline = Outline::of(LINES).unwrap();
    let (_, places) = marks(LINES, None).unwrap();
    let marked = marked(LINES, &outline, &places).unwrap();
    wasmparser::Validator::new().validate_all(&marked).unwrap();
    let with_marks = Outline::of(&marked).unwrap();
    assert_eq!(with_marks.functions.len(), outline.functions.len() + 1);
    for (one, other) in outline.functions.iter().zip(&with_marks.functions) {
        // A mark is four instructions.
        let count = |body: &wasmparser::FunctionBody<'_>| body.get_operators_reader().unwrap().into_iter().count();
        let within = places.iter().filter(|place| one.range().contains(place)).count();
        assert_eq!(count(other), count(one) + 4 * within);
    }
}
