//! Laws that are written in a file: what may never be recorded, or must be, while the evidence is so.

use serde::Deserialize;
use steadfast_core::evidence::{Evidence, Observed};
use steadfast_core::facts::Deployment;
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Attention, ConditionType, Confidence, Intent, JobState};

use super::support;
use super::{Break, Law, Shows};
use crate::look::Look;

/// Why a file of laws cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LawsError {
    /// It does not read as laws.
    #[error("the laws in {place} cannot be read; docs/verify.md shows every key")]
    Unreadable {
        /// The path of the file, as it was given.
        place: String,
        /// The line and what is wrong there.
        source: Box<toml::de::Error>,
    },
    /// A law contradicts itself.
    #[error("{place}: the law `{law}` {rule}")]
    Wrong {
        /// The path of the file, as it was given.
        place: String,
        /// The name of the law.
        law: String,
        /// The rule that is broken, and the fix.
        rule: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    law: Vec<Written>,
}

/// One `[[law]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    says: String,
    never: Option<Recorded>,
    must: Option<Recorded>,
    within: Option<u32>,
    #[serde(default, rename = "while")]
    condition: Found,
}

/// What a record is like after a look. Each key that is given must fit; a list fits if one of it does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Recorded {
    /// The state before the look.
    from: Option<Any<JobState>>,
    state: Option<Any<JobState>>,
    confidence: Option<Any<Confidence>>,
    attention: Option<Any<Attention>>,
    /// One of these alerts stands; `any` is whichever.
    alerts: Option<Any<String>>,
    /// None of these stands.
    no_alerts: Option<Any<String>>,
    /// One of these conditions stands.
    conditions: Option<Any<ConditionType>>,
    /// None of these stands.
    no_conditions: Option<Any<ConditionType>>,
}

/// What the evidence of a look is like.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Found {
    flink: Option<Any<FlinkWord>>,
    kubernetes: Option<Any<KubernetesWord>>,
    deletion: Option<Any<DeletionWord>>,
    told: Option<Any<ToldWord>>,
    intent: Option<Any<Intent>>,
    fleet: Option<Any<FleetWord>>,
}

/// One word or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "one of its words, or a list of them")]
enum Any<T> {
    One(T),
    Of(Vec<T>),
}

impl<T> Any<T> {
    fn each(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Of(list) => list.iter(),
        }
    }
}

impl<T: PartialEq> Any<T> {
    fn fits(&self, word: &T) -> bool {
        match self {
            Self::One(one) => one == word,
            Self::Of(list) => list.contains(word),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
enum FlinkWord {
    NeverAsked,
    Unknown,
    Absent,
    Says(JobState),
}

impl TryFrom<String> for FlinkWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "never-asked" => Ok(Self::NeverAsked),
            "unknown" => Ok(Self::Unknown),
            "absent" => Ok(Self::Absent),
            state => JobState::parse(state)
                .filter(|state| state.is_flinks())
                .map(Self::Says)
                .ok_or_else(|| {
                    format!("`{text}` is nothing that Flink says; write unknown, absent, never-asked, or a state")
                }),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KubernetesWord {
    NeverAsked,
    Unknown,
    Absent,
    Present,
    Deleting,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum DeletionWord {
    Seen,
    NotSeen,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
enum ToldWord {
    Nothing,
    End(JobState),
}

impl TryFrom<String> for ToldWord {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match JobState::parse(&text) {
            _ if text == "nothing" => Ok(Self::Nothing),
            Some(state @ (JobState::Finished | JobState::Failed | JobState::Canceled)) => Ok(Self::End(state)),
            Some(_) | None => Err(format!(
                "`{text}` is no end that is told; write nothing, FINISHED, FAILED or CANCELED"
            )),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FleetWord {
    Seen,
    Dark,
}

/// Reads the laws of a file; `place` names it in errors.
pub fn parse(place: &str, text: &str) -> Result<Vec<Box<dyn Law>>, LawsError> {
    let file: File = toml::from_str(text).map_err(|source| LawsError::Unreadable {
        place: place.to_owned(),
        source: Box::new(source),
    })?;
    let built_in = super::all();
    let mut names: Vec<&str> = built_in.iter().map(|law| law.name()).collect();
    for law in &file.law {
        let broken = if names.contains(&law.name.as_str()) {
            Some("has the name of another; choose one of its own")
        } else {
            law.mistake()
        };
        if let Some(rule) = broken {
            return Err(LawsError::Wrong {
                place: place.to_owned(),
                law: law.name.clone(),
                rule: rule.to_owned(),
            });
        }
        names.push(&law.name);
    }
    Ok(file.law.into_iter().map(|law| Box::new(law) as Box<dyn Law>).collect())
}

impl Written {
    fn mistake(&self) -> Option<&'static str> {
        let slug = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !slug(&self.name) {
            return Some("has a name that is no slug: lower-case letters, digits and hyphens");
        }
        match (&self.never, &self.must, self.within) {
            (None, None, _) => Some("says nothing; give it a `never` or a `must`"),
            (Some(_), Some(_), _) => Some("has a `never` and a `must`; make two laws of it"),
            (Some(_), None, Some(_)) => Some("has a `within`, which belongs to `must`"),
            (None, Some(_), Some(0)) => Some("has `within = 0`; the first look is 1"),
            (Some(_), None, None) | (None, Some(_), Some(_) | None) => None,
        }
    }
}

impl Law for Written {
    fn name(&self) -> &str {
        &self.name
    }

    fn says(&self) -> &str {
        &self.says
    }

    /// `tracker` counts the looks in a row at which the evidence was so, up to the one that decides.
    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        if !self.condition.fits(&look.snapshot) {
            *tracker = 0;
            return Ok(());
        }
        let within = u64::from(self.within.unwrap_or(1));
        *tracker = (*tracker + 1).min(within);
        let record = look.record();
        let mut evidence = format!(
            "{} became {} {}, {}",
            look.before.state, record.state, record.confidence, record.attention
        );
        let alerts = record.alerts.iter().map(|alert| alert.name.as_str());
        let conditions = record.conditions.iter().map(|condition| condition.kind.as_str());
        let beside: Vec<&str> = alerts.chain(conditions).collect();
        if !beside.is_empty() {
            evidence.push_str(&format!(", with {}", beside.join(", ")));
        }
        if let Some(never) = &self.never
            && never.fits(&look.before, record)
        {
            return Err(Break::new(evidence, never.shows(record)));
        }
        if let Some(must) = &self.must
            && *tracker >= within
            && !must.fits(&look.before, record)
        {
            return Err(Break::new(
                format!("{evidence}, at look {within} of such evidence"),
                must.missed(),
            ));
        }
        Ok(())
    }
}

/// Whether one of those stands that are wanted, and none of those that are not.
fn stand<T>(wanted: Option<&Any<T>>, unwanted: Option<&Any<T>>, stands: impl Fn(&T) -> bool) -> bool {
    wanted.is_none_or(|any| any.each().any(&stands)) && !unwanted.is_some_and(|any| any.each().any(&stands))
}

impl Recorded {
    fn fits(&self, before: &JobRecord, after: &JobRecord) -> bool {
        fn may<T: PartialEq>(wanted: Option<&Any<T>>, word: &T) -> bool {
            wanted.is_none_or(|wanted| wanted.fits(word))
        }
        may(self.from.as_ref(), &before.state)
            && may(self.state.as_ref(), &after.state)
            && may(self.confidence.as_ref(), &after.confidence)
            && may(self.attention.as_ref(), &after.attention)
            && stand(self.alerts.as_ref(), self.no_alerts.as_ref(), |name| {
                let mut alerts = after.alerts.iter();
                alerts.any(|alert| name == "any" || *name == alert.name)
            })
            && stand(self.conditions.as_ref(), self.no_conditions.as_ref(), |kind| {
                after.condition(*kind).is_some()
            })
    }

    /// What a record shows of what may never be.
    fn shows(&self, record: &JobRecord) -> Shows {
        let is_beside = self.alerts.is_some() || self.no_alerts.is_some();
        let is_beside = is_beside || self.conditions.is_some() || self.no_conditions.is_some();
        if is_beside {
            Shows::Nothing("what stands beside a state is not told as a story yet")
        } else if self.state.is_some() {
            Shows::StateAgain(record.state)
        } else if self.attention.is_some() {
            Shows::NotRecovered
        } else if record.confidence == Confidence::Confirmed {
            Shows::Confirmed
        } else {
            Shows::Nothing("the law names no state that a story could forbid")
        }
    }

    /// What a record shows of what must be and is not.
    fn missed(&self) -> Shows {
        match &self.state {
            Some(Any::One(state)) => Shows::NotIn(vec![*state]),
            Some(Any::Of(states)) => Shows::NotIn(states.clone()),
            None => Shows::Nothing("the law names no state that a story could expect"),
        }
    }
}

impl Found {
    fn fits(&self, snapshot: &Snapshot) -> bool {
        fn may<T: PartialEq>(wanted: Option<&Any<T>>, word: impl FnOnce() -> T) -> bool {
            wanted.is_none_or(|wanted| wanted.fits(&word()))
        }
        may(self.flink.as_ref(), || flink(snapshot))
            && may(self.kubernetes.as_ref(), || kubernetes(snapshot.deployment.as_ref()))
            && may(self.deletion.as_ref(), || match snapshot.deletion {
                Some(_) => DeletionWord::Seen,
                None => DeletionWord::NotSeen,
            })
            && may(self.told.as_ref(), || {
                support::reported_ends(snapshot)
                    .next()
                    .map_or(ToldWord::Nothing, |end| ToldWord::End(end.state))
            })
            && may(self.intent.as_ref(), || {
                snapshot
                    .record
                    .intent
                    .as_ref()
                    .map_or(Intent::None, |posted| posted.intent)
            })
            && may(self.fleet.as_ref(), || {
                if snapshot.fleet.dark.saturating_mul(2) > snapshot.fleet.targets {
                    FleetWord::Dark
                } else {
                    FleetWord::Seen
                }
            })
    }
}

fn flink(snapshot: &Snapshot) -> FlinkWord {
    match snapshot.flink.as_ref().map(|evidence| &evidence.latest) {
        None => FlinkWord::NeverAsked,
        Some(Observed::Unknown(_)) => FlinkWord::Unknown,
        Some(Observed::Absent) => FlinkWord::Absent,
        Some(Observed::Present(job)) => FlinkWord::Says(job.state),
    }
}

fn kubernetes(deployment: Option<&Evidence<Deployment>>) -> KubernetesWord {
    match deployment.map(|evidence| &evidence.latest) {
        None => KubernetesWord::NeverAsked,
        Some(Observed::Unknown(_)) => KubernetesWord::Unknown,
        Some(Observed::Absent) => KubernetesWord::Absent,
        Some(Observed::Present(deployment)) if deployment.deleting_since.is_some() => KubernetesWord::Deleting,
        Some(Observed::Present(_)) => KubernetesWord::Present,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_reported_with_place_rule_and_fix() {
        for (text, wanted) in [
            (
                "[[law]]\nname = \"a\"\nsays = \"x\"\n",
                "the law `a` says nothing; give it",
            ),
            (
                "[[law]]\nname = \"recovers\"\nsays = \"x\"\nnever = {}\n",
                "the law `recovers` has the name of another",
            ),
            (
                "[[law]]\nname = \"A b\"\nsays = \"x\"\nnever = {}\n",
                "has a name that is no slug",
            ),
            (
                "[[law]]\nname = \"a\"\nsays = \"x\"\nnever = {}\nwithin = 2\n",
                "belongs to `must`",
            ),
        ] {
            let error = parse("my.toml", text).err().unwrap().to_string();
            assert!(error.starts_with("my.toml: ") && error.contains(wanted), "{error}");
        }
        let error = parse(
            "my.toml",
            "[[law]]\nname = \"a\"\nsays = \"x\"\nnever = { sate = \"LOST\" }\n",
        );
        let error = error.err().unwrap();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("sate") && source.contains("line 4"), "{source}");
    }
}
