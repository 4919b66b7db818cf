//! Which lines of the author's files a module's code was made of, as its debugging information (DWARF) says.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian};
use wasmparser::{Parser, Payload};

use crate::names::plain;
use crate::{NotMarked, Unreadable};

/// Where what is not the author's stands: registries, the standard libraries of Rust and C, the contract's bindings, the SDK.
const OF_OTHERS: [&str; 17] = [
    "/.cargo/",
    "/registry/src/",
    "/git/checkouts/",
    "/rustc/",
    "/rustlib/",
    "/library/std/",
    "/library/core/",
    "/library/alloc/",
    "/vendor/",
    "/usr/",
    "/libc-top-half/",
    "/libc-bottom-half/",
    "/dlmalloc/",
    "/build/",
    "/bindings/",
    "/target/",
    "/sdk/",
];

type Bytes<'a> = EndianSlice<'a, LittleEndian>;

/// The lines of a module.
pub(crate) struct Lines<'a> {
    context: Context<Bytes<'a>>,
    /// The folder of the project; without one, paths alone say what is the author's.
    project: Option<&'a Path>,
}

/// Code of a line of the author's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// The file, as the debugging information names it.
    pub(crate) file: String,
    /// Its line, counted from 1.
    pub(crate) line: u32,
    /// The function that it stands in, also where that was inlined.
    pub(crate) function: String,
}

impl<'a> Lines<'a> {
    /// The lines of a core module. `None` if it carries none.
    pub(crate) fn of(module: &'a [u8], project: Option<&'a Path>) -> Result<Option<Self>, NotMarked> {
        let mut sections = BTreeMap::new();
        for payload in Parser::new(0).parse_all(module) {
            if let Payload::CustomSection(section) = payload.map_err(Unreadable)?
                && section.name().starts_with(".debug_")
            {
                sections.insert(section.name(), section.data());
            }
        }
        if !sections.contains_key(".debug_line") {
            return Ok(None);
        }
        let dwarf = Dwarf::load(|id| -> Result<Bytes<'a>, addr2line::gimli::Error> {
            Ok(Bytes::new(
                sections.get(id.name()).copied().unwrap_or_default(),
                LittleEndian,
            ))
        })?;
        let context = Context::from_dwarf(dwarf)?;
        Ok(Some(Self { context, project }))
    }

    /// The author's lines in a range of code, whose positions count from the beginning of the code section's contents. `named` is the name
    /// of the function in which they stand if none was inlined there: that one has none in the debugging information of C.
    pub(crate) fn within(&self, code: Range<u64>, named: &str) -> Result<Vec<Spot>, NotMarked> {
        let mut spots = Vec::new();
        for (from, _, location) in self.context.find_location_range(code.start, code.end)? {
            // A row may have begun before.
            let at = from.max(code.start);
            let (Some(file), Some(line)) = (location.file, location.line.filter(|line| *line > 0)) else {
                continue;
            };
            if self.is_own(file) {
                spots.push(Spot {
                    file: file.to_owned(),
                    line,
                    function: self.function(at)?.unwrap_or_else(|| plain(named)),
                });
            }
        }
        spots.sort();
        spots.dedup();
        Ok(spots)
    }

    /// The innermost function at a position, by the author's name for it.
    fn function(&self, at: u64) -> Result<Option<String>, NotMarked> {
        let mut frames = self.context.find_frames(at).skip_all_loads()?;
        let named = frames.next()?.and_then(|frame| frame.function);
        let name = named.as_ref().map(|name| name.raw_name()).transpose()?;
        Ok(name.map(|name| alone(&plain(&name))))
    }

    fn is_own(&self, file: &str) -> bool {
        let within = match self.project.and_then(Path::to_str) {
            Some(project) => match file.strip_prefix(project) {
                Some(within) => within,
                None => return false,
            },
            None => file,
        };
        let within = format!("/{}", within.trim_start_matches('/'));
        // The default policy, in a project that builds on it.
        let is_base = self.project.is_some() && within.starts_with("/conservative/");
        !is_base && !OF_OTHERS.iter().any(|folder| within.contains(folder))
    }
}

/// A function's name without what it was made for, such as `told` of `told<mine::Job>`; a closure has none.
fn alone(name: &str) -> String {
    let generic = name.find('<').filter(|at| *at > 0).unwrap_or(name.len());
    match name.get(..generic) {
        Some(closure) if closure.starts_with("{closure") => "a closure".to_owned(),
        Some(name) => name.to_owned(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::alone;

    #[test]
    fn each_function_has_one_name_whatever_it_was_made_for() {
        assert_eq!(alone("told<mine::Job>"), "told");
        assert_eq!(
            alone("<mine::Job as mine::Told>::told"),
            "<mine::Job as mine::Told>::told"
        );
        assert_eq!(alone("{closure#0}<mine::Job>"), "a closure");
    }
}
