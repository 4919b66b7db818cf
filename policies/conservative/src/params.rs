//! What an operator can tune.

use steadfast_policy::{Millis, Parameters};

/// `params` of the `[[policy]]` entry.
#[derive(Clone, Copy, Debug, PartialEq, Parameters)]
pub struct Params {
    /// Complete answers that must lack a thing before it is gone, when no deletion was seen.
    #[default(2)]
    pub absence_confirmations: u32,
    /// Time between the first and the last of those answers, while one engine watches.
    #[default(Millis::from_secs(50))]
    pub absence_window: Millis,
    /// Time to start before a problem of the pods is a failure, while one engine watches.
    #[default(Millis::from_mins(10))]
    pub start_deadline: Millis,
    /// Share of dark targets from which on nothing in a cluster turns terminal.
    #[default(0.55)]
    pub fleet_unknown_share: f64,
    /// Time before a condition says that a source is unreachable.
    #[default(Millis::from_secs(15))]
    pub unreachable_after: Millis,
    /// Time something stands before it is alerted.
    #[default(Millis::from_secs(30))]
    pub alert_after: Millis,
    /// Time a job may restart without coming to rest.
    #[default(Millis::from_mins(10))]
    pub restart_loop_after: Millis,
    /// Failed checkpoints allowed since the last completed one.
    #[default(10)]
    pub checkpoint_failures: u64,
}

impl Params {
    /// What the types do not say.
    pub fn check(&self) -> Result<(), String> {
        if self.absence_confirmations == 0 {
            return Err(
                "absence_confirmations is 0: nothing is gone without an answer that lacks it; use 1 or more".into(),
            );
        }
        if !(self.fleet_unknown_share > 0.0 && self.fleet_unknown_share <= 1.0) {
            return Err(format!(
                "fleet_unknown_share is {}, not above 0 and at most 1",
                self.fleet_unknown_share
            ));
        }
        Ok(())
    }
}
