//! What never ran, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::code::{Code, Of};

/// Which of a policy's own code never ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NeverRan {
    /// How many functions of the policy's own there are in the module.
    pub functions: usize,
    /// How many of them were never called.
    pub functions_never_called: usize,
    /// How many lines of the policy's own have code in the module; `None` where it has no lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<usize>,
    /// How many of them never ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_never_ran: Option<usize>,
    /// The functions of which something never ran, by file and line, or by name.
    pub parts: Vec<Part>,
}

/// What of one function never ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The function, as its author calls it, with its path.
    pub function: String,
    /// None of it ran.
    pub never_called: bool,
    /// Its file, from the project's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The lines that never ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineRange>,
    /// How much of it never ran, where there are no lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branches: Option<Branches>,
}

/// Lines from one to another, both included, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineRange {
    /// The first.
    pub from: u32,
    /// The last.
    pub to: u32,
}

/// Branches of a function in the compiled code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Branches {
    /// How many there are.
    pub all: usize,
    /// How many were never taken.
    pub never_taken: usize,
}

/// What is known of a line.
#[derive(Default)]
struct Line<'a> {
    ran: bool,
    /// Its functions: a macro's line, say, may have several.
    functions: BTreeSet<&'a str>,
}

/// By the lines of files. A line never ran if nothing of it did.
pub(crate) fn by_lines(code: &Code, is_set: impl Fn(usize) -> bool) -> NeverRan {
    let mut lines: BTreeMap<(&str, u32), Line<'_>> = BTreeMap::new();
    for (number, mark) in code.marks.iter().enumerate() {
        let ran = is_set(number);
        let Of::Lines(spots) = &mark.of else { continue };
        for spot in spots.iter().filter(|_| ran || !mark.gives_up) {
            let line = lines.entry((&spot.file, spot.line)).or_default();
            line.ran |= ran;
            line.functions.insert(&spot.function);
        }
    }
    let folder = common_folder(lines.keys().map(|(file, _)| *file));
    let mut functions: BTreeMap<(&str, &str), Vec<(u32, bool)>> = BTreeMap::new();
    for ((file, number), line) in &lines {
        for function in &line.functions {
            functions.entry((file, function)).or_default().push((*number, line.ran));
        }
    }
    let mut parts: Vec<Part> = functions
        .iter()
        .filter(|(_, lines)| lines.iter().any(|(_, ran)| !ran))
        .map(|((file, function), lines)| Part {
            function: (*function).to_owned(),
            never_called: lines.iter().all(|(_, ran)| !ran),
            file: Some(shown(file, &folder)),
            lines: ranges(lines),
            branches: None,
        })
        .collect();
    parts.sort_by_key(|part| (part.file.clone(), part.lines.first().map(|range| range.from)));
    NeverRan {
        functions: functions.len(),
        functions_never_called: parts.iter().filter(|part| part.never_called).count(),
        lines: Some(lines.len()),
        lines_never_ran: Some(lines.values().filter(|line| !line.ran).count()),
        parts,
    }
}

/// Lines that never ran, those in one range between which none did.
fn ranges(lines: &[(u32, bool)]) -> Vec<LineRange> {
    let mut ranges: Vec<LineRange> = Vec::new();
    let mut is_open = false;
    for (number, ran) in lines {
        match ranges.last_mut().filter(|_| is_open && !ran) {
            Some(range) => range.to = *number,
            None if !ran => ranges.push(LineRange {
                from: *number,
                to: *number,
            }),
            None => {}
        }
        is_open = !ran;
    }
    ranges
}

/// The folder that holds all files, above `src`.
fn common_folder<'a>(files: impl Iterator<Item = &'a str>) -> PathBuf {
    let folders = files.filter_map(|file| Path::new(file).parent()).map(Path::to_path_buf);
    let common = folders.reduce(|common, folder| {
        let same = common
            .components()
            .zip(folder.components())
            .take_while(|(one, other)| one == other);
        same.map(|(component, _)| component).collect()
    });
    let common = common.unwrap_or_default();
    if common.ends_with("src") {
        common.parent().map(Path::to_path_buf).unwrap_or_default()
    } else {
        common
    }
}

fn shown(file: &str, folder: &Path) -> String {
    let path = Path::new(file);
    path.strip_prefix(folder).unwrap_or(path).display().to_string()
}

/// By the names of functions alone.
pub(crate) fn by_names(code: &Code, is_set: impl Fn(usize) -> bool) -> NeverRan {
    #[derive(Default)]
    struct Known {
        called: bool,
        /// It does nothing but end in a trap.
        gives_up: bool,
        branches: Branches,
    }
    let mut functions: BTreeMap<&str, Known> = BTreeMap::new();
    for (number, mark) in code.marks.iter().enumerate() {
        match &mark.of {
            Of::Function(name) => {
                let known = functions.entry(name).or_default();
                known.called |= is_set(number);
                known.gives_up |= mark.gives_up;
            }
            Of::Branch(name) if !mark.gives_up => {
                let branches = &mut functions.entry(name).or_default().branches;
                branches.all += 1;
                branches.never_taken += usize::from(!is_set(number));
            }
            Of::Branch(_) | Of::Lines(_) => {}
        }
    }
    functions.retain(|_, known| known.called || !known.gives_up);
    let parts: Vec<Part> = functions
        .iter()
        .filter(|(_, known)| !known.called || known.branches.never_taken > 0)
        .map(|(function, known)| Part {
            function: (*function).to_owned(),
            never_called: !known.called,
            file: None,
            lines: Vec::new(),
            branches: known.called.then_some(known.branches),
        })
        .collect();
    NeverRan {
        functions: functions.len(),
        functions_never_called: parts.iter().filter(|part| part.never_called).count(),
        lines: None,
        lines_never_ran: None,
        parts,
    }
}

/// How many lines are printed of what never ran.
const SHOWN: usize = 30;

impl fmt::Display for NeverRan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let called = self.functions - self.functions_never_called;
        write!(f, "code that ran: {called} of {} functions", self.functions)?;
        if let (Some(lines), Some(never)) = (self.lines, self.lines_never_ran) {
            write!(f, ", {} of {lines} lines", lines - never)?;
        }
        if self.parts.is_empty() {
            return writeln!(f);
        }
        writeln!(f, "; what never did:")?;
        let shown = self.parts.get(..SHOWN).unwrap_or(&self.parts);
        let width = shown
            .iter()
            .map(|part| part.place().len())
            .max()
            .unwrap_or(0)
            .min(WIDTH);
        for part in shown {
            let told = format!("{:width$}  {}", part.place(), part.what());
            writeln!(f, "  {}", told.trim_start())?;
        }
        let more = self.parts.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(f, "  and of {more} functions more")?;
        }
        Ok(())
    }
}

/// How many ranges of lines are printed of one function.
const RANGES: usize = 8;

/// How wide the column of files and lines is at most.
const WIDTH: usize = 36;

impl Part {
    /// `src/lib.rs:12,15-18`, or nothing where there are no lines.
    fn place(&self) -> String {
        let Some(file) = &self.file else { return String::new() };
        let mut ranges: Vec<String> = self.lines.iter().take(RANGES).map(ToString::to_string).collect();
        if self.lines.len() > RANGES {
            ranges.push("...".to_owned());
        }
        format!("{file}:{}", ranges.join(","))
    }

    /// The function, and how much of it.
    fn what(&self) -> String {
        let function = &self.function;
        match self.branches {
            _ if self.never_called => format!("{function}, never called"),
            Some(Branches { all, never_taken }) => format!("{function}, {never_taken} of {all} branches"),
            None => function.clone(),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", format!("{}  {}", self.place(), self.what()).trim_start())
    }
}

impl fmt::Display for LineRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.from)
        } else {
            write!(f, "{}-{}", self.from, self.to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_between_which_none_ran_are_one_range() {
        let lines = [(3, true), (4, false), (9, false), (10, true), (12, false)];
        let told: Vec<String> = ranges(&lines).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["4-9", "12"]);
    }

    #[test]
    fn files_are_told_from_the_project() {
        let one = ["/home/me/mine/src/lib.rs"];
        assert_eq!(shown(one[0], &common_folder(one.into_iter())), "src/lib.rs");
        let two = ["/home/me/mine/policy/rules.go", "/home/me/mine/main.go"];
        assert_eq!(shown(two[0], &common_folder(two.into_iter())), "policy/rules.go");
    }

    #[test]
    fn no_more_is_printed_than_is_read() {
        let part = |number: usize| Part {
            function: format!("f{number}"),
            never_called: true,
            file: None,
            lines: Vec::new(),
            branches: None,
        };
        let never_ran = NeverRan {
            functions: 50,
            functions_never_called: 42,
            lines: None,
            lines_never_ran: None,
            parts: (0..42).map(part).collect(),
        };
        let told = never_ran.to_string();
        assert_eq!(told.lines().count(), 32);
        assert!(told.ends_with("and of 12 functions more\n"), "{told}");
    }
}
