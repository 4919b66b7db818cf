//! An error with its causes, for the one line that a log, a status or an answer has for it.

use std::error::Error;

/// The error's text and those of its sources, outermost first, joined with `: `.
///
/// Every error type of the engine leaves its source out of its own text, so that no cause is printed twice here.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|inner| inner as &dyn Error)
        }
    }

    #[test]
    fn every_cause_is_reported_once_and_the_outermost_first() {
        let disk = Layer("no space left", None);
        assert_eq!(error_chain(&disk), "no space left");
        let file = Layer("cannot write the file", Some(Box::new(disk)));
        let store = Layer("the commit failed", Some(Box::new(file)));
        assert_eq!(
            error_chain(&store),
            "the commit failed: cannot write the file: no space left"
        );
    }
}
