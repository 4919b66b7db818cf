//! What stands beside a job of which nothing was ever wrong: an alert of its deadline, or of a label that does not read, is no
//! trouble that clears.

use std::collections::BTreeSet;

use steadfast_core::record::{AlertScope, JobRecord, StandingAlert};
use steadfast_core::state::ConditionType;

use crate::beginning::{Beginning, Scene};
use crate::late::is_late;
use crate::lines;
use crate::look::Watcher;
use crate::settings::Settings;

/// In which steps days pass along a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// By whole days, where nothing depends on the hour.
    #[default]
    ByDays,
    /// By hours: a policy that looks at the calendar is shown each of them, as the engine would.
    ByHours,
}

/// What stands of a job of which nothing was ever wrong, as time goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calm {
    /// In which steps days pass.
    pub(crate) pace: Pace,
    alerts: BTreeSet<(AlertScope, String)>,
    conditions: BTreeSet<ConditionType>,
}

impl Calm {
    /// Lets days pass from each beginning at which the job runs. What stands at once, whatever the date and the labels, is not
    /// among it: a job that is well has no alert.
    pub(crate) fn of(beginnings: &[Beginning], pace: Pace, settings: &Settings, watcher: &mut Watcher) -> Self {
        let mut calm = Self {
            pace,
            ..Self::default()
        };
        for beginning in beginnings.iter().filter(|beginning| beginning.scene != Scene::Start) {
            let mut state = beginning.state(watcher, &[]);
            calm.note(&state.record);
            for step in lines::calm_days(settings, pace) {
                let look = watcher.look(&state, step);
                calm.note(look.record());
                // It would miss it at each look that follows.
                if is_late(&look) {
                    break;
                }
                state = look.after;
            }
        }
        let usual = Beginning::of(Scene::Running).state(watcher, &[]);
        for alert in &usual.record.alerts {
            calm.alerts.remove(&(alert.scope, alert.name.clone()));
        }
        for condition in &usual.record.conditions {
            calm.conditions.remove(&condition.kind);
        }
        calm
    }

    fn note(&mut self, record: &JobRecord) {
        for alert in &record.alerts {
            if !self.has_alert(alert) {
                self.alerts.insert((alert.scope, alert.name.clone()));
            }
        }
        let kinds = record.conditions.iter().map(|condition| condition.kind);
        self.conditions.extend(kinds);
    }

    /// Whether such an alert stands of a job of which nothing was ever wrong.
    pub fn has_alert(&self, alert: &StandingAlert) -> bool {
        let mut known = self.alerts.iter();
        known.any(|(scope, name)| *scope == alert.scope && *name == alert.name)
    }

    /// Whether such a condition does.
    pub fn has_condition(&self, kind: ConditionType) -> bool {
        self.conditions.contains(&kind)
    }
}
