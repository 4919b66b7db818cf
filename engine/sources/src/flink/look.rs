//! One look at a Flink: its list, whose it is, and what it says of followed jobs that the list does not tell of.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::{StreamExt, stream};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{FlinkJob, FlinkOverview, Untold};
use steadfast_core::id::FlinkJobId;

use super::identity::{Expected, Vouching, vouch};
use super::{classify, overview, parse};
use crate::transport::{Limits, Transport, shown, within};

/// Jobs that are asked for at once.
const ASKED_AT_ONCE: usize = 64;

/// Why a look tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLook {
    /// There was no usable answer.
    Fault(Fault),
    /// There was one, and nothing shows that it is from the Flink that is meant. It may be, if this lasts.
    Unvouched(Fault),
}

/// Why an answer is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// It shows whose it is.
    Yes,
    /// It does not, and has lasted, or moves nothing.
    ByLasting,
}

impl From<Fault> for NoLook {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl fmt::Display for NoLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) | Self::Unvouched(fault) => fault.fmt(f),
        }
    }
}

/// `GET /jobs/overview`, and `GET /jobs/<id>` for each followed job that the list does not tell of: a list proves nothing
/// about what it leaves out, as a JobMaster that does not answer its JobManager is left out of it (FLINK-40602).
/// The list has the whole deadline of `limits`, and what is asked because of it has as much, all of it at once.
pub async fn look(
    transport: &dyn Transport,
    base: &str,
    expected: &Expected,
    limits: Limits,
) -> Result<(FlinkOverview, Vouched), NoLook> {
    let mut overview = overview(transport, base, limits).await?;
    let (vouching, answers) = futures::join!(
        vouch(transport, base, &overview, expected, limits),
        ask_for_untold(transport, base, &overview, &expected.followed, limits)
    );
    let vouching = vouching?;
    let is_its_own = match vouching {
        Vouching::ByName => answers_still(transport, base, &overview.jobs, limits).await?,
        Vouching::Vouched | Vouching::Open | Vouching::Another(_) => true,
    };
    for (id, answer) in answers {
        note(&mut overview, id, answer);
    }
    let (fault, patience) = match vouching {
        Vouching::Vouched | Vouching::ByName if is_its_own => return Ok((overview, Vouched::Yes)),
        Vouching::Vouched | Vouching::ByName => {
            let message = format!("{}: two Flinks answer by turns", shown(base));
            (Fault::new(FaultKind::Address, message), expected.patience.untold)
        }
        Vouching::Open if leaves_all_open(&overview, expected) => return Ok((overview, Vouched::ByLasting)),
        Vouching::Open => {
            let message = format!(
                "{}: lists none of the runs that are known, and does not say which Flink it is",
                shown(base)
            );
            let fault = Fault::new(FaultKind::Address, message);
            (fault, patience(&overview, expected))
        }
        Vouching::Another(fault) => (fault, expected.patience.untold),
    };
    if expected.unvouched_for.is_some_and(|lasted| lasted >= patience) {
        Ok((overview, Vouched::ByLasting))
    } else {
        Err(NoLook::Unvouched(fault))
    }
}

/// Whether whoever gave the list gives it still. The name was another request's answer, and another Flink may have given it: what is
/// listed before and after it is its own. Jobs that have ended may be dropped in between.
async fn answers_still(
    transport: &dyn Transport,
    base: &str,
    listed: &[FlinkJob],
    limits: Limits,
) -> Result<bool, Fault> {
    let living: Vec<&FlinkJob> = listed.iter().filter(|job| !job.state.is_terminal()).collect();
    if living.is_empty() {
        return Ok(true);
    }
    let again = super::overview(transport, base, limits).await?;
    let is_listed = |job: &FlinkJob| again.job(job.id).is_some_and(|now| now.started_at == job.started_at);
    Ok(living.into_iter().all(is_listed))
}

/// Whether an answer moves nothing, whosever it is: it names no job, and leaves open what became of those that are followed.
fn leaves_all_open(overview: &FlinkOverview, expected: &Expected) -> bool {
    let mut followed = expected.followed.iter();
    overview.jobs.is_empty() && followed.all(|id| !overview.tells_end_of(*id)) && !expected.followed.is_empty()
}

/// How long answers must last that do not say whose they are.
fn patience(overview: &FlinkOverview, expected: &Expected) -> Duration {
    let tells = |id: &FlinkJobId| overview.job(*id).is_some() || overview.tells_end_of(*id);
    if expected.followed.iter().all(tells) {
        expected.patience.told
    } else {
        expected.patience.untold
    }
}

/// What Flink answers about followed jobs that the list does not tell of. What has not been answered when time is up is a
/// timeout.
async fn ask_for_untold(
    transport: &dyn Transport,
    base: &str,
    overview: &FlinkOverview,
    followed: &[FlinkJobId],
    limits: Limits,
) -> BTreeMap<FlinkJobId, Result<Option<FlinkJob>, Fault>> {
    let untold = |id: &&FlinkJobId| overview.job(**id).is_none() && !overview.untold.contains_key(*id);
    let asked: Vec<FlinkJobId> = followed.iter().filter(untold).copied().collect();
    let mut answers = BTreeMap::new();
    let asking = async {
        let mut all = stream::iter(asked.iter().copied())
            .map(|id| async move { (id, job(transport, base, id, limits).await) })
            .buffer_unordered(ASKED_AT_ONCE);
        while let Some((id, answer)) = all.next().await {
            answers.insert(id, answer);
        }
        Ok(())
    };
    if let Err(fault) = within(limits.deadline, &format!("{base}/jobs/<id>"), asking).await {
        for id in asked {
            answers.entry(id).or_insert_with(|| Err(fault.clone()));
        }
    }
    answers
}

fn note(overview: &mut FlinkOverview, id: FlinkJobId, answer: Result<Option<FlinkJob>, Fault>) {
    match answer {
        Ok(Some(job)) => {
            let place = overview.jobs.partition_point(|other| other.id < id);
            overview.jobs.insert(place, job);
        }
        Ok(None) => {
            overview.untold.insert(id, Untold::Gone);
        }
        Err(fault) => {
            overview.untold.insert(id, left_open(&fault));
        }
    }
}

/// Flink answers, and not about this job: that is another thing than a Flink that gives no answer, whatever came instead.
fn left_open(fault: &Fault) -> Untold {
    let message = format!("Flink's list leaves the job out, and asked for it by its id: {fault}");
    Untold::Unknown(Fault::new(FaultKind::Other, message))
}

/// `GET /jobs/<id>`: `None` if Flink itself says that it does not know the job. A 404 of anybody else is a fault, and so is
/// an answer about another job.
pub async fn job(
    transport: &dyn Transport,
    base: &str,
    id: FlinkJobId,
    limits: Limits,
) -> Result<Option<FlinkJob>, Fault> {
    let url = format!("{base}/jobs/{id}");
    let answer = transport.get(&url, limits).await?;
    if answer.status == 404 && parse::says_unknown_job(&answer.body, id) {
        return Ok(None);
    }
    parse::job(&url, &classify::body(&url, answer)?, id).map(Some)
}

#[cfg(test)]
mod tests;
