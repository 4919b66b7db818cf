//! Laws that are written in a file: what may never be recorded, or must be, while the evidence is so.

#[cfg(test)]
mod schema;
mod tried;
mod words;

use steadfast_core::evidence::{Evidence, Observed};
use steadfast_core::facts::Deployment;
use steadfast_core::record::JobRecord;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::{Confidence, Intent};

use super::support;
use super::{Beside, Break, Law, Shows};
use crate::look::Look;
use tried::Tried;
use words::{Any, DeletionWord, File, FleetWord, FlinkWord, Found, KubernetesWord, Recorded, ToldWord, Written};

/// Why a file of laws cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LawsError {
    /// It does not read as laws.
    #[error(
        "the laws in {place} cannot be read; docs/verify.md shows every key, and `steadfast policy schema laws` has them for editors"
    )]
    Unreadable {
        /// The path of the file, as it was given.
        place: String,
        /// The line and what is wrong there.
        source: Box<toml::de::Error>,
    },
    /// There is none in it.
    #[error(
        "{place}: there is no law in it; write `[[law]]` above each, and below it `name`, `says`, and `never` or `must`"
    )]
    NoLaw {
        /// The path of the file, as it was given.
        place: String,
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

/// Reads the laws of a file; `place` names it in errors.
pub fn parse(place: &str, text: &str) -> Result<Vec<Box<dyn Law>>, LawsError> {
    if has_no_law(text) {
        return Err(LawsError::NoLaw {
            place: place.to_owned(),
        });
    }
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
            law.mistake().or_else(|| law.emptiness())
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
    let all = file
        .law
        .into_iter()
        .map(|law| Box::new(Tried::new(law)) as Box<dyn Law>);
    Ok(all.collect())
}

/// Whether a file is empty, or has a single table where a list of them belongs.
fn has_no_law(text: &str) -> bool {
    let table: Result<toml::Table, _> = toml::from_str(text);
    table.is_ok_and(|table| match table.get("law") {
        Some(law) => law.is_table() || law.as_array().is_some_and(Vec::is_empty),
        None => table.is_empty(),
    })
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
                must.missed(&look.before, record),
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

    /// What a record shows of what may never be. What stands beside the state is what such a law is about.
    fn shows(&self, record: &JobRecord) -> Shows {
        let otherwise = |word: &Confidence| !self.confidence.as_ref().is_some_and(|any| any.fits(word));
        if let Some(alerts) = &self.alerts {
            Shows::Beside(Beside::NoAlert(in_stories(alerts)))
        } else if let Some(alerts) = &self.no_alerts {
            Shows::Beside(Beside::Alert(in_stories(alerts)))
        } else if let Some(conditions) = &self.conditions {
            Shows::Beside(Beside::NoCondition(conditions.each().copied().collect()))
        } else if let Some(conditions) = &self.no_conditions {
            Shows::Beside(Beside::Condition(conditions.each().copied().collect()))
        } else if self.state.is_some() {
            Shows::StateAgain(record.state)
        } else if self.attention.is_some() {
            Shows::NotRecovered
        } else if self.confidence.is_some() {
            let right = Confidence::ALL.iter().copied().filter(otherwise);
            Shows::Beside(Beside::Confidence(right.collect()))
        } else {
            Shows::Nothing("the law names nothing that a story could forbid")
        }
    }

    /// What a record shows of what must be and is not: the first key that does not fit.
    fn missed(&self, before: &JobRecord, after: &JobRecord) -> Shows {
        let lacks = |only: Self| !only.fits(before, after);
        if let Some(right) = self.state.clone()
            && lacks(Self {
                state: Some(right.clone()),
                ..Self::default()
            })
        {
            Shows::NotIn(right.each().copied().collect())
        } else if let Some(right) = self.confidence.clone()
            && lacks(Self {
                confidence: Some(right.clone()),
                ..Self::default()
            })
        {
            Shows::Beside(Beside::Confidence(right.each().copied().collect()))
        } else if let Some(right) = self.alerts.clone()
            && lacks(Self {
                alerts: Some(right.clone()),
                ..Self::default()
            })
        {
            Shows::Beside(Beside::Alert(in_stories(&right)))
        } else if let Some(wrong) = self.no_alerts.clone()
            && lacks(Self {
                no_alerts: Some(wrong.clone()),
                ..Self::default()
            })
        {
            Shows::Beside(Beside::NoAlert(in_stories(&wrong)))
        } else if let Some(right) = self.conditions.clone()
            && lacks(Self {
                conditions: Some(right.clone()),
                ..Self::default()
            })
        {
            Shows::Beside(Beside::Condition(right.each().copied().collect()))
        } else if let Some(wrong) = self.no_conditions.clone()
            && lacks(Self {
                no_conditions: Some(wrong.clone()),
                ..Self::default()
            })
        {
            Shows::Beside(Beside::NoCondition(wrong.each().copied().collect()))
        } else {
            Shows::Nothing("the law names nothing that a story could expect")
        }
    }
}

/// The names of alerts as stories write them.
fn in_stories(names: &Any<String>) -> Vec<String> {
    let one = |name: &String| if name == "any" { "*".to_owned() } else { name.clone() };
    names.each().map(one).collect()
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
        for (law, words) in [
            ("never = { state = \"LOSST\" }", ["unknown variant `LOSST`", "`LOST`"]),
            (
                "never = { conditions = [\"FlinkUnreachabel\"] }",
                ["unknown variant `FlinkUnreachabel`", "`FlinkUnreachable`"],
            ),
            (
                "never = { state = \"LOST\" }\nwhile = { flink = \"failed\" }",
                ["`failed` is nothing that Flink says", "never-asked, or a state"],
            ),
            (
                "never = { state = 5 }",
                ["invalid type: integer `5`", "a word in quotes, or a list of words"],
            ),
        ] {
            let error = parse("my.toml", &format!("[[law]]\nname = \"a\"\nsays = \"x\"\n{law}\n"))
                .err()
                .unwrap();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(words.iter().all(|word| source.contains(word)), "{source}");
        }
        for nothing in ["", "# none yet\n", "law = []", "[law]\nname = \"a\"\nsays = \"x\"\n"] {
            let error = parse("my.toml", nothing).err().unwrap().to_string();
            assert!(
                error.starts_with("my.toml: there is no law in it; write `[[law]]`"),
                "{error}"
            );
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
