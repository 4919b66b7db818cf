//! How long an intent stands.
//!
//! An intent says what somebody means to do; it explains what is seen and never stands for it. One that nobody takes back
//! must not explain for ever: it ends when what it meant has been seen, when another attempt begins, or by a time-out, if Flink
//! says then that the job lives on. The
//! intent of an ended job stays with its record, since it explains that end.

use std::time::Duration;

use crate::evidence::Evidence;
use crate::facts::{Checkpoints, FlinkJob};
use crate::incarnation::Incarnation;
use crate::record::{JobRecord, PostedIntent};
use crate::state::Intent;
use crate::time::Timestamp;

/// How an intent that stood came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntentEnd {
    /// A savepoint has been completed since it was posted.
    Savepoint,
    /// Another attempt of the job began.
    NextAttempt,
    /// Nothing of what was meant was seen in time.
    TimedOut,
}

/// What becomes of a record's intent on the newest evidence: it stands, with the savepoint it began with noted, or it has
/// ended. `attempt` is the incarnation that the evidence shows, `flink` what
/// Flink says of it, `checkpoints` what was looked up.
pub fn standing(
    before: &JobRecord,
    attempt: &Incarnation,
    flink: Option<&Evidence<FlinkJob>>,
    checkpoints: Option<&Evidence<Checkpoints>>,
    timeout: Duration,
    now: Timestamp,
) -> Result<Option<PostedIntent>, IntentEnd> {
    let Some(posted) = &before.intent else { return Ok(None) };
    if posted.intent == Intent::None {
        return Ok(Some(posted.clone()));
    }
    let began = attempt.since.filter(|_| before.incarnation.attempt > 0);
    if attempt.attempt != before.incarnation.attempt && began.is_some_and(|began| posted.since < began) {
        return Err(IntentEnd::NextAttempt);
    }
    if before.state.is_terminal() {
        return Ok(Some(posted.clone()));
    }
    // What was known when it was posted is what it began with: a savepoint may take less than a look.
    let seen = checkpoints.and_then(|seen| seen.latest.present());
    let completed = seen.map(|seen| seen.savepoint_completed.unwrap_or(0));
    let mut posted = posted.clone();
    if posted.intent == Intent::Savepoint {
        match (posted.savepoint, completed) {
            (Some(first), Some(newest)) if newest > first => return Err(IntentEnd::Savepoint),
            (Some(_), _) => {}
            (None, completed) => posted.savepoint = completed,
        }
    }
    // Whoever cannot be seen may be doing what was meant.
    let lives = flink
        .and_then(|flink| flink.latest.present())
        .is_some_and(|job| !job.state.is_terminal());
    if lives && now.since(posted.since) >= timeout {
        return Err(IntentEnd::TimedOut);
    }
    Ok(Some(posted))
}

/// When a record's intent is looked at again at the latest; `None` if none stands.
pub fn expires_at(record: &JobRecord, timeout: Duration) -> Option<Timestamp> {
    let posted = record.intent.as_ref().filter(|posted| posted.intent != Intent::None)?;
    (!record.state.is_terminal()).then(|| posted.since.after(timeout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timing::Timing;

    const INTENT_TIMEOUT: Duration = Duration::from_secs(15 * 60);
    use crate::evidence::Observed;
    use crate::id::JobKey;
    use crate::state::JobState;
    use crate::testing::{self, at, flink_job, flink_job_id};

    fn intending(intent: Intent) -> JobRecord {
        let mut record = testing::record(JobKey::application(crate::id::TargetId::standalone("orders")), at(0));
        record.state = JobState::Running;
        let job = flink_job(flink_job_id(1), JobState::Running, at(1));
        record.incarnation.see_job(&job, at(2), at(2));
        record.intent = Some(PostedIntent {
            intent,
            since: at(10),
            author: None,
            savepoint: None,
        });
        record
    }

    fn savepoints(completed: Option<u64>, asked: i64) -> Option<Evidence<Checkpoints>> {
        let checkpoints = Checkpoints {
            savepoint_completed: completed,
            ..Checkpoints::default()
        };
        testing::observed(Observed::Present(checkpoints), at(asked))
    }

    fn alive(now: i64) -> Option<Evidence<FlinkJob>> {
        let job = flink_job(flink_job_id(1), JobState::Running, at(1));
        testing::observed(Observed::Present(job), at(now))
    }

    fn after(record: &JobRecord, checkpoints: Option<Evidence<Checkpoints>>, now: i64) -> Result<JobRecord, IntentEnd> {
        let intent = standing(
            record,
            &record.incarnation,
            alive(now).as_ref(),
            checkpoints.as_ref(),
            INTENT_TIMEOUT,
            at(now),
        )?;
        Ok(JobRecord {
            intent,
            ..record.clone()
        })
    }

    #[test]
    fn the_default_is_a_quarter_of_an_hour() {
        assert_eq!(Timing::default().intent_timeout, INTENT_TIMEOUT);
    }

    #[test]
    fn a_savepoint_that_is_completed_after_it_was_posted_fulfils_it() {
        let posted = intending(Intent::Savepoint);
        let before = after(&posted, savepoints(Some(3), 9), 11).unwrap();
        let same = after(&before, savepoints(Some(3), 15), 15).unwrap();
        assert_eq!(after(&same, savepoints(Some(4), 20), 20), Err(IntentEnd::Savepoint));
        let none_yet = after(&posted, savepoints(None, 15), 15).unwrap();
        assert_eq!(after(&none_yet, savepoints(Some(1), 20), 20), Err(IntentEnd::Savepoint));
        assert!(after(&intending(Intent::Cancel), savepoints(Some(9), 25), 25).is_ok());
    }

    #[test]
    fn it_ends_with_the_time_out_and_with_the_next_attempt() {
        for intent in [Intent::Cancel, Intent::Savepoint, Intent::Start] {
            let posted = intending(intent);
            assert!(after(&posted, None, 909).is_ok());
            assert_eq!(after(&posted, None, 910), Err(IntentEnd::TimedOut));
            let unseen = standing(&posted, &posted.incarnation, None, None, INTENT_TIMEOUT, at(910));
            assert_eq!(unseen, Ok(posted.intent.clone()), "nobody looked");
            let mut next = posted.incarnation.clone();
            let job = flink_job(flink_job_id(2), JobState::Running, at(20));
            next.see_job(&job, at(21), at(21));
            let ended = standing(&posted, &next, None, None, INTENT_TIMEOUT, at(21));
            assert_eq!(ended, Err(IntentEnd::NextAttempt));
        }
    }

    #[test]
    fn an_attempt_ends_only_what_was_meant_before_it_began() {
        let meant_at = |since: i64, record: &JobRecord| {
            let mut posted = record.clone();
            posted.intent = posted.intent.map(|intent| PostedIntent {
                since: at(since),
                ..intent
            });
            posted
        };
        let posted = intending(Intent::Start);
        let mut next = posted.incarnation.clone();
        let job = flink_job(flink_job_id(2), JobState::Running, at(20));
        next.see_job(&job, at(21), at(21));
        let stands = |posted: &JobRecord, attempt: &Incarnation, now| {
            standing(posted, attempt, None, None, INTENT_TIMEOUT, at(now))
        };
        let same_moment = meant_at(21, &posted);
        assert_eq!(stands(&same_moment, &next, 22), Ok(same_moment.intent.clone()));
        assert_eq!(stands(&meant_at(20, &posted), &next, 22), Err(IntentEnd::NextAttempt));
        // Meant before the attempt that runs was seen, as with a start.
        let same_attempt = meant_at(1, &posted);
        assert_eq!(
            stands(&same_attempt, &posted.incarnation, 22),
            Ok(same_attempt.intent.clone())
        );
        let unseen = JobRecord {
            incarnation: Incarnation::unseen(None),
            ..meant_at(1, &posted)
        };
        assert_eq!(
            stands(&unseen, &posted.incarnation, 22),
            Ok(unseen.intent.clone()),
            "there was none"
        );
    }

    #[test]
    fn an_end_keeps_the_intent_that_explains_it() {
        let canceled = JobRecord {
            state: JobState::Canceled,
            ..intending(Intent::Cancel)
        };
        assert_eq!(after(&canceled, None, 100_000), Ok(canceled.clone()));
        assert_eq!(expires_at(&canceled, INTENT_TIMEOUT), None);
        assert_eq!(expires_at(&intending(Intent::Cancel), INTENT_TIMEOUT), Some(at(910)));
    }
}
