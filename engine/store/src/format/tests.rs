//! What an earlier build wrote is read for ever, and what is written is what it wrote, byte for byte.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use steadfast_core::decision::LookupSource;
use steadfast_core::evidence::{FaultKind, Observed};
use steadfast_core::journal::{
    Change, Commit, EntriesOf, Event, Journal as _, Recordings as _, Sequence, SinkCursors as _,
};
use steadfast_core::labels::Labels;
use steadfast_core::record::{AlertScope, Condition, JobRecord};
use steadfast_core::recording::Recorded;
use steadfast_core::state::ConditionType;

use super::{Kept, read, samples, v1, write};
use crate::SqliteStore;
use crate::packing::{pack, unpack};

const V1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/v1");
const SINK: &str = "https://example.org/hook";

fn lines(name: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(V1).join(name)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Each line reads as its sample, and each sample is written as its line.
macro_rules! pinned {
    ($file:literal, $samples:expr) => {
        let (lines, samples) = (lines($file), $samples);
        assert_eq!(lines.len(), samples.len(), "{}", $file);
        for (n, (line, sample)) in lines.iter().zip(&samples).enumerate() {
            let written = write(sample).unwrap();
            assert_eq!(&written, line, "{}:{}", $file, n + 1);
            let read = read(line.as_bytes());
            assert_eq!(&sample_like(sample, read.unwrap()), sample, "{}:{}", $file, n + 1);
        }
    };
}

/// Says what type is read: that of the sample.
fn sample_like<T>(_: &T, read: T) -> T {
    read
}

#[test]
fn records_are_what_they_were() {
    pinned!("records.jsonl", samples::records());
}

#[test]
fn events_are_what_they_were() {
    pinned!("events.jsonl", samples::events());
}

/// They were kept later than the others.
#[test]
fn calls_are_what_they_were() {
    pinned!("calls.jsonl", samples::calls());
}

/// They were kept later than the others.
#[test]
fn updates_that_say_how_sure_a_state_is_are_what_they_were() {
    pinned!("updates.jsonl", samples::updates());
    for line in lines("updates.jsonl") {
        assert!(line.starts_with("{\"kind\":\"update\",\"confidence\":"), "{line}");
    }
}

/// An earlier build knows no calls: to it each is an update.
#[test]
fn a_call_is_an_update_with_something_beside_it() {
    for line in lines("calls.jsonl") {
        assert!(line.starts_with("{\"kind\":\"update\",\"call\":"), "{line}");
    }
    assert_eq!(read::<Event>(b"{\"kind\":\"update\"}").unwrap(), Event::Update(None));
}

#[test]
fn recordings_are_what_they_were() {
    pinned!("recordings.jsonl", samples::recordings());
}

/// It was kept later than the rest, and is left out where it is not known: the recordings above have none.
#[test]
fn what_decisions_showed_is_what_it_was() {
    pinned!("shown-recordings.jsonl", samples::shown_recordings());
    for line in lines("recordings.jsonl") {
        assert!(!line.contains("\"shown\""), "{line}");
    }
}

/// Who decided came last, with what else was decided: where it is not known it is left out.
#[test]
fn who_decided_and_all_that_was_shown_is_what_it_was() {
    pinned!("whole-recordings.jsonl", samples::whole_recordings());
    for line in lines("shown-recordings.jsonl") {
        for later in ["\"decidedBy\"", "\"trimmed\"", "\"validateAfter\"", "\"asked\""] {
            assert!(!line.contains(later), "{later}: {line}");
        }
    }
}

/// As a later build may record it: a look-up that this one has no word for.
#[test]
fn a_look_up_nobody_has_heard_of_is_passed_over() {
    let line = &lines("shown-recordings.jsonl")[0];
    let newer = line.replace("\"exceptions\"", "\"tea-leaves\"");
    assert_ne!(&newer, line);
    let recorded: Recorded = read(newer.as_bytes()).unwrap();
    let wanted = recorded.shown.unwrap().looks.unwrap().wanted;
    assert_eq!(wanted.len(), LookupSource::ALL.len() - 1);
}

/// They came later still: to an earlier build nothing is silenced, and who asked for it took something back.
#[test]
fn silences_are_what_they_were() {
    pinned!("silenced-records.jsonl", samples::silenced_records());
    pinned!("silenced-events.jsonl", samples::silenced_events());
    for line in lines("silenced-events.jsonl") {
        let is_call = line.starts_with("{\"kind\":\"update\",\"call\":{\"asked\":\"none\"");
        assert!(is_call || line.starts_with("{\"kind\":\"alert\""), "{line}");
    }
}

/// What was said of a silence came last: to an earlier build it is one of which nothing was said.
#[test]
fn what_was_said_of_silences_is_what_it_was() {
    pinned!("asked-silences.jsonl", samples::asked_silences());
}

/// A word that no file holds is a word that nothing pins.
#[test]
fn the_files_hold_every_word() {
    let files = [
        "records.jsonl",
        "events.jsonl",
        "calls.jsonl",
        "recordings.jsonl",
        "shown-recordings.jsonl",
    ];
    let text: String = files.iter().flat_map(|name| lines(name)).collect();
    for words in v1::WORDS {
        for word in *words {
            assert!(text.contains(&format!("\"{word}\"")), "{word}");
        }
    }
}

/// As builds wrote it before labels were kept.
#[test]
fn a_record_without_labels_reads() {
    let mut document: serde_json::Value = serde_json::from_str(&lines("records.jsonl")[1]).unwrap();
    document.as_object_mut().unwrap().remove("labels");
    let record: JobRecord = read(document.to_string().as_bytes()).unwrap();
    let expected = JobRecord {
        labels: Labels::default(),
        ..samples::records()[1].clone()
    };
    assert_eq!(record, expected);
}

/// What Flink told of times is kept; where it told nothing, what is written is as before it was kept, as the files show.
#[test]
fn flinks_own_times_are_kept() {
    let told = Some(samples::at(5));
    let record = JobRecord {
        told_since: told,
        ..samples::records()[1].clone()
    };
    let mut event = samples::events()[0].clone();
    let Event::Transition(transition) = &mut event else {
        panic!("{event:?}")
    };
    transition.told_since = told;
    let written = [write(&record).unwrap(), write(&event).unwrap()];
    for document in &written {
        assert!(document.contains("\"toldSince\":"), "{document}");
    }
    assert_eq!(read::<JobRecord>(written[0].as_bytes()).unwrap(), record);
    assert_eq!(read::<Event>(written[1].as_bytes()).unwrap(), event);
}

/// Conditions and alerts that format 1 has no word for are kept, and an earlier build reads the nearest it has.
#[test]
fn what_is_said_of_policies_is_kept() {
    let mut record = samples::records()[1].clone();
    record
        .conditions
        .retain(|condition| condition.kind == ConditionType::PolicyFailing);
    let mut outdated = record.conditions[0].clone();
    outdated.kind = ConditionType::PolicyOutdated;
    record.conditions.push(outdated);
    record.alerts.truncate(1);
    record.alerts[0].scope = AlertScope::Policy;
    let written = write(&record).unwrap();
    assert_eq!(read::<JobRecord>(written.as_bytes()).unwrap(), record);
    assert_eq!(written.matches("\"type\":\"PolicyFailing\"").count(), 2, "{written}");
    assert!(written.contains("\"precisely\":\"PolicyOutdated\""), "{written}");
    let alert = |event: &Event| matches!(event, Event::Alert(_));
    let Some(Event::Alert(mut told)) = samples::events().into_iter().find(alert) else {
        panic!("there is no sample of an alert")
    };
    told.scope = AlertScope::Policy;
    let written = [written, write(&Event::Alert(told.clone())).unwrap()];
    assert_eq!(read::<Event>(written[1].as_bytes()).unwrap(), Event::Alert(told));
    for written in written {
        assert!(written.contains("\"scope\":\"cluster\""), "{written}");
        assert!(written.contains("\"precisely\":\"policy\""), "{written}");
    }
}

/// Conditions that format 1 has no word for are kept, and an earlier build reads the nearest it has.
#[test]
fn conditions_that_came_later_are_kept() {
    let mut record = samples::records()[1].clone();
    let later = [ConditionType::DecisionTrimmed, ConditionType::RateLimited];
    record.conditions = [ConditionType::PolicyFailing]
        .iter()
        .chain(&later)
        .map(|kind| Condition {
            kind: *kind,
            since: samples::at(1),
            message: "it says how".to_owned(),
        })
        .collect();
    let written = write(&record).unwrap();
    assert_eq!(read::<JobRecord>(written.as_bytes()).unwrap(), record);
    assert_eq!(written.matches("\"type\":\"PolicyFailing\"").count(), 3, "{written}");
    assert_eq!(written.matches("\"precisely\":").count(), 2, "{written}");
}

/// A pod's port is kept where it names one; one that names none is written as before there were ports.
#[test]
fn a_pods_port_is_kept() {
    let mut recorded = samples::recordings().remove(4);
    let pod = steadfast_core::facts::Pod {
        rest_port: Some(18081),
        ..steadfast_core::testing::pod("jm-1")
    };
    let moment = recorded.snapshot.now;
    let pods = steadfast_core::evidence::Observation::new(Observed::Present(vec![pod]), moment, moment);
    recorded.snapshot.pods = Some(steadfast_core::evidence::Evidence::first(pods));
    let written = write(&recorded).unwrap();
    assert!(written.contains("\"restPort\":18081"), "{written}");
    let read: Recorded = read(written.as_bytes()).unwrap();
    assert_eq!(read, recorded);
}

/// As a later build may record it: a kind of fault that this one has no word for.
#[test]
fn a_fault_nobody_has_heard_of_reads_as_unknown() {
    let recording = &lines("recordings.jsonl")[2];
    let newer = recording.replace("\"kind\":\"timeout\"", "\"kind\":\"solar-flare\"");
    assert_ne!(&newer, recording);
    let recorded: Recorded = read(newer.as_bytes()).unwrap();
    let flink = recorded.snapshot.flink.unwrap();
    assert!(matches!(flink.latest, Observed::Unknown(fault) if fault.kind == FaultKind::Other));
}

#[test]
fn a_later_format_is_refused_by_its_number() {
    for name in ["records.jsonl", "events.jsonl", "recordings.jsonl"] {
        let document = lines(name)[0].replacen('{', "{\"version\":2,", 1);
        let refusals = [
            read::<JobRecord>(document.as_bytes()).map(drop),
            read::<Event>(document.as_bytes()).map(drop),
            read::<Recorded>(document.as_bytes()).map(drop),
        ];
        for refusal in refusals {
            assert!(refusal.unwrap_err().to_string().contains("format 2"), "{name}");
        }
    }
}

/// Only read: another version of the library may deflate to other bytes, which mean the same.
#[test]
fn a_deflated_recording_reads() {
    let bytes = fs::read(Path::new(V1).join("recording.deflate")).unwrap();
    assert_eq!(unpack(&bytes).unwrap(), samples::recordings()[4]);
}

/// Opens a copy, since opening a store writes to it.
fn copy_of_the_store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::copy(Path::new(V1).join("store.db"), &path).unwrap();
    (folder, path)
}

/// The records of the store, as one writes them: with what a policy remembers.
fn stored() -> Vec<JobRecord> {
    let mut records = samples::records();
    records.truncate(3);
    for (record, memory) in records.iter_mut().zip([vec![], vec![0, 255, 7], vec![1]]) {
        record.memory = memory;
        record.revision = 1;
    }
    records
}

fn commits() -> Vec<Commit> {
    let mut records = stored();
    let mut forgotten = records[0].clone();
    forgotten.key.target.name = "forgotten".into();
    records.push(forgotten.clone());
    let events = samples::events();
    let changes = records
        .into_iter()
        .zip(events.chunks(4))
        .map(|(record, events)| Change {
            record: record.into(),
            events: events.to_vec(),
        });
    let last = Commit {
        changes: vec![Change {
            record: forgotten.clone().into(),
            events: vec![Event::Update(None), events[17].clone(), Event::Forgotten],
        }],
        recorded: samples::recordings(),
    };
    vec![Commit::from(changes.collect::<Vec<_>>()), last]
}

#[tokio::test]
async fn a_store_opens_and_holds_what_was_committed() {
    let (_folder, path) = copy_of_the_store();
    let store = SqliteStore::open(&path).unwrap();
    let mut records = stored();
    records.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!(store.load(samples::at(0)).await.unwrap().records, records);
    let entries = store.entries(EntriesOf::Everything, Sequence(0), 100).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.key.clone(), entry.event.clone()))
        .collect();
    let committed = commits().into_iter().flat_map(|commit| commit.changes);
    let expected = committed.flat_map(|change| {
        let key = change.record.key.clone();
        change.events.into_iter().map(move |event| (key.clone(), event))
    });
    assert_eq!(told, expected.collect::<Vec<_>>());
    assert!(
        entries
            .iter()
            .zip(1..)
            .all(|(entry, n)| entry.sequence == Sequence(n) && entry.at == samples::at(0) && entry.revision == 1)
    );
    let kept = store.recorded(Sequence(0), samples::at(0), 100).await.unwrap();
    let kept: Vec<_> = kept.read.into_iter().map(|(_, recorded)| recorded).collect();
    assert_eq!(kept, samples::recordings());
    assert_eq!(store.sink_cursor(SINK).await.unwrap(), Some(Sequence(7)));
    assert_eq!(store.store_id().len(), 16);
    // And it goes on from there.
    let mut next = stored()[0].clone();
    next.revision = 2;
    let change = Change {
        record: next.into(),
        events: vec![Event::Update(None)],
    };
    let entries = store.commit(samples::at(1), vec![change].into()).await.unwrap();
    assert_eq!(entries[0].sequence, Sequence(told.len() as u64 + 1));
}

/// All cells of a store but its identity, as text.
fn cells(path: &Path) -> Vec<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut cells = Vec::new();
    for sql in [
        "SELECT sql FROM sqlite_master ORDER BY name",
        "SELECT quote(job) || quote(state) || quote(confidence) || attempt || ' ' || revision || quote(record)
             || quote(memory) FROM jobs ORDER BY job",
        "SELECT sequence || ' ' || at || quote(job) || quote(kind) || quote(state) || quote(attempt) || revision
             || quote(event) FROM journal ORDER BY sequence",
        "SELECT place || ' ' || at || quote(job) FROM snapshots ORDER BY place",
        "SELECT quote(sink) || delivered FROM sinks",
        "SELECT application_id FROM pragma_application_id",
        "SELECT user_version FROM pragma_user_version",
    ] {
        let mut select = connection.prepare(sql).unwrap();
        let rows = select.query_map([], |row| row.get_ref(0).map(|cell| format!("{cell:?}")));
        cells.extend(rows.unwrap().map(Result::unwrap));
    }
    cells
}

async fn write_store(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    for commit in commits() {
        store.commit(samples::at(0), commit).await.unwrap();
    }
    store.advance_sink(SINK, Sequence(7)).await.unwrap();
}

/// So that an earlier build of the same schema version reads it.
#[tokio::test]
async fn a_store_is_written_cell_by_cell_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (now, (_folder, then)) = (folder.path().join("store.db"), copy_of_the_store());
    write_store(&now).await;
    // Brought up to the present tables, which it then has in common with the new one.
    drop(SqliteStore::open(&then).unwrap());
    assert_eq!(cells(&now), cells(&then));
}

fn write_new(folder: &Path, name: &str, bytes: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).open(folder.join(name));
    file.unwrap_or_else(|error| panic!("{name}: {error}; what is pinned is never written over"))
        .write_all(bytes)
        .unwrap();
}

fn write_lines(folder: &Path, name: &str, values: &[impl Kept]) {
    let lines = values.iter().map(|value| write(value).unwrap() + "\n");
    write_new(folder, name, lines.collect::<String>().as_bytes());
}

/// Writes the files of a format into the folder `FORMATS`, which must be empty: see `tests/formats/v1/README.md`.
#[tokio::test]
#[ignore = "writes files; only for a format that is new"]
async fn write_samples() {
    let folder = PathBuf::from(std::env::var_os("FORMATS").unwrap());
    write_lines(&folder, "records.jsonl", &samples::records());
    write_lines(&folder, "events.jsonl", &samples::events());
    write_lines(&folder, "calls.jsonl", &samples::calls());
    write_lines(&folder, "updates.jsonl", &samples::updates());
    write_lines(&folder, "silenced-records.jsonl", &samples::silenced_records());
    write_lines(&folder, "silenced-events.jsonl", &samples::silenced_events());
    write_lines(&folder, "asked-silences.jsonl", &samples::asked_silences());
    write_lines(&folder, "recordings.jsonl", &samples::recordings());
    write_lines(&folder, "shown-recordings.jsonl", &samples::shown_recordings());
    write_lines(&folder, "whole-recordings.jsonl", &samples::whole_recordings());
    write_new(&folder, "recording.deflate", &pack(&samples::recordings()[4]).unwrap());
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("store.db");
    write_store(&path).await;
    write_new(&folder, "store.db", &fs::read(path).unwrap());
}
