//! What policies ask of a snapshot besides its evidence: ages, the pace, what was intended, and the fleet.

use crate::{
    Condition, ConditionType, Fault, FaultKind, Intent, Looks, Millis, Mode, Pod, Readiness, Snapshot, StandingAlert,
    Timestamp,
};

impl Snapshot {
    /// How long ago a moment was; zero if it lies ahead.
    pub fn age(&self, moment: Timestamp) -> Millis {
        Millis::between(moment, self.now)
    }

    /// How much of the time since a moment this engine has watched, which is what patience is counted by. A moment that a
    /// policy remembers from before the engine's start may be on another clock: the host's may have been set, or be another
    /// host's. And nobody looked while no engine ran.
    pub fn watched_for(&self, moment: Timestamp) -> Millis {
        self.age(moment.max(self.engine_since))
    }

    /// The pace of polls, `[timing] poll`.
    pub fn poll(&self) -> Millis {
        Millis::new(self.timing.poll)
    }

    /// How long a look may take, `[timing] timeout`.
    pub fn timeout(&self) -> Millis {
        Millis::new(self.timing.timeout)
    }

    /// The pace of complete looks, `[timing] validate`.
    pub fn validate(&self) -> Millis {
        Millis::new(self.timing.validate)
    }

    /// The pace of polls once a job has ended, `[timing] terminal_poll`.
    pub fn terminal_poll(&self) -> Millis {
        Millis::new(self.timing.terminal_poll)
    }

    /// Two polls and a timeout: a silence that is no longer may be one lost answer, and is no news.
    pub fn one_lost_answer(&self) -> Millis {
        self.poll().times(2).plus(self.timeout())
    }

    /// Whether a source that gives no usable answer gave one so lately that its silence is no news.
    pub fn lately_known(&self, looks: &Looks) -> bool {
        looks.known_age(self).is_some_and(|age| age <= self.one_lost_answer())
    }

    /// Whether an intent of this kind was posted, in the present attempt.
    pub fn intended(&self, intent: Intent) -> bool {
        let began = self.job.incarnation.since.unwrap_or(self.job.since);
        let posted = self.job.intent.as_ref();
        posted.is_some_and(|posted| posted.intent == intent && posted.since >= began)
    }

    /// Whether no Flink has been seen to run the job in the present attempt.
    pub fn never_ran(&self) -> bool {
        self.job.incarnation.started_at.is_none()
    }

    /// Whether the job stands in any Kubernetes.
    pub fn has_kubernetes(&self) -> bool {
        self.job.mode != Mode::Standalone
    }

    /// Whether at least that share of more than two targets of the cluster are dark: their silence is no news of one job.
    pub fn is_disrupted(&self, share: f64) -> bool {
        self.fleet.targets > 2 && f64::from(self.fleet.dark) >= share * f64::from(self.fleet.targets)
    }

    /// Whether the engine has begun to look so lately that nothing should be concluded from silence.
    pub fn in_startup_grace(&self) -> bool {
        self.age(self.engine_since) < Millis::new(self.timing.startup_grace)
    }

    /// The pod that is, or is to become, the JobManager: the newest one that is not going. `None` hides whether there is
    /// none or the list is unknown; [`Snapshot::pods`] tells.
    pub fn job_manager(&self) -> Option<&Pod> {
        self.pods().present()?.iter().find(|pod| pod.deleting_since.is_none())
    }

    /// The value of a label of the job's Deployment, as it was last seen.
    pub fn label(&self, name: &str) -> Option<&str> {
        let mut labels = self.job.labels.iter();
        labels
            .find(|label| label.name == name)
            .map(|label| label.value.as_str())
    }

    /// The alert as it stands on record.
    pub fn alert(&self, name: &str) -> Option<&StandingAlert> {
        self.job.alerts.iter().find(|alert| alert.name == name)
    }

    /// The condition as it stands on record.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.job.conditions.iter().find(|condition| condition.kind == kind)
    }
}

impl Looks {
    /// How long every look has been unknown; `None` if the last one was answered.
    pub fn silent_for(&self, snapshot: &Snapshot) -> Option<Millis> {
        self.unknown_since.map(|since| snapshot.age(since))
    }

    /// How long ago the source last said present or absent; `None` if it never did.
    pub fn known_age(&self, snapshot: &Snapshot) -> Option<Millis> {
        self.known_at.map(|known| snapshot.age(known))
    }
}

impl Pod {
    /// Whether the pod can serve.
    pub fn is_ready(&self) -> bool {
        self.readiness == Readiness::Ready
    }

    /// How often its container has restarted.
    pub fn restarts(&self) -> u32 {
        self.container.as_ref().map_or(0, |container| container.restarts)
    }
}

impl Fault {
    /// Whether the engine itself lacked what it takes to ask, such as open files or memory: nothing is said of whoever was to
    /// be asked. The contract has no kind for it, so the message tells.
    pub fn is_engines_own(&self) -> bool {
        self.kind == FaultKind::Other && self.message.starts_with("the engine itself ")
    }

    /// Whether it is a refusal to let us look: 401 or 403.
    pub fn is_denied(&self) -> bool {
        matches!(self.kind, FaultKind::Unauthorized | FaultKind::Forbidden)
    }
}
