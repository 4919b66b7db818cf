//! Which jobs are asked for: the same options for every command that shows several, the same words as the API's.
//!
//! The engine selects. Whoever follows its events selects what comes with them by the same rules, since a stream is of all jobs.

use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;
use steadfast_core::duration::parse_duration;
use steadfast_core::severity::Severity;
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::time::{Clock as _, Timestamp};
use steadfast_server::{Cluster, sorts};

use super::client::Client;
use crate::run::SystemClock;

/// Each option may be repeated, or hold several words with commas between: jobs with any of them. Several options: jobs with all.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct Filter {
    /// Only jobs of this namespace [repeatable, like all filters; or with commas].
    #[arg(short, long, value_delimiter = ',', value_name = "NAME")]
    pub(super) namespace: Vec<String>,
    /// What kubectl needs for what is so here anyway.
    #[arg(short = 'A', long = "all-namespaces", hide = true, conflicts_with = "namespace")]
    _all_namespaces: bool,
    /// Only jobs of this cluster; `-`: standalone ones.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(super) cluster: Vec<String>,
    /// Only jobs in this state, such as FAILED.
    #[arg(long, value_delimiter = ',', value_name = "STATE", value_parser = state)]
    pub(super) state: Vec<String>,
    /// Only jobs whose state is not confirmed.
    #[arg(long)]
    pub(super) not_confirmed: bool,
    /// Only jobs this bad, the worst first.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "WORD",
        value_parser = one_of(Severity::ALL, Severity::as_str)
    )]
    pub(super) severity: Vec<Severity>,
    /// Only jobs with this condition, such as FlinkUnreachable; `*`: with any.
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

/// Takes one of these words: clap names them all in the help, and where another one is written.
pub(super) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let words = PossibleValuesParser::new(all.iter().map(|one| word(*one)));
    words.try_map(move |written| {
        let found = all.iter().find(|one| word(**one) == written).copied();
        found.ok_or("it is none of the words")
    })
}

/// A moment, as a span before now or as a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Before(Duration),
    At(Timestamp),
}

impl Since {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let before = parse_duration(text).map(Self::Before);
        before
            .or_else(|| Timestamp::parse(text).map(Self::At))
            .ok_or_else(|| "write a span such as 2h, 30m or 7d, or a time such as 2026-11-23T01:13:29Z".to_owned())
    }

    /// With the span counted from now by the engine's clock: it is compared with what the engine wrote.
    pub(super) async fn counted(self, client: &Client) -> Self {
        match self {
            Self::Before(span) => Self::At(client.now().await.before(span)),
            Self::At(_) => self,
        }
    }

    /// The moment; a span that was not counted yet is so by this machine's clock.
    pub(super) fn at(self) -> Timestamp {
        match self {
            Self::Before(span) => SystemClock.now().before(span),
            Self::At(at) => at,
        }
    }
}

/// In which order: a word of the API's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sort(String);

impl Sort {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if sorts().any(|known| known == text) {
            return Ok(Self(text.to_owned()));
        }
        let plain: Vec<String> = sorts().filter(|known| !known.starts_with('-')).collect();
        let plain = plain.join(", ").replace("severity", "severity (worst first)");
        Err(format!(
            "write one of {plain}; with a `-` before it, it is turned round"
        ))
    }

    pub(super) fn word(&self) -> &str {
        &self.0
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
    /// With spans counted from now by the engine's clock.
    pub(super) async fn counted(&self, client: &Client) -> Self {
        let since = match self.since {
            Some(since) => Some(since.counted(client).await),
            None => None,
        };
        Self { since, ..self.clone() }
    }

    /// Whether jobs of this cluster may be asked for.
    pub(super) fn concerns(&self, cluster: &Cluster) -> bool {
        self.cluster.is_empty() || self.cluster.contains(&cluster.name)
    }

    /// The same without a word about alerts.
    pub(super) fn of_any_alert(&self) -> Self {
        Self {
            alert: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether an alert of that name is asked for.
    pub(super) fn takes_alert(&self, name: &str) -> bool {
        self.alert.is_empty() || self.alert.iter().any(|one| one == name || one == "*")
    }

    /// As the API takes it.
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        let unsure = Confidence::ALL.iter().filter(|one| **one != Confidence::Confirmed);
        let unsure: Vec<&str> = unsure.map(|one| one.as_str()).filter(|_| self.not_confirmed).collect();
        let severity: Vec<&str> = self.severity.iter().map(|severity| severity.as_str()).collect();
        for (name, value) in [
            ("namespace", self.namespace.join(",")),
            ("cluster", self.cluster.join(",")),
            ("state", self.state.join(",")),
            ("confidence", unsure.join(",")),
            ("severity", severity.join(",")),
            ("condition", self.condition.join(",")),
            ("alert", self.alert.join(",")),
            ("policy", self.policy.join(",")),
            ("label", self.label.join(",")),
            ("search", self.search.clone().unwrap_or_default()),
            (
                "since",
                self.since.map_or_else(String::new, |since| since.at().to_string()),
            ),
        ] {
            if !value.is_empty() {
                query.push((name, value));
            }
        }
        query
    }

    /// The same with another text to look for. An engine looks for one only, and [`Filter::finds`] holds what it finds against this one's.
    #[cfg(feature = "top")]
    pub(super) fn searching(&self, text: &str) -> Self {
        Self {
            search: Some(text.to_owned()),
            ..self.clone()
        }
    }

    /// Whether nothing is left out.
    pub(super) fn is_empty(&self) -> bool {
        self.query().is_empty()
    }

    /// Whether a job of the API's has what is looked for in its id.
    pub(super) fn finds(&self, job: &Value) -> bool {
        let id = job.get("id").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        self.search
            .as_ref()
            .is_none_or(|text| id.contains(&text.to_lowercase()))
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
        let severity = |one: &Severity| one.as_str() == text("severity");
        let labelled = |label: &String| {
            let (key, value) = label
                .split_once('=')
                .map_or((label.as_str(), None), |(key, value)| (key, Some(value)));
            let has = job.get("labels").and_then(|labels| labels.get(key)?.as_str());
            has.is_some_and(|has| value.is_none_or(|value| value == has))
        };
        any(&self.namespace, text("namespace"))
            && any(&self.cluster, text("cluster"))
            && any(&self.state, text("state"))
            && !(self.not_confirmed && text("confidence") == "confirmed")
            && (self.severity.is_empty() || self.severity.iter().any(severity))
            && any_of(&self.condition, &listed("conditions", "type"))
            && any_of(&self.alert, &listed("alerts", "alert"))
            && any(&self.policy, text("policy"))
            && self.label.iter().all(labelled)
            && self.finds(job)
            && self
                .since
                .is_none_or(|since| Timestamp::parse(text("since")).is_some_and(|at| at >= since.at()))
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
    use clap::{CommandFactory as _, Parser};
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
            "--condition * --severity ended,alerting",
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
        assert!(!filter("--condition *").takes(&calm));
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

    #[test]
    fn each_word_of_the_engines_is_taken() {
        for severity in Severity::ALL {
            assert_eq!(filter(&format!("--severity {severity}")).severity, [*severity]);
        }
        for order in sorts() {
            assert_eq!(Sort::parse(&order).unwrap().word(), order);
        }
        let command = crate::cli::Arguments::command();
        let status = command.find_subcommand("status").unwrap();
        let sort = status.get_arguments().find(|option| option.get_id() == "sort");
        let help = sort.unwrap().get_help().unwrap().to_string();
        for order in sorts().filter(|order| !order.starts_with('-')) {
            assert!(help.contains(&order), "--sort does not name {order}: {help}");
        }
    }
}
