//! What is wrong with a configuration, and where.

use std::io::IsTerminal;
use std::ops::Range;
use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use steadfast_files::FileError;

use super::{mask, overrides, read};

/// From this likeness on (Jaro-Winkler, 1 is equal) a known key is taken for what was meant.
const ALIKE: f64 = 0.8;

/// The longest line that a report draws, in bytes. What draws it counts columns with 16 bits, and takes a tab for four.
const LONGEST_DRAWN: usize = 8 << 10;

/// One mistake in the text of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the text, in bytes; empty for what is missing.
    pub place: Range<usize>,
    /// Which rule is broken, with the value.
    pub rule: String,
    /// What to write instead, as an imperative.
    pub fix: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read")]
    Unreadable {
        /// The file, as it was named.
        path: PathBuf,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// It breaks rules. What is displayed is of the mistakes alone, since it goes over HTTP and into logs.
    #[error("{} in the configuration: {}", count(mistakes.len()), listed.join("; "))]
    Mistakes {
        /// All of them for the person at the terminal, each with the lines around it, as far as these hold no secret and none
        /// of the text is longer than can be drawn.
        report: String,
        /// Each with its file, line, rule and fix.
        listed: Vec<String>,
        /// The same for programs, in the order of their lines.
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
        let message = error.message().trim();
        let place = error.span().unwrap_or(0..0);
        if let Some(rest) = message.strip_prefix("unknown field `") {
            let mut words = rest.split('`').step_by(2);
            let key = words.next().unwrap_or_default();
            return Self::unknown_key(place, key, words.filter(|word| !word.is_empty()));
        }
        let (message, fix) = match message.split_once(": write ") {
            Some((rule, fix)) => (rule, format!("write {fix}")),
            None => (message, fix(message)),
        };
        Self::new(
            place,
            without_text(message).replace("missing field", "missing key"),
            fix,
        )
    }

    fn unknown_key<'a>(place: Range<usize>, key: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.collect();
        let near = known
            .iter()
            .map(|word| (strsim::jaro_winkler(key, word), word))
            .filter(|(likeness, _)| *likeness > ALIKE)
            .max_by(|(one, _), (other, _)| one.total_cmp(other));
        let known = known.join(", ");
        let fix = match near {
            Some((_, word)) => format!("write `{word}`, or remove the key; known here: {known}"),
            None => format!("remove the key; known here: {known}"),
        };
        Self::new(place, format!("unknown key `{key}`"), fix)
    }
}

impl ConfigError {
    /// The mistake of an entry, named by its table and its name, where it says `key`; it was found when it was made use of, and
    /// the text is read again to find the place. A file that is gone or another one by now is shown without it.
    pub(crate) fn in_entry(path: &Path, entry: (&str, &str), key: &str, rule: String, fix: &str) -> Self {
        let text = steadfast_files::read_text(path, super::MAX_TEXT).unwrap_or_default();
        let place = read::place_in_entry(&text, entry, key).unwrap_or(0..0);
        Self::mistakes(path, &text, vec![Mistake::new(place, rule, fix)])
    }

    pub(super) fn mistakes(path: &Path, text: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.place.start);
        let colored = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let theme = if colored {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false);
        let shown = text
            .lines()
            .all(|line| line.len() <= LONGEST_DRAWN)
            .then(|| mask::masked(text));
        let (mut report, mut listed) = (String::new(), Vec::new());
        for mistake in &mistakes {
            let said = overrides::key_at(&mistake.place, text.len());
            let told = match said {
                // What it sets may be a secret.
                Some(key) => format!("--set {key}: {}", mistake.rule),
                None => {
                    let before = text.get(..mistake.place.start).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    format!("{}:{line}: {}", path.display(), mistake.rule)
                }
            };
            listed.push(format!("{told} ({})", mistake.fix));
            let diagnostic = MietteDiagnostic::new(told).with_help(mistake.fix.clone());
            let diagnostic = match said {
                Some(_) => diagnostic,
                None => diagnostic.with_label(LabeledSpan::underline(mistake.place.clone())),
            };
            let diagnosed = match shown.as_ref().filter(|_| said.is_none()) {
                Some(shown) => {
                    let source = NamedSource::new(path.display().to_string(), shown.clone());
                    Report::new(diagnostic).with_source_code(source)
                }
                None => Report::new(diagnostic),
            };
            if handler.render_report(&mut report, diagnosed.as_ref()).is_err() {
                report.push_str(&format!("{diagnosed}"));
            }
            report.push('\n');
        }
        Self::Mistakes {
            report: report.trim_end().to_owned(),
            listed,
            mistakes,
        }
    }

    /// What mends a file that cannot be read; mistakes carry their own.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable {
                source: FileError::Io(error),
                ..
            } if error.kind() == std::io::ErrorKind::NotFound => Some(
                "name another with --config FILE, or have `steadfast config init` write one of what it finds; the config.toml that comes \
                 with Steadfast shows every key",
            ),
            Self::Unreadable { .. } | Self::Mistakes { .. } => None,
        }
    }

    /// What the person at the terminal is told: the report, where there is one.
    pub fn for_terminal(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Mistakes { report, mistakes, .. } => {
                Some(format!("{} in the configuration\n{report}", count(mistakes.len())))
            }
        }
    }
}

/// What to write instead of what the TOML reader refuses.
fn fix(message: &str) -> String {
    if message.starts_with("missing field") {
        return "add the key; the config.toml that comes with Steadfast shows an example".to_owned();
    }
    if [
        "invalid float",
        "invalid integer",
        "invalid datetime",
        "string values must be quoted",
    ]
    .iter()
    .any(|start| message.starts_with(start))
    {
        return "write a text in quotes: \"...\"".to_owned();
    }
    if message == "duplicate key" {
        return "write each key once in its table, and a table such as [policy.params] below the [[policy]] that it belongs to"
            .to_owned();
    }
    let Some((found, expected)) = message
        .strip_prefix("invalid type: ")
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return "correct the line".to_owned();
    };
    match (found.split_once(" `"), expected) {
        (Some((_, value)), "a string") => format!("write it in quotes: \"{}\"", value.trim_end_matches('`')),
        (_, "a boolean") => "write true or false, without quotes".to_owned(),
        (_, "a sequence") => "write a list: it in [ and ]".to_owned(),
        _ => "write the value in the type that is expected".to_owned(),
    }
}

/// What the TOML reader says without the text it says it of: a text in the wrong place may be a secret.
fn without_text(message: &str) -> String {
    for kind in ["invalid type: string ", "invalid value: string "] {
        if let Some(rest) = message.strip_prefix(kind) {
            let expected = rest
                .rfind("\", expected ")
                .and_then(|at| rest.get(at + 1..))
                .unwrap_or_default();
            return format!("{}{expected}", kind.trim_end());
        }
    }
    message.to_owned()
}

fn count(mistakes: usize) -> String {
    match mistakes {
        1 => "1 mistake".to_owned(),
        more => format!("{more} mistakes"),
    }
}
