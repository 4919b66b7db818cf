//! Which jobs are asked for: the parameters that all lists of jobs share.
//!
//! Values of one parameter are alternatives, and each parameter that is given must hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use steadfast_core::labels::Labels;
use steadfast_core::projection::JobView;
use steadfast_core::record::JobRecord;
use steadfast_core::severity::Severity;
use steadfast_core::state::{ConditionType, Confidence, JobState, Mode};
use utoipa::IntoParams;

use crate::query::{Moment, comma_separated};
use crate::words::{ANY, OrAny, Word, schema};

/// Which jobs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobFilter {
    /// Only jobs in one of these states; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::State>>, example = json!(["RUNNING"]))]
    state: BTreeSet<Word<JobState>>,
    /// Only jobs of these namespaces; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    namespace: BTreeSet<String>,
    /// Only jobs of these clusters, `-` being no cluster at all; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    cluster: BTreeSet<String>,
    /// Only jobs whose state is as sure as one of these; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::Confidence>>, example = json!(["inferred", "stale"]))]
    confidence: BTreeSet<Word<Confidence>>,
    /// Only jobs that are deployed in one of these ways; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::Mode>>)]
    mode: BTreeSet<Word<Mode>>,
    /// Only jobs that one of these policies decides; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>)]
    policy: BTreeSet<String>,
    /// Only jobs beside whose state one of these conditions stands; `*` is any. Repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::AskedCondition>>, example = json!(["RestartLoop"]))]
    condition: BTreeSet<OrAny<Word<ConditionType>>>,
    /// Only jobs that have one of these alerts, by name; `*` is any. Repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>, example = json!(["JobFailed"]))]
    alert: BTreeSet<String>,
    /// Only jobs of one of these severities; repeated, or separated by commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<schema::Severity>>, example = json!(["alerting", "failed"]))]
    severity: BTreeSet<Word<Severity>>,
    /// Only jobs whose Deployment has all of these labels: `key=value`, or `key` whatever its value. Repeated, or separated by
    /// commas.
    #[serde(default, deserialize_with = "comma_separated")]
    #[param(value_type = Option<Vec<String>>, example = json!(["team=payments"]))]
    label: BTreeSet<Label>,
    /// Only jobs with this in their id, in upper or lower case.
    #[serde(default, deserialize_with = "lower_case")]
    #[param(value_type = Option<String>, example = "orders")]
    search: Option<String>,
    /// Only jobs whose state stands since then, or began later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Moment>,
}

/// A label that a job must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Label {
    key: String,
    /// `None`: any.
    value: Option<String>,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (text, None),
        };
        if key.is_empty() {
            return Err(format!("`{text}` names no label; write key=value, or key alone"));
        }
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

impl Label {
    fn is_among(&self, labels: &Labels) -> bool {
        let found = labels.get(&self.key);
        found.is_some_and(|found| self.value.as_ref().is_none_or(|value| found == value))
    }
}

fn lower_case<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(|text| text.to_lowercase()))
}

impl JobFilter {
    /// What takes jobs by it, one after the other.
    pub(crate) fn taker(&self) -> Taker<'_> {
        Taker {
            filter: self,
            id: String::new(),
        }
    }

    /// Whether alerts of that name are asked for.
    pub(crate) fn takes_alert(&self, name: &str) -> bool {
        self.alert.is_empty() || self.alert.contains(ANY) || self.alert.contains(name)
    }

    fn takes_condition(&self, kind: ConditionType) -> bool {
        self.condition.contains(&OrAny::Any) || self.condition.contains(&OrAny::One(Word(kind)))
    }

    /// Tells filters apart: a cursor goes with the one it was made for.
    pub(crate) fn fingerprint(&self) -> String {
        let written = serde_json::to_vec(self).unwrap_or_default();
        let digest = Sha256::digest(written);
        const_hex::encode(digest.get(..8).unwrap_or_default())
    }

    fn takes_record(&self, record: &JobRecord) -> bool {
        let target = &record.key.target;
        holds(&self.state, || self.state.contains(&Word(record.state)))
            && holds(&self.namespace, || self.namespace.contains(target.namespace.as_str()))
            && holds(&self.cluster, || self.cluster.contains(target.cluster.as_str()))
            && holds(&self.mode, || self.mode.contains(&Word(record.mode)))
            && holds(&self.policy, || self.policy.contains(record.policy.as_str()))
            && holds(&self.condition, || {
                let mut standing = record.conditions.iter();
                standing.any(|condition| self.takes_condition(condition.kind))
            })
            && holds(&self.alert, || {
                record.alerts.iter().any(|alert| self.takes_alert(&alert.name))
            })
            && self.label.iter().all(|label| label.is_among(&record.labels))
            && self.since.is_none_or(|Moment(since)| record.began() >= since)
    }
}

/// Of a parameter that was not given, anything holds.
fn holds<T>(given: &BTreeSet<T>, holds: impl FnOnce() -> bool) -> bool {
    given.is_empty() || holds()
}

/// Takes jobs by a filter. It is used while the loop cannot write, and so keeps what it writes an id into.
pub(crate) struct Taker<'a> {
    filter: &'a JobFilter,
    id: String,
}

impl Taker<'_> {
    pub(crate) fn takes(&mut self, view: &JobView) -> bool {
        let filter = self.filter;
        filter.takes_record(&view.record)
            && holds(&filter.confidence, || {
                filter.confidence.contains(&Word(view.confidence()))
            })
            && holds(&filter.severity, || filter.severity.contains(&Word(view.severity())))
            && self.finds(&view.record)
    }

    fn finds(&mut self, record: &JobRecord) -> bool {
        let Some(search) = &self.filter.search else {
            return true;
        };
        self.id.clear();
        let written = write!(self.id, "{}", record.key);
        if self.id.is_ascii() {
            self.id.make_ascii_lowercase();
        } else {
            self.id = self.id.to_lowercase();
        }
        written.is_ok() && self.id.contains(search.as_str())
    }
}

#[cfg(test)]
mod tests;
