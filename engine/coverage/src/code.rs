//! What each mark of a module stands for.

use std::ops::Range;

use crate::lines::{Lines, Spot};
use crate::marking::Outline;
use crate::names::Names;
use crate::never_ran::{self, NeverRan};
use crate::{NotMarked, Origin};

/// What the marks of a module stand for.
#[derive(Debug)]
pub struct Code {
    pub(crate) marks: Vec<Mark>,
    /// Whether the marks have lines.
    pub(crate) has_lines: bool,
}

/// What one mark stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where the author's code is that it stands for.
    pub(crate) of: Of,
    /// What it marks ends in a trap.
    pub(crate) gives_up: bool,
}

/// The author's code behind a mark.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// These lines.
    Lines(Vec<Spot>),
    /// The beginning of this function.
    Function(String),
    /// A branch in this function.
    Branch(String),
}

impl Code {
    /// What never ran, by which marks are set.
    pub fn never_ran(&self, is_set: impl Fn(usize) -> bool) -> NeverRan {
        if self.has_lines {
            never_ran::by_lines(self, is_set)
        } else {
            never_ran::by_names(self, is_set)
        }
    }
}

/// The marks of a module, and where in it each stands, in bytes.
pub(crate) fn found(
    module: &[u8],
    outline: &Outline<'_>,
    origin: Option<Origin<'_>>,
) -> Result<(Code, Vec<usize>), NotMarked> {
    let named = origin.map_or(module, |origin| origin.module);
    let project = origin.map(|origin| origin.project);
    let found = match Lines::of(named, project)? {
        Some(lines) => by_lines(outline, &lines, &Names::of(named)?)?,
        None => by_names(outline, &Names::of(named)?)?,
    };
    if found.1.is_empty() {
        return Err(NotMarked::NothingOwn);
    }
    Ok(found)
}

fn by_lines(outline: &Outline<'_>, lines: &Lines<'_>, names: &Names) -> Result<(Code, Vec<usize>), NotMarked> {
    let (mut marks, mut places) = (Vec::new(), Vec::new());
    for (function, segments) in (outline.imported..).zip(outline.segments()?) {
        let name = names.functions.get(&function).map_or("", String::as_str);
        for segment in segments {
            let spots = lines.within(within_code(outline, &segment.at), name)?;
            if !spots.is_empty() {
                marks.push(Mark {
                    of: Of::Lines(spots),
                    gives_up: segment.gives_up,
                });
                places.push(segment.at.start);
            }
        }
    }
    Ok((Code { marks, has_lines: true }, places))
}

fn by_names(outline: &Outline<'_>, names: &Names) -> Result<(Code, Vec<usize>), NotMarked> {
    if names.functions.is_empty() {
        return Err(NotMarked::Stripped);
    }
    if !names.is("Rust") && !names.is("Go") {
        return Err(NotMarked::Lineless(names.language()));
    }
    let (mut marks, mut places) = (Vec::new(), Vec::new());
    for (function, segments) in (outline.imported..).zip(outline.segments()?) {
        let Some(name) = names.own(function) else { continue };
        for (number, segment) in segments.into_iter().enumerate() {
            let of = match number {
                0 => Of::Function(name.clone()),
                // Go's compiler lets a function begin again at each call in it, for its stacks to grow: branches say nothing there.
                _ if names.is("Go") => break,
                _ => Of::Branch(name.clone()),
            };
            marks.push(Mark {
                of,
                gives_up: segment.gives_up,
            });
            places.push(segment.at.start);
        }
    }
    Ok((
        Code {
            marks,
            has_lines: false,
        },
        places,
    ))
}

/// A range of the module as positions of debugging information.
fn within_code(outline: &Outline<'_>, at: &Range<usize>) -> Range<u64> {
    let from = |place: usize| u64::try_from(place.saturating_sub(outline.code.start)).unwrap_or(u64::MAX);
    from(at.start)..from(at.end)
}
