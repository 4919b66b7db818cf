//! Records and events, as a loop would commit them.

use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Event, Transition};
use steadfast_core::record::{JobRecord, Origin, Reason};
use steadfast_core::state::{Confidence, JobState, Mode};
use steadfast_core::time::Timestamp;

pub(crate) const AT: Timestamp = Timestamp::from_millis(1_795_396_409_838);
pub(crate) const SESSION_JOB: &str = "local/default/s/ffffffffa021a4190000000000000000";

pub(crate) fn key(text: &str) -> JobKey {
    JobKey::parse(text).unwrap()
}

pub(crate) fn record(id: &str, state: JobState) -> JobRecord {
    let key = key(id);
    let mode = match key.session_job {
        Some(_) => Mode::Session,
        None => Mode::Application,
    };
    JobRecord {
        state,
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists the job"),
        revision: 1,
        ..JobRecord::unseen(key, mode, Origin::Discovered, PolicyName::new("default"), AT)
    }
}

pub(crate) fn moved(from: JobState, to: JobState) -> Event {
    Event::Transition(Transition {
        from,
        to,
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists the job"),
        attempt: 1,
        policy: PolicyName::new("default"),
        told_since: None,
    })
}
