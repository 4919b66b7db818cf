//! Compares what the engine showed with what the story expects. The rules are those of the black-box player, so that
//! one story means the same in virtual and in real time.

mod alerts;
mod look;
mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use steadfast_core::id::JobKey;
use steadfast_core::journal::{Entry, Event, Transition};
use steadfast_core::state::{JobState, Mode};
use steadfast_world::World;
use steadfast_world::story::{Expect, Moment, Pace, Story, TargetSpec, Transitions};

pub use alerts::RaisedAlert;
pub use look::Shown;
pub use pattern::fits;

/// Before that, the engine settles: requests are not counted.
const SETTLED: Moment = Moment::from_millis(30_000);
/// The poll of the default settings, in milliseconds.
const POLL_MILLIS: f64 = 5_000.0;

/// An expectation that was not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// When it was not met, in the story's time.
    pub at: Moment,
    /// The record and what is wrong with it, for people.
    pub what: String,
}

/// Judges one play of a story.
pub struct Judge<'a> {
    story: &'a Story,
    /// What was not met so far.
    pub broken: Vec<Broken>,
    looks: Vec<u32>,
    shown: BTreeMap<String, BTreeSet<JobState>>,
    first_attempt: BTreeMap<String, u32>,
    /// What the story calls each record, by its key.
    names: BTreeMap<String, String>,
}

/// What a story calls the jobs of a session cluster.
struct JobNames {
    /// Its FlinkSessionJobs, and the jobs that none of them stands for: each is to have a record.
    expected: BTreeSet<String>,
    /// Every job, by its id in Flink.
    jobs: BTreeMap<String, String>,
}

impl<'a> Judge<'a> {
    /// A judge who has seen nothing yet.
    pub fn new(story: &'a Story) -> Self {
        Self {
            story,
            broken: Vec::new(),
            looks: vec![0; story.expects.len()],
            shown: BTreeMap::new(),
            first_attempt: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    /// Notes something that is wrong.
    pub fn fail(&mut self, at: Moment, what: String) {
        self.broken.push(Broken { at, what });
    }

    /// The records that a name means, each with its own name: a target, a group, or `target/job`; `None` if it is
    /// not listed.
    pub fn records<'r>(&self, jobs: &'r [Shown], name: Option<&str>) -> Vec<(String, Option<&'r Shown>)> {
        let (group, job) = match name.and_then(|name| name.split_once('/')) {
            Some((group, job)) => (Some(group), Some(job)),
            None => (name, None),
        };
        let mut found = Vec::new();
        for target in self.story.select(group) {
            let mut mine = jobs.iter().filter(|shown| shown.is_of(target));
            if target.mode != Mode::Session {
                found.push((target.handle.clone(), mine.next()));
                continue;
            }
            let names = self.job_names(target);
            if let Some(job) = job {
                let id = target.flink_id(job);
                let shown = mine.find(|shown| {
                    shown.session_job.as_deref() == Some(job) || shown.flink_job_id.as_ref() == Some(&id)
                });
                found.push((format!("{}/{job}", target.handle), shown));
                continue;
            }
            let mut unseen = names.expected.clone();
            for shown in mine {
                let by_id = || names.jobs.get(shown.flink_job_id.as_ref()?);
                if let Some(name) = shown.session_job.as_ref().or_else(by_id) {
                    unseen.remove(name);
                    found.push((format!("{}/{name}", target.handle), Some(shown)));
                }
            }
            let unseen = unseen
                .into_iter()
                .map(|name| (format!("{}/{name}", target.handle), None));
            found.extend(unseen);
        }
        found
    }

    /// What the story calls the jobs of a session cluster, whose records go by the name of a FlinkSessionJob or by their id.
    fn job_names(&self, target: &TargetSpec) -> JobNames {
        let steps = || {
            let steps = self.story.steps.iter().map(|(_, step)| step);
            steps.filter(|step| target.is_called(step.target.as_deref()))
        };
        let requested = || steps().flat_map(|step| step.session_jobs.iter().flatten());
        let stood_for: BTreeSet<&String> = requested().filter_map(|resource| resource.job.as_ref()).collect();
        let jobs = steps().flat_map(|step| step.jobs.iter().flatten());
        let submitted: BTreeSet<String> = jobs.flat_map(|job| job.each()).map(|job| job.id).collect();
        let alone = submitted.iter().filter(|job| !stood_for.contains(job)).cloned();
        JobNames {
            expected: alone.chain(requested().map(|resource| resource.name.clone())).collect(),
            jobs: submitted.into_iter().map(|job| (target.flink_id(&job), job)).collect(),
        }
    }

    /// No job of a session cluster is on record twice, by its id and by the name of its FlinkSessionJob.
    fn doubled(&mut self, at: Moment, jobs: &[Shown]) {
        let mut seen = BTreeSet::new();
        let of_sessions = self.story.targets.iter().filter(|target| target.mode == Mode::Session);
        let shown = of_sessions.flat_map(|target| jobs.iter().filter(move |shown| shown.is_of(target)));
        let twice: Vec<String> = shown
            .filter_map(|shown| {
                Some((
                    &shown.cluster,
                    &shown.namespace,
                    &shown.name,
                    shown.flink_job_id.as_ref()?,
                ))
            })
            .filter(|job| !seen.insert(*job))
            .map(|(_, _, name, id)| format!("{name}: job {id} is on record twice"))
            .collect();
        twice.into_iter().for_each(|what| self.fail(at, what));
    }

    /// Takes one look at the record.
    pub fn look(&mut self, at: Moment, jobs: &[Shown]) {
        let story = self.story;
        self.doubled(at, jobs);
        for (name, shown) in self.records(jobs, None) {
            let Some(shown) = shown else { continue };
            self.names.insert(shown.key.clone(), name.clone());
            if shown.state == JobState::Running {
                self.first_attempt.entry(name.clone()).or_insert(shown.attempt);
            }
            if story.verdict.never.contains(&shown.state) {
                self.fail(
                    at,
                    format!(
                        "{name} shows {}, which is never allowed ({})",
                        shown.state, shown.reason
                    ),
                );
            }
            self.shown.entry(name).or_default().insert(shown.state);
        }
        for (index, expect) in story.expects.iter().enumerate() {
            if at < expect.from || expect.until < at {
                continue;
            }
            if let Some(looks) = self.looks.get_mut(index) {
                *looks += 1;
            }
            for (name, shown) in self.records(jobs, expect.target.as_deref()) {
                if let Some(wrong) = self.compare(expect, &name, shown) {
                    self.fail(at, format!("{name} {wrong}"));
                }
            }
        }
    }

    /// What is wrong with a record, if anything.
    fn compare(&self, expect: &Expect, name: &str, shown: Option<&Shown>) -> Option<String> {
        if expect.tracked == Some(false) {
            return shown.map(|_| "is still listed".into());
        }
        let Some(shown) = shown else {
            return Some("is not listed".into());
        };
        if !expect.state.is_empty() && !expect.state.contains(&shown.state) {
            return Some(format!(
                "is {}, not {} ({})",
                shown.state,
                words(&expect.state),
                shown.reason
            ));
        }
        if !expect.confidence.is_empty() && !expect.confidence.contains(&shown.confidence) {
            return Some(format!(
                "is {}, not {} ({})",
                shown.confidence,
                words(&expect.confidence),
                shown.reason
            ));
        }
        let stand = words(&shown.conditions);
        if let Some(either) = expect
            .condition
            .iter()
            .find(|either| !either.0.iter().any(|one| shown.conditions.contains(one)))
        {
            return Some(format!("lacks condition {}, has {stand}", words(&either.0)));
        }
        if let Some(one) = expect.no_condition.iter().find(|one| shown.conditions.contains(one)) {
            return Some(format!("has condition {one}"));
        }
        if let Some(wrong) = alerts::wrong(expect, &shown.alerts) {
            return Some(wrong);
        }
        let said = shown.reason.to_lowercase();
        if !expect.reason.is_empty() && !expect.reason.iter().any(|word| said.contains(&word.to_lowercase())) {
            return Some(format!(
                "gives the reason `{}`, without {}",
                shown.reason,
                expect.reason.join(" or ")
            ));
        }
        if let (Some(low), Some(high)) = (expect.attempt.first(), expect.attempt.last()) {
            let first = self.first_attempt.get(name).copied().unwrap_or(shown.attempt);
            let now = (shown.attempt + 1).saturating_sub(first);
            if now < *low || *high < now {
                return Some(format!(
                    "is in attempt {now} (counted from the first RUNNING), not {low} to {high}"
                ));
            }
        }
        None
    }

    /// What the story calls the record of that key; the key, if it was never seen.
    pub fn name_of(&self, key: &JobKey) -> String {
        let key = key.to_string();
        self.names.get(&key).cloned().unwrap_or(key)
    }

    /// Judges one record's journal; returns its states, equal neighbours once.
    pub fn journal(&mut self, name: &str, entries: &[Entry]) -> Vec<JobState> {
        let ends = self.story.ends();
        let transitions: Vec<(&Entry, &Transition)> = entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::Transition(transition) => Some((entry, transition)),
                Event::Update(_) | Event::Called(_) | Event::Alert(_) | Event::Forgotten => None,
            })
            .collect();
        let mut states: Vec<JobState> = transitions.first().map(|(_, first)| first.from).into_iter().collect();
        let mut before: Option<(&Entry, &Transition)> = None;
        for (entry, transition) in transitions {
            let number = entry.sequence.0;
            if let Some((last_entry, last)) = before {
                if last_entry.sequence == entry.sequence {
                    self.fail(ends, format!("{name}: sequence {number} twice"));
                }
                if transition.from != last.to {
                    self.fail(
                        ends,
                        format!(
                            "{name}: transition {number} begins at {}, the last ended at {}",
                            transition.from, last.to
                        ),
                    );
                }
                if transition.attempt < last.attempt {
                    self.fail(
                        ends,
                        format!(
                            "{name}: transition {number} is of attempt {}, the last was of {}",
                            transition.attempt, last.attempt
                        ),
                    );
                }
                let is_same = (transition.to, transition.attempt, transition.confidence)
                    == (last.to, last.attempt, last.confidence);
                if is_same && transition.reason == last.reason {
                    self.fail(
                        ends,
                        format!("{name}: transition {number} to {} is recorded twice", transition.to),
                    );
                }
            }
            before = Some((entry, transition));
            states.push(transition.to);
        }
        states.dedup();
        self.history(name, &states);
        states
    }

    fn history(&mut self, name: &str, states: &[JobState]) {
        let (story, ends) = (self.story, self.story.ends());
        let shown = self.shown.get(name).cloned().unwrap_or_default();
        let unrecorded: Vec<JobState> = shown
            .into_iter()
            .filter(|state| *state != JobState::Unknown && !states.contains(state))
            .collect();
        if !unrecorded.is_empty() {
            self.fail(
                ends,
                format!("{name}: {} was shown but is not in the journal", words(&unrecorded)),
            );
        }
        let never: Vec<JobState> = states
            .iter()
            .filter(|state| story.verdict.never.contains(state))
            .copied()
            .collect();
        if !never.is_empty() {
            self.fail(
                ends,
                format!("{name}: {} recorded, which is never allowed", words(&never)),
            );
        }
        let wanted: &[Pace] = match &story.verdict.transitions {
            Transitions::All(wanted) => wanted,
            Transitions::Of(lists) => {
                let group = name.split('/').next().unwrap_or(name);
                lists.get(name).or_else(|| lists.get(group)).map_or(&[], Vec::as_slice)
            }
        };
        if !wanted.is_empty() && !fits(wanted, states) {
            let recorded: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
            self.fail(
                ends,
                format!(
                    "{name}: recorded {}, which is not what the verdict lists",
                    recorded.join(" -> ")
                ),
            );
        }
    }

    /// What can be said only when all is over.
    pub fn finish(&mut self, world: &World, alerts: &[RaisedAlert], metrics: &str) {
        let (story, ends) = (self.story, self.story.ends());
        let unseen: Vec<&Expect> = story
            .expects
            .iter()
            .zip(&self.looks)
            .filter(|(_, looks)| **looks == 0)
            .map(|(expect, _)| expect)
            .collect();
        for expect in unseen {
            self.fail(
                expect.from,
                format!("no answer from the engine between {} and {}", expect.from, expect.until),
            );
        }
        let wanted = story.verdict.alerts.iter();
        for objection in wanted.flat_map(|wanted| alerts::objections(wanted, alerts)) {
            self.fail(ends, objection);
        }
        if let Some(objection) = story.verdict.max_alerts.and_then(|most| alerts::beyond(most, alerts)) {
            self.fail(ends, objection);
        }
        if let Some(most) = story.verdict.max_requests_per_poll {
            for (name, flink) in world.flinks() {
                let asked = flink
                    .asked()
                    .into_iter()
                    .filter(|(at, path)| *at > SETTLED && is_status(path))
                    .count();
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "counts and times of a story are far below 2^52"
                )]
                let each = asked as f64 / ((ends.as_millis() - SETTLED.as_millis()) as f64 / POLL_MILLIS);
                if each > most * 1.25 {
                    self.fail(ends, format!("{name}'s Flink got {each:.1} status requests a poll"));
                }
            }
        }
        if let Some(most) = story.verdict.max_kubernetes_requests_per_minute {
            for (name, cluster) in world.clusters() {
                let mut minutes: BTreeMap<i64, usize> = BTreeMap::new();
                for at in cluster.asked() {
                    *minutes.entry(at.as_millis() / 60_000).or_default() += 1;
                }
                for (minute, asked) in minutes.into_iter().filter(|(_, asked)| *asked > most) {
                    let at = Moment::from_millis(minute * 60_000);
                    self.fail(at, format!("Kubernetes {name} got {asked} requests in a minute"));
                }
            }
        }
        let negative = metrics
            .lines()
            .find(|line| !line.starts_with('#') && line.rsplit(' ').next().is_some_and(|v| v.starts_with('-')));
        if story.verdict.metrics_not_negative && (metrics.is_empty() || negative.is_some()) {
            self.fail(ends, format!("no metrics, or one below zero: {negative:?}"));
        }
    }
}

/// Whether a path asks Flink how its jobs are.
fn is_status(path: &str) -> bool {
    match path.strip_prefix("/jobs") {
        Some("" | "/overview") => true,
        Some(rest) => rest.len() == 33 && rest.bytes().skip(1).all(|b| b.is_ascii_alphanumeric()),
        None => false,
    }
}

fn words<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
