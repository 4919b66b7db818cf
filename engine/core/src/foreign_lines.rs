//! Texts of several lines that somebody else wrote, for people to read: stack traces and logs.
//!
//! They are shown to whoever asks and kept nowhere. What a terminal or a page would obey is made harmless as in a
//! [`ForeignText`](crate::foreign_text::ForeignText); the ends of lines and tabs stay, since a stack trace is no text without them.

use std::fmt;

use crate::foreign_text::is_harmful;

/// What stands where a text was cut.
const MARK: &str = "…";

/// Lines from outside, of a bounded length, without anything that a terminal obeys. The only control characters in it are `\n`
/// and `\t`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct ForeignLines(String);

impl ForeignLines {
    /// The first `most` bytes of a text. A longer one ends with `…`. The time it takes does not grow with what is cut away.
    pub fn first(text: &str, most: usize) -> Self {
        let mut kept = String::with_capacity(text.len().min(most));
        for character in text.chars() {
            push(&mut kept, character);
            if kept.len() > most {
                kept.truncate(kept.floor_char_boundary(most.saturating_sub(MARK.len())));
                kept.push_str(MARK);
                break;
            }
        }
        Self(kept)
    }

    /// The last lines of a text, `most` bytes of them: what is newest of a log. Of a longer text the first line that is kept is a whole
    /// one, and `…` stands on a line before it; of a last line that alone is too long, its end stays.
    pub fn last(text: &str, most: usize) -> Self {
        let whole = Self::first(text, usize::MAX).0;
        if whole.len() <= most {
            return Self(whole);
        }
        let room = most.saturating_sub(MARK.len() + 1);
        let (_, tail) = whole.split_at(whole.ceil_char_boundary(whole.len().saturating_sub(room)));
        let lines = tail.split_once('\n').map_or(tail, |(_, lines)| lines);
        let kept = if lines.is_empty() { tail } else { lines };
        Self(format!("{MARK}\n{kept}"))
    }

    /// The text as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ForeignLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ForeignLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

fn push(kept: &mut String, character: char) {
    match character {
        '\n' | '\t' => kept.push(character),
        // Of an end of line as other systems write it, and of what overwrites a line on a terminal.
        '\r' => {}
        other if !is_harmful(other) => kept.push(other),
        other if other.is_whitespace() => kept.push(' '),
        other => kept.extend(other.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_and_tabs_stay_and_a_terminal_is_told_nothing() {
        let trace = "java.io.IOException: \u{1b}[31mred\u{7}\r\n\tat a.b.C(C.java:1)\u{202e}\n";
        let kept = ForeignLines::first(trace, 1024);
        assert_eq!(
            kept.as_str(),
            "java.io.IOException: \\u{1b}[31mred\\u{7}\n\tat a.b.C(C.java:1)\\u{202e}\n"
        );
    }

    #[test]
    fn what_fits_is_not_cut() {
        assert_eq!(ForeignLines::first("a\nbc", 4).to_string(), "a\nbc");
        assert_eq!(ForeignLines::first("a\nbcd", 4).to_string(), "a…");
    }

    #[test]
    fn of_a_long_log_whole_lines_stay_and_the_newest() {
        let log: String = (0..1000).map(|line| format!("line {line}\n")).collect();
        let kept = ForeignLines::last(&log, 100);
        assert!(kept.as_str().ends_with("line 998\nline 999\n"), "{kept}");
        assert!(kept.as_str().starts_with("…\nline 9"), "{kept}");
        assert_eq!(ForeignLines::last("a\nb\n", 100).as_str(), "a\nb\n");
        let one = "x".repeat(500);
        assert_eq!(ForeignLines::last(&one, 100).as_str().len(), 100);
    }

    proptest! {
        #[test]
        fn whatever_comes_in_is_bounded_and_harmless(text in vec(any::<char>(), 0..300), most in 8_usize..600) {
            let text: String = text.into_iter().collect();
            for kept in [ForeignLines::first(&text, most), ForeignLines::last(&text, most)] {
                prop_assert!(kept.as_str().len() <= most, "{}", kept.as_str().len());
                prop_assert!(!kept.as_str().chars().any(|c| is_harmful(c) && c != '\n' && c != '\t'));
            }
        }
    }
}
