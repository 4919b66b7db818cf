//! What a story says of alerts: which stand, and which begin and end when.

use std::fmt;

use serde::Deserialize;
use steadfast_core::record::AlertScope;

use super::moment::Moment;

/// An alert by its name, as `JobFailed`; one about something as `cluster:FlinkUnreachable`; any as `*`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AlertName {
    /// Its name; `None`: any.
    pub name: Option<String>,
    /// What it is about; `None`: anything.
    pub scope: Option<AlertScope>,
}

/// Alerts of which either will do, written with `|` between them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct EitherAlert(pub Vec<AlertName>);

/// The alerts that begin over a story, in the verdict.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "not a number of alerts, nor a list of them; write `alerts = 1`, `alerts = [\"JobFailed\"]` or \
                 `alerts = [{ name = \"JobFailed\", target = \"orders\", raised = [\"30s\", \"60s\"], resolved = \"2m\" }]`"
)]
pub enum Alerts {
    /// So many, whichever.
    Count(usize),
    /// These, and no other.
    Are(Vec<WantedAlert>),
}

/// An alert that begins.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Written")]
pub struct WantedAlert {
    /// Which.
    pub alert: AlertName,
    /// Whose record raises it: a target, or `target/job`; any, if not said.
    pub target: Option<String>,
    /// When it begins; at any time, if not said.
    pub raised: Option<Within>,
    /// When it ends, or that it does not; either, if not said.
    pub resolved: Option<Resolved>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not an alert's name, nor a table with name, target, raised and resolved"
)]
enum Written {
    Name(AlertName),
    Table(Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: AlertName,
    target: Option<String>,
    raised: Option<Within>,
    resolved: Option<Resolved>,
}

impl From<Written> for WantedAlert {
    fn from(written: Written) -> Self {
        let table = match written {
            Written::Name(name) => Table {
                name,
                target: None,
                raised: None,
                resolved: None,
            },
            Written::Table(table) => table,
        };
        Self {
            alert: table.name,
            target: table.target,
            raised: table.raised,
            resolved: table.resolved,
        }
    }
}

/// A span of time: `["30s", "60s"]`, or the latest moment, as `"60s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "WrittenSpan")]
pub struct Within {
    /// The earliest moment.
    pub from: Moment,
    /// The latest.
    pub until: Moment,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "not a time by which it is, nor an earliest and a latest one: [\"30s\", \"60s\"]"
)]
enum WrittenSpan {
    By(Moment),
    Between(Moment, Moment),
}

impl From<WrittenSpan> for Within {
    fn from(written: WrittenSpan) -> Self {
        let (from, until) = match written {
            WrittenSpan::By(until) => (Moment::default(), until),
            WrittenSpan::Between(from, until) => (from, until),
        };
        Self { from, until }
    }
}

/// When an alert ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "not a time by which it ends, an earliest and a latest one, or `false`"
)]
pub enum Resolved {
    /// `false`: it stands when the story ends. `true`: it does not.
    AtTheEnd(bool),
    /// In that time.
    Within(Within),
}

impl AlertName {
    /// Whether it means every alert.
    pub fn is_any(&self) -> bool {
        self.name.is_none() && self.scope.is_none()
    }

    /// Whether it means that alert.
    pub fn means(&self, name: &str, scope: AlertScope) -> bool {
        self.name.as_ref().is_none_or(|wanted| wanted == name) && self.scope.is_none_or(|wanted| wanted == scope)
    }
}

impl Within {
    /// Whether a moment lies in it.
    pub fn contains(self, at: Moment) -> bool {
        self.from <= at && at <= self.until
    }
}

impl WantedAlert {
    /// Whether an alert of that name, raised by that record then, is one such.
    pub fn fits(&self, name: &str, scope: AlertScope, record: &str, raised: Moment, resolved: Option<Moment>) -> bool {
        let group = record.split('/').next();
        let is_of = |target: &String| target == record || Some(target.as_str()) == group;
        let ends = match (self.resolved, resolved) {
            (None, _) => true,
            (Some(Resolved::AtTheEnd(ends)), resolved) => ends == resolved.is_some(),
            (Some(Resolved::Within(within)), Some(at)) => within.contains(at),
            (Some(Resolved::Within(_)), None) => false,
        };
        self.alert.means(name, scope)
            && self.target.as_ref().is_none_or(is_of)
            && self.raised.is_none_or(|within| within.contains(raised))
            && ends
    }
}

impl Alerts {
    /// Whether any is to begin.
    pub fn are_any(&self) -> bool {
        match self {
            Self::Count(count) => *count > 0,
            Self::Are(wanted) => !wanted.is_empty(),
        }
    }
}

impl TryFrom<String> for AlertName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (scope, name) = match text.split_once(':') {
            None => (None, text.as_str()),
            Some((scope, name)) => {
                let known = AlertScope::parse(scope);
                let known = known
                    .ok_or_else(|| format!("`{scope}` is nothing an alert is about; write job:, cluster: or policy:"));
                (Some(known?), name)
            }
        };
        let is_a_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if name != "*" && !is_a_name {
            return Err(format!(
                "`{text}` is no alert; write a name such as JobFailed, `cluster:` before it for one about the cluster, or `*` for any"
            ));
        }
        Ok(Self {
            name: (name != "*").then(|| name.to_owned()),
            scope,
        })
    }
}

impl TryFrom<String> for EitherAlert {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let names = text.split('|').map(|name| AlertName::try_from(name.to_owned()));
        names.collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for AlertName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scope) = self.scope {
            write!(f, "{scope}:")?;
        }
        f.write_str(self.name.as_deref().unwrap_or("*"))
    }
}

impl fmt::Display for EitherAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(" or "))
    }
}

impl fmt::Display for WantedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.alert)?;
        if let Some(target) = &self.target {
            write!(f, " of {target}")?;
        }
        if let Some(raised) = &self.raised {
            write!(f, " raised from {} to {}", raised.from, raised.until)?;
        }
        match self.resolved {
            Some(Resolved::Within(within)) => write!(f, " resolved from {} to {}", within.from, within.until),
            Some(Resolved::AtTheEnd(true)) => f.write_str(" resolved"),
            Some(Resolved::AtTheEnd(false)) => f.write_str(" not resolved"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct File {
        alerts: Alerts,
    }

    fn read(text: &str) -> Result<Alerts, String> {
        let file: Result<File, _> = toml::from_str(text);
        file.map(|file| file.alerts).map_err(|error| error.message().to_owned())
    }

    fn moment(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn a_number_names_and_tables_are_read() {
        assert_eq!(read("alerts = 2").unwrap(), Alerts::Count(2));
        let Alerts::Are(wanted) = read(
            "alerts = [\"JobFailed\", { name = \"cluster:FlinkUnreachable\", target = \"a\", raised = \"60s\", \
             resolved = [\"2m\", \"3m\"] }]",
        )
        .unwrap() else {
            panic!("no list")
        };
        assert!(wanted[0].fits("JobFailed", AlertScope::Job, "x", moment("5s"), None));
        assert!(!wanted[0].fits("JobLost", AlertScope::Job, "x", moment("5s"), None));
        let unreachable = |scope, record, raised: &str, resolved: Option<&str>| {
            wanted[1].fits("FlinkUnreachable", scope, record, moment(raised), resolved.map(moment))
        };
        assert!(unreachable(AlertScope::Cluster, "a", "60s", Some("150s")));
        assert!(unreachable(AlertScope::Cluster, "a/j1", "60s", Some("150s")));
        assert!(!unreachable(AlertScope::Job, "a", "60s", Some("150s")));
        assert!(!unreachable(AlertScope::Cluster, "b", "60s", Some("150s")));
        assert!(!unreachable(AlertScope::Cluster, "a", "61s", Some("150s")));
        assert!(!unreachable(AlertScope::Cluster, "a", "60s", Some("119s")));
        assert!(!unreachable(AlertScope::Cluster, "a", "60s", None));
    }

    #[test]
    fn whether_it_ends_at_all_can_be_said() {
        let Alerts::Are(wanted) = read("alerts = [{ name = \"*\", resolved = false }]").unwrap() else {
            panic!("no list")
        };
        let stands =
            |resolved: Option<&str>| wanted[0].fits("Any", AlertScope::Job, "x", moment("5s"), resolved.map(moment));
        assert_eq!((stands(None), stands(Some("9s"))), (true, false));
    }

    #[test]
    fn what_is_no_alert_is_refused_with_what_is() {
        for (text, said) in [
            ("alerts = \"many\"", "alerts = [\"JobFailed\"]"),
            ("alerts = [{ nam = \"JobFailed\" }]", "alerts = [\"JobFailed\"]"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let name = |text: &str| AlertName::try_from(text.to_owned()).unwrap_err();
        assert!(name("team:JobFailed").contains("job:, cluster: or policy:"));
        assert!(name("job failed").contains("such as JobFailed"));
        assert!(name("").contains("such as JobFailed"));
    }
}
