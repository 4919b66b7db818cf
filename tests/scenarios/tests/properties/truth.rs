//! What was really so, read off a story's steps alone: whether a recorded state is licensed by something that the world
//! was before. It knows nothing of the engine.

mod epoch;

use steadfast_core::state::{Intent, JobState, Mode};
use steadfast_world::story::{Moment, Story, TargetSpec};

use epoch::{Epoch, Wish};

/// How long ends may be looked for in what was seen before all went dark: a look, and the policy's patience (a poll and a timeout).
const UNDER_WAY: i64 = 20_000;
/// How old the list may be that says something is gone, where no watch tells of its return.
const LISTED: i64 = 75_000;
/// How far apart two answers without a job must be before it is lost; the policy's own window is 50 s.
const LOST_AFTER: i64 = 45_000;
/// The truth about one target of a story.
pub struct Truth {
    mode: Mode,
    epochs: Vec<Epoch>,
}

impl Truth {
    pub fn of(story: &Story, target: &TargetSpec) -> Self {
        Self {
            mode: target.mode,
            epochs: epoch::of(story, target),
        }
    }

    /// Why a state may not be recorded at a moment; `None` if the world gave a reason. `job` is the one that the
    /// record was about, where that is known.
    pub fn objection(&self, to: JobState, job: Option<&str>, at: Moment) -> Option<String> {
        let at = at.as_millis();
        let wrong = |why: &str| Some(format!("{to} at {}: {why}", Moment::from_millis(at)));
        let is_shown = to == JobState::Suspended && self.is_shown_suspended(job, at);
        if (to.is_terminal() || to == JobState::Suspended) && !is_shown && !self.is_lit(at) {
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
            JobState::Terminated if !self.was_gone(at) && !self.was_withdrawn(job, at) => {
                wrong("no list could say that the Deployment was gone, nor that a suspended job's resource was")
            }
            JobState::Suspended
                if !self.was_said(to, job, at)
                    && !self.was_left_behind(at)
                    && !self.was_scaled_to_zero(at)
                    && !self.has_made_room(Wish::Suspended, job, at) =>
            {
                wrong(
                    "Flink did not say so, no recovery data was left by a Deployment that is gone, none was scaled to zero, \
                     and no resource asked for it of a job that was stopped",
                )
            }
            JobState::Reconciling
                if !self.was_said(to, job, at)
                    && !self.has_made_room(Wish::Running, job, at)
                    && !self.was_resumed(job, at) =>
            {
                wrong(
                    "Flink never said so of this job, and no resource asked for one to run that was gone or suspended",
                )
            }
            JobState::Starting if !self.may_start(job, at) => {
                wrong("there was neither a Deployment nor a resource that asked for one")
            }
            JobState::Running
            | JobState::Created
            | JobState::Initializing
            | JobState::Failing
            | JobState::Cancelling
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

    /// Whether a watch that was open showed a resource that asks for a suspended job.
    fn is_shown_suspended(&self, job: Option<&str>, at: i64) -> bool {
        let resource = self.own(job);
        self.within(at - UNDER_WAY, at)
            .any(|(epoch, ..)| epoch.shows_resources() && epoch.asked_for(resource) == Some(Wish::Suspended))
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

    /// The resource that stands for the record: of a session cluster's job it is its own.
    fn own<'a>(&self, job: Option<&'a str>) -> Option<&'a str> {
        job.filter(|_| self.mode == Mode::Session)
    }

    /// Whether the operator's resource asks for that, and the job is not there any more, or ended as one that is stopped.
    fn has_made_room(&self, wish: Wish, job: Option<&str>, at: i64) -> bool {
        let resource = self.own(job);
        let is_asked = |(epoch, ..): (&Epoch, i64, i64)| epoch.asked_for(resource) == Some(wish);
        let is_stopped = || {
            let stops = [JobState::Finished, JobState::Canceled];
            stops.into_iter().any(|stop| self.was_said(stop, job, at))
        };
        self.within(at - LISTED, at).any(is_asked)
            && (self.was_gone(at) || self.was_scaled_to_zero(at) || self.was_lost(job, at) || is_stopped())
    }

    /// Whether the resource asks for the job to run again, which was suspended.
    fn was_resumed(&self, job: Option<&str>, at: i64) -> bool {
        let resource = self.own(job);
        let asked = |from, wish| {
            self.within(from, at)
                .any(|(epoch, ..)| epoch.asked_for(resource) == Some(wish))
        };
        asked(at - LISTED, Wish::Running) && asked(0, Wish::Suspended)
    }

    /// Whether the resource of a suspended job is gone.
    fn was_withdrawn(&self, job: Option<&str>, at: i64) -> bool {
        let resource = self.own(job);
        let was_asked = |(epoch, ..): (&Epoch, i64, i64)| epoch.asked_for(resource) == Some(Wish::Suspended);
        self.within(0, at).any(was_asked)
            && self
                .within(at - LISTED, at)
                .any(|(epoch, ..)| epoch.kubernetes_answers() && !epoch.has_resource(resource))
    }

    /// Whether something starts: a Deployment is there, or a resource asks for one. A session cluster's job does not while its
    /// own resource asks for a suspended one.
    fn may_start(&self, job: Option<&str>, at: i64) -> bool {
        let own = self.own(job);
        self.within(at - LISTED, at).any(|(epoch, ..)| {
            let is_there = epoch.is_deployed || epoch.has_resource(None);
            is_there && (own.is_none() || epoch.asked_for(own) != Some(Wish::Suspended))
        })
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
