//! Texts that somebody else wrote: an API server, a Flink, a log, a registry, a policy.
//!
//! Such a text may have any length and any character in it, and it goes far: into conditions, the store, the log, the
//! terminal of whoever asks. So it is made small and harmless where it comes in, by the only way there is to make a
//! [`ForeignText`]. What names something (a uid, the name of an object) is not cut: it is checked where it is read, and what
//! cannot be such a name is malformed.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What stands at the end of a text that was cut.
const MARK: char = '…';

/// A text from outside: at most [`ForeignText::LIMIT`] bytes, on one line, without anything that a terminal obeys.
///
/// Longer ones end with `…` at the limit. White space that is not a plain blank becomes one; other control characters, and
/// those that turn the direction of writing or show nothing, become an escape such as `\u{1b}`. A text that went through this
/// once comes out of it unchanged, so that what was stored reads back as it was.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForeignText(Arc<str>);

impl ForeignText {
    /// The most bytes it has.
    pub const LIMIT: usize = 1024;

    /// Cuts a text and makes it harmless.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(harmless(text, Self::LIMIT)))
    }

    /// The text as it is kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for ForeignText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ForeignText {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for ForeignText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<&str> for ForeignText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for ForeignText {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<ForeignText> for String {
    fn from(text: ForeignText) -> Self {
        text.as_str().to_owned()
    }
}

impl PartialEq<str> for ForeignText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for ForeignText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A text of at most `limit` bytes on one line, without anything that a terminal obeys; see [`ForeignText`]. The time it
/// takes does not grow with what is cut away.
pub fn harmless(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit && !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        if !is_harmful(character) {
            kept.push(character);
        } else if character.is_whitespace() {
            kept.push(' ');
        } else {
            kept.extend(character.escape_unicode());
        }
        if kept.len() > limit {
            kept.truncate(kept.floor_char_boundary(limit.saturating_sub(MARK.len_utf8())));
            kept.push(MARK);
            break;
        }
    }
    Cow::Owned(kept)
}

/// Whether a character does something else than to show itself: a control character, an end of line, one that turns the
/// direction of writing (which makes a text read otherwise than it is), or one that shows nothing at all. Those that join
/// letters stay: some scripts cannot be written without them.
pub fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_short_and_harmless_stays_as_it_is() {
        let text = "java.io.IOException: Größe 3 < 5 – κόσμε, नमस्\u{200d}ते";
        assert_eq!(ForeignText::from(text), text);
        assert!(ForeignText::new(text) == *text && ForeignText::new(text) != *"another");
        assert!(matches!(harmless(text, 4096), Cow::Borrowed(_)));
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        let text = ForeignText::new("\u{1b}[31mred\u{7}\r\nERROR forged\u{9b}2J \u{202e}txt.exe\u{7f}");
        assert_eq!(
            text,
            "\\u{1b}[31mred\\u{7}  ERROR forged\\u{9b}2J \\u{202e}txt.exe\\u{7f}"
        );
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_and_shows_it() {
        for text in ["x".repeat(5_000), "ß".repeat(5_000), "\u{1b}".repeat(5_000)] {
            let kept = ForeignText::from(text);
            assert!(kept.len() <= ForeignText::LIMIT && kept.len() > ForeignText::LIMIT - 8);
            assert!(kept.ends_with(MARK));
        }
        let whole = "x".repeat(ForeignText::LIMIT);
        assert_eq!(ForeignText::new(&whole), whole.as_str(), "what fits is not cut");
        assert_eq!(harmless("a\tb", 3), "a b", "nor what fits once it is harmless");
    }

    proptest! {
        #[test]
        fn whatever_comes_in_is_bounded_and_reads_back(text in vec(any::<char>(), 0..300), limit in 3_usize..900) {
            let text: String = text.into_iter().collect();
            let kept = harmless(&text, limit);
            prop_assert!(kept.len() <= limit);
            prop_assert!(!kept.chars().any(is_harmful));
            prop_assert_eq!(&harmless(&kept, limit), &kept);
        }
    }
}
