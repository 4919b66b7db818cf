//! Memory, store, event stream and sink say the same, and take back nothing that was shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::World;
use super::follower::Event;
use super::world::{JOBS, Mood};
use crate::command::run;
use crate::running::Engine;

const PATIENCE: Duration = Duration::from_secs(60);
/// So many events come again at most: a sink writes its cursor once for so many.
const AGAIN: usize = 32;

/// A job as it is shown or stored: its state, its attempt, its revision.
type Standing = (String, i64, i64);
type Jobs = BTreeMap<String, Standing>;

/// What was seen of an engine before it died.
#[derive(Default)]
pub struct Seen {
    jobs: Vec<Jobs>,
    /// So many events the receiver had of a record before this one.
    others: usize,
}

impl Seen {
    /// An answer of `/api/v1/jobs`.
    pub fn show(&mut self, answer: &Value) {
        self.jobs.push(shown(answer));
    }

    pub fn add(&mut self, more: Self) {
        self.jobs.extend(more.jobs);
    }

    pub fn behind(self, others: usize) -> Self {
        Self { others, ..self }
    }
}

/// What was compared.
pub struct Held {
    entries: usize,
    looks: usize,
    received: usize,
    delivered: usize,
    again: usize,
    dropped: i64,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            entries,
            looks,
            received,
            delivered,
            again,
            dropped,
        } = self;
        write!(
            f,
            "{entries} entries ({dropped} dropped), {looks} looks before, {received} of the stream, {delivered} delivered, \
             {again} again"
        )
    }
}

fn shown(answer: &Value) -> Jobs {
    let number = |job: &Value, key: &str| job[key].as_i64().unwrap();
    let of = |job: &Value| {
        let text = |key: &str| job[key].as_str().unwrap().to_owned();
        (
            text("id"),
            (text("state"), number(job, "attempt"), number(job, "revision")),
        )
    };
    answer["items"].as_array().unwrap().iter().map(of).collect()
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    job: String,
    kind: String,
    revision: i64,
    /// Of a transition: the state after it.
    state: Option<String>,
}

/// The store at one moment.
struct Stored {
    id: String,
    dropped_until: i64,
    newest: i64,
    jobs: Jobs,
    entries: BTreeMap<i64, Entry>,
}

impl Stored {
    fn read(world: &World) -> Self {
        let mut connection = Connection::open_with_flags(world.store(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        connection.busy_timeout(PATIENCE).unwrap();
        let at_once = connection.transaction().unwrap();
        let (id, dropped_until) = at_once
            .query_row("SELECT id, dropped_until FROM store", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let newest = "SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'journal'), 0)";
        let newest = at_once.query_row(newest, [], |row| row.get(0)).unwrap();
        let mut jobs = at_once
            .prepare("SELECT job, state, attempt, revision FROM jobs")
            .unwrap();
        let jobs = jobs.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))));
        let jobs = jobs.unwrap().map(Result::unwrap).collect();
        let mut entries = at_once
            .prepare("SELECT sequence, job, kind, revision, state FROM journal")
            .unwrap();
        let entries = entries.query_map([], |row| {
            let entry = Entry {
                job: row.get(1)?,
                kind: row.get(2)?,
                revision: row.get(3)?,
                state: row.get(4)?,
            };
            Ok((row.get(0)?, entry))
        });
        let entries = entries.unwrap().map(Result::unwrap).collect();
        Self {
            id,
            dropped_until,
            newest,
            jobs,
            entries,
        }
    }

    /// Those of which sinks are told.
    fn told(&self) -> impl Iterator<Item = i64> {
        let is_told = |entry: &Entry| entry.kind == "transition" || entry.kind == "alert";
        self.entries
            .iter()
            .filter(move |(_, entry)| is_told(entry))
            .map(|(sequence, _)| *sequence)
    }
}

/// Waits until the world's jobs have been seen as they are, and everybody was told; then compares all of it.
pub fn agree(world: &World, engine: &Engine, seen: &Seen) -> Held {
    engine.wait_for("/api/v1/jobs", "all jobs as they are", |jobs| {
        let jobs = jobs["items"].as_array().unwrap();
        jobs.len() == JOBS.len()
            && jobs
                .iter()
                .all(|job| job["state"] == "RUNNING" && job["confidence"] == "confirmed")
    });
    let until = Instant::now() + PATIENCE;
    loop {
        let memory = shown(&engine.get("/api/v1/jobs"));
        let stored = Stored::read(world);
        let still = shown(&engine.get("/api/v1/jobs")) == memory;
        let (stream, sink) = (world.follower.received(), delivered(world, seen));
        let told = stored.told().last().unwrap_or_default();
        let is_told =
            stream.last().is_some_and(|event| event.id >= told) && stored.told().all(|s| sink.contains_key(&s));
        if still && is_told {
            // What is shown is what is stored: nothing was committed between the two looks.
            assert_eq!(memory, stored.jobs, "memory and store differ");
            return compare(world, seen, &stored, &stream);
        }
        assert!(
            Instant::now() < until,
            "still {still}, told {is_told}: {told} {stream:?} {sink:?}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// The events that the sink delivered, by sequence; those of a record before this one do not count.
fn delivered(world: &World, seen: &Seen) -> BTreeMap<i64, Vec<Value>> {
    let mut events: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
    for event in world.receiver.taken().into_iter().skip(seen.others) {
        events.entry(sequence_of(&event)).or_default().push(event);
    }
    events
}

/// The id of an event is that of its store and its sequence.
fn sequence_of(event: &Value) -> i64 {
    let (_, sequence) = event["id"].as_str().unwrap().rsplit_once('-').unwrap();
    sequence.parse().unwrap()
}

fn compare(world: &World, seen: &Seen, stored: &Stored, stream: &[Event]) -> Held {
    for sequence in stored.dropped_until + 1..=stored.newest {
        assert!(
            stored.entries.contains_key(&sequence),
            "entry {sequence} is not in the journal"
        );
    }
    let known = received(stored, stream);
    took_nothing_back(seen, &known, stored);
    let again = order_and_content(world, seen, stored, &known);
    let checked = run(world.path(), &["store", "check"]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.out, checked.err);
    Held {
        entries: stored.entries.len(),
        looks: seen.jobs.len(),
        received: stream.len(),
        delivered: delivered(world, seen).len(),
        again,
        dropped: stored.dropped_until,
    }
}

/// The stream, over both engines, is the journal: each entry once and in order. Returns all that is known of the journal, also
/// what was dropped by now.
fn received(stored: &Stored, stream: &[Event]) -> BTreeMap<i64, Entry> {
    let mut known = stored.entries.clone();
    let mut last = 0;
    for event in stream {
        let Event { name, id, data } = event;
        assert_eq!(data["store"], *stored.id, "{event:?}");
        if name == "reset" {
            assert!(
                last < stored.dropped_until,
                "{event:?} behind {last}, and nothing was dropped there"
            );
            last = *id;
            continue;
        }
        assert_eq!(*id, last + 1, "the stream goes on from {last} with {event:?}");
        last = *id;
        let entry = Entry {
            job: data["job"].as_str().unwrap().to_owned(),
            kind: name.clone(),
            revision: data["revision"].as_i64().unwrap(),
            state: data["body"]["to"].as_str().map(str::to_owned),
        };
        let same = known.entry(*id).or_insert_with(|| entry.clone());
        assert_eq!(*same, entry, "entry {id}");
    }
    known
}

/// What the API showed before the kill was committed.
fn took_nothing_back(seen: &Seen, known: &BTreeMap<i64, Entry>, stored: &Stored) {
    for (job, (state, _, revision)) in seen.jobs.iter().flatten() {
        let (_, _, now) = stored.jobs[job];
        let began_anew = known
            .values()
            .any(|entry| entry.job == *job && entry.kind == "forgotten");
        assert!(
            began_anew || *revision <= now,
            "{job} was shown with revision {revision}, and has {now}"
        );
        let of_job = known
            .values()
            .filter(|entry| entry.job == *job)
            .take_while(|entry| entry.kind != "forgotten");
        let before = of_job.filter(|entry| entry.state.is_some() && entry.revision <= *revision);
        let stood = before
            .last()
            .and_then(|entry| entry.state.as_deref())
            .unwrap_or("UNKNOWN");
        assert_eq!(stood, state, "{job} was shown so with revision {revision}");
    }
}

/// The sink delivered all that it is told of, in order; what came again is the same. Returns how many came again.
fn order_and_content(world: &World, seen: &Seen, stored: &Stored, known: &BTreeMap<i64, Entry>) -> usize {
    let events = delivered(world, seen);
    let is_told = |entry: &Entry| entry.kind == "transition" || entry.kind == "alert";
    let told: BTreeSet<i64> = known
        .iter()
        .filter(|(_, entry)| is_told(entry))
        .map(|(s, _)| *s)
        .collect();
    assert_eq!(
        events.keys().copied().collect::<BTreeSet<i64>>(),
        told,
        "the sink and the journal differ"
    );
    let mut again = 0;
    for (sequence, same) in &events {
        assert!(
            same.iter().all(|event| *event == same[0]),
            "one id, two events: {same:?}"
        );
        let (first, entry) = (&same[0], &known[sequence]);
        assert_eq!(first["id"], format!("{}-{sequence}", stored.id));
        assert_eq!(first["subject"], *entry.job);
        again += same.len() - 1;
    }
    let mut new = BTreeSet::new();
    let all = world.receiver.taken().into_iter().skip(seen.others);
    let firsts = all
        .map(|event| sequence_of(&event))
        .filter(|sequence| new.insert(*sequence));
    let firsts: Vec<i64> = firsts.collect();
    assert!(firsts.is_sorted(), "out of order: {firsts:?}");
    let unheard = world
        .receiver
        .moods()
        .get(&Mood::TakesInSilence)
        .copied()
        .unwrap_or_default();
    assert!(again <= AGAIN + unheard as usize, "{again} events came again");
    again
}
