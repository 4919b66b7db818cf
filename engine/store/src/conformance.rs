//! What every store must do, whatever it is made of.

use std::sync::Arc;
use std::time::Duration;

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::id::{JobKey, PolicyName};
use steadfast_core::journal::{Change, Commit, EntriesOf, Entry, Event, JournalError, Sequence, Store, Transition};
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
    })
}

fn sequences(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.sequence.0).collect()
}

/// Runs the suite; `make` gives an empty store for each part, which it is given a name for.
pub(crate) async fn all<S: Store>(make: impl Fn(&str) -> S) {
    reads_back_what_was_committed(&make("reads_back")).await;
    pages_by_sequence_and_kind(&make("pages")).await;
    a_refused_change_leaves_nothing(&make("refused")).await;
    forgets_for_good(&make("forgets")).await;
    cursors_never_move_back(&make("cursors")).await;
    snapshots_are_kept_in_order_and_within_bounds(&make("snapshots")).await;
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
    }
}

async fn snapshots_are_kept_in_order_and_within_bounds<S: Store>(store: &S) {
    let read = async |after, since: u64, limit| {
        let since = AT.after(Duration::from_secs(since));
        store.recorded(after, since, limit).await.unwrap()
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
    assert_eq!(store.prune(since, u64::MAX >> 1).await.unwrap(), 2);
    assert_eq!(read(Sequence(0), 0, 100).await, kept[2..]);
    let fits = pack(&all[5]).unwrap().len() as u64;
    assert_eq!(store.prune(since, fits).await.unwrap(), 3);
    assert_eq!(read(Sequence(0), 0, 100).await, kept[5..]);
    assert_eq!(store.prune(since, 0).await.unwrap(), 1);
    // A refused change takes its snapshots with it.
    let refused = Commit {
        changes: vec![started("a"), started("a")],
        recorded: vec![shown("a", 7)],
    };
    store.commit(AT, refused).await.unwrap_err();
    assert!(read(Sequence(0), 0, 100).await.is_empty());
}

async fn reads_back_what_was_committed<S: Store>(store: &S) {
    assert!(store.load().await.unwrap().is_empty());
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
        store.load().await.unwrap(),
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
        events: vec![Event::Update],
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
            events: vec![Event::Update],
        },
        nameless,
    ] {
        let refused = store.commit(AT, vec![started("b"), wrong].into()).await;
        assert!(matches!(refused, Err(JournalError::Failed { .. })), "{refused:?}");
    }
    assert_eq!(store.newest().await.unwrap(), before);
    assert_eq!(store.load().await.unwrap(), [JobRecord::clone(&started("a").record)]);
    // Two changes of one job in one commit follow each other.
    let changes = [2, 3].map(|revision| Change {
        record: record("a", JobState::Running, revision).into(),
        events: vec![Event::Update],
    });
    store.commit(AT, changes.to_vec().into()).await.unwrap();
    assert_eq!(store.load().await.unwrap()[0].revision, 3);
}

async fn forgets_for_good<S: Store>(store: &S) {
    store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    let forgotten = Change {
        record: started("a").record,
        events: vec![Event::Forgotten],
    };
    let entries = store.commit(AT, vec![forgotten].into()).await.unwrap();
    assert_eq!(entries[0].event, Event::Forgotten);
    assert_eq!(store.load().await.unwrap(), [JobRecord::clone(&started("b").record)]);
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

async fn cursors_never_move_back<S: Store>(store: &S) {
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), None);
    store.advance_sink("webhook", Sequence(0)).await.unwrap();
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(0)));
    store.advance_sink("webhook", Sequence(9)).await.unwrap();
    store.advance_sink("webhook", Sequence(4)).await.unwrap();
    assert_eq!(store.sink_cursor("webhook").await.unwrap(), Some(Sequence(9)));
    assert_eq!(store.sink_cursor("other").await.unwrap(), None);
    assert!(!store.store_id().is_empty());
}
