//! A counterexample as a story's file.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use steadfast_core::evidence::FaultKind;
use steadfast_core::labels::Labels;
use steadfast_core::state::{Intent, JobState, Mode};
use steadfast_core::time::Timestamp;

use crate::beginning::Scene;
use crate::explore::Counterexample;
use crate::laws::Shows;
use crate::look::{BEGINNING, Look, NEIGHBOURS};
use crate::step::{EndsStep, Explanation, KubernetesStep, Step, Visibility};
use crate::world::{ApiModel, Existence, FlinkModel, Health, PodModel, Pods, World};

/// When a job that runs is disturbed: by then the engine has seen it.
const SEEN_AFTER: i64 = 20_000;
/// By when a record that ended is revived by Flink alone.
const REVIVED_AFTER: i64 = 80_000;
/// By when what Flink says, or that it says nothing, shows in the record.
const SHOWN_AFTER: i64 = 20_000;
/// How long an expectation is looked at.
const LOOKED_AT: i64 = 40_000;

/// What a file says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The story's name: a slug.
    pub id: &'a str,
    /// The law's sentence.
    pub title: &'a str,
    /// Who found it.
    pub source: &'a str,
}

/// Writes the story of a counterexample and its looks, with each piece of evidence held for at least `hold`, so that the engine meets it whatever its jitter.
///
/// # Errors
/// Why no world shows this, in words.
pub fn write(
    counterexample: &Counterexample,
    looks: &[Look],
    head: Head<'_>,
    hold: Duration,
) -> Result<String, String> {
    can_be_told(counterexample)?;
    let mut script = Script::begin(counterexample, i64::try_from(hold.as_millis()).unwrap_or(i64::MAX));
    let broken = &counterexample.broken;
    for step in &counterexample.steps {
        script.take(*step)?;
    }
    let last = script.last;
    for step in &broken.then {
        script.take(*step)?;
    }
    if broken.shows == Shows::NotRecovered && broken.then.is_empty() {
        script.take(Step::Heal)?;
    }
    let expects = expectation(&broken.shows, looks, last, &script)?;
    Ok(script.finish(head, &expects))
}

/// Whether a story has words for where it begins, and is not too long to be read.
fn can_be_told(counterexample: &Counterexample) -> Result<(), String> {
    let from = &counterexample.from;
    match from.scene {
        Scene::Running | Scene::Start => {}
        Scene::Session => return Err("a job of a session cluster is not told as a story yet".into()),
        Scene::Standalone => return Err("a Flink outside of Kubernetes is not told as a story yet".into()),
    }
    if from.labels != Labels::default() {
        return Err("labels are not told as a story yet".into());
    }
    if from.at != BEGINNING {
        return Err("another date is not told as a story yet".into());
    }
    if counterexample.broken.then.len() > MOST_STEPS {
        return Err(format!(
            "it takes {} looks, more than a story should have",
            counterexample.broken.then.len()
        ));
    }
    Ok(())
}

/// The longest story that is written.
const MOST_STEPS: usize = 500;

/// A story as it grows. Times are milliseconds of the story.
struct Script {
    world: World,
    /// When the next thing may happen.
    now: i64,
    /// When the last thing happened.
    last: i64,
    hold: i64,
    steps: String,
    needs: BTreeSet<&'static str>,
    has_neighbours: bool,
}

impl Script {
    fn begin(counterexample: &Counterexample, hold: i64) -> Self {
        let mut script = Self {
            world: World::healthy(Mode::Application, BEGINNING),
            now: 0,
            last: 0,
            hold,
            steps: String::new(),
            needs: BTreeSet::new(),
            has_neighbours: counterexample
                .steps
                .iter()
                .any(|step| matches!(step, Step::Neighbours(_))),
        };
        if counterexample.from.scene == Scene::Start {
            script.world = World::before_all(BEGINNING);
        }
        script.step(None, "kubernetes = \"ok\"\n");
        if script.has_neighbours {
            script.step(
                Some("other"),
                "deployment = {}\npods = [{}]\njobs = [{ id = \"j1\" }]\n",
            );
            script.needs.insert("namespaces");
        }
        script.prepare(&counterexample.steps);
        // The words of a start are those of every scene: what cannot be written was made by no step.
        let _ = script.show(None);
        if counterexample.from.scene == Scene::Start {
            script.step(None, "kubernetes = \"drop\"\n");
        }
        script.now = match counterexample.from.scene {
            Scene::Start => hold,
            Scene::Running | Scene::Session | Scene::Standalone => SEEN_AFTER,
        };
        script
    }

    /// What is read when a policy asks for it must stand there before: the first answer of a story is there from its start.
    fn prepare(&mut self, steps: &[Step]) {
        let first = steps.iter().find_map(|step| match step {
            Step::Ends(ends) => Some(*ends),
            Step::Wait(_)
            | Step::Flink(_)
            | Step::Kubernetes(_)
            | Step::Explained(_)
            | Step::Memory(_)
            | Step::Neighbours(_)
            | Step::Intent(_)
            | Step::Restart
            | Step::PolicyFails
            | Step::Heal => None,
        });
        if let Some(ends) = first {
            self.ends(ends);
        }
    }

    fn ends(&mut self, ends: EndsStep) {
        let job = self.world.run.job;
        let start = self.moment(self.world.run.started_at);
        let says = match ends {
            EndsStep::Nothing => "ha = false\n".to_owned(),
            EndsStep::Unreadable => {
                self.needs.insert("archive");
                "files = \"drop\"\n".to_owned()
            }
            EndsStep::Archive(state) => {
                self.needs.insert("archive");
                format!("archive = [{{ id = \"j{job}\", state = \"{state}\", start = \"{start}\" }}]\n")
            }
            EndsStep::OfAnotherJob(state) => {
                self.needs.insert("archive");
                format!("archive = [{{ id = \"another\", state = \"{state}\" }}]\n")
            }
            EndsStep::RecoveryData => {
                self.needs.insert("ha");
                "ha = true\n".to_owned()
            }
        };
        if self.steps.contains(&says) {
            return;
        }
        self.step(Some("orders"), &says);
    }

    fn step(&mut self, target: Option<&str>, says: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.steps, "[[step]]\nat = \"{}\"", seconds(self.now));
        if let Some(target) = target.filter(|_| self.has_neighbours) {
            let _ = writeln!(self.steps, "target = \"{target}\"");
        }
        let _ = writeln!(self.steps, "{says}");
    }

    /// Lets something happen.
    fn take(&mut self, step: Step) -> Result<(), String> {
        let at = BEGINNING.after(Duration::from_millis(u64::try_from(self.now).unwrap_or(0)));
        self.last = self.now;
        match step {
            Step::Wait(span) => {
                self.now += i64::try_from(span.as_millis()).unwrap_or(0);
                return Ok(());
            }
            Step::Flink(step) => {
                self.world.flink_turns(step, at);
                self.show(None)?;
            }
            Step::Kubernetes(step) => self.kubernetes(step, at)?,
            Step::Ends(ends) => self.ends(ends),
            // A world answers so unasked.
            Step::Explained(Explanation::Calm) => return Ok(()),
            Step::Explained(Explanation::CheckpointsFail) => {
                return Err("checkpoints that fail are not told as a story yet".into());
            }
            Step::Memory(_) => return Err("a story cannot change what a policy remembers".into()),
            Step::Neighbours(sight) => {
                let fault = match sight {
                    Visibility::Dark => "drop",
                    Visibility::Seen => "ok",
                };
                self.step(Some("other"), &format!("flink = \"{fault}\"\n"));
                self.step(None, &format!("kubernetes = \"{fault}\"\nnamespace = \"b\"\n"));
            }
            Step::Intent(intent) => self.intent(intent),
            Step::Restart => {
                self.needs.insert("restart");
                self.step(None, "engine = \"kill\"\n");
            }
            Step::PolicyFails => return Err("a story cannot make a policy fail".into()),
            Step::Heal => {
                self.world.heals(at);
                self.step(None, "kubernetes = \"ok\"\n");
                self.show(None)?;
            }
        }
        self.now += self.hold;
        Ok(())
    }

    fn intent(&mut self, intent: Intent) {
        self.needs.insert("intent");
        self.step(Some("orders"), &format!("intent = \"{intent}\"\n"));
    }

    fn kubernetes(&mut self, step: KubernetesStep, at: Timestamp) -> Result<(), String> {
        let before = self.world.kubernetes;
        self.world.kubernetes_turns(step, at);
        if let KubernetesStep::Silent(kind) = step {
            let fault = kubernetes_fault(kind)?;
            self.step(None, &format!("kubernetes = \"{fault}\"\n"));
            return Ok(());
        }
        let unseen = step == KubernetesStep::Missing;
        if unseen && before == ApiModel::Answers {
            self.step(None, "kubernetes = \"watch-silent\"\n");
        }
        let words = match step {
            KubernetesStep::Going(words) => words,
            KubernetesStep::Silent(_)
            | KubernetesStep::Answers
            | KubernetesStep::PodRestarts
            | KubernetesStep::PodCrashes
            | KubernetesStep::PodRecovers
            | KubernetesStep::Deleted
            | KubernetesStep::Missing
            | KubernetesStep::Replaced
            | KubernetesStep::PodJoins
            | KubernetesStep::PodLeaves
            | KubernetesStep::PodsGone
            | KubernetesStep::ScaledToZero
            | KubernetesStep::PodsBack => None,
        };
        self.show(words)?;
        if unseen && before == ApiModel::Answers {
            // No version that the watch knows is good any more: it lists anew, and what it missed stays unseen.
            self.now += 1_000;
            self.step(None, "kubernetes = \"410\"\n");
            self.now += 2_000;
        }
        if before != ApiModel::Answers || unseen {
            self.step(None, "kubernetes = \"ok\"\n");
        }
        Ok(())
    }

    /// The job's own world as it is now.
    fn show(&mut self, words: Option<JobState>) -> Result<(), String> {
        let World {
            flink,
            run,
            deployment,
            pod,
            kubernetes: _,
            mode: _,
            neighbours: _,
        } = self.world;
        let fault = match flink {
            FlinkModel::Lists | FlinkModel::Lacks | FlinkModel::LeavesOut => "ok",
            FlinkModel::Silent(kind) => flink_fault(kind)?,
        };
        let mut says = format!("flink = \"{fault}\"\n");
        let is_well = pod.health == Health::Ready;
        let deleting = match deployment.there {
            Existence::Up => Some(false),
            Existence::Going { .. } => Some(true),
            Existence::Gone => None,
        };
        match deleting {
            None => says.push_str("deployment = { present = false }\npods = []\n"),
            Some(deleting) => {
                let (replicas, ready) = match pod.count {
                    Pods::One | Pods::Two => (1, u32::from(is_well)),
                    Pods::None => (1, 0),
                    Pods::ScaledToZero => (0, 0),
                };
                let _ = writeln!(
                    says,
                    "deployment = {{ uid = \"u{}\", replicas = {replicas}, ready = {ready}, deleting = {deleting} }}",
                    deployment.uid
                );
                let log = words.map_or_else(String::new, |state| {
                    self.needs.insert("pod-log");
                    format!(", log = [\"j{} {state}\"]", run.job)
                });
                let _ = writeln!(says, "pods = [{}]", pods(deployment.uid, pod, deleting, &log));
            }
        }
        if flink == FlinkModel::Lacks {
            says.push_str("jobs = []\n");
        } else {
            let start = self.moment(run.started_at);
            let left_out = if flink == FlinkModel::LeavesOut {
                ", listed = false, asked = \"500\""
            } else {
                ""
            };
            let _ = writeln!(
                says,
                "jobs = [{{ id = \"j{}\", state = \"{}\", start = \"{start}\"{left_out} }}]",
                run.job, run.state
            );
        }
        self.step(Some("orders"), &says);
        Ok(())
    }

    fn moment(&self, at: Timestamp) -> String {
        seconds(at.as_millis() - BEGINNING.as_millis())
    }

    fn finish(self, head: Head<'_>, expects: &str) -> String {
        let needs: Vec<String> = self.needs.iter().map(|need| format!("\"{need}\"")).collect();
        // Stories of an hour or more say so.
        let slow = if self.now + REVIVED_AFTER + LOOKED_AT * 2 >= 3_600_000 {
            "slow = true\n"
        } else {
            ""
        };
        let mut text = format!(
            "id = \"{}\"\ntitle = {}\nsource = {}\nneeds = [{}]\n{slow}\n[[target]]\nname = \"orders\"\n\n",
            head.id,
            toml::Value::String(head.title.to_owned()),
            toml::Value::String(head.source.to_owned()),
            needs.join(", ")
        );
        if self.has_neighbours {
            let _ = write!(
                text,
                "[[target]]\nname = \"other\"\ncount = {NEIGHBOURS}\nnamespace = \"b\"\n\n"
            );
        }
        text + &self.steps + expects
    }
}

/// The JobManager's pods, the newest first.
fn pods(uid: u16, newest: PodModel, deleting: bool, log: &str) -> String {
    let name = |number: u16| match number {
        0 => format!("jm-{uid}"),
        number => format!("jm-{uid}-{number}"),
    };
    let is_well = newest.health == Health::Ready;
    let waits = if is_well {
        ""
    } else {
        ", waiting = \"CrashLoopBackOff\""
    };
    let ended = if newest.restarts > 0 {
        ", terminated = \"Error\""
    } else {
        ""
    };
    let first = format!(
        "{{ name = \"{}\", ready = {is_well}, restarts = {}, deleting = {deleting}{waits}{ended}{log} }}",
        name(newest.number),
        newest.restarts
    );
    match newest.count {
        Pods::One => first,
        Pods::Two => {
            let before = name(newest.number.saturating_sub(1));
            format!("{first}, {{ name = \"{before}\", ready = true, restarts = 0, deleting = {deleting} }}")
        }
        Pods::None | Pods::ScaledToZero => String::new(),
    }
}

/// What must be seen if the law holds.
fn expectation(shows: &Shows, looks: &[Look], last: i64, script: &Script) -> Result<String, String> {
    let target = if script.has_neighbours {
        "target = \"orders\"\n"
    } else {
        ""
    };
    let span = |from: i64, until: i64| {
        format!(
            "[[expect]]\nfrom = \"{}\"\nuntil = \"{}\"\n{target}",
            seconds(from),
            seconds(until)
        )
    };
    let states = |states: &mut dyn Iterator<Item = JobState>| {
        let names: Vec<String> = states.map(|state| format!("\"{state}\"")).collect();
        format!("state = [{}]\n", names.join(", "))
    };
    let soon = script.now.max(last + SHOWN_AFTER);
    Ok(match shows {
        Shows::State(wrong) => {
            span(last, soon + LOOKED_AT) + &format!("tracked = true\n\n[verdict]\nnever = [\"{wrong}\"]\n")
        }
        Shows::GoesBack => {
            let transitions = transitions(looks);
            span(last, soon + LOOKED_AT) + &format!("tracked = true\n\n[verdict]\ntransitions = [{transitions}]\n")
        }
        Shows::StateAgain(wrong) => {
            let mut right = JobState::ALL.iter().copied().filter(|state| state != wrong);
            span(last, soon + LOOKED_AT) + &states(&mut right)
        }
        Shows::NotRecovered => {
            let healed = script.last;
            let mut right = [JobState::Running, JobState::Savepointing].into_iter();
            span(healed + REVIVED_AFTER, healed + REVIVED_AFTER + LOOKED_AT) + &states(&mut right)
        }
        Shows::Confirmed => span(soon, soon + LOOKED_AT) + "confidence = [\"inferred\", \"stale\"]\n",
        Shows::Failure => span(last, soon + LOOKED_AT) + "no_condition = [\"PolicyFailing\", \"DecisionTrimmed\"]\n",
        Shows::NotIn(right) => span(soon, soon + LOOKED_AT) + &states(&mut right.iter().copied()),
        Shows::Nothing(why) => return Err((*why).to_owned()),
    })
}

/// The states before the last look, each of which may be left once.
fn transitions(looks: &[Look]) -> String {
    let mut states: Vec<JobState> = looks.iter().map(|look| look.before.state).collect();
    states.dedup();
    let names: Vec<String> = states.iter().map(|state| format!("\"{state}?\"")).collect();
    names.join(", ")
}

fn flink_fault(kind: FaultKind) -> Result<&'static str, String> {
    match kind {
        FaultKind::Timeout => Ok("drop"),
        FaultKind::Refused => Ok("refuse"),
        FaultKind::Unauthorized => Ok("401"),
        FaultKind::Forbidden => Ok("403"),
        FaultKind::NotFound => Ok("404-proxy"),
        FaultKind::TooManyRequests => Ok("429"),
        FaultKind::LeaderElection => Ok("503-leader"),
        FaultKind::Status => Ok("500"),
        FaultKind::Malformed => Ok("garbage"),
        FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::Expired
        | FaultKind::TooLarge
        | FaultKind::Other => Err(format!(
            "a story has no word for a Flink that answers with `{}`",
            kind.as_str()
        )),
    }
}

fn kubernetes_fault(kind: FaultKind) -> Result<&'static str, String> {
    match kind {
        FaultKind::Timeout => Ok("drop"),
        FaultKind::Refused => Ok("refuse"),
        FaultKind::Unauthorized => Ok("401"),
        FaultKind::Forbidden => Ok("403"),
        FaultKind::TooManyRequests => Ok("429"),
        FaultKind::Status => Ok("500"),
        FaultKind::Malformed => Ok("garbage"),
        FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::NotFound
        | FaultKind::Expired
        | FaultKind::LeaderElection
        | FaultKind::TooLarge
        | FaultKind::Other => Err(format!(
            "a story has no word for a Kubernetes that answers with `{}`",
            kind.as_str()
        )),
    }
}

fn seconds(millis: i64) -> String {
    if millis % 1_000 == 0 {
        format!("{}s", millis / 1_000)
    } else {
        format!("{millis}ms")
    }
}
