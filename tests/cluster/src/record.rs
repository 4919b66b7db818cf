//! A job's record and its transitions, as the public contract shows them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// The states that say a job has ended.
pub const ENDS: [&str; 6] = ["FINISHED", "FAILED", "CANCELED", "LOST", "TERMINATED", "SUSPENDED"];

/// What one look at `GET /api/v1/jobs` showed of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `/api/v1/jobs/{cluster}/{namespace}/{name}`, and `/{flinkJobId}` behind it in a session cluster.
    pub path: String,
    /// The Deployment's name, and `/{flinkJobId}` behind it in a session cluster.
    pub name: String,
    /// The state's name.
    pub state: String,
    /// `confirmed`, `inferred` or `stale`.
    pub confidence: String,
    /// The reason's code.
    pub code: String,
    /// The reason's message.
    pub message: String,
    /// 1 for the first attempt seen.
    pub attempt: u64,
    /// The types of the conditions that stand.
    pub conditions: BTreeSet<String>,
}

impl Record {
    /// Reads one element of `items`.
    pub fn read(value: &Value) -> Result<Self> {
        let id = text(value, "id")?;
        let conditions = value
            .get("conditions")
            .and_then(Value::as_array)
            .context("no conditions")?;
        let reason = value.get("reason").context("no reason")?;
        Ok(Self {
            path: format!("/api/v1/jobs/{id}"),
            name: short_id(&id).to_owned(),
            state: text(value, "state")?,
            confidence: text(value, "confidence")?,
            code: text(reason, "code")?,
            message: text(reason, "message")?,
            attempt: number(value, "attempt")?,
            conditions: conditions.iter().map(|c| text(c, "type")).collect::<Result<_>>()?,
        })
    }

    /// Whether the job is in this state and the engine has just seen it there.
    #[must_use]
    pub fn is_confirmed(&self, state: &str) -> bool {
        self.state == state && self.confidence == "confirmed"
    }

    /// Whether this condition stands.
    #[must_use]
    pub fn has(&self, condition: &str) -> bool {
        self.conditions.contains(condition)
    }

    /// One line for the timeline.
    #[must_use]
    pub fn line(&self) -> String {
        let conditions: Vec<&str> = self.conditions.iter().map(String::as_str).collect();
        format!(
            "{}: {} {} attempt {} {} [{}] {}",
            self.name,
            self.state,
            self.confidence,
            self.attempt,
            self.code,
            conditions.join(" "),
            first_line(&self.message)
        )
    }
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its place in the journal, over all jobs.
    pub sequence: u64,
    /// When it was decided, as the engine wrote it.
    pub at: String,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// The confidence of the state after.
    pub confidence: String,
    /// The reason's code.
    pub code: String,
    /// The reason's message.
    pub message: String,
    /// The attempt it belongs to.
    pub attempt: u64,
}

impl Transition {
    /// Reads one element of `items`.
    pub fn read(value: &Value) -> Result<Self> {
        let reason = value.get("reason").context("no reason")?;
        Ok(Self {
            sequence: number(value, "sequence")?,
            at: text(value, "at")?,
            from: text(value, "from")?,
            to: text(value, "to")?,
            confidence: text(value, "confidence")?,
            code: text(reason, "code")?,
            message: text(reason, "message")?,
            attempt: number(value, "attempt")?,
        })
    }

    /// One line for the timeline.
    #[must_use]
    pub fn line(&self) -> String {
        format!(
            "#{} {} {} -> {} {} attempt {} {}: {}",
            self.sequence,
            self.at,
            self.from,
            self.to,
            self.confidence,
            self.attempt,
            self.code,
            first_line(&self.message)
        )
    }
}

/// A job's id without its cluster and namespace: there is one of each.
#[must_use]
pub fn short_id(id: &str) -> &str {
    id.splitn(3, '/').nth(2).unwrap_or(id)
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(110).collect()
}

fn text(value: &Value, key: &str) -> Result<String> {
    let found = value.get(key).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no string {key} in {value}"))?.to_owned())
}

fn number(value: &Value, key: &str) -> Result<u64> {
    value
        .get(key)
        .and_then(Value::as_u64)
        .with_context(|| format!("no number {key} in {value}"))
}
