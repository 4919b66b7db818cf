//! Which jobs are asked for: the same options for every command that shows several, the same words as the API's.
//!
//! The engine selects. Whoever follows its events selects what comes with them by the same rules, since a stream is of all jobs.

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use serde_json::Value;
use steadfast_core::duration::parse_duration;
use steadfast_core::state::JobState;
use steadfast_core::time::{Clock as _, Timestamp};

use crate::run::SystemClock;

/// Each option may be repeated, or hold several words with commas between: jobs with any of them. Several options: jobs with all.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Filter {
    /// Only jobs of this namespace [repeatable, like all filters; or with commas].
    #[arg(short, long, value_delimiter = ',', value_name = "NAME")]
    pub(super) namespace: Vec<String>,
    /// Only jobs of this cluster; `-`: standalone ones.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(super) cluster: Vec<String>,
    /// Only jobs in this state, such as FAILED.
    #[arg(long, value_delimiter = ',', value_name = "STATE", value_parser = state)]
    pub(super) state: Vec<String>,
    /// Only jobs whose state is not confirmed.
    #[arg(long)]
    pub(super) not_confirmed: bool,
    /// Only jobs this bad: alerting, failed, degraded, unconfirmed, changing, running or ended.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "WORD",
        value_enum,
        hide_possible_values = true
    )]
    pub(super) severity: Vec<Severity>,
    /// Only jobs with this condition, such as FlinkUnreachable.
    #[arg(long, value_delimiter = ',', value_name = "TYPE")]
    pub(super) condition: Vec<String>,
    /// Only jobs with this alert; `*`: with any.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(super) alert: Vec<String>,
    /// Only jobs that this policy decides.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(super) policy: Vec<String>,
    /// Only jobs with this label: `team=payments`, or `team` with any value; with all of them, if there are several.
    #[arg(short = 'l', long = "selector", value_delimiter = ',', value_name = "KEY=VALUE", value_parser = label)]
    pub(super) label: Vec<String>,
    /// Only jobs whose id holds this, in any case.
    #[arg(long, value_name = "TEXT")]
    pub(super) search: Option<String>,
    /// Only jobs whose state stands for less than this, such as 2h; or since a time (RFC 3339) or later.
    #[arg(long, value_name = "SPAN|TIME", value_parser = Since::parse)]
    pub(super) since: Option<Since>,
}

/// How bad it is, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Severity {
    Alerting,
    Failed,
    Degraded,
    Unconfirmed,
    Changing,
    Running,
    Ended,
}

impl Severity {
    fn word(self) -> &'static str {
        match self {
            Self::Alerting => "alerting",
            Self::Failed => "failed",
            Self::Degraded => "degraded",
            Self::Unconfirmed => "unconfirmed",
            Self::Changing => "changing",
            Self::Running => "running",
            Self::Ended => "ended",
        }
    }
}

/// A moment, as a span before now or as a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since(pub(super) Timestamp);

impl Since {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let before = parse_duration(text).map(|span| SystemClock.now().before(span));
        before
            .or_else(|| Timestamp::parse(text))
            .map(Self)
            .ok_or_else(|| "write a span such as 2h, 30m or 7d, or a time such as 2026-11-23T01:13:29Z".to_owned())
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort(&'static str);

/// What the API sorts by, and each the other way round.
const ORDERS: [&str; 12] = [
    "id",
    "severity",
    "state",
    "since",
    "confirmed",
    "cluster",
    "-id",
    "-severity",
    "-state",
    "-since",
    "-confirmed",
    "-cluster",
];

impl Sort {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let known = ORDERS.iter().find(|known| **known == text);
        known.copied().map(Self).ok_or_else(|| {
            "write id, severity (worst first), state, since, confirmed or cluster; with a `-` before it, it is turned round"
                .to_owned()
        })
    }

    pub(super) fn word(self) -> &'static str {
        self.0
    }
}

fn state(text: &str) -> Result<String, String> {
    let word = text.to_ascii_uppercase();
    JobState::parse(&word)
        .map(|state| state.as_str().to_owned())
        .ok_or_else(|| {
            let known: Vec<&str> = JobState::ALL.iter().map(|state| state.as_str()).collect();
            format!("write one of {}", known.join(", "))
        })
}

/// kubectl's `==` is `=`.
fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_more = text.contains("!") || text.contains([' ', '(', ')']);
    if text.is_empty() || text.starts_with('=') || is_more {
        return Err("write KEY=VALUE or KEY; `!=`, `in` and `notin` are not known".to_owned());
    }
    Ok(text.replacen("==", "=", 1))
}

impl Filter {
    /// As the API takes it.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        let confidence = if self.not_confirmed { "inferred,stale" } else { "" };
        let severity: Vec<&str> = self.severity.iter().map(|severity| severity.word()).collect();
        for (name, value) in [
            ("namespace", self.namespace.join(",")),
            ("cluster", self.cluster.join(",")),
            ("state", self.state.join(",")),
            ("confidence", confidence.to_owned()),
            ("severity", severity.join(",")),
            ("condition", self.condition.join(",")),
            ("alert", self.alert.join(",")),
            ("policy", self.policy.join(",")),
            ("label", self.label.join(",")),
            ("search", self.search.clone().unwrap_or_default()),
            (
                "since",
                self.since.map_or_else(String::new, |since| since.0.to_string()),
            ),
        ] {
            if !value.is_empty() {
                query.push((name, value));
            }
        }
        query
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.query().is_empty()
    }

    /// Whether a job of the API's is among those.
    pub(super) fn takes(&self, job: &Value) -> bool {
        let text = |key: &str| job.get(key).and_then(Value::as_str).unwrap_or_default();
        let any = |wanted: &[String], has: &str| wanted.is_empty() || wanted.iter().any(|one| one == has);
        let listed = |list: &str, key: &str| -> Vec<&str> {
            let all = job.get(list).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(|one| one.get(key)?.as_str()).collect()
        };
        let any_of = |wanted: &[String], has: &[&str]| {
            wanted.is_empty() || wanted.iter().any(|one| has.iter().any(|has| one == has || one == "*"))
        };
        let severity = |one: &Severity| one.word() == text("severity");
        let labelled = |label: &String| {
            let (key, value) = label
                .split_once('=')
                .map_or((label.as_str(), None), |(key, value)| (key, Some(value)));
            let has = job.get("labels").and_then(|labels| labels.get(key)?.as_str());
            has.is_some_and(|has| value.is_none_or(|value| value == has))
        };
        let search = self.search.as_ref().map(|text| text.to_lowercase());
        any(&self.namespace, text("namespace"))
            && any(&self.cluster, text("cluster"))
            && any(&self.state, text("state"))
            && !(self.not_confirmed && text("confidence") == "confirmed")
            && (self.severity.is_empty() || self.severity.iter().any(severity))
            && any_of(&self.condition, &listed("conditions", "type"))
            && any_of(&self.alert, &listed("alerts", "alert"))
            && any(&self.policy, text("policy"))
            && self.label.iter().all(labelled)
            && search.is_none_or(|search| text("id").to_lowercase().contains(&search))
            && self
                .since
                .is_none_or(|Since(since)| Timestamp::parse(text("since")).is_some_and(|at| at >= since))
    }
}

/// What is said where an engine of an earlier version cannot select by something.
pub(super) fn unknown_to_the_engine(parameter: &str) -> anyhow::Error {
    let option = match parameter {
        "label" => "--selector",
        "confidence" => "--not-confirmed",
        other => &format!("--{other}"),
    };
    anyhow!(
        "this engine is of an earlier version, which does not know `{parameter}`: leave out {option}, or upgrade the engine"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        filter: Filter,
    }

    fn filter(options: &str) -> Filter {
        Line::try_parse_from(std::iter::once("x").chain(options.split_whitespace()))
            .unwrap()
            .filter
    }

    #[test]
    fn what_is_asked_of_the_engine_is_in_its_words() {
        let asked = filter(
            "-n a,b -n c --cluster - --state failed --not-confirmed --severity alerting,failed --condition CrashLoop --alert * \
             -l team==pay,tier --search Ord --since 2026-11-23T01:13:29Z",
        );
        let query: Vec<String> = asked
            .query()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            query,
            [
                "namespace=a,b,c",
                "cluster=-",
                "state=FAILED",
                "confidence=inferred,stale",
                "severity=alerting,failed",
                "condition=CrashLoop",
                "alert=*",
                "label=team=pay,tier",
                "search=Ord",
                "since=2026-11-23T01:13:29.000Z"
            ]
        );
        assert!(filter("").is_empty());
    }

    #[test]
    fn what_comes_with_an_event_is_selected_by_the_same_rules() {
        let job = json!({
            "id": "prod/pay/orders", "cluster": "prod", "namespace": "pay", "state": "FAILED", "confidence": "stale",
            "severity": "alerting", "policy": "default", "labels": { "team": "pay" }, "since": "2026-11-23T01:13:29Z",
            "conditions": [{ "type": "CrashLoop" }], "alerts": [{ "alert": "JobFailed" }],
        });
        for takes in [
            "",
            "-n pay --cluster prod --state FAILED,LOST --not-confirmed --severity alerting",
            "--condition CrashLoop,ImagePull --alert * --policy default -l team=pay -l team --search ORD",
            "--alert JobFailed --since 2026-11-23T01:13:29Z",
        ] {
            assert!(filter(takes).takes(&job), "{takes}");
        }
        for leaves in [
            "-n other",
            "--cluster -",
            "--state RUNNING",
            "--severity failed",
            "--condition ImagePull",
            "--alert Other",
            "--policy other",
            "-l team=other",
            "-l team=pay,tier",
            "--search x",
            "--since 2026-11-23T01:13:30Z",
        ] {
            assert!(!filter(leaves).takes(&job), "{leaves}");
        }
        let calm = json!({ "confidence": "confirmed", "alerts": [] });
        assert!(!filter("--not-confirmed").takes(&calm) && !filter("--alert *").takes(&calm));
    }

    #[test]
    fn a_word_that_is_none_is_told_what_to_write() {
        for (options, says) in [
            (["--state", "FAILD"], "FAILED"),
            (["-l", "a!=b"], "KEY=VALUE"),
            (["--since", "yesterday"], "a span such as 2h"),
            (["--severity", "bad"], "possible values"),
        ] {
            let refused = Line::try_parse_from(["x", options[0], options[1]])
                .unwrap_err()
                .to_string();
            assert!(refused.contains(says), "{options:?}: {refused}");
        }
        assert!(Sort::parse("-since").is_ok() && Sort::parse("name").unwrap_err().contains("severity"));
    }
}
