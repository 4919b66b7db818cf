//! What was really so, read off a story's steps alone: whether a recorded state is licensed by something that the world
//! was before. It knows nothing of the engine.

use steadfast_core::state::{Intent, JobState, Mode};
use steadfast_world::story::{FlinkFault, JobSpec, KubernetesFault, Moment, Story, TargetSpec};

/// How long ends may be looked for in what was seen before all went dark: a look, and the policy's patience (a poll and a timeout).
const UNDER_WAY: i64 = 20_000;
/// How old the list may be that says something is gone, where no watch tells of its return.
const LISTED: i64 = 75_000;
/// How far apart two answers without a job must be before it is lost; the policy's own window is 50 s.
const LOST_AFTER: i64 = 45_000;
/// Looks take at most so long; a slower server gives none.
const TIMEOUT_MILLIS: u128 = 3_000;

/// One target, from a moment on until the next.
#[derive(Clone, Default)]
struct Epoch {
    from: i64,
    kubernetes: KubernetesFault,
    flink: FlinkFault,
    is_deployed: bool,
    /// Its Deployment asks for no replica.
    is_scaled_to_zero: bool,
    has_recovery_data: bool,
    jobs: Vec<(String, JobState)>,
    told: Vec<(String, JobState)>,
    intent: Option<Intent>,
}

impl Epoch {
    fn flink_answers(&self) -> bool {
        match self.flink {
            FlinkFault::Ok => true,
            FlinkFault::Slow(wait) => wait.as_millis() < TIMEOUT_MILLIS,
            FlinkFault::Drop
            | FlinkFault::Refuse
            | FlinkFault::Unauthorized
            | FlinkFault::Forbidden
            | FlinkFault::ProxyNotFound
            | FlinkFault::TooManyRequests(_)
            | FlinkFault::ServerError
            | FlinkFault::BadGateway
            | FlinkFault::LoginPage
            | FlinkFault::LeaderElection
            | FlinkFault::Garbage => false,
        }
    }

    fn kubernetes_answers(&self) -> bool {
        match self.kubernetes {
            KubernetesFault::Ok
            | KubernetesFault::Expired
            | KubernetesFault::WatchSilent
            | KubernetesFault::WatchClose
            | KubernetesFault::Get(_)
            | KubernetesFault::BadObject
            | KubernetesFault::Operator(_) => true,
            KubernetesFault::Slow(wait) => wait.as_millis() < TIMEOUT_MILLIS,
            KubernetesFault::Drop
            | KubernetesFault::Refuse
            | KubernetesFault::Status(..)
            | KubernetesFault::Html
            | KubernetesFault::Garbage
            | KubernetesFault::ListFails => false,
        }
    }

    fn lists(&self, job: Option<&str>) -> bool {
        self.jobs.iter().any(|(id, _)| job.is_none_or(|job| job == id))
    }
}

/// The truth about one target of a story.
pub struct Truth {
    mode: Mode,
    epochs: Vec<Epoch>,
}

impl Truth {
    pub fn of(story: &Story, target: &TargetSpec) -> Self {
        let mut now = Epoch::default();
        let mut epochs = Vec::new();
        for (at, step) in &story.steps {
            now.from = at.as_millis();
            if let Some(fault) = step.kubernetes {
                now.kubernetes = fault;
            }
            if target.is_called(step.target.as_deref()) {
                now.flink = step.flink.unwrap_or(now.flink);
                if let Some(deployment) = &step.deployment {
                    now.is_deployed = deployment.present;
                    now.is_scaled_to_zero = deployment.replicas == 0;
                }
                now.has_recovery_data = step.ha.unwrap_or(now.has_recovery_data);
                if let Some(jobs) = &step.jobs {
                    let id = |job: JobSpec| (target.flink_id(&job.id), job.state);
                    now.jobs = jobs.iter().flat_map(JobSpec::each).map(id).collect();
                }
                let logs = step.pods.iter().flatten().flat_map(|pod| &pod.log);
                let archived = step.archive.iter().flatten().map(|end| (&end.id, end.state));
                let told = logs.map(|end| (&end.job, end.state)).chain(archived);
                now.told = told.map(|(job, state)| (target.flink_id(job), state)).collect();
                now.intent = step.intent.or(now.intent);
            }
            epochs.push(now.clone());
        }
        Self {
            mode: target.mode,
            epochs,
        }
    }

    /// Why a state may not be recorded at a moment; `None` if the world gave a reason. `job` is the one that the
    /// record was about, where that is known.
    pub fn objection(&self, to: JobState, job: Option<&str>, at: Moment) -> Option<String> {
        let at = at.as_millis();
        let wrong = |why: &str| Some(format!("{to} at {}: {why}", Moment::from_millis(at)));
        if (to.is_terminal() || to == JobState::Suspended) && !self.is_lit(at) {
            return wrong("every source had been dark for longer than any look takes");
        }
        match to {
            JobState::Finished | JobState::Failed if !self.was_said(to, job, at) => {
                wrong("nothing in the world ever said so of this job")
            }
            JobState::Canceled if !self.was_said(to, job, at) && !self.ended_while_cancelling(job, at) => {
                wrong("nothing said so, and no cancellation was under way when the job went")
            }
            JobState::Lost if !self.was_lost(job, at) => wrong("Flink did not answer without the job for long enough"),
            JobState::Terminated if !self.was_gone(at) => wrong("no list could say that the Deployment was gone"),
            JobState::Suspended
                if !self.was_said(to, job, at) && !self.was_left_behind(at) && !self.was_scaled_to_zero(at) =>
            {
                wrong(
                    "Flink did not say so, no recovery data was left by a Deployment that is gone, and none was scaled to zero",
                )
            }
            JobState::Running
            | JobState::Created
            | JobState::Initializing
            | JobState::Failing
            | JobState::Cancelling
            | JobState::Reconciling
                if !self.was_said(to, job, at) =>
            {
                wrong("Flink never said so of this job")
            }
            JobState::Savepointing if !self.was_said(JobState::Running, job, at) => {
                wrong("Flink never said RUNNING of this job")
            }
            JobState::Finished
            | JobState::Failed
            | JobState::Canceled
            | JobState::Lost
            | JobState::Terminated
            | JobState::Suspended
            | JobState::Running
            | JobState::Created
            | JobState::Initializing
            | JobState::Failing
            | JobState::Cancelling
            | JobState::Reconciling
            | JobState::Savepointing
            | JobState::Restarting
            | JobState::Starting
            | JobState::Unknown => None,
        }
    }

    /// The epochs that overlap a span, each with the moments it shares with it.
    fn within(&self, from: i64, to: i64) -> impl Iterator<Item = (&Epoch, i64, i64)> {
        let ends = self.epochs.iter().skip(1).map(|next| next.from).chain([i64::MAX]);
        self.epochs
            .iter()
            .zip(ends)
            .filter(move |(epoch, end)| epoch.from <= to && from <= *end)
            .map(move |(epoch, end)| (epoch, epoch.from.max(from), end.min(to)))
    }

    fn is_lit(&self, at: i64) -> bool {
        self.within(at - UNDER_WAY, at)
            .any(|(epoch, ..)| epoch.flink_answers() || (self.mode != Mode::Standalone && epoch.kubernetes_answers()))
    }

    fn was_said(&self, state: JobState, job: Option<&str>, at: i64) -> bool {
        self.within(0, at).any(|(epoch, ..)| {
            let mut said = epoch.jobs.iter().chain(&epoch.told);
            said.any(|(id, said)| *said == state && job.is_none_or(|job| job == id))
        })
    }

    fn was_gone(&self, at: i64) -> bool {
        self.mode != Mode::Standalone
            && self
                .within(at - LISTED, at)
                .any(|(epoch, ..)| !epoch.is_deployed && epoch.kubernetes_answers())
    }

    fn was_left_behind(&self, at: i64) -> bool {
        self.was_gone(at) && self.within(0, at).any(|(epoch, ..)| epoch.has_recovery_data)
    }

    fn was_scaled_to_zero(&self, at: i64) -> bool {
        self.within(at - LISTED, at)
            .any(|(epoch, ..)| epoch.is_scaled_to_zero && epoch.kubernetes_answers())
    }

    fn was_lost(&self, job: Option<&str>, at: i64) -> bool {
        let Some(born) = self.epochs.iter().find(|epoch| epoch.lists(job)) else {
            return false;
        };
        let lacking: Vec<(i64, i64)> = self
            .within(born.from, at)
            .filter(|(epoch, ..)| epoch.flink_answers() && !epoch.lists(job))
            .map(|(_, from, to)| (from, to))
            .collect();
        match (lacking.first(), lacking.last()) {
            (Some((first, _)), Some((_, last))) => last - first >= LOST_AFTER && at - last <= UNDER_WAY,
            _ => false,
        }
    }

    fn ended_while_cancelling(&self, job: Option<&str>, at: i64) -> bool {
        let intended = self
            .within(0, at)
            .any(|(epoch, ..)| epoch.intent == Some(Intent::Cancel));
        let cancelling = intended || self.was_said(JobState::Cancelling, job, at);
        cancelling && (self.was_gone(at) || self.was_lost(job, at))
    }
}
