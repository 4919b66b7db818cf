//! Where a page is shown: how wide it is, and whether it has colours.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use steadfast_core::severity::Severity;
use steadfast_core::state::JobState;

/// The standard output, as far as pages are made for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// In columns; `None` for what is no terminal, which has all the room there is.
    pub(crate) width: Option<usize>,
    pub(crate) colors: Colors,
}

/// Whether colours are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colors {
    #[default]
    Off,
    On,
}

impl Screen {
    /// `NO_COLOR` and `CLICOLOR_FORCE` decide over colours, as they do for help and usage errors.
    pub(crate) fn of_stdout() -> Self {
        let out = std::io::stdout();
        let colors = match AutoStream::choice(&out) {
            ColorChoice::Never => Colors::Off,
            ColorChoice::Auto | ColorChoice::Always | ColorChoice::AlwaysAnsi => Colors::On,
        };
        let width = terminal_size::terminal_size_of(&out).map(|(width, _)| usize::from(width.0));
        Self { width, colors }
    }
}

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default();
pub(crate) const UNKNOWN: Style = AnsiColor::Magenta.on_default();
pub(crate) const OVER: Style = Style::new().dimmed();
pub(crate) const PLAIN: Style = Style::new();

/// What a state looks like. A word that a later engine has for one looks like nothing.
pub(crate) fn of_state(state: &str) -> Style {
    JobState::parse(state).map_or(PLAIN, |state| of(Severity::of_state(state)))
}

/// What a severity looks like.
pub(crate) fn of_severity(severity: &str) -> Style {
    Severity::parse(severity).map_or(PLAIN, of)
}

const fn of(severity: Severity) -> Style {
    match severity {
        Severity::Alerting | Severity::Failed => BAD,
        Severity::Degraded | Severity::Changing => DOUBT,
        Severity::Unconfirmed => UNKNOWN,
        Severity::Running => GOOD,
        Severity::Ended => OVER,
    }
}
