//! Tells a plot as a story file: keeps the world possible, heals it at the end, and says what must be recorded then.

mod cluster;
mod expected;
mod hostile;
mod operator;
mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::plot::{Deed, Found, Kind, Plot, Recovery, Teller, Turn, Words};
use cluster::{Cluster, There};
pub use hostile::misread;
use hostile::quoted;
use operator::Wish;
use reach::Renewal;

/// How long after its Deployment's creation a JobManager answers at the soonest: 6 s on the test cluster. Less than the
/// second that a `creationTimestamp` leaves out is not possible.
const STARTS_UP: u64 = 2_000;
/// Another Flink, and the job that it lists.
pub const FOREIGN: &str = "foreign";

/// The story file of a plot, whose end must stand for so many seconds.
pub fn tell(plot: &Plot, stays: u64) -> String {
    let mut tale = Tale::default();
    for (place, setting) in plot.targets.iter().enumerate() {
        let cluster = Cluster::new(place, *setting, &tale.clusters);
        tale.clusters.push(cluster);
    }
    for place in 0..tale.clusters.len() {
        tale.begin(place);
    }
    for turn in &plot.turns {
        tale.take(*turn);
    }
    tale.heal();
    tale.write(stays)
}

/// A story as it grows.
#[derive(Default)]
struct Tale {
    now: u64,
    clusters: Vec<Cluster>,
    steps: String,
    /// What is wrong with the way to each API server, if something was.
    kubernetes: BTreeMap<&'static str, &'static str>,
    /// The Kubernetes clusters with which something was wrong at any time.
    was_broken: BTreeSet<&'static str>,
    /// Credentials that will be renewed, in order.
    renewals: Vec<Renewal>,
    first_disturbance: Option<u64>,
    needs: BTreeSet<&'static str>,
    /// When the engine is back from its last stop.
    engine_back: u64,
}

impl Tale {
    fn step(&mut self, target: Option<usize>, says: &str) {
        let at = seconds(self.now);
        let _ = writeln!(self.steps, "[[step]]\nat = \"{at}\"");
        if let Some(cluster) = target.and_then(|place| self.clusters.get(place)) {
            let _ = writeln!(self.steps, "target = \"{}\"", cluster.name);
        }
        let _ = writeln!(self.steps, "{says}");
    }

    /// Shows a cluster as it is now.
    fn show(&mut self, place: usize) {
        let cluster = &self.clusters[place];
        let says = format!(
            "flink = \"{}\"\n{}{}",
            cluster.flink(),
            cluster.resources() + &cluster.deployment() + &cluster.beside(),
            cluster.listed()
        );
        self.step(Some(place), &says);
    }

    fn begin(&mut self, place: usize) {
        if self.clusters[place].there == There::Up {
            self.clusters[place].submit(0);
        }
        self.show(place);
    }

    #[expect(
        clippy::too_many_lines,
        reason = "an arm for each deed, and nothing around the match"
    )]
    fn take(&mut self, turn: Turn) {
        let now = self.now + u64::from(turn.after);
        self.renew(now);
        self.now = self.now.max(now);
        let place = turn.target % self.clusters.len();
        let now = self.now;
        self.first_disturbance.get_or_insert(now);
        let cluster = &mut self.clusters[place];
        let in_kubernetes = cluster.in_kubernetes();
        match turn.deed {
            Deed::Flink(fault) => self.flink_is(place, fault),
            Deed::Kubernetes(fault, place) => self.kubernetes_is(fault, place),
            Deed::Lapse { key, lasts } => self.lapse(place, key, u64::from(lasts) * 1000),
            Deed::Operator(ask) => self.resource(place, ask),
            Deed::Label if in_kubernetes && cluster.there != There::Gone => {
                cluster.is_unlabelled = !cluster.is_unlabelled;
                self.show(place);
            }
            Deed::Hostile(hostile) => self.hostile(place, hostile),
            Deed::Darkness => self.ways_are("drop"),
            Deed::Light => self.ways_are("ok"),
            Deed::Replace if in_kubernetes && cluster.there != There::Gone => {
                cluster.replace(now);
                self.show(place);
            }
            Deed::Delete {
                words,
                recovery,
                teller,
            } if cluster.there != There::Gone => {
                self.delete(place, words, recovery, teller);
            }
            Deed::LeaveOut if cluster.there == There::Up => {
                if let Some(job) = cluster.jobs.first_mut() {
                    job.is_left_out = !job.is_left_out;
                    let listed = cluster.listed();
                    self.step(Some(place), &listed);
                }
            }
            Deed::Foreign(span) if cluster.there == There::Up => self.another_answers(place, span),
            Deed::TwoMasters(turns) if cluster.there == There::Up && cluster.kind != Kind::Session => {
                self.two_answer(place, turns);
            }
            Deed::ScaleToZero if in_kubernetes && matches!(cluster.there, There::Up | There::Down) => {
                cluster.there = There::ScaledToZero;
                cluster.pod += 1;
                (cluster.restarts, cluster.terminated) = (0, None);
                self.show(place);
            }
            Deed::Restore if cluster.there == There::Gone => self.restore(place),
            Deed::Crash(reason) if cluster.there == There::Up && in_kubernetes => {
                cluster.there = There::Down;
                cluster.restarts += 1;
                cluster.terminated = Some(reason);
                self.show(place);
            }
            Deed::Evict if cluster.there == There::Up && in_kubernetes => {
                cluster.there = There::Down;
                cluster.pod += 1;
                (cluster.restarts, cluster.terminated) = (0, None);
                self.show(place);
            }
            Deed::Recover(recovery) if matches!(cluster.there, There::Down | There::ScaledToZero) => {
                self.recover(place, recovery)
            }
            Deed::Move(choice) if cluster.there == There::Up => {
                if cluster.move_on(choice) {
                    let listed = cluster.listed();
                    self.step(Some(place), &listed);
                }
            }
            Deed::Submit if cluster.kind == Kind::Session && cluster.there == There::Up && cluster.jobs.len() < 3 => {
                cluster.submit(now);
                let listed = cluster.listed();
                self.step(Some(place), &listed);
            }
            Deed::Drop if cluster.kind == Kind::Session && cluster.there == There::Up && !cluster.jobs.is_empty() => {
                cluster.jobs.remove(0);
                let listed = cluster.listed();
                self.step(Some(place), &listed);
            }
            Deed::Intend(intent) => {
                cluster.intents.push(intent);
                self.needs.insert("intent");
                self.step(Some(place), &format!("intent = \"{intent}\"\n"));
            }
            Deed::SetClock(ahead) => self.step(None, &format!("host_clock = \"{ahead}s\"\n")),
            Deed::Kill => {
                self.needs.insert("restart");
                self.engine_back = now;
                self.step(None, "engine = \"kill\"\n");
            }
            // An engine that is away cannot be stopped once more.
            Deed::Stop(span) if self.engine_back <= now => {
                self.needs.insert("restart");
                self.engine_back = now + u64::from(span) * 1000;
                self.step(None, &format!("engine = \"stop-for:{span}s\"\n"));
            }
            Deed::Replace
            | Deed::Delete { .. }
            | Deed::Restore
            | Deed::Crash(_)
            | Deed::Evict
            | Deed::Recover(_)
            | Deed::Move(_)
            | Deed::LeaveOut
            | Deed::Foreign(_)
            | Deed::TwoMasters(_)
            | Deed::ScaleToZero
            | Deed::Label
            | Deed::Submit
            | Deed::Drop
            | Deed::Stop(_) => {}
        }
    }

    /// Another Flink answers in its place for a while: it lists a job of its own, and names its own cluster if Kubernetes has
    /// clusters.
    fn another_answers(&mut self, place: usize, span: u8) {
        let cluster = &mut self.clusters[place];
        let (its_own, ours) = if cluster.in_kubernetes() {
            let id = |name: &str| format!("cluster_id = {}\n", quoted(name));
            let another = cluster.writings.another_id();
            (
                id(another.as_deref().unwrap_or(FOREIGN)),
                id(cluster.deployment_name.as_ref().unwrap_or(&cluster.name)),
            )
        } else {
            cluster.told.insert("RUNNING");
            (String::new(), String::new())
        };
        let row = cluster.row(FOREIGN, "RUNNING", self.now, "");
        self.step(Some(place), &format!("{its_own}jobs = [{row}]\n"));
        self.now += u64::from(span) * 1000;
        let listed = self.clusters[place].listed();
        self.step(Some(place), &format!("{ours}{listed}"));
    }

    /// A second JobManager answers in turn with the first, for the same job, which it has started itself.
    fn two_answer(&mut self, place: usize, turns: u8) {
        let Some(job) = self.clusters[place].jobs.first().cloned() else {
            return;
        };
        for _ in 0..turns {
            let cluster = &mut self.clusters[place];
            cluster.told.insert("RUNNING");
            let row = cluster.row(&format!("j{}", job.number), "RUNNING", job.start + 1, "");
            self.step(Some(place), &format!("jobs = [{row}]\n"));
            self.now += 7_000;
            let listed = self.clusters[place].listed();
            self.step(Some(place), &listed);
            self.now += 7_000;
        }
    }

    /// In two moments: the pod begins to go, and its log says how the job ended; then nothing is left.
    fn delete(&mut self, place: usize, words: Words, recovery: Recovery, teller: Teller) {
        let cluster = &mut self.clusters[place];
        let job = cluster.jobs.last().map_or(0, |job| job.number);
        let start = cluster.jobs.last().map_or(0, |job| job.start);
        if let (Words::Says(state), Teller::Archive | Teller::History, Kind::Application, There::Up) =
            (words, teller, cluster.kind, cluster.there)
        {
            cluster.told.insert(state);
            let (need, key) = if teller == Teller::History && place == 0 {
                ("history-server", "history")
            } else {
                ("archive", "archive")
            };
            self.needs.insert(need);
            let row = cluster.row(&format!("j{job}"), state, start, &cluster.writings.of_end());
            self.step(Some(place), &format!("{key} = [{row}]\n"));
        } else if let (Words::Says(state), Kind::Application, There::Up) = (words, cluster.kind, cluster.there) {
            cluster.told.insert(state);
            let says = format!(
                "flink = \"refuse\"\njobs = []\n{}\
                 pods = [{{ name = \"jm-{}\", restarts = {}, deleting = true, log = [\"j{job} {state}\"] }}]\n",
                cluster.deployment_with("ready = 0, deleting = true"),
                cluster.pod,
                cluster.restarts
            );
            self.needs.insert("pod-log");
            self.step(Some(place), &says);
            self.now += 600;
        }
        self.remove(place, recovery);
    }

    /// Nothing is left of a cluster; Flink's recovery data may be.
    fn remove(&mut self, place: usize, recovery: Recovery) {
        let cluster = &mut self.clusters[place];
        cluster.there = There::Gone;
        cluster.jobs.clear();
        let keeps = recovery == Recovery::Lasts && cluster.kind == Kind::Application;
        if keeps {
            cluster.recovery_data = Recovery::Lasts;
            cluster.told.insert("SUSPENDED");
            self.needs.insert("ha");
        }
        self.show(place);
        if keeps {
            self.step(Some(place), "ha = true\n");
        }
    }

    /// It is there again, under another UID, and runs a new job.
    fn restore(&mut self, place: usize) {
        let now = self.now;
        let cluster = &mut self.clusters[place];
        cluster.replace(now);
        if let Some(resource) = &mut cluster.resource {
            resource.ask(Wish::Running);
            resource.lifecycle = "STABLE";
        }
        if cluster.in_kubernetes() {
            self.show(place);
        }
        self.recover(place, Recovery::None);
        let cluster = &mut self.clusters[place];
        if cluster.recovery_data == Recovery::Lasts {
            cluster.recovery_data = Recovery::None;
            self.step(Some(place), "ha = false\n");
        }
    }

    /// Everything answers, and nothing happens any more.
    fn heal(&mut self) {
        self.now = self.now.max(self.engine_back) + 1_000;
        self.ways_are("ok");
        for place in 0..self.clusters.len() {
            let cluster = &mut self.clusters[place];
            cluster.is_unlabelled = false;
            cluster.writings.heal();
            for job in &mut cluster.jobs {
                job.is_left_out = false;
                job.odd.heal();
            }
            let standalone = cluster.kind == Kind::Standalone;
            if cluster
                .resource
                .as_ref()
                .is_some_and(|resource| resource.wish == Wish::Deleted)
            {
                self.carry_out(place, Wish::Deleted, Recovery::None);
            } else if matches!(cluster.there, There::Down | There::ScaledToZero)
                || (standalone && cluster.there == There::Gone)
            {
                self.recover(place, Recovery::None);
            } else {
                self.show(place);
            }
        }
    }

    /// A JobManager answers again, or for the first time.
    fn recover(&mut self, place: usize, recovery: Recovery) {
        let cluster = &mut self.clusters[place];
        self.now = self.now.max(cluster.created + STARTS_UP);
        cluster.recover(recovery, self.now);
        self.show(place);
    }

    fn write(mut self, stays: u64) -> String {
        for cluster in &self.clusters {
            match cluster.kind {
                Kind::Application => {}
                Kind::Session => self.needs.extend(["session"]),
                Kind::Standalone => self.needs.extend(["standalone"]),
            }
            match cluster.found {
                Found::Config => {}
                Found::Native => self.needs.extend(["discovery"]),
                Found::Operator => self.needs.extend(["flinkdeployment"]),
            }
        }
        if self.clusters.iter().any(|one| one.place != self.clusters[0].place) {
            self.needs.insert("clusters");
        }
        let needs: Vec<String> = self.needs.iter().map(|need| format!("\"{need}\"")).collect();
        let mut text = format!(
            "id = \"random-world\"\ntitle = \"A random world that heals\"\nsource = \"tests/scenarios/tests/properties.rs\"\nneeds = [{}]\n\n",
            needs.join(", ")
        );
        for cluster in &self.clusters {
            let mode = match cluster.kind {
                Kind::Application => "application",
                Kind::Session => "session",
                Kind::Standalone => "standalone",
            };
            let found = match cluster.found {
                Found::Config => "config",
                Found::Native => "native",
                Found::Operator => "flinkdeployment",
            };
            let _ = writeln!(text, "[[target]]\nname = \"{}\"\nmode = \"{mode}\"", cluster.name);
            let _ = writeln!(text, "cluster = \"{}\"\nfound = \"{found}\"", cluster.place);
            if let Some(name) = &cluster.deployment_name {
                let _ = writeln!(text, "deployment = \"{name}\"");
            }
            text += "\n";
        }
        text += &self.steps;
        text += &self.expected(stays);
        text
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}s", millis / 1000, millis % 1000)
}
