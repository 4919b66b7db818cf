//! Time that was watched: patience is counted by it alone. What happened while no engine ran, or while nobody answered, nobody saw.

use serde::{Deserialize, Serialize};
use steadfast_policy::{Millis, Seen, Snapshot, Timestamp};

use crate::memory::{Memory, ResourceSeen};

/// When a source did not answer for so long that something may have come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Darkness {
    /// Since when it does not answer.
    since: Option<Timestamp>,
    /// From when to when it did not, the last ones that lasted.
    past: Vec<(Timestamp, Timestamp)>,
}

/// So many are remembered; the earliest of more are one, as long as both were.
const REMEMBERED: usize = 8;

/// Notes who answers.
pub fn note(s: &Snapshot, memory: &mut Memory) {
    let kubernetes = !s.deployment().is_unanswered();
    let flink = !s.flink().is_unanswered();
    memory.dark.note(s, flink || kubernetes);
    if memory.lacked_since.is_some() {
        memory.flink_dark.note(s, flink);
    } else {
        memory.flink_dark = Darkness::default();
    }
    if memory.resource == ResourceSeen::No && memory.awaited_since.is_none() {
        // Where there is no operator nobody asks for its resources.
        memory.operator_dark = Darkness::default();
        memory.kubernetes_dark = Darkness::default();
    } else {
        let operator = kubernetes && !matches!(s.flink_resource(), Seen::Unknown { .. });
        memory.operator_dark.note(s, operator);
        memory.kubernetes_dark.note(s, kubernetes);
    }
}

impl Darkness {
    fn note(&mut self, s: &Snapshot, is_lit: bool) {
        match self.since {
            None if !is_lit => self.since = Some(s.now),
            Some(since) if is_lit => {
                self.since = None;
                if s.age(since) > s.one_lost_answer() {
                    self.past.push((since, s.now));
                }
                if let [first, second, ..] = self.past.as_slice()
                    && self.past.len() > REMEMBERED
                {
                    // What was lit between the two lies before both now.
                    let both = (Millis::between(first.0, first.1).before(second.0), second.1);
                    self.past.splice(..2, [both]);
                }
            }
            Some(_) | None => {}
        }
    }

    /// Lets go of what lies before everything that patience is counted from.
    pub fn forget(&mut self) {
        self.past = Vec::new();
    }

    /// How much of the time since a moment was watched: by this engine, and not in a darkness.
    pub fn watched_since(&self, s: &Snapshot, moment: Timestamp) -> Millis {
        self.lit_since(s, moment.max(s.engine_since))
    }

    /// The same for an alarm, which does not wait longer because engines start.
    pub fn lit_since(&self, s: &Snapshot, moment: Timestamp) -> Millis {
        let present = self.since.map(|since| (since, s.now));
        let dark = self.past.iter().copied().chain(present);
        // A clock that was set leaves darknesses that have no end yet.
        let hidden = dark.map(|(from, to)| Millis::between(from.max(moment), to.min(s.now)));
        hidden.fold(s.age(moment), |left, hidden| {
            Millis::new(left.get().saturating_sub(hidden.get()))
        })
    }
}
