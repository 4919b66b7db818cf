//! What is wrong with a configuration, and where.

use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{LabeledSpan, MietteDiagnostic, NamedSource, Report};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the text, in bytes; empty for what is missing.
    pub place: Range<usize>,
    /// Which rule is broken, with the value.
    pub rule: String,
    /// What to do.
    pub fix: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It holds mistakes.
    #[error("{report}")]
    Mistakes {
        /// All of them, for people.
        report: String,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
}

impl Mistake {
    /// A mistake at a place.
    pub fn new(place: Range<usize>, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            place,
            rule: rule.into(),
            fix: fix.into(),
        }
    }

    /// What the TOML reader refuses: syntax, unknown keys, wrong types.
    pub(super) fn of_toml(error: &toml::de::Error) -> Self {
        let message = error.message().trim().to_owned();
        let fix = if message.starts_with("unknown field") {
            "remove the key, or correct its name; config.toml in the repository shows every key".to_owned()
        } else if message.starts_with("missing field") {
            "add the key; config.toml in the repository shows an example".to_owned()
        } else if message.starts_with("invalid type") {
            "write the value in the type that is expected".to_owned()
        } else {
            "correct the line".to_owned()
        };
        Self {
            place: error.span().unwrap_or(0..0),
            rule: message
                .replace("unknown field", "unknown key")
                .replace("missing field", "missing key"),
            fix,
        }
    }
}

impl ConfigError {
    pub(super) fn mistakes(path: &Path, text: &str, mistakes: Vec<Mistake>) -> Self {
        let mut report = String::new();
        for mistake in &mistakes {
            let before = text.get(..mistake.place.start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let diagnostic = MietteDiagnostic::new(format!("{}:{line}: {}", path.display(), mistake.rule))
                .with_help(mistake.fix.clone())
                .with_label(LabeledSpan::underline(mistake.place.clone()));
            let source = NamedSource::new(path.display().to_string(), text.to_owned());
            report.push_str(&format!("{:?}\n", Report::new(diagnostic).with_source_code(source)));
        }
        Self::Mistakes {
            report: report.trim_end().to_owned(),
            mistakes,
        }
    }
}
