//! One look at a Flink: its list, whose it is, and what it says of followed jobs that the list does not tell of.

use std::fmt;

use futures::{StreamExt, stream};
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{FlinkJob, FlinkOverview, Untold};
use steadfast_core::id::FlinkJobId;

use super::identity::{Expected, Vouching, vouch};
use super::{classify, overview, parse};
use crate::transport::{Limits, Transport, shown, within};

/// Jobs that are asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// Why a look tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLook {
    /// There was no usable answer.
    Fault(Fault),
    /// There was one, and nothing shows that it is from the Flink that is meant. It may be, if this lasts.
    Unvouched(Fault),
}

impl From<Fault> for NoLook {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl NoLook {
    /// The fault that either is to whoever looked.
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) | Self::Unvouched(fault) => fault,
        }
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
/// about what it leaves out, as a JobMaster that does not answer its JobManager is left out of it (FLINK-40602). Each
/// request has the whole deadline of `limits`, and so have those for single jobs together.
pub async fn look(
    transport: &dyn Transport,
    base: &str,
    expected: &Expected,
    limits: Limits,
) -> Result<FlinkOverview, NoLook> {
    let mut overview = overview(transport, base, limits).await?;
    let vouching = vouch(transport, base, &overview, expected, limits).await?;
    ask_for_untold(transport, base, &mut overview, &expected.followed, limits).await;
    if vouching == Vouching::Open && !has_lasted(&overview, expected) {
        let message = format!(
            "{}: lists none of the runs that are known, and does not say which Flink it is",
            shown(base)
        );
        return Err(NoLook::Unvouched(Fault::new(FaultKind::Address, message)));
    }
    Ok(overview)
}

/// Whether answers that do not show whose they are have lasted long enough.
fn has_lasted(overview: &FlinkOverview, expected: &Expected) -> bool {
    let tells = |id: &FlinkJobId| overview.job(*id).is_some() || overview.tells_end_of(*id);
    let patience = if expected.followed.iter().all(tells) {
        expected.patience.told
    } else {
        expected.patience.untold
    };
    expected.unvouched_for.is_some_and(|lasted| lasted >= patience)
}

async fn ask_for_untold(
    transport: &dyn Transport,
    base: &str,
    overview: &mut FlinkOverview,
    followed: &[FlinkJobId],
    limits: Limits,
) {
    let untold = |id: &&FlinkJobId| overview.job(**id).is_none() && !overview.untold.contains_key(*id);
    let asked: Vec<FlinkJobId> = followed.iter().filter(untold).copied().collect();
    let answers = async {
        // What has not been answered when time is up is unknown.
        stream::iter(asked.iter().copied())
            .map(|id| async move { (id, job(transport, base, id, limits).await) })
            .buffer_unordered(ASKED_AT_ONCE)
            .for_each(|(id, answer)| {
                note(overview, id, answer);
                std::future::ready(())
            })
            .await;
        Ok(())
    };
    let ended = within(limits.deadline, &format!("{base}/jobs/<id>"), answers).await;
    if let Err(fault) = ended {
        for id in asked {
            if overview.job(id).is_none() {
                overview.untold.entry(id).or_insert_with(|| left_open(&fault));
            }
        }
    }
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
