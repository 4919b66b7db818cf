//! How far and how finely an exploration goes.

use std::num::NonZeroUsize;
use std::time::Duration;

use steadfast_core::timing::Timing;

/// The bounds of an exploration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much may happen one after the other, with a look after each thing: what is common weighs 1, what is rare up
    /// to 3.
    pub depth: u32,
    /// So much beyond the depth states of a new kind are gone on from.
    pub beyond: u32,
    /// The spans that may pass without a change.
    pub waits: Vec<Duration>,
    /// To which depth every kind of fault is tried, to find those that the policy treats alike.
    pub fault_depth: u32,
    /// The intervals and deadlines that looks keep to.
    pub timing: Timing,
    /// Spans that the policy's parameters name, for lines.
    pub spans: Vec<Duration>,
    /// Labels that a Deployment may have: what makes no difference to the policy is not explored.
    pub labels: Vec<(String, String)>,
    /// Whether it is tried beforehand if the policy's answers depend on the calendar and on labels.
    pub trials: bool,
    /// How many threads explore.
    pub threads: NonZeroUsize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            depth: 6,
            waits: vec![
                Duration::from_secs(5),
                Duration::from_secs(50),
                Duration::from_secs(600),
            ],
            beyond: 4,
            spans: Vec::new(),
            labels: Vec::new(),
            trials: true,
            fault_depth: 2,
            timing: Timing::default(),
            threads: NonZeroUsize::MIN,
        }
    }
}
