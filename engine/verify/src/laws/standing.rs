//! What is said of evidence that stands comes to rest.

use steadfast_core::record::JobRecord;
use steadfast_core::state::{Confidence, JobState};

use super::{Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;

/// Each change of confidence or reason is an entry of the journal, and an event for those who follow.
pub(super) struct StandsWithItsEvidence;

/// So many things may be said of one piece of constant evidence, one after the other, as its age counts, ...
const MOST: usize = 8;
/// ... and each of them so often: what is looked for meanwhile is said in between.
const OFTEN: usize = 2;

type Said<'a> = (JobState, Confidence, &'a str, &'a str);

fn said(record: &JobRecord) -> Said<'_> {
    let reason = &record.reason;
    (record.state, record.confidence, &reason.code, &reason.message)
}

impl Law for StandsWithItsEvidence {
    fn name(&self) -> &str {
        "stands-with-its-evidence"
    }

    fn says(&self) -> &str {
        "while only time passes, state, confidence and reason change at most eight times, and come back at most once to what they were"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        let (Course::Still, Some(last)) = (line.course, line.looks.last()) else {
            return Ok(());
        };
        if said(&last.before) == said(last.record()) || last.failure.is_some() {
            return Ok(());
        }
        let now = said(last.record());
        let mut before: Vec<Said<'_>> = line.looks.iter().map(|look| said(&look.before)).collect();
        before.dedup();
        let shown = format!("{} {} ({}: {})", now.0, now.1, now.2, now.3);
        if before.iter().filter(|said| **said == now).count() >= OFTEN {
            return Err(Break::new(
                format!("{shown} came back again and again, and nothing had changed"),
                Shows::Nothing("a story does not say how often a reason or a confidence may change"),
            ));
        }
        if before.len() >= MOST {
            return Err(Break::new(
                format!(
                    "{shown} is the {}th thing that is said while nothing changes",
                    before.len() + 1
                ),
                Shows::Nothing("a story does not say how often a reason or a confidence may change"),
            ));
        }
        Ok(())
    }
}
