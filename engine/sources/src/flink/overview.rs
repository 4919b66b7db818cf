//! `/jobs/overview`, read row by row as it arrives: of each row only the facts stay.

use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{FlinkJob, FlinkOverview, Untold};
use steadfast_core::foreign_text::harmless;
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::JobState;

use super::parse::{self, BadRow};
use super::rows::{Bounds, NoList, Row, Rows};
use crate::transport::{BodyReader, shown};

/// A row of Flink's has some 400 bytes, and its job's name whatever length its owner gave it. So 50,000 jobs take 20 MB, and
/// a cluster with ten times as many is beyond what a JobManager bears.
pub(super) const BOUNDS: Bounds = Bounds {
    row: 256 << 10,
    rows: 500_000,
    bytes: 256 << 20,
};

/// Rows that cannot be read and are told of one by one. What is said of each may quote the row, so it is cut as well.
const UNREADABLE: usize = 1_000;
/// The longest complaint about a row, in bytes.
const COMPLAINT: usize = 300;

/// A list that arrives. A row that cannot be read costs itself: what it is about is untold, and the others count.
pub(super) struct Reading<'a> {
    url: &'a str,
    rows: Rows,
    told: FlinkOverview,
}

impl<'a> Reading<'a> {
    /// A list of which nothing has come yet.
    pub(super) fn new(url: &'a str, bounds: Bounds) -> Self {
        Self {
            url,
            rows: Rows::new(bounds),
            told: FlinkOverview::default(),
        }
    }

    /// What the list tells, once its body has ended. Fails if the list has not.
    pub(super) fn finish(self) -> Result<FlinkOverview, Fault> {
        let Self { url, rows, mut told } = self;
        rows.finish().map_err(|error| no_list(url, error))?;
        settle(&mut told);
        Ok(told)
    }
}

impl BodyReader for Reading<'_> {
    fn take(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        let Self { url, rows, told } = self;
        let taken = rows.take(chunk, |row| note(told, url, row));
        taken.map_err(|error| no_list(url, error))
    }
}

fn note(told: &mut FlinkOverview, url: &str, row: Row<'_>) -> Result<(), NoList> {
    let Row::Text(text) = row else {
        complain(told, None, &format!("{}: a row is too large to be read", shown(url)));
        return Ok(());
    };
    match parse::row(url, text) {
        Ok(job) => told.jobs.push(job),
        Err(BadRow::NotFlinks(id, fault)) => complain(told, id, &fault.message),
        Err(BadRow::NotJson(error)) => return Err(NoList::Malformed(error)),
    }
    Ok(())
}

/// Notes a row that cannot be read. Whoever follows a job of which nothing is noted asks for it by its id.
fn complain(told: &mut FlinkOverview, id: Option<FlinkJobId>, message: &str) {
    if told.unreadable.len() == UNREADABLE {
        return;
    }
    let message = harmless(message, COMPLAINT);
    if let Some(id) = id {
        let message = format!("Flink's row of the job cannot be read: {message}");
        let fault = Fault::new(FaultKind::Other, message);
        told.untold.insert(id, Untold::Unknown(fault));
    }
    told.unreadable.push(message.as_ref().into());
}

/// Orders the jobs by their ids, of each the row that counts.
fn settle(told: &mut FlinkOverview) {
    // Flink before 1.15 lists a job twice while it hands it over; the row that lives is the newer one.
    let outlived = |job: &FlinkJob| (job.id, job.state.is_terminal(), job.state == JobState::Suspended);
    told.jobs.sort_by_key(outlived);
    told.jobs.dedup_by_key(|job| job.id);
    told.jobs.shrink_to_fit();
    // Nor does a row that cannot be read outweigh one that can.
    for job in &told.jobs {
        told.untold.remove(&job.id);
    }
}

fn no_list(url: &str, error: NoList) -> Fault {
    match error {
        NoList::Malformed(error) => {
            let message = format!("{}: not what Flink answers: {error}", shown(url));
            Fault::new(FaultKind::Malformed, message)
        }
        NoList::TooLarge(error) => Fault::new(FaultKind::TooLarge, format!("{}: {error}", shown(url))),
    }
}

#[cfg(test)]
mod tests;
