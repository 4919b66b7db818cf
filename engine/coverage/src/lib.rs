//! Which code of a policy never ran, while a policy was shown whatever may happen.
//!
//! [`mark`] makes a second component of a policy's: the same code, byte for byte, with marks between. Where control may come from
//! elsewhere or go elsewhere a [segment](segments) begins, and a mark notes that it ran; the component has one more function, by
//! which the host asks for the [marks](marking). Afterwards [`Code::never_ran`] says what was never come to: by the author's own
//! functions, which the module [names], and by file and line where debugging information has those ([lines]). What is not
//! the author's (standard libraries, the SDK, bindings, what else was linked) has no marks, and neither has code that ends in a trap.
//!
//! Nothing here runs WebAssembly: `steadfast-host` does, with its feature `coverage`.
//!
//! Rejected: *the compilers' own instrumentation* (`-C instrument-coverage`, `-fprofile-instr-generate`, `go build -cover`): each
//! measures another module than the one that is given out, and needs a runtime with files.

mod code;
mod component;
mod lines;
mod marking;
mod names;
mod never_ran;
mod segments;
mod stripped;
#[cfg(test)]
mod tests;

use std::path::Path;

use addr2line::gimli;

pub use code::Code;
pub use component::EXPORT;
pub use never_ran::{Branches, LineRange, NeverRan, Part};
pub use stripped::{has_code_of, without_lines, without_names};

/// The bytes are no WebAssembly that can be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("the module cannot be read: {0}")]
pub struct Unreadable(#[from] pub(crate) wasmparser::BinaryReaderError);

/// Why it cannot be seen which of a module's code runs.
#[derive(Debug, thiserror::Error)]
pub enum NotMarked {
    /// See [`Unreadable`].
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Its debugging information is damaged.
    #[error("the lines in its debugging information cannot be read: {0}")]
    Lines(#[from] gimli::Error),
    /// An interpreter reads the policy.
    #[error("a policy in {0} is read by an interpreter, and which of its lines ran is not seen; its rules are")]
    Interpreted(&'static str),
    /// It carries neither names nor lines.
    #[error(
        "the module carries no names of functions; a project that `steadfast policy build` has built keeps them beside it, in build/, and \
         another build does without `strip`, `-s` and `wasm-strip`"
    )]
    Stripped,
    /// It carries names, by which the author's own functions cannot be told from others.
    #[error(
        "the module carries no lines, and in {0} names do not tell whose a function is; a project that `steadfast policy build` has built \
         keeps the lines beside it, in build/, and another build has them with `-g`"
    )]
    Lineless(String),
    /// No function is the author's.
    #[error("the module names functions, of which none is the policy's own")]
    NothingOwn,
}

/// Where a module's names and lines are, if not in itself.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The core module as it was before names and lines were taken from it; its code is that of the module.
    pub module: &'a [u8],
    /// The folder of the project that it was built from: what was built from elsewhere is not the author's.
    pub project: &'a Path,
}

/// A component that notes which of its code ran.
#[derive(Debug)]
pub struct Marked {
    /// Its bytes. It exports [`EXPORT`] beside what it did.
    pub component: Vec<u8>,
    /// How many words of 64 marks it has.
    pub words: u32,
    /// What the marks stand for.
    pub code: Code,
}

/// Makes a component of a policy note which of its code ran. Fails if that could not be told.
pub fn mark(component: &[u8], origin: Option<Origin<'_>>) -> Result<Marked, NotMarked> {
    if let Some(language) = interpreted(component) {
        return Err(NotMarked::Interpreted(language));
    }
    let main = component::main(component)?.ok_or(NotMarked::NothingOwn)?;
    let module = component.get(main.at.clone()).unwrap_or_default();
    let outline = marking::Outline::of(module)?;
    let (code, places) = code::found(module, &outline, origin)?;
    let marked = marking::marked(module, &outline, &places)?;
    Ok(Marked {
        component: component::with(component, &main, &marked)?,
        words: marking::words(places.len()),
        code,
    })
}

/// From how many bytes on a component may hold the interpreter of a language.
const INTERPRETER: usize = 4 << 20;

/// The language whose interpreter the component is.
fn interpreted(component: &[u8]) -> Option<&'static str> {
    let has = |needle: &str| {
        component
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    let known = [
        ("Python", "PyObject_"),
        ("JavaScript", "spidermonkey"),
        ("JavaScript", "StarlingMonkey"),
    ];
    let mut known = known.into_iter().filter(|_| component.len() >= INTERPRETER);
    known.find_map(|(language, needle)| has(needle).then_some(language))
}
