//! Follows one JSON value to its end, by its brackets and quotes alone: what is between them is for a parser to judge.

/// How deep brackets may stand in each other: as many as there are bits for them.
const DEEPEST: u32 = u128::BITS;

/// A value that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Value {
    /// How many bytes of it have come.
    pub(super) length: usize,
    within: Within,
    depth: u32,
    /// The open brackets, the innermost in the lowest bit: 1 for `{`, 0 for `[`.
    brackets: u128,
}

/// Where in the value the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    /// Before its first byte, or between the brackets of a container.
    #[default]
    Plain,
    /// In a string.
    String,
    /// Behind a backslash in a string.
    Escape,
    /// In a number or a word that is the whole value.
    Word,
}

impl Value {
    /// Reads on. Returns how many of the bytes are the value's if it ends among them. Fails where brackets do not match.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.within {
                Within::String => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let run = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    let Some(run) = run else {
                        break;
                    };
                    at += run;
                    self.within = match rest.get(run) {
                        Some(b'\\') => Within::Escape,
                        Some(_) | None => Within::Plain,
                    };
                }
                Within::Escape => self.within = Within::String,
                Within::Word if matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => {
                    self.length = self.length.saturating_add(at);
                    return Ok(Some(at));
                }
                Within::Word => {}
                Within::Plain => self.plain(byte)?,
            }
            at += 1;
            if self.within == Within::Plain && self.depth == 0 {
                self.length = self.length.saturating_add(at);
                return Ok(Some(at));
            }
        }
        self.length = self.length.saturating_add(bytes.len());
        Ok(None)
    }

    fn plain(&mut self, byte: u8) -> Result<(), String> {
        match byte {
            b'"' => self.within = Within::String,
            b'{' | b'[' => {
                if self.depth == DEEPEST {
                    return Err(format!("brackets stand more than {DEEPEST} deep in each other"));
                }
                self.depth += 1;
                self.brackets = self.brackets << 1 | u128::from(byte == b'{');
            }
            b'}' | b']' => {
                if self.depth == 0 || (self.brackets & 1 == 1) != (byte == b'}') {
                    return Err(format!("`{}` closes nothing", byte.escape_ascii()));
                }
                self.depth -= 1;
                self.brackets >>= 1;
            }
            _ if self.depth == 0 => self.within = Within::Word,
            _ => {}
        }
        Ok(())
    }
}
