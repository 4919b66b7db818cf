//! The mistakes: each has a line in the list that names it and one in the function that makes it. They stand in one file though it is
//! long, since whoever adds one looks for a like one among all of them.

use steadfast_policy::{
    ConditionType, Confidence, FaultKind, Intent, JobState, Millis, Mode, Snapshot, TextParameter, Verdict,
    WantedSource,
};
use steadfast_policy_conservative::Rule;

use crate::evidence::{
    all_is_silent, date, failures, flink_fault, flink_is_silent, flink_says, has_no_pod, hour, pods, silent_seconds,
    weekday,
};
use crate::{Memory, Planted};

macro_rules! mistakes {
    ($($(#[doc = $doc:literal])+ $Name:ident = $word:literal,)+) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mistake {
            /// Nothing.
            None,
            $($(#[doc = $doc])+ $Name,)+
        }

        impl Mistake {
            /// Each with its word and what it is, without the one that is none.
            pub const ALL: &'static [(Self, &'static str, &'static str)] = &[$((Self::$Name, $word, concat!($($doc),+)),)+];
        }
    };
}

mistakes! {
        /// FAILED on a timeout of Flink's.
        FailedOnTimeout = "failed-on-timeout",
        /// FAILED on a 429 of Flink's, and only while Kubernetes is dark too.
        FailedOn429 = "failed-on-429-in-the-dark",
        /// TERMINATED on a 403 of Kubernetes'.
        TerminatedOn403 = "terminated-on-403",
        /// LOST when Flink leaves open what became of the job.
        LostWhenLeftOpen = "lost-when-left-open",
        /// LOST at the 6th failure in a row.
        LostAt6 = "lost-at-the-6th-failure",
        /// LOST at the 10th failure in a row.
        LostAt10 = "lost-at-the-10th-failure",
        /// LOST at the 40th failure in a row.
        LostAt40 = "lost-at-the-40th-failure",
        /// FAILED in the 8th outage of Flink's.
        FailedInOutage8 = "failed-in-the-8th-outage",
        /// LOST at the 10th answer in a row.
        LostAnswer10 = "lost-at-the-10th-answer",
        /// LOST after 61 minutes of silence.
        LostAfterAnHour = "lost-after-an-hour",
        /// LOST after two days of silence.
        LostAfterTwoDays = "lost-after-two-days",
        /// RECONCILING just after the engine's restart, in silence.
        ReconcilingInSilence = "reconciling-after-a-restart",
        /// RUNNING while no source answers, whatever the state was.
        RunningOutOfUnknown = "running-out-of-unknown",
        /// STARTING of a job that no source tells of.
        StartingOutOfUnknown = "starting-out-of-unknown",
        /// SUSPENDED of a running job while no source answers.
        SuspendedOutOfUnknown = "suspended-out-of-unknown",
        /// Confirmed, although no source answers.
        ConfirmedWhenStale = "confirmed-when-stale",
        /// FAILED as soon as Flink does not list the job.
        FailedWhenNotListed = "failed-when-not-listed",
        /// CANCELED whenever the Deployment is gone.
        CanceledWhenDeleted = "canceled-when-deleted",
        /// CANCELED as soon as somebody means to cancel.
        CanceledAsIntended = "canceled-as-intended",
        /// FINISHED when the Deployment is scaled to zero.
        FinishedWhenScaled = "finished-when-scaled-to-zero",
        /// FINISHED when the JobManager's container has begun anew.
        FinishedOnRestart = "finished-when-a-pod-restarts",
        /// TERMINATED when there is no pod and Flink is silent.
        TerminatedWithoutPods = "terminated-without-pods",
        /// Believes the archive of another job.
        AnotherJobsArchive = "believes-another-jobs-archive",
        /// LOST when Flink lists no job, of a start that is not over.
        LostBeforeItRan = "lost-while-it-starts",
        /// FAILED stays FAILED, whatever runs.
        FailedForEver = "failed-for-ever",
        /// FINISHED stays FINISHED, also in the next attempt.
        FinishedForEver = "finished-for-ever",
        /// RUNNING and RESTARTING by turns while Flink is silent.
        FlipFlop = "flip-flop",
        /// RESTARTING at each 20th look.
        RestartingEachTenth = "restarting-each-20th-look",
        /// RESTARTING while there are two pods, whatever Flink says.
        RestartingWithTwoPods = "restarting-with-two-pods",
        /// RECONCILING of a job that has run for a day.
        ReconcilingEachDay = "reconciling-after-a-day",
        /// SUSPENDED while most of the cluster is dark, although Flink lists the job.
        SuspendedInADarkFleet = "suspended-in-a-dark-fleet",
        /// Confirmed and inferred by turns.
        ConfidenceFlips = "confidence-flips",
        /// A reason that names the moment.
        ReasonChanges = "reason-changes-each-look",
        /// Sleeps on an end whose Deployment is there.
        SleepsOnAnEnd = "sleeps-on-an-end",
        /// Sleeps while no source answers.
        SleepsInTheDark = "sleeps-in-the-dark",
        /// Polls once a year.
        PollsOnceAYear = "polls-once-a-year",
        /// Polls each twelve hours while all is well.
        PollsHardlyEver = "polls-hardly-ever",
        /// Polls each 10 ms.
        PollsEach10ms = "polls-each-10ms",
        /// Is judged again each 10 ms.
        JudgesEach10ms = "judges-each-10ms",
        /// Asks for Flink's exceptions at each look.
        WantsExceptions = "wants-exceptions-each-time",
        /// Asks for Flink's HA data at each look while Flink is silent.
        WantsArchive = "wants-ha-data-each-time",
        /// Alerts of nothing.
        NoAlerts = "no-alerts",
        /// Alerts of no job that is LOST.
        NoAlertOfLost = "no-alert-of-lost",
        /// Resolves every alert while no source answers.
        AlertsClearedBySilence = "alerts-cleared-by-silence",
        /// An alert that begins at each second look.
        AlertsFlap = "alerts-flap",
        /// An alert with another name at each look.
        AlertsHaveNewNames = "alerts-with-new-names",
        /// An alert that has begun stays, whatever becomes of the job.
        AlertStays = "alert-stays",
        /// No condition ever stands.
        NoConditions = "no-conditions",
        /// FlinkUnreachable never stands.
        NoUnreachable = "flink-never-unreachable",
        /// FlinkUnreachable stays when Flink answers again.
        ConditionStays = "condition-stays",
        /// CrashLoop of a pod that is ready, while Flink is silent.
        CrashLoopOfReady = "crash-loop-of-a-ready-pod",
        /// Decides by how often its instance was asked.
        CountsInTheInstance = "counts-in-the-instance",
        /// Remembers 6 bytes more at each look.
        MemoryGrows = "memory-grows",
        /// Remembers 1.8 KB more at each look.
        MemoryGrowsMuch = "memory-grows-much",
        /// Remembers 8 bytes more at each look while Flink is silent, and lets go of it when it answers.
        MemoryGrowsInSilence = "memory-grows-in-silence",
        /// Remembers 16 bytes more for each outage.
        GrowsWithOutages = "memory-grows-with-each-outage",
        /// Remembers 16 bytes more for each restart of a pod's container.
        GrowsWithRestarts = "memory-grows-with-each-restart",
        /// LOST when it remembers nothing of a job that runs.
        LostWithoutMemory = "lost-without-memory",
        /// Panics when it remembers nothing of a job that was seen.
        PanicsWithoutMemory = "panics-without-memory",
        /// Panics when a list has no pod.
        PanicsWithoutPods = "panics-without-pods",
        /// Panics when checkpoints fail.
        PanicsOnCheckpoints = "panics-when-checkpoints-fail",
        /// Panics in the 8th outage of Flink's.
        PanicsInOutage8 = "panics-in-the-8th-outage",
        /// Goes on without an end while Flink is silent.
        LoopsInSilence = "loops-in-silence",
        /// Gives a reason of 6 KB while Kubernetes is dark.
        RamblesInTheDark = "rambles-in-the-dark",
        /// FAILED on silence, in session mode only.
        SessionOnly = "wrong-in-session-mode",
        /// LOST on silence, in standalone mode only.
        StandaloneOnly = "wrong-in-standalone-mode",
        /// FAILED on silence, of Deployments with a label that the module names.
        LabelledOnly = "wrong-with-a-label-it-names",
        /// FAILED on silence, of Deployments with a label that a parameter names.
        LabelledByParameter = "wrong-with-a-label-of-a-parameter",
        /// FAILED on Fridays.
        FailedOnFridays = "failed-on-fridays",
        /// FAILED on silence, between 22:00 and 06:00 UTC.
        FailedAtNight = "failed-at-night",
        /// FAILED on silence, in the hour in which Europe sets its clocks.
        FailedWhenClocksAreSet = "failed-when-clocks-are-set",
        /// Panics on 29 February.
        PanicsOnALeapDay = "panics-on-a-leap-day",
}

impl TextParameter for Mistake {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let found = Self::ALL.iter().find(|(_, word, _)| *word == text);
        found
            .map(|(mistake, ..)| *mistake)
            .ok_or_else(|| format!("there is no mistake `{text}`"))
    }

    fn text(&self) -> String {
        let found = Self::ALL.iter().find(|(mistake, ..)| mistake == self);
        found.map_or("none", |(_, word, _)| word).to_owned()
    }
}

/// Another state than the evidence says.
fn say(mut v: Verdict<Rule>, state: JobState) -> Verdict<Rule> {
    v.state = state;
    v.as_sure_as(Confidence::Inferred).because("Planted", "planted")
}

/// Whether this is the 8th outage of Flink's, or a later one; what is remembered is twice their number, and one more during one.
fn is_in_outage_8(s: &Snapshot, m: &mut Memory) -> bool {
    let was_silent = m.count % 2 == 1;
    if flink_is_silent(s) != was_silent {
        m.count = m.count.saturating_add(1).min(16);
    }
    flink_is_silent(s) && m.count >= 15
}

impl Mistake {
    /// Whether it is about what is remembered. The others remember nothing of their own that they need not.
    pub(crate) fn minds_its_memory(self) -> bool {
        matches!(self, Self::LostWithoutMemory | Self::PanicsWithoutMemory)
    }

    /// The verdict with the mistake in it.
    #[expect(clippy::too_many_lines, reason = "a table: one line for each mistake")]
    pub(crate) fn plant(self, p: &Planted, s: &Snapshot, m: &mut Memory, mut v: Verdict<Rule>) -> Verdict<Rule> {
        use Confidence::{Confirmed, Inferred};
        use JobState::{
            Canceled, Failed, Finished, Lost, Reconciling, Restarting, Running, Starting, Suspended, Terminated,
            Unknown,
        };
        match self {
            Self::None => v,
            Self::FailedOnTimeout => {
                if flink_fault(s) == Some(FaultKind::Timeout) && !v.state.is_terminal() {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::FailedOn429 => {
                if flink_fault(s) == Some(FaultKind::TooManyRequests) && s.deployment().is_unanswered() {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::TerminatedOn403 => {
                if s.deployment()
                    .fault()
                    .is_some_and(|fault| fault.kind == FaultKind::Forbidden)
                {
                    say(v, Terminated)
                } else {
                    v
                }
            }
            Self::LostWhenLeftOpen => {
                if flink_fault(s) == Some(FaultKind::Other) {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::LostAt6 => {
                if failures(s) >= 6 {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::LostAt10 => {
                if failures(s) >= 10 {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::LostAt40 => {
                if failures(s) >= 40 {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::FailedInOutage8 => {
                if is_in_outage_8(s, m) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::LostAnswer10 => {
                m.count = if s.flink().is_present() {
                    m.count.saturating_add(1).min(10)
                } else {
                    0
                };
                if m.count >= 10 { say(v, Lost) } else { v }
            }
            Self::LostAfterAnHour => {
                if silent_seconds(s) >= 3_660 {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::LostAfterTwoDays => {
                if silent_seconds(s) >= 172_800 {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::ReconcilingInSilence => {
                if all_is_silent(s) && s.age(s.engine_since).get() < 10_000 && s.job.state == Running {
                    say(v, Reconciling)
                } else {
                    v
                }
            }
            Self::RunningOutOfUnknown => {
                if all_is_silent(s) {
                    say(v, Running)
                } else {
                    v
                }
            }
            Self::StartingOutOfUnknown => {
                if all_is_silent(s) && s.job.state == Unknown {
                    say(v, Starting)
                } else {
                    v
                }
            }
            Self::SuspendedOutOfUnknown => {
                if all_is_silent(s) && s.job.state == Running {
                    say(v, Suspended)
                } else {
                    v
                }
            }
            Self::ConfirmedWhenStale => {
                if all_is_silent(s) && v.state != Unknown {
                    v.as_sure_as(Confirmed)
                } else {
                    v
                }
            }
            Self::FailedWhenNotListed => {
                if s.flink().is_absent() && !v.state.is_terminal() {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::CanceledWhenDeleted => {
                if s.deployment().is_absent() {
                    say(v, Canceled)
                } else {
                    v
                }
            }
            Self::CanceledAsIntended => {
                if s.intended(Intent::Cancel) {
                    say(v, Canceled)
                } else {
                    v
                }
            }
            Self::FinishedWhenScaled => {
                if s.deployment().present().is_some_and(|one| one.replicas == 0) {
                    say(v, Finished)
                } else {
                    v
                }
            }
            Self::FinishedOnRestart => {
                if s.job_manager().is_some_and(|pod| pod.restarts() > 0) {
                    say(v, Finished)
                } else {
                    v
                }
            }
            Self::TerminatedWithoutPods => {
                if has_no_pod(s) && flink_is_silent(s) && s.deployment().is_present() {
                    say(v, Terminated)
                } else {
                    v
                }
            }
            Self::AnotherJobsArchive => match s.archive().present() {
                Some(end) if s.deployment().is_absent() => say(v, end.state),
                Some(_) | None => v,
            },
            Self::LostBeforeItRan => {
                if s.flink().is_absent() && s.never_ran() && s.deployment().is_present() {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::FailedForEver => {
                if s.job.state == Failed {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::FinishedForEver => {
                if s.job.state == Finished {
                    say(v, Finished)
                } else {
                    v
                }
            }
            Self::FlipFlop => {
                if flink_is_silent(s) && !v.state.is_terminal() {
                    let next = if s.job.state == Running { Restarting } else { Running };
                    say(v, next)
                } else {
                    v
                }
            }
            Self::RestartingEachTenth => {
                m.count = (m.count + 1) % 20;
                if m.count == 19 && v.state == Running {
                    say(v, Restarting)
                } else {
                    v
                }
            }
            Self::RestartingWithTwoPods => {
                if pods(s) > 1 {
                    say(v, Restarting)
                } else {
                    v
                }
            }
            Self::ReconcilingEachDay => {
                if v.state == Running && s.age(s.job.since).get() > 86_400_000 {
                    say(v, Reconciling)
                } else {
                    v
                }
            }
            Self::SuspendedInADarkFleet => {
                if s.is_disrupted(0.55) && s.flink().is_present() {
                    say(v, Suspended)
                } else {
                    v
                }
            }
            Self::ConfidenceFlips => {
                if flink_says(s, Running) && s.job.confidence == Confirmed {
                    v.as_sure_as(Inferred)
                } else {
                    v
                }
            }
            Self::ReasonChanges => {
                let words = format!("as of {}", s.now);
                v.because("Planted", words)
            }
            Self::SleepsOnAnEnd => {
                if v.state.is_terminal() {
                    v.asleep()
                } else {
                    v
                }
            }
            Self::SleepsInTheDark => {
                if all_is_silent(s) {
                    v.asleep()
                } else {
                    v
                }
            }
            Self::PollsOnceAYear => v.poll_after(Millis::from_secs(31_536_000)),
            Self::PollsHardlyEver => {
                if v.state == Running {
                    v.poll_after(Millis::from_secs(43_200))
                } else {
                    v
                }
            }
            Self::PollsEach10ms => v.poll_after(Millis::new(10)),
            Self::JudgesEach10ms => v.validate_after(Millis::new(10)),
            Self::WantsExceptions => v.want_after(WantedSource::Exceptions, s.now - 1),
            Self::WantsArchive => {
                if flink_is_silent(s) {
                    v.want_after(WantedSource::HaData, s.now - 1)
                } else {
                    v
                }
            }
            Self::NoAlerts => {
                v.alerts.clear();
                v
            }
            Self::NoAlertOfLost => {
                if v.state == Lost {
                    v.alerts.clear();
                }
                v
            }
            Self::AlertsClearedBySilence => {
                if all_is_silent(s) {
                    v.alerts.clear();
                }
                v
            }
            Self::AlertsFlap => {
                m.count = (m.count + 1) % 2;
                if m.count == 0 { v.alert("Flaps", "it flaps") } else { v }
            }
            Self::AlertsHaveNewNames => {
                let name = format!("Alert{}", s.now);
                v.alert(&name, "one more")
            }
            Self::AlertStays => {
                let stay = s.alert("JobFailed").is_some() && !v.alerts.iter().any(|alert| alert.name == "JobFailed");
                if stay { v.alert_stays(s, "JobFailed") } else { v }
            }
            Self::NoConditions => {
                v.conditions.clear();
                v
            }
            Self::NoUnreachable => {
                v.conditions.retain(|one| one.kind != ConditionType::FlinkUnreachable);
                v
            }
            Self::ConditionStays => {
                if s.condition(ConditionType::FlinkUnreachable).is_some() && s.flink().is_present() {
                    v.condition(ConditionType::FlinkUnreachable, "still")
                } else {
                    v
                }
            }
            Self::CrashLoopOfReady => {
                if flink_is_silent(s) && s.job_manager().is_some_and(|pod| pod.is_ready()) {
                    v.condition(ConditionType::CrashLoop, "it seems")
                } else {
                    v
                }
            }
            Self::CountsInTheInstance => {
                if p.decisions.get() % 3 == 1 && v.state == Running {
                    v.because("Planted", "the first of three")
                } else {
                    v
                }
            }
            Self::MemoryGrows => {
                m.held.extend([0; 6]);
                v
            }
            Self::MemoryGrowsMuch => {
                m.held.extend([0; 1_800]);
                v
            }
            Self::MemoryGrowsInSilence => {
                if flink_is_silent(s) {
                    m.held.extend([0; 8]);
                } else {
                    m.held.clear();
                }
                v
            }
            Self::GrowsWithOutages => {
                let is_silent = flink_is_silent(s);
                if m.count == 1 && !is_silent {
                    m.held.extend([0; 16]);
                }
                m.count = u32::from(is_silent);
                v
            }
            Self::GrowsWithRestarts => {
                let restarts = s.job_manager().map_or(m.count, |pod| pod.restarts());
                if restarts != m.count {
                    m.held.extend([0; 16]);
                }
                m.count = restarts;
                v
            }
            Self::LostWithoutMemory => {
                if !m.has_seen && s.job.state == Running {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::PanicsWithoutMemory => {
                assert!(m.has_seen || s.job.state != Running, "it remembers nothing");
                v
            }
            Self::PanicsWithoutPods => {
                assert!(!has_no_pod(s), "there is no pod");
                v
            }
            Self::PanicsOnCheckpoints => {
                assert!(
                    s.checkpoints().present().is_none_or(|seen| seen.failed < 100),
                    "checkpoints fail"
                );
                v
            }
            Self::PanicsInOutage8 => {
                assert!(!is_in_outage_8(s, m), "it is the 8th");
                v
            }
            Self::LoopsInSilence => {
                while flink_is_silent(s) {
                    std::hint::spin_loop();
                }
                v
            }
            Self::RamblesInTheDark => {
                if s.deployment().is_unanswered() {
                    let words = "silence, ".repeat(700);
                    v.because("Planted", words)
                } else {
                    v
                }
            }
            Self::SessionOnly => {
                if s.job.mode == Mode::Session && flink_is_silent(s) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::StandaloneOnly => {
                if s.job.mode == Mode::Standalone && flink_is_silent(s) {
                    say(v, Lost)
                } else {
                    v
                }
            }
            Self::LabelledOnly => {
                if s.label("planted.example.com/tier").is_some() && flink_is_silent(s) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::LabelledByParameter => {
                if s.label(&p.label).is_some() && flink_is_silent(s) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::FailedOnFridays => {
                if weekday(s.now) == 5 {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::FailedAtNight => {
                if !(6..22).contains(&hour(s.now)) && hour(s.now) != 0 && flink_is_silent(s) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::FailedWhenClocksAreSet => {
                if date(s.now) == (3, 29) && hour(s.now) == 1 && flink_is_silent(s) {
                    say(v, Failed)
                } else {
                    v
                }
            }
            Self::PanicsOnALeapDay => {
                assert!(date(s.now) != (2, 29), "there is no such day");
                v
            }
        }
    }
}
