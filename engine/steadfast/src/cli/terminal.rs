//! What a terminal is sent: text, and no command.
//!
//! An exception's message, a pod's name, a policy's error: whoever can write one of them could otherwise clear the screen of
//! whoever asks for it, retitle the window, or write over what stands there. The engine makes such texts harmless where they
//! come in; this is the last door, for whatever an older engine or another server answers.

use std::borrow::Cow;

use steadfast_core::foreign_text::is_harmful;

/// What is not text and may pass all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passes {
    /// Ends of lines and tabulators.
    Lines,
    /// These, and the colours of our own reports.
    LinesAndColors,
    /// Colours alone: all of it is one line.
    Colors,
}

/// The text with every character that does something replaced by its escape (`\u001b`), which is JSON's too.
pub(super) fn plain(text: &str, passes: Passes) -> Cow<'_, str> {
    if text.chars().all(|character| is_plain(character, passes)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let color = color(rest).filter(|_| passes != Passes::Lines);
        let length = color.map_or(character.len_utf8(), str::len);
        let (taken, behind) = rest.split_at(length);
        if color.is_some() || is_plain(character, passes) {
            shown.push_str(taken);
        } else if character == '\n' {
            shown.push_str("\\n");
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        }
        rest = behind;
    }
    Cow::Owned(shown)
}

fn is_plain(character: char, passes: Passes) -> bool {
    let is_white = matches!(character, '\n' | '\t') && passes != Passes::Colors;
    is_white || !is_harmful(character)
}

/// The colour (SGR) at the beginning of a text: `ESC [`, digits and semicolons, `m`.
fn color(text: &str) -> Option<&str> {
    let end = text
        .strip_prefix("\u{1b}[")?
        .find(|c: char| !(c.is_ascii_digit() || c == ';'))?
        + 2;
    text.get(..=end).filter(|color| color.ends_with('m'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_reaches_the_terminal() {
        let hostile = "one\u{1b}]0;title\u{7}\ttwo\r\nthree\u{9b}2J\u{1b}[31mred\u{202e}\u{e0041}";
        assert_eq!(
            plain(hostile, Passes::Lines),
            "one\\u001b]0;title\\u0007\ttwo\\u000d\nthree\\u009b2J\\u001b[31mred\\u202e\\udb40\\udc41"
        );
        let harmless = "a table\nwith – words\n";
        assert!(matches!(plain(harmless, Passes::Lines), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "message": "\u{9b}2J \u{1b}[2J \u{202e} \u{e0041} ß" });
        let shown = plain(&value.to_string(), Passes::Lines).into_owned();
        assert!(!shown.chars().any(is_harmful));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn our_own_colors_pass_where_they_may_and_a_line_stays_one() {
        let report = "\u{1b}[31;1mwrong\u{1b}[0m\nline\u{1b}[2J\u{1b}[";
        assert_eq!(
            plain(report, Passes::LinesAndColors),
            "\u{1b}[31;1mwrong\u{1b}[0m\nline\\u001b[2J\\u001b["
        );
        assert_eq!(
            plain("\u{1b}[2mtold\u{1b}[0m by\nWARN forged\r", Passes::Colors),
            "\u{1b}[2mtold\u{1b}[0m by\\nWARN forged\\u000d"
        );
    }
}
