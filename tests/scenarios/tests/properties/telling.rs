//! Tells a plot as a story file: keeps the world possible, heals it at the end, and says what must be recorded then.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::plot::{Deed, Kind, Plot, Recovery, Setting, Teller, Turn, Words};

/// By when what Flink lists must stand in the record after all has healed, in seconds: a terminal record that only
/// Flink revives takes 75.
const LISTED_WITHIN: u64 = 80;
/// By when the end of a cluster that is gone must stand there: two validations and what comes after them.
const GONE_WITHIN: u64 = 150;
/// How long the record must then stay as it is.
const STAYS: u64 = 30;
/// How long after its Deployment's creation a JobManager answers at the soonest: 6 s on the test cluster. Less than the
/// second that a `creationTimestamp` leaves out is not possible.
const STARTS_UP: u64 = 2_000;
/// Who was there and undisturbed for so long was seen by the engine.
const SEEN_AFTER: u64 = 20_000;

/// The story file of a plot.
pub fn tell(plot: &Plot) -> String {
    let mut tale = Tale::default();
    for (place, setting) in plot.targets.iter().enumerate() {
        tale.clusters.push(Cluster::new(place, *setting));
    }
    for place in 0..tale.clusters.len() {
        tale.begin(place);
    }
    for turn in &plot.turns {
        tale.take(*turn);
    }
    tale.heal();
    tale.write()
}

/// A story as it grows.
#[derive(Default)]
struct Tale {
    now: u64,
    clusters: Vec<Cluster>,
    steps: String,
    kubernetes: &'static str,
    first_disturbance: Option<u64>,
    needs: BTreeSet<&'static str>,
    /// When the engine is back from its last stop.
    engine_back: u64,
}

/// A Flink cluster as it really is.
struct Cluster {
    name: String,
    kind: Kind,
    /// How far its JobManager's clock is ahead, in milliseconds.
    clock: i64,
    /// Counts Deployments: each new one has the next UID.
    uid: u32,
    /// When the present Deployment was made.
    created: u64,
    /// Counts pods.
    pod: u32,
    restarts: u32,
    terminated: Option<&'static str>,
    there: There,
    /// What is wrong with the way to its REST endpoint.
    way: &'static str,
    jobs: Vec<Job>,
    next_job: u32,
    /// Everything that anything ever said of a job here.
    told: BTreeSet<&'static str>,
    recovery_data: Recovery,
    intents: Vec<&'static str>,
    was_dropped: bool,
}

/// What there is of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    /// It answers.
    Up,
    /// Its Deployment is there, its JobManager does not answer.
    Down,
    /// Its Deployment is there, and asks for no replica.
    ScaledToZero,
    /// Nothing.
    Gone,
}

#[derive(Clone)]
struct Job {
    number: u32,
    state: &'static str,
    start: u64,
    /// Whether lists leave it out.
    is_left_out: bool,
}

impl Cluster {
    fn new(place: usize, setting: Setting) -> Self {
        Self {
            name: format!("t{place}"),
            kind: setting.kind,
            clock: i64::from(setting.clock) * 1000,
            uid: 1,
            created: 0,
            pod: 1,
            restarts: 0,
            terminated: None,
            there: There::Up,
            way: "ok",
            jobs: Vec::new(),
            next_job: 1,
            told: BTreeSet::new(),
            recovery_data: Recovery::None,
            intents: Vec::new(),
            was_dropped: false,
        }
    }

    fn submit(&mut self, start: u64) {
        self.jobs.push(Job {
            number: self.next_job,
            state: "RUNNING",
            start,
            is_left_out: false,
        });
        self.told.insert("RUNNING");
        self.next_job += 1;
    }

    /// What `flink` the story says.
    fn flink(&self) -> &'static str {
        match self.there {
            There::Up => self.way,
            There::Down | There::ScaledToZero | There::Gone => "refuse",
        }
    }

    /// A job as the story writes it, by the clock of its JobManager.
    fn row(&self, id: &str, state: &str, start: u64, is_left_out: bool) -> String {
        let start = i64::try_from(start).unwrap_or(i64::MAX) + self.clock;
        let left_out = if is_left_out {
            ", listed = false, asked = \"500\""
        } else {
            ""
        };
        format!("{{ id = \"{id}\", state = \"{state}\", start = \"{start}ms\"{left_out} }}")
    }

    fn listed(&self) -> String {
        let jobs: Vec<String> = match self.there {
            There::Up => self
                .jobs
                .iter()
                .map(|job| self.row(&format!("j{}", job.number), job.state, job.start, job.is_left_out))
                .collect(),
            There::Down | There::ScaledToZero | There::Gone => Vec::new(),
        };
        format!("jobs = [{}]\n", jobs.join(", "))
    }

    fn deployment(&self) -> String {
        let ready = u32::from(self.there == There::Up);
        match (self.kind, self.there) {
            (Kind::Standalone, _) => String::new(),
            (Kind::Application | Kind::Session, There::Gone) => "deployment = { present = false }\npods = []\n".into(),
            (Kind::Application | Kind::Session, There::ScaledToZero) => {
                format!(
                    "deployment = {{ uid = \"u{}\", replicas = 0, ready = 0 }}\npods = []\n",
                    self.uid
                )
            }
            (Kind::Application | Kind::Session, There::Up | There::Down) => {
                let ended = self
                    .terminated
                    .map_or_else(String::new, |reason| format!(", terminated = \"{reason}\""));
                format!(
                    "deployment = {{ uid = \"u{}\", ready = {ready} }}\npods = [{{ name = \"jm-{}\", ready = {}, restarts = {}{ended} }}]\n",
                    self.uid,
                    self.pod,
                    self.there == There::Up,
                    self.restarts,
                )
            }
        }
    }
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
            cluster.deployment(),
            cluster.listed()
        );
        self.step(Some(place), &says);
    }

    fn begin(&mut self, place: usize) {
        self.clusters[place].submit(0);
        self.show(place);
    }

    #[expect(
        clippy::too_many_lines,
        reason = "an arm for each deed, and nothing around the match"
    )]
    fn take(&mut self, turn: Turn) {
        self.now += u64::from(turn.after);
        let place = turn.target % self.clusters.len();
        let now = self.now;
        self.first_disturbance.get_or_insert(now);
        let cluster = &mut self.clusters[place];
        let in_kubernetes = cluster.kind != Kind::Standalone;
        match turn.deed {
            Deed::Flink(fault) => {
                cluster.way = fault;
                let flink = cluster.flink();
                self.step(Some(place), &format!("flink = \"{flink}\"\n"));
            }
            Deed::Kubernetes(fault) => self.kubernetes_is(fault),
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
            Deed::Restore if cluster.there == There::Gone => {
                cluster.replace(now);
                if in_kubernetes {
                    self.show(place);
                }
                self.recover(place, Recovery::None);
                let cluster = &mut self.clusters[place];
                if cluster.recovery_data == Recovery::Lasts {
                    cluster.recovery_data = Recovery::None;
                    self.step(Some(place), "ha = false\n");
                }
            }
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
                cluster.was_dropped = true;
                let listed = cluster.listed();
                self.step(Some(place), &listed);
            }
            Deed::Intend(intent) => {
                cluster.intents.push(intent);
                self.needs.insert("intent");
                self.step(Some(place), &format!("intent = \"{intent}\"\n"));
            }
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
            | Deed::Submit
            | Deed::Drop
            | Deed::Stop(_) => {}
        }
    }

    fn kubernetes_is(&mut self, fault: &'static str) {
        if self.clusters.iter().any(|cluster| cluster.kind != Kind::Standalone) {
            self.kubernetes = fault;
            self.step(None, &format!("kubernetes = \"{fault}\"\n"));
        }
    }

    fn ways_are(&mut self, fault: &'static str) {
        self.kubernetes_is(fault);
        for place in 0..self.clusters.len() {
            let cluster = &mut self.clusters[place];
            cluster.way = fault;
            let flink = cluster.flink();
            self.step(Some(place), &format!("flink = \"{flink}\"\n"));
        }
    }

    /// Another Flink answers in its place for a while: it lists a job of its own.
    fn another_answers(&mut self, place: usize, span: u8) {
        let cluster = &mut self.clusters[place];
        cluster.told.insert("RUNNING");
        let row = cluster.row("foreign", "RUNNING", self.now, false);
        self.step(Some(place), &format!("jobs = [{row}]\n"));
        self.now += u64::from(span) * 1000;
        let listed = self.clusters[place].listed();
        self.step(Some(place), &listed);
    }

    /// A second JobManager answers in turn with the first, for the same job, which it has started itself.
    fn two_answer(&mut self, place: usize, turns: u8) {
        let Some(job) = self.clusters[place].jobs.first().cloned() else {
            return;
        };
        for _ in 0..turns {
            let cluster = &mut self.clusters[place];
            cluster.told.insert("RUNNING");
            let row = cluster.row(&format!("j{}", job.number), "RUNNING", job.start + 1, false);
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
        if let (Words::Says(state), Teller::Archive, Kind::Application, There::Up) =
            (words, teller, cluster.kind, cluster.there)
        {
            cluster.told.insert(state);
            self.needs.insert("archive");
            let row = cluster.row(&format!("j{job}"), state, start, false);
            self.step(Some(place), &format!("archive = [{row}]\n"));
        } else if let (Words::Says(state), Kind::Application, There::Up) = (words, cluster.kind, cluster.there) {
            cluster.told.insert(state);
            let (uid, pod) = (cluster.uid, cluster.pod);
            let says = format!(
                "flink = \"refuse\"\njobs = []\ndeployment = {{ uid = \"u{uid}\", ready = 0, deleting = true }}\n\
                 pods = [{{ name = \"jm-{pod}\", restarts = {}, deleting = true, log = [\"j{job} {state}\"] }}]\n",
                cluster.restarts
            );
            self.needs.insert("pod-log");
            self.step(Some(place), &says);
            self.now += 600;
        }
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

    /// Everything answers, and nothing happens any more.
    fn heal(&mut self) {
        self.now = self.now.max(self.engine_back) + 1_000;
        self.ways_are("ok");
        for place in 0..self.clusters.len() {
            let cluster = &self.clusters[place];
            let standalone = cluster.kind == Kind::Standalone;
            if matches!(cluster.there, There::Down | There::ScaledToZero)
                || (standalone && cluster.there == There::Gone)
            {
                self.recover(place, Recovery::None);
            } else if cluster.jobs.iter().any(|job| job.is_left_out) {
                self.clusters[place]
                    .jobs
                    .iter_mut()
                    .for_each(|job| job.is_left_out = false);
                let listed = self.clusters[place].listed();
                self.step(Some(place), &listed);
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

    fn write(mut self) -> String {
        for cluster in &self.clusters {
            match cluster.kind {
                Kind::Application => {}
                Kind::Session => self.needs.extend(["session"]),
                Kind::Standalone => self.needs.extend(["standalone"]),
            }
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
            let _ = write!(text, "[[target]]\nname = \"{}\"\nmode = \"{mode}\"\n\n", cluster.name);
        }
        text += &self.steps;
        let all_are_listed = self.clusters.iter().all(|cluster| cluster.there == There::Up);
        let within = if all_are_listed { LISTED_WITHIN } else { GONE_WITHIN };
        for cluster in &self.clusters {
            text += &self.expectations(cluster, within);
        }
        text
    }

    /// What a cluster's records must show at the end, and for as long as the story lasts.
    fn expectations(&self, cluster: &Cluster, last: u64) -> String {
        let mut text = String::new();
        let until = seconds(self.now + (last + STAYS) * 1000);
        match cluster.there {
            There::Up => {
                for job in &cluster.jobs {
                    let name = match cluster.kind {
                        Kind::Session => format!("{}/j{}", cluster.name, job.number),
                        Kind::Application | Kind::Standalone => cluster.name.clone(),
                    };
                    let savepoint = job.state == "RUNNING" && cluster.intents.last() == Some(&"savepoint");
                    // A savepoint that Flink does not show is inferred from the intent.
                    let (states, sure) = if savepoint {
                        (
                            "[\"RUNNING\", \"SAVEPOINTING\"]".into(),
                            "[\"confirmed\", \"inferred\"]",
                        )
                    } else {
                        (format!("\"{}\"", job.state), "\"confirmed\"")
                    };
                    let from = seconds(self.now + LISTED_WITHIN * 1000);
                    let _ = write!(
                        text,
                        "[[expect]]\nfrom = \"{from}\"\nuntil = \"{until}\"\ntarget = \"{name}\"\nstate = {states}\nconfidence = {sure}\n\n"
                    );
                }
            }
            There::Gone if cluster.kind == Kind::Application => {
                let mut states: BTreeSet<&str> = BTreeSet::from(["TERMINATED"]);
                let ends = ["FINISHED", "FAILED", "CANCELED", "SUSPENDED"];
                states.extend(ends.into_iter().filter(|end| cluster.told.contains(end)));
                if cluster.told.contains("CANCELLING") || cluster.intents.contains(&"cancel") {
                    states.insert("CANCELED");
                }
                if self.first_disturbance.is_some_and(|at| at < SEEN_AFTER) {
                    states.insert("UNKNOWN");
                }
                let states: Vec<String> = states.iter().map(|state| format!("\"{state}\"")).collect();
                let from = seconds(self.now + GONE_WITHIN * 1000);
                let _ = write!(
                    text,
                    "[[expect]]\nfrom = \"{from}\"\nuntil = \"{until}\"\ntarget = \"{}\"\nstate = [{}]\nconfidence = [\"confirmed\", \"inferred\"]\n\n",
                    cluster.name,
                    states.join(", ")
                );
            }
            There::Gone | There::Down | There::ScaledToZero => {}
        }
        text
    }
}

impl Cluster {
    /// Another Deployment, with another pod that does not answer yet; its jobs are gone.
    fn replace(&mut self, now: u64) {
        self.there = There::Down;
        self.created = now;
        self.uid += 1;
        self.pod += 1;
        (self.restarts, self.terminated) = (0, None);
        self.jobs.clear();
    }

    /// The JobManager answers again.
    fn recover(&mut self, recovery: Recovery, now: u64) {
        self.there = There::Up;
        let alive = |job: &Job| !matches!(job.state, "FINISHED" | "FAILED" | "CANCELED");
        let lasting: Vec<Job> = self.jobs.iter().filter(|job| alive(job)).cloned().collect();
        self.jobs.clear();
        if recovery == Recovery::None || lasting.is_empty() {
            self.submit(now);
            return;
        }
        self.told.insert("RUNNING");
        self.jobs = lasting
            .into_iter()
            .map(|job| Job {
                state: "RUNNING",
                start: now,
                is_left_out: false,
                ..job
            })
            .collect();
    }

    /// Lets one job move on; says whether one could.
    fn move_on(&mut self, choice: u8) -> bool {
        let count = self.jobs.len();
        let Some(job) = self.jobs.get_mut(usize::from(choice) % count.max(1)) else {
            return false;
        };
        let next: &[&'static str] = match job.state {
            "CREATED" => &["RUNNING", "CANCELLING", "FAILING"],
            "INITIALIZING" => &["CREATED", "RUNNING", "FAILED"],
            "RUNNING" => &["FINISHED", "FAILING", "RESTARTING", "CANCELLING", "SUSPENDED"],
            "FAILING" => &["FAILED", "RESTARTING"],
            "RESTARTING" => &["RUNNING", "CREATED", "FAILING", "CANCELLING"],
            "CANCELLING" => &["CANCELED", "FAILING"],
            _ => return false,
        };
        let Some(state) = next.get(usize::from(choice / 4) % next.len()) else {
            return false;
        };
        job.state = state;
        self.told.insert(state);
        true
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}s", millis / 1000, millis % 1000)
}
