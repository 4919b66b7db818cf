//! What every store must do, whatever it is made of.

mod history;

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::call::{Asked, Call, Through};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{
    Change, Commit, EntriesOf, Entry, Event, JournalError, Keep, KeepEntries, Part, Pruned, Sequence, Store, Transition,
};
use steadfast_core::record::{AlertScope, JobRecord, Reason};
use steadfast_core::recording::Recorded;
use steadfast_core::state::{Confidence, JobState};
use steadfast_core::testing::{self, job_key};
use steadfast_core::time::Timestamp;

use crate::packing::pack;

pub(crate) const AT: Timestamp = Timestamp::from_millis(1_795_396_409_838);

pub(crate) fn record(name: &str, state: JobState, revision: u64) -> JobRecord {
    JobRecord {
        state,
        revision,
        memory: vec![0, 255, 7],
        confirmed_at: Some(AT),
        ..testing::record(job_key(name), AT)
    }
}

pub(crate) fn moved(from: JobState, to: JobState) -> Event {
    Event::Transition(Transition {
        from,
        to,
        confidence: Confidence::Confirmed,
        reason: Reason::new("FlinkSays", "Flink lists it so: \"ok\"\n\u{1f980}"),
        attempt: 1,
        policy: PolicyName::new("default"),
        told_since: None,
    })
}

pub(crate) fn started(name: &str) -> Change {
    Change {
        record: record(name, JobState::Running, 1).into(),
        events: vec![moved(JobState::Unknown, JobState::Running)],
    }
}

fn alert() -> Event {
    Event::Alert(AlertEvent {
        alert: "JobFailed".to_owned(),
        scope: AlertScope::Job,
        status: AlertStatus::Firing,
        since: AT,
        message: "it failed".to_owned(),
        silenced: false,
    })
}

/// Every record, none of whose rows may be unreadable.
async fn load<S: Store>(store: &S) -> Vec<JobRecord> {
    let loaded = store.load(AT).await.unwrap();
    assert_eq!((&loaded.set_aside[..], &loaded.quarantined[..]), (&[][..], &[][..]));
    assert_eq!(loaded.mended, Vec::<String>::new());
    loaded.records
}

fn sequences(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.sequence.0).collect()
}

/// Runs the suite; `make` gives an empty store for each part, which it is given a name for.
pub(crate) async fn all<S: Store>(make: impl Fn(&str) -> S) {
    reads_back_what_was_committed(&make("reads_back")).await;
    pages_by_sequence_and_kind(&make("pages")).await;
    parts_of_the_records_join(&make("parts")).await;
    a_refused_change_leaves_nothing(&make("refused")).await;
    forgets_for_good(&make("forgets")).await;
    calls_are_kept_over_a_removal(&make("calls")).await;
    cursors_never_move_back(&make("cursors")).await;
    snapshots_are_kept_in_order_and_within_bounds(&make("snapshots")).await;
    what_would_not_read_back_is_refused_for_its_job_alone(&make("read_back")).await;
    refusals_name_every_job_at_fault(&make("refusals")).await;
    old_entries_go_and_the_rest_stands(&make("old_entries")).await;
    only_so_many_entries_are_kept(&make("many_entries")).await;
    a_sink_at_work_misses_nothing(&make("undelivered")).await;
    much_is_dropped_in_small_steps(&make("steps")).await;
    history::all(&make).await;
}

async fn parts_of_the_records_join<S: Store>(store: &S) {
    let names = ["b", "a-1", "a", "c", "a.2"];
    let changes = names.map(started).to_vec();
    store
        .commit(
            AT,
            Commit {
                changes,
                recorded: vec![],
            },
        )
        .await
        .unwrap();
    let mut all: Vec<String> = load(store).await.iter().map(|record| record.key.to_string()).collect();
    all.sort();
    for limit in 1..=6 {
        let (mut joined, mut after, mut parts) = (Vec::new(), None, 0);
        loop {
            let part = store.load_part(after.as_deref(), limit, AT).await.unwrap();
            assert!(part.loaded.records.len() <= limit as usize);
            joined.extend(part.loaded.records.iter().map(|record| record.key.to_string()));
            parts += 1;
            after = part.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(
            (&joined, parts),
            (&all, names.len().div_ceil(limit as usize)),
            "{limit} at a time"
        );
    }
    let empty = store.load_part(Some("~"), 5, AT).await.unwrap();
    assert_eq!((empty.loaded.records.len(), empty.next), (0, None));
}

/// A moment that cannot be written as RFC 3339, which is how moments are kept.
const NEVER: Timestamp = Timestamp::from_millis(253_402_300_800_000);

fn refusals(refused: Result<Vec<Entry>, JournalError>) -> (Commit, Vec<(String, Part)>) {
    let Err(JournalError::Refused { commit, refusals }) = refused else {
        panic!("{refused:?}");
    };
    let named = refusals
        .iter()
        .map(|refusal| (refusal.key.target.name.to_string(), refusal.part));
    (*commit, named.collect())
}

async fn what_would_not_read_back_is_refused_for_its_job_alone<S: Store>(store: &S) {
    let mut poisoned = started("poisoned");
    Arc::make_mut(&mut poisoned.record).since = NEVER;
    let mut event = started("event");
    let Event::Transition(transition) = &mut event.events[0] else {
        panic!("{event:?}")
    };
    transition.told_since = Some(NEVER);
    let mut snapshot = shown("fine", 1);
    snapshot.snapshot.engine_since = NEVER;
    let commit = Commit {
        changes: vec![started("a"), poisoned.clone(), event.clone(), started("fine")],
        recorded: vec![shown("a", 1), shown("poisoned", 1), snapshot],
    };
    let (back, named) = refusals(store.commit(AT, commit.clone()).await);
    assert_eq!(back, commit, "nothing of it is lost");
    let named: Vec<(&str, Part)> = named.iter().map(|(name, part)| (&**name, *part)).collect();
    let expected = [
        ("poisoned", Part::Change),
        ("event", Part::Change),
        ("fine", Part::Snapshot),
    ];
    assert_eq!(named, expected);
    assert!(load(store).await.is_empty(), "and nothing of it is done");

    let Err(JournalError::Refused { refusals, .. }) = store.commit(AT, commit).await else {
        panic!("it was taken")
    };
    assert!(
        refusals[0].why.contains("would not read back: `253402300800000ms`"),
        "{refusals:?}"
    );
    let out = [poisoned.record.key.clone(), event.record.key.clone()].into();
    let rest = back.without(&refusals, &out);
    store.commit(AT, rest).await.unwrap();
    let names = |records: Vec<JobRecord>| {
        records
            .iter()
            .map(|one| one.key.target.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(load(store).await), ["a", "fine"]);
    let kept = store.recorded(Sequence(0), AT, 100).await.unwrap();
    assert_eq!(
        kept.read.iter().map(|(_, one)| one.clone()).collect::<Vec<_>>(),
        [shown("a", 1)]
    );
}

async fn refusals_name_every_job_at_fault<S: Store>(store: &S) {
    store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    let next = |name: &str, revision| Change {
        record: record(name, JobState::Running, revision).into(),
        events: vec![Event::Update(None)],
    };
    // With a change that is refused goes the one that follows it.
    let changes = vec![next("a", 3), next("a", 4), next("c", 1), next("b", 2), next("b", 4)];
    let (_, named) = refusals(store.commit(AT, changes.into()).await);
    assert_eq!(named, [("a".to_owned(), Part::Change), ("b".to_owned(), Part::Change)]);
}

/// A job that starts at AT, moves on each hour, and is told of in between.
async fn history<S: Store>(store: &S, name: &str, hours: u64) {
    store.commit(AT, vec![started(name)].into()).await.unwrap();
    for hour in 1..=hours {
        let change = Change {
            record: record(name, JobState::Running, hour + 1).into(),
            events: vec![
                moved(JobState::Running, JobState::Running),
                Event::Update(None),
                alert(),
            ],
        };
        let at = AT.after(Duration::from_secs(hour * 3600));
        store.commit(at, vec![change].into()).await.unwrap();
    }
}

fn keep(entries: KeepEntries) -> Keep {
    Keep {
        snapshots_since: AT,
        snapshot_bytes: u64::MAX,
        entries,
    }
}

/// Steps until there is nothing more to do; says how many entries went.
async fn prune<S: Store>(store: &S, keep: &Keep) -> u64 {
    let mut entries = 0;
    for _ in 0..100 {
        let pruned = store.prune(keep).await.unwrap();
        entries += pruned.entries;
        if !pruned.more {
            return entries;
        }
    }
    panic!("it never ends");
}

async fn left<S: Store>(store: &S) -> Vec<u64> {
    sequences(&store.entries(EntriesOf::Everything, Sequence(0), 10_000).await.unwrap())
}

async fn old_entries_go_and_the_rest_stands<S: Store>(store: &S) {
    history(store, "quiet", 0).await; // entry 1
    history(store, "busy", 3).await; // entries 2, then 3 to 5, 6 to 8, 9 to 11
    history(store, "gone", 0).await; // entry 12
    let forgotten = Change {
        record: started("gone").record,
        events: vec![Event::Forgotten],
    };
    store.commit(AT, vec![forgotten].into()).await.unwrap(); // entry 13
    history(store, "again", 0).await; // entries 14 and 15, forgotten, begun again without a transition
    let ended = Change {
        record: started("again").record,
        events: vec![Event::Forgotten],
    };
    let begun = Change {
        events: vec![Event::Update(None)],
        ..started("again")
    };
    store.commit(AT, vec![ended, begun].into()).await.unwrap(); // entries 15 and 16
    let all = left(store).await;
    assert_eq!(all, (1..=16).collect::<Vec<u64>>());
    assert_eq!(prune(store, &keep(KeepEntries::All)).await, 0);
    let since = AT.after(Duration::from_secs(2 * 3600));
    let gone = prune(store, &keep(KeepEntries::Since(since))).await;
    // The only transition of `quiet`, what is younger of `busy`, and where `again` began anew.
    assert_eq!(left(store).await, [1, 6, 7, 8, 9, 10, 11, 15]);
    assert_eq!(gone, 8);
    let page = store.page(EntriesOf::Everything, Sequence(0), 1).await.unwrap();
    assert_eq!(page.dropped_until, Sequence(16));
    assert_eq!(
        store.newest().await.unwrap(),
        Sequence(16),
        "no position is given out twice"
    );
    let of = |name: &str| EntriesOf::TransitionsOf(job_key(name));
    let history = async |name: &str| sequences(&store.entries(of(name), Sequence(0), 100).await.unwrap());
    assert_eq!((history("quiet").await, history("busy").await), (vec![1], vec![6, 9]));
    assert_eq!(history("again").await, Vec::<u64>::new());
    // Everything goes on.
    let next = Change {
        record: record("quiet", JobState::Failed, 2).into(),
        events: vec![moved(JobState::Running, JobState::Failed)],
    };
    store.commit(since, vec![next].into()).await.unwrap();
    assert_eq!(
        prune(store, &keep(KeepEntries::Since(since))).await,
        1,
        "the newest is another one now"
    );
    assert_eq!(left(store).await, [6, 7, 8, 9, 10, 11, 15, 17]);
}

async fn only_so_many_entries_are_kept<S: Store>(store: &S) {
    history(store, "quiet", 0).await;
    history(store, "busy", 4).await; // 13 entries
    assert_eq!(prune(store, &keep(KeepEntries::Newest(5))).await, 8);
    assert_eq!(
        left(store).await,
        [1, 10, 11, 12, 13, 14],
        "and the one that quiet's history hangs on"
    );
}

async fn a_sink_at_work_misses_nothing<S: Store>(store: &S) {
    history(store, "busy", 3).await; // 1, then 2 to 4, 5 to 7, 8 to 10
    store.advance_sink("webhook", Sequence(4)).await.unwrap();
    prune(store, &keep(KeepEntries::Newest(0))).await;
    assert_eq!(left(store).await, [5, 7, 8, 10], "what it is told, and not yet");
    store.advance_sink("webhook", Sequence(10)).await.unwrap();
    prune(store, &keep(KeepEntries::Newest(0))).await;
    assert_eq!(left(store).await, [8]);
}

async fn much_is_dropped_in_small_steps<S: Store>(store: &S) {
    let events = vec![Event::Update(None); 1200];
    let change = Change {
        record: record("a", JobState::Running, 1).into(),
        events,
    };
    store.commit(AT, vec![change].into()).await.unwrap();
    let keep = keep(KeepEntries::Newest(10));
    let first = store.prune(&keep).await.unwrap();
    assert!(first.more && first.entries > 0 && first.entries <= 500, "{first:?}");
    let rest = prune(store, &keep).await;
    assert_eq!(first.entries + rest, 1190);
    assert_eq!(store.prune(&keep).await.unwrap(), Pruned::default());
}

/// A snapshot of that job, so many seconds after [`AT`].
pub(crate) fn shown(name: &str, seconds: u64) -> Recorded {
    let before = record(name, JobState::Running, 1);
    let now = AT.after(Duration::from_secs(seconds));
    Recorded {
        snapshot: testing::snapshot(before.clone(), now),
        before: Arc::new(before),
        rule: Some("a rule".to_owned()),
        failure: None,
        transition: None,
        shown: None,
        decided_by: None,
    }
}

async fn snapshots_are_kept_in_order_and_within_bounds<S: Store>(store: &S) {
    let read = async |after, since: u64, limit| {
        let since = AT.after(Duration::from_secs(since));
        let page = store.recorded(after, since, limit).await.unwrap();
        assert_eq!(page.unreadable, []);
        page.read
    };
    let prune = async |since, bytes| {
        let keep = Keep {
            snapshots_since: since,
            snapshot_bytes: bytes,
            entries: KeepEntries::All,
        };
        store.prune(&keep).await.unwrap().snapshots
    };
    let all: Vec<Recorded> = (1..=6).map(|n| shown(if n % 2 == 0 { "a" } else { "b" }, n)).collect();
    for pair in all.chunks(2) {
        let commit = Commit {
            changes: vec![],
            recorded: pair.to_vec(),
        };
        assert!(store.commit(AT, commit).await.unwrap().is_empty());
    }
    let kept = read(Sequence(0), 0, 100).await;
    assert_eq!(kept.iter().map(|(_, one)| one.clone()).collect::<Vec<_>>(), all);
    assert_eq!(read(kept[1].0, 0, 2).await, kept[2..4]);
    assert_eq!(read(Sequence(0), 5, 100).await, kept[4..]);
    // Too old: the first two. Too many: all but what fits, which is the newest.
    let since = AT.after(Duration::from_secs(3));
    assert_eq!(prune(since, u64::MAX).await, 2);
    assert_eq!(read(Sequence(0), 0, 100).await, kept[2..]);
    let fits = pack(&all[5]).unwrap().len() as u64;
    assert_eq!(prune(since, fits).await, 3);
    assert_eq!(read(Sequence(0), 0, 100).await, kept[5..]);
    assert_eq!(prune(since, 0).await, 1);
    // A refused change takes its snapshots with it.
    let refused = Commit {
        changes: vec![started("a"), started("a")],
        recorded: vec![shown("a", 7)],
    };
    store.commit(AT, refused).await.unwrap_err();
    assert!(read(Sequence(0), 0, 100).await.is_empty());
}

async fn reads_back_what_was_committed<S: Store>(store: &S) {
    assert!(load(store).await.is_empty());
    assert_eq!(store.newest().await.unwrap(), Sequence(0));
    store.check().await.unwrap();
    let b = Change {
        record: record("b", JobState::Failed, 1).into(),
        events: vec![moved(JobState::Unknown, JobState::Failed), alert()],
    };
    let quiet = Change {
        record: record("c", JobState::Running, 7).into(),
        events: vec![],
    };
    let changes = vec![b.clone(), started("a"), quiet.clone()];
    let committed = store.commit(AT, changes.into()).await.unwrap();
    let expected = [
        (b.record.key.clone(), b.events[0].clone()),
        (b.record.key.clone(), alert()),
        (started("a").record.key.clone(), started("a").events[0].clone()),
    ];
    let told: Vec<(JobKey, Event)> = committed.iter().map(|e| (e.key.clone(), e.event.clone())).collect();
    assert_eq!(told, expected);
    assert!(committed.iter().all(|entry| entry.at == AT && entry.revision == 1));
    assert!(committed.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
    assert_eq!(
        store.entries(EntriesOf::Everything, Sequence(0), 100).await.unwrap(),
        committed
    );
    assert_eq!(store.newest().await.unwrap(), committed[2].sequence);
    assert_eq!(
        load(store).await,
        [
            JobRecord::clone(&started("a").record),
            JobRecord::clone(&b.record),
            JobRecord::clone(&quiet.record)
        ]
    );
    assert!(store.commit(AT, vec![].into()).await.unwrap().is_empty());
}

async fn pages_by_sequence_and_kind<S: Store>(store: &S) {
    let update = |revision| Change {
        record: record("a", JobState::Running, revision).into(),
        events: vec![Event::Update(None)],
    };
    let alerted = Change {
        record: record("a", JobState::Failed, 4).into(),
        events: vec![moved(JobState::Running, JobState::Failed), alert()],
    };
    for changes in [
        vec![started("a")],
        vec![update(2), started("b")],
        vec![update(3)],
        vec![alerted],
    ] {
        store.commit(AT, changes.into()).await.unwrap();
    }
    // started a, update a, started b, update a, failed a, alert a
    let all = store.entries(EntriesOf::Everything, Sequence(0), 100).await.unwrap();
    let at = |n: usize| all[n].sequence;
    let read = async |of: EntriesOf, after, limit| sequences(&store.entries(of, after, limit).await.unwrap());
    let pick = |places: &[usize]| places.iter().map(|n| at(*n).0).collect::<Vec<u64>>();
    assert_eq!(all.len(), 6);
    assert_eq!(read(EntriesOf::Everything, at(1), 2).await, pick(&[2, 3]));
    assert_eq!(read(EntriesOf::ForSinks, Sequence(0), 100).await, pick(&[0, 2, 4, 5]));
    assert_eq!(read(EntriesOf::ForSinks, at(0), 2).await, pick(&[2, 4]));
    let of_a = EntriesOf::TransitionsOf(started("a").record.key.clone());
    assert_eq!(read(of_a.clone(), Sequence(0), 100).await, pick(&[0, 4]));
    assert_eq!(read(of_a.clone(), at(0), 1).await, pick(&[4]));
    assert!(read(of_a, at(5), 1).await.is_empty());
}

async fn a_refused_change_leaves_nothing<S: Store>(store: &S) {
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    let before = store.newest().await.unwrap();
    let mut nameless = started("c");
    Arc::make_mut(&mut nameless.record).key.target.name = "x/y".into();
    for wrong in [
        started("a"),
        Change {
            record: record("a", JobState::Failed, 3).into(),
            events: vec![Event::Update(None)],
        },
        nameless,
    ] {
        let refused = store.commit(AT, vec![started("b"), wrong].into()).await;
        assert!(matches!(refused, Err(JournalError::Refused { .. })), "{refused:?}");
    }
    assert_eq!(store.newest().await.unwrap(), before);
    assert_eq!(load(store).await, [JobRecord::clone(&started("a").record)]);
    // Two changes of one job in one commit follow each other.
    let changes = [2, 3].map(|revision| Change {
        record: record("a", JobState::Running, revision).into(),
        events: vec![Event::Update(None)],
    });
    store.commit(AT, changes.to_vec().into()).await.unwrap();
    assert_eq!(load(store).await[0].revision, 3);
}

async fn forgets_for_good<S: Store>(store: &S) {
    store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    let forgotten = Change {
        record: started("a").record,
        events: vec![Event::Forgotten],
    };
    let entries = store.commit(AT, vec![forgotten].into()).await.unwrap();
    assert_eq!(entries[0].event, Event::Forgotten);
    assert_eq!(load(store).await, [JobRecord::clone(&started("b").record)]);
    // Seen again, it begins anew: revision and history.
    let again = store.commit(AT, vec![started("a")].into()).await.unwrap();
    assert!(again[0].sequence > entries[0].sequence);
    let of_a = EntriesOf::TransitionsOf(started("a").record.key.clone());
    assert_eq!(store.entries(of_a, Sequence(0), 100).await.unwrap(), again);
    // Nobody's sequence is used twice, even that of an entry at the end.
    assert_eq!(
        store
            .entries(EntriesOf::Everything, Sequence(0), 100)
            .await
            .unwrap()
            .len(),
        4
    );
}

async fn calls_are_kept_over_a_removal<S: Store>(store: &S) {
    let called = |asked| {
        Event::Called(Call {
            asked,
            alert: None,
            silence: None,
            by: Some("bot".into()),
            through: Through::Token,
            says: None,
            from: "10.0.0.7".parse().ok(),
        })
    };
    store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    let intended = |name, revision, events| Change {
        record: record(name, JobState::Running, revision).into(),
        events,
    };
    let changes = vec![
        intended("a", 2, vec![called(Asked::Cancel), Event::Update(None)]),
        intended("b", 2, vec![called(Asked::Start)]),
    ];
    store.commit(AT, changes.into()).await.unwrap();
    let forgotten = intended("a", 2, vec![called(Asked::Forget), Event::Forgotten]);
    store.commit(AT, vec![forgotten].into()).await.unwrap();
    let about_a = EntriesOf::CallsAbout(started("a").record.key.clone());
    let entries = store.entries(about_a.clone(), Sequence(0), 100).await.unwrap();
    let events: Vec<Event> = entries.iter().map(|entry| entry.event.clone()).collect();
    assert_eq!(events, [called(Asked::Cancel), called(Asked::Forget)]);
    let rest = store.entries(about_a, entries[0].sequence, 100).await.unwrap();
    assert_eq!(rest, entries[1..]);
}

async fn cursors_never_move_back<S: Store>(store: &S) {
    let nine: Vec<Change> = (1..=9).map(|n| started(&format!("job-{n}"))).collect();
    store.commit(AT, nine.into()).await.unwrap();
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), None);
    store.advance_sink("webhook", Sequence(0)).await.unwrap();
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(0)));
    store.advance_sink("webhook", Sequence(9)).await.unwrap();
    store.advance_sink("webhook", Sequence(4)).await.unwrap();
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(9)));
    assert_eq!(store.sink_cursor("other").await.unwrap(), None);
    assert!(!store.store_id().is_empty());
}
