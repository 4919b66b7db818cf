//! A core module that notes which of its segments have run.
//!
//! A mark is a bit of a global: `global.get`, `i64.or`, `global.set`, which is one instruction of the processor. The code is not
//! read anew: the bytes of every instruction stay, and marks stand between them.
//!
//! Rejected:
//!
//! - *A memory of marks*: a second memory for each instance, which the pool of instances has no room for.
//! - *A call of the host at each mark*: many times as slow.
//! - *Encoding every instruction anew*: one that the encoder does not know would be refused, and bytes that are copied cannot differ.

use std::ops::Range;

use wasm_encoder::{Encode, ExportKind, Function, GlobalType, Instruction, Module, RawSection, SectionId, ValType};
use wasmparser::{BinaryReader, FunctionBody, Parser, Payload};

use crate::Unreadable;
use crate::segments::{self, Segment};

/// How many marks stand in one global.
pub(crate) const BITS: usize = 64;

/// The core export that returns the global with the number it is given.
pub(crate) const READ: &str = "steadfast:marks";

/// The code of a module.
pub(crate) struct Outline<'a> {
    /// Where the contents of the code section begin, in bytes: positions of debugging information count from there.
    pub(crate) code: Range<usize>,
    /// The index of the first function that is not imported.
    pub(crate) imported: u32,
    /// Each of those, in their order.
    pub(crate) functions: Vec<FunctionBody<'a>>,
    types: u32,
    globals: u32,
}

impl<'a> Outline<'a> {
    /// Reads a module's outline.
    pub(crate) fn of(module: &'a [u8]) -> Result<Self, Unreadable> {
        let mut outline = Self {
            code: 0..0,
            imported: 0,
            functions: Vec::new(),
            types: 0,
            globals: 0,
        };
        // The other sections number nothing that is added.
        #[allow(clippy::wildcard_enum_match_arm)]
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        outline.types += u32::try_from(group?.types().len()).unwrap_or(u32::MAX);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        match import?.ty {
                            wasmparser::TypeRef::Func(_) => outline.imported += 1,
                            wasmparser::TypeRef::Global(_) => outline.globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::GlobalSection(section) => outline.globals += section.count(),
                Payload::CodeSectionStart { range, .. } => outline.code = range,
                Payload::CodeSectionEntry(body) => outline.functions.push(body),
                _ => {}
            }
        }
        Ok(outline)
    }

    /// The segments of each function.
    pub(crate) fn segments(&self) -> Result<Vec<Vec<Segment>>, Unreadable> {
        Ok(self.functions.iter().map(segments::of).collect::<Result<_, _>>()?)
    }
}

/// The module with a mark at each of these places, which are beginnings of segments in ascending order. The n-th has bit n.
pub(crate) fn marked(module: &[u8], outline: &Outline<'_>, places: &[usize]) -> Result<Vec<u8>, Unreadable> {
    let words = words(places.len());
    let reader = outline.imported + u32::try_from(outline.functions.len()).unwrap_or(u32::MAX);
    let mut made = Module::new();
    let mut has_globals = false;
    // The sections that are not named stay what they are.
    #[allow(clippy::wildcard_enum_match_arm)]
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        let Some((id, range)) = payload.as_section() else {
            continue;
        };
        let old = module.get(range.clone()).unwrap_or_default();
        let changed = match &payload {
            Payload::TypeSection(_) => added(old, 1, &reader_type())?,
            Payload::FunctionSection(_) => added(old, 1, &encoded(outline.types))?,
            Payload::GlobalSection(_) => {
                has_globals = true;
                added(old, words, &globals(words))?
            }
            Payload::ExportSection(_) => {
                if !has_globals {
                    let all = added(&[0], words, &globals(words))?;
                    made.section(&RawSection {
                        id: SectionId::Global.into(),
                        data: &all,
                    });
                }
                let mut export = Vec::new();
                READ.encode(&mut export);
                ExportKind::Func.encode(&mut export);
                reader.encode(&mut export);
                added(old, 1, &export)?
            }
            Payload::CodeSectionStart { .. } => code(module, outline, places)?,
            Payload::CustomSection(section) if section.name().starts_with(".debug") => continue,
            _ => old.to_vec(),
        };
        made.section(&RawSection { id, data: &changed });
    }
    Ok(made.finish())
}

/// How many globals so many marks take.
pub(crate) fn words(marks: usize) -> u32 {
    u32::try_from(marks.div_ceil(BITS)).unwrap_or(u32::MAX)
}

/// A section with more entries behind those it has.
fn added(section: &[u8], more: u32, entries: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32()?;
    let rest = section.get(reader.current_position()..).unwrap_or_default();
    let mut all = encoded(count.saturating_add(more));
    all.extend_from_slice(rest);
    all.extend_from_slice(entries);
    Ok(all)
}

fn encoded(number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    number.encode(&mut bytes);
    bytes
}

fn reader_type() -> Vec<u8> {
    let mut types = wasm_encoder::TypeSection::new();
    types.ty().function([ValType::I32], [ValType::I64]);
    entries(&types)
}

fn globals(words: u32) -> Vec<u8> {
    let mut globals = wasm_encoder::GlobalSection::new();
    let kind = GlobalType {
        val_type: ValType::I64,
        mutable: true,
        shared: false,
    };
    for _ in 0..words {
        globals.global(kind, &wasm_encoder::ConstExpr::i64_const(0));
    }
    entries(&globals)
}

/// The entries of a section that was encoded, behind its size and their number.
fn entries(section: &impl Encode) -> Vec<u8> {
    let mut bytes = Vec::new();
    section.encode(&mut bytes);
    let mut reader = BinaryReader::new(&bytes, 0);
    let heads = [reader.read_var_u32(), reader.read_var_u32()];
    let from = if heads.iter().all(Result::is_ok) {
        reader.current_position()
    } else {
        bytes.len()
    };
    bytes.split_off(from)
}

/// The code section with marks, and the function that tells them.
fn code(module: &[u8], outline: &Outline<'_>, places: &[usize]) -> Result<Vec<u8>, Unreadable> {
    let mut all = encoded(u32::try_from(outline.functions.len() + 1).unwrap_or(u32::MAX));
    let mut marks = places.iter().copied().enumerate().peekable();
    for body in &outline.functions {
        let range = body.range();
        let mut made = Vec::new();
        let mut copied = range.start;
        while let Some((mark, place)) = marks.next_if(|(_, place)| *place < range.end) {
            made.extend_from_slice(module.get(copied..place).unwrap_or_default());
            set(outline.globals, mark, &mut made);
            copied = place;
        }
        made.extend_from_slice(module.get(copied..range.end).unwrap_or_default());
        made.encode(&mut all);
    }
    telling(outline.globals, words(places.len())).encode(&mut all);
    Ok(all)
}

/// Sets a bit.
fn set(first: u32, mark: usize, code: &mut Vec<u8>) {
    let global = first + u32::try_from(mark / BITS).unwrap_or(u32::MAX);
    let bit = 1_u64 << (mark % BITS);
    for instruction in [
        Instruction::GlobalGet(global),
        Instruction::I64Const(bit.cast_signed()),
        Instruction::I64Or,
        Instruction::GlobalSet(global),
    ] {
        instruction.encode(code);
    }
}

/// `(func (param i32) (result i64))`: the global with that number, of those behind `first`; 0 if there is none.
fn telling(first: u32, words: u32) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    for _ in 0..=words {
        code.block(wasm_encoder::BlockType::Empty);
    }
    let targets: Vec<u32> = (0..words).collect();
    code.local_get(0).br_table(targets, words);
    for word in 0..words {
        code.end().global_get(first + word).return_();
    }
    code.end().i64_const(0).end();
    function
}
