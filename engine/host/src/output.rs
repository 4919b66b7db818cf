//! What a policy prints: taken, bounded, and never answered.
//!
//! It is the one thing that a module may import beside its types. Nothing comes back from it, so no decision can depend on it: the
//! same snapshot gives the same decision, whether anybody listens or not.

use std::collections::VecDeque;

use steadfast_core::foreign_text::harmless;
use steadfast_wit::VERSION;
use wasmtime::component::{Linker, WasmList};
use wasmtime::{Result, StoreContextMut};

use crate::contract::OUTPUT;
use crate::guard::Guard;

/// The name of the function.
pub(crate) const PRINT: &str = "print";

/// How much is kept of the beginning of what a call prints, and how much of its end, in bytes.
const KEPT: usize = 2 * 1024;

/// How much of it a failure's message repeats, in bytes: there is room for what happened beside it.
const IN_A_MESSAGE: usize = 640;

/// Offers the function to whatever module imports it.
pub(crate) fn link(linker: &mut Linker<Guard>) -> Result<()> {
    linker.instance(&format!("{OUTPUT}@{VERSION}"))?.func_wrap(
        PRINT,
        |mut store: StoreContextMut<'_, Guard>, (text,): (WasmList<u8>,)| {
            // No more is copied than is kept, however long it is.
            let bytes = text.as_le_slice(&store);
            let begins = bytes.get(..KEPT).unwrap_or(bytes).to_vec();
            let rest = bytes.get(KEPT..).unwrap_or_default();
            let is_whole = rest.len() <= KEPT;
            let ends = rest.get(rest.len().saturating_sub(KEPT)..).unwrap_or_default().to_vec();
            let printed = &mut store.data_mut().printed;
            printed.take(&begins);
            printed.take(&ends);
            printed.is_whole &= is_whole;
            Ok(())
        },
    )
}

/// What one call has printed.
#[derive(Debug)]
pub(crate) struct Printed {
    begins: Vec<u8>,
    ends: VecDeque<u8>,
    is_whole: bool,
}

impl Default for Printed {
    fn default() -> Self {
        Self {
            begins: Vec::new(),
            ends: VecDeque::new(),
            is_whole: true,
        }
    }
}

impl Printed {
    /// Forgets it.
    pub(crate) fn clear(&mut self) {
        self.begins.clear();
        self.ends.clear();
        self.is_whole = true;
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = KEPT.saturating_sub(self.begins.len()).min(bytes.len());
        let (begins, ends) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.begins.extend_from_slice(begins);
        self.ends.extend(ends);
        let beyond = self.ends.len().saturating_sub(KEPT);
        self.is_whole &= beyond == 0;
        self.ends.drain(..beyond);
    }

    /// What is kept of it, with `…` where something is left out. Empty if nothing was printed.
    pub(crate) fn text(&self) -> String {
        if self.begins.is_empty() {
            return String::new();
        }
        let ends: Vec<u8> = self.ends.iter().copied().collect();
        if self.is_whole {
            // A character may lie across the two.
            return String::from_utf8_lossy(&[self.begins.as_slice(), &ends].concat()).into_owned();
        }
        format!(
            "{}…{}",
            String::from_utf8_lossy(&self.begins),
            String::from_utf8_lossy(&ends)
        )
    }

    /// A message with what was printed behind it, on one line.
    pub(crate) fn behind(&self, message: String) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() {
            return message;
        }
        format!("{message}; it printed: {}", shortened(&lines.join(" ")))
    }
}

/// The beginning and the end of a long text: a panic begins with its message, a traceback ends with it.
fn shortened(text: &str) -> String {
    // What it becomes counts: a character that a terminal would obey is written out.
    let text = harmless(text, 2 * KEPT);
    if text.len() <= IN_A_MESSAGE {
        return text.into_owned();
    }
    let begins = text.floor_char_boundary(IN_A_MESSAGE / 2);
    let ends = text.ceil_char_boundary(text.len().saturating_sub(IN_A_MESSAGE / 2));
    format!(
        "{} … {}",
        text.get(..begins).unwrap_or_default(),
        text.get(ends..).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(parts: &[&[u8]]) -> Printed {
        let mut printed = Printed::default();
        parts.iter().for_each(|part| printed.take(part));
        printed
    }

    #[test]
    fn what_is_printed_in_pieces_is_one_text() {
        assert_eq!(printed(&[b"one ", b"two\n", b"three"]).text(), "one two\nthree");
        let umlaut = "ü".as_bytes();
        assert_eq!(printed(&[&umlaut[..1], &umlaut[1..]]).text(), "ü");
        let across = [vec![b'x'; KEPT - 1], umlaut.to_vec()].concat();
        assert!(printed(&[&across]).text().ends_with("xü"));
        assert_eq!(printed(&[]).text(), "");
        assert_eq!(printed(&[b"\xff"]).text(), "\u{fffd}");
    }

    #[test]
    fn of_what_is_long_the_beginning_and_the_end_are_kept() {
        let mut printed = printed(&[b"first", &vec![b'.'; 100_000], b"last"]);
        let text = printed.text();
        assert!(
            text.starts_with("first") && text.ends_with("last") && text.contains('…'),
            "{text}"
        );
        assert!(text.len() <= 2 * KEPT + 8, "{}", text.len());
        printed.clear();
        printed.take(b"another");
        assert_eq!(printed.text(), "another");
    }

    #[test]
    fn a_message_has_both_ends_on_one_line() {
        let long = format!("panic: here\n\n{}\nAttributeError: there\n", "  frame\n".repeat(200));
        let message = printed(&[long.as_bytes()]).behind("`decide` ended".to_owned());
        assert!(
            message.starts_with("`decide` ended; it printed: panic: here frame"),
            "{message}"
        );
        assert!(
            message.ends_with("AttributeError: there") && !message.contains('\n'),
            "{message}"
        );
        assert!(message.len() < 800, "{}", message.len());
        assert_eq!(printed(&[b"\n \n"]).behind("it ended".to_owned()), "it ended");
    }
}
