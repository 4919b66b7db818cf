//! What is waited for.

use std::fmt;

use serde_json::Value;
use steadfast_core::severity::Severity;
use steadfast_core::state::{ConditionType, Confidence, Intent, JobState};

use crate::cli::client::Found;

/// Conditions that must all hold.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    written: String,
    all: Vec<Condition>,
}

#[derive(Clone, Debug)]
enum Condition {
    /// There is no such job.
    Gone,
    /// What a job says under a key is one of these, or none of them.
    Says { key: Key, words: Vec<String>, is_one: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    State,
    Confidence,
    Severity,
    Intent,
    Alert,
    Condition,
}

const KEYS: [(&str, Key); 6] = [
    ("state", Key::State),
    ("confidence", Key::Confidence),
    ("severity", Key::Severity),
    ("intent", Key::Intent),
    ("alert", Key::Alert),
    ("condition", Key::Condition),
];

impl Conditions {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let all: Result<Vec<Condition>, String> = text.split(',').map(|one| Condition::parse(one.trim())).collect();
        Ok(Self {
            written: text.to_owned(),
            all: all?,
        })
    }

    /// Whether they hold of a job, or of there being none. Of what is not known none holds.
    pub(super) fn hold(&self, job: &Found) -> bool {
        self.all.iter().all(|condition| condition.holds(job))
    }
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Condition {
    fn parse(text: &str) -> Result<Self, String> {
        let (text, is_one) = match text {
            "gone" | "delete" => return Ok(Self::Gone),
            "confirmed" => ("confidence=confirmed", true),
            text if text.contains("!=") => (text, false),
            text => (text, true),
        };
        let parts = text.split_once(if is_one { "=" } else { "!=" });
        let known = parts.and_then(|(name, words)| {
            let (_, key) = KEYS.iter().find(|(known, _)| *known == name)?;
            Some((*key, words))
        });
        let Some((key, words)) = known else {
            return Err(format!(
                "`{text}` is no condition: write state=, confidence=, severity=, intent=, alert= or condition= with a word behind it, \
                 confirmed, or gone"
            ));
        };
        let words: Vec<String> = words.split('|').map(|word| key.word(word)).collect::<Result<_, _>>()?;
        Ok(Self::Says { key, words, is_one })
    }

    fn holds(&self, job: &Found) -> bool {
        let (key, words, is_one, job) = match (self, job) {
            (Self::Gone, Found::Gone) => return true,
            (Self::Gone, Found::Job(_) | Found::NotKnown(_)) => return false,
            (Self::Says { .. }, Found::Gone | Found::NotKnown(_)) => return false,
            (Self::Says { key, words, is_one }, Found::Job(job)) => (key, words, is_one, job),
        };
        let said = key.said(job);
        let has = |word: &String| match word.as_str() {
            "none" => said.is_empty(),
            "*" => !said.is_empty(),
            word => said.contains(&word),
        };
        words.iter().any(has) == *is_one
    }
}

impl Key {
    /// A word as jobs have it. Where an engine has only so many, they are known here: another one would be waited for in vain, or hold
    /// at once behind `!=`. Alerts are whatever a policy calls them.
    fn word(self, word: &str) -> Result<String, String> {
        if word.is_empty() {
            return Err("a word is missing behind `=`".to_owned());
        }
        let is_any = matches!(word, "none" | "*");
        match self {
            Self::State => {
                let state = JobState::parse(&word.to_ascii_uppercase());
                state
                    .map(|state| state.as_str().to_owned())
                    .ok_or_else(|| format!("`{word}` is no state; `steadfast status` shows states, such as RUNNING"))
            }
            Self::Confidence => known(word, "confidence", Confidence::ALL, Confidence::as_str),
            Self::Severity => known(word, "severity", Severity::ALL, Severity::as_str),
            Self::Intent | Self::Condition if is_any => Ok(word.to_owned()),
            Self::Intent => known(word, "intent", Intent::ALL, Intent::as_str),
            Self::Condition => known(word, "condition", ConditionType::ALL, ConditionType::as_str),
            Self::Alert => Ok(word.to_owned()),
        }
    }

    /// What a job says.
    fn said(self, job: &Value) -> Vec<&str> {
        let one = |pointer: &str| job.pointer(pointer).and_then(Value::as_str).into_iter().collect();
        let each = |list: &str, key: &str| -> Vec<&str> {
            let items = job.get(list).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| item.get(key)?.as_str()).collect()
        };
        match self {
            Self::State => one("/state"),
            Self::Confidence => one("/confidence"),
            Self::Severity => one("/severity"),
            Self::Intent => one("/intent/intent"),
            Self::Alert => each("alerts", "alert"),
            Self::Condition => each("conditions", "type"),
        }
    }
}

/// A word, if it is one of these.
fn known<T: Copy>(word: &str, what: &str, all: &[T], as_str: fn(T) -> &'static str) -> Result<String, String> {
    let all: Vec<&str> = all.iter().map(|one| as_str(*one)).collect();
    if all.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(format!("`{word}` is no {what}; there are {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_conditions_must_hold() {
        let job = Found::Job(
            json!({ "state": "RUNNING", "confidence": "confirmed", "alerts": [{ "alert": "RestartLoop" }],
            "conditions": [], "intent": null }),
        );
        for (text, holds) in [
            ("state=running", true),
            ("state=RUNNING,confirmed", true),
            ("state=FINISHED|RUNNING", true),
            ("state!=FAILED", true),
            ("state!=RUNNING", false),
            ("state=RUNNING,confidence=stale", false),
            ("alert=RestartLoop", true),
            ("alert!=JobFailed", true),
            ("alert=none", false),
            ("alert=*", true),
            ("condition=none,intent=none", true),
            ("condition=*", false),
            ("condition!=CrashLoop,intent!=cancel,alert!=OfMyPolicy", true),
            ("gone", false),
        ] {
            assert_eq!(Conditions::parse(text).unwrap().hold(&job), holds, "{text}");
        }
        // Nothing is true of a job that is not there, but that it is not.
        for (text, holds) in [
            ("gone", true),
            ("delete", true),
            ("state!=FAILED", false),
            ("alert=none", false),
        ] {
            let conditions = Conditions::parse(text).unwrap();
            assert_eq!(conditions.hold(&Found::Gone), holds, "{text}");
            assert!(
                !conditions.hold(&Found::NotKnown("the cluster cannot be read".to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_waited_for_is_told() {
        for (text, says) in [
            ("running", "is no condition"),
            ("state=RUNING", "is no state"),
            ("confidence=sure", "no confidence; there are confirmed"),
            ("severity!=allerting", "no severity; there are alerting"),
            ("condition!=CrashLop", "no condition; there are FlinkUnreachable"),
            ("condition=CrashLoop|Foo", "`Foo` is no condition"),
            ("intent=stop", "no intent; there are start, cancel"),
            ("alert=", "a word is missing"),
            ("", "is no condition"),
            ("phase=RUNNING", "is no condition"),
        ] {
            let said = Conditions::parse(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
