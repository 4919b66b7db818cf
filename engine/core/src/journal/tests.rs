use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::*;
use crate::alert::AlertEvent;
use crate::event::EventKind;
use crate::id::{ClusterName, Namespace, TargetId};
use crate::record::{AlertScope, Reason, StandingAlert};
use crate::state::Confidence;
use crate::testing::{self, at, job_key};

fn running() -> JobRecord {
    let alert = StandingAlert {
        name: "CheckpointsFailing".to_owned(),
        scope: AlertScope::Job,
        since: at(5),
        message: "why".to_owned(),
        silenced: false,
    };
    JobRecord {
        state: JobState::Running,
        confidence: Confidence::Confirmed,
        reason: Reason::new("Flink", "Flink reports RUNNING"),
        told_since: Some(at(3)),
        alerts: vec![alert],
        revision: 7,
        ..testing::record(job_key("orders"), at(0))
    }
}

#[test]
fn a_record_that_goes_on_under_another_key_says_where_it_is_and_raises_its_alerts_anew() {
    let before = running();
    let change = Change::go_on_as(job_key("shop"), &before);
    let after = &change.record;
    assert_eq!(
        (&after.key, after.revision, after.alerts.len()),
        (&job_key("shop"), 1, 0)
    );
    let [Event::Transition(stands)] = &change.events[..] else {
        panic!("{:?}", change.events)
    };
    assert_eq!((stands.from, stands.to), (JobState::Unknown, JobState::Running));
    assert_eq!((&stands.reason, stands.told_since), (&before.reason, Some(at(3))));
    // A Deployment is not renamed with the record about it.
    assert_eq!(after.incarnation.deployment_name.as_deref(), Some("orders"));
    let again = Change::go_on_as(job_key("other"), after);
    assert_eq!(again.record.incarnation.deployment_name.as_deref(), Some("orders"));
    let under_its_name = Change::go_on_as(before.key.clone(), &before);
    assert_eq!(under_its_name.record.incarnation.deployment_name, None);
}

#[test]
fn a_first_commit_tells_of_a_state_only_where_there_is_one() {
    let unseen = testing::record(job_key("orders"), at(0));
    let begun = Change::go_on_as(job_key("shop"), &unseen);
    assert_eq!(begun.events, [Event::updated(&begun.record)]);
    assert_eq!((Change::begin(unseen).record.revision, begun.record.revision), (1, 1));
    let anew = Change::write_anew(&running());
    assert!(matches!(&anew.events[..], [Event::Transition(_)]));
    assert_eq!(
        (anew.record.revision, anew.record.alerts.len()),
        (1, 1),
        "its alerts stand on"
    );
}

fn recorded(name: &str) -> Recorded {
    let record = testing::record(job_key(name), at(0));
    Recorded {
        snapshot: testing::snapshot(record.clone(), at(1)),
        before: Arc::new(record),
        rule: None,
        failure: None,
        transition: None,
        shown: None,
        decided_by: None,
    }
}

fn change(name: &str) -> Change {
    Change::begin(testing::record(job_key(name), at(0)))
}

#[test]
fn a_commit_is_empty_only_without_changes_and_snapshots() {
    let changes = Commit::from(vec![change("a")]);
    assert_eq!((changes.changes.len(), changes.is_empty()), (1, false));
    let snapshots = Commit {
        recorded: vec![recorded("a")],
        ..Commit::default()
    };
    assert!(Commit::default().is_empty() && !snapshots.is_empty());
}

fn refusal(name: &str, part: Part) -> Refusal {
    Refusal {
        key: job_key(name),
        part,
        why: "too long".to_owned(),
    }
}

#[test]
fn a_commit_goes_on_without_what_was_refused() {
    let commit = Commit {
        changes: vec![change("a"), change("b"), change("c")],
        recorded: vec![recorded("a"), recorded("b"), recorded("c")],
    };
    let out = BTreeSet::from([job_key("c")]);
    let refusals = [
        refusal("a", Part::Change),
        refusal("b", Part::Snapshot),
        refusal("c", Part::Change),
    ];
    let left = commit.without(&refusals, &out);
    let changes: Vec<_> = left.changes.iter().map(|change| change.record.key.clone()).collect();
    let snapshots: Vec<_> = left.recorded.iter().map(|recorded| recorded.key().clone()).collect();
    assert_eq!(
        (changes, snapshots),
        (vec![job_key("a"), job_key("b")], vec![job_key("a")])
    );
}

#[test]
fn the_first_refusals_are_named_and_the_others_counted() {
    let words = |jobs: &[&str]| {
        let refused = JournalError::Refused {
            commit: Box::default(),
            refusals: jobs.iter().map(|name| refusal(name, Part::Change)).collect(),
        };
        refused.to_string()
    };
    let three = "cannot commit local/default/a: too long; local/default/b: too long; local/default/c: too long";
    assert_eq!(words(&["a", "b", "c"]), three);
    assert_eq!(words(&["a", "b", "c", "d", "e"]), format!("{three}; and 2 more"));
}

fn entry(sequence: u64, key: &JobKey, event: Event, seconds: i64) -> Entry {
    Entry {
        sequence: Sequence(sequence),
        at: at(seconds),
        key: key.clone(),
        event,
        revision: 1,
    }
}

fn in_namespace(cluster: &str, namespace: &str) -> JobKey {
    JobKey::application(TargetId::new(
        &ClusterName::new(cluster),
        &Namespace::new(namespace),
        "orders",
    ))
}

#[test]
fn a_history_takes_what_each_of_its_bounds_takes() {
    let alert = Event::Alert(AlertEvent {
        alert: "JobFailed".to_owned(),
        scope: AlertScope::Job,
        status: AlertStatus::Firing,
        since: at(10),
        message: "why".to_owned(),
        silenced: false,
    });
    let one = entry(1, &in_namespace("east", "prod"), alert, 10);
    type Bound = fn(&mut History);
    let bounds: [(Bound, bool); 11] = [
        (|_| {}, true),
        (|h| h.job = Some(in_namespace("east", "prod")), true),
        (|h| h.job = Some(in_namespace("east", "dev")), false),
        (|h| h.clusters = [ClusterName::new("west")].into(), false),
        (|h| h.namespaces = [Namespace::new("dev")].into(), false),
        (|h| h.kinds = [EventKind::Alert].into(), true),
        (|h| h.kinds = [EventKind::Transition].into(), false),
        (|h| h.since = Some(at(10)), true),
        (|h| h.since = Some(at(11)), false),
        (|h| h.until = Some(at(10)), false),
        (|h| h.until = Some(at(11)), true),
    ];
    for (bound, takes) in bounds {
        let mut history = History::default();
        bound(&mut history);
        assert_eq!(history.takes(&one), takes, "{history:?}");
        let is_bounded = history.since.is_some() || history.until.is_some();
        assert_eq!(history.is_bounded_in_time(), is_bounded);
    }
}

#[test]
fn a_page_of_snapshots_ends_with_the_later_of_what_reads_and_what_does_not() {
    let page = |read: &[u64], unreadable: &[u64]| RecordingPage {
        read: read.iter().map(|place| (Sequence(*place), recorded("a"))).collect(),
        unreadable: unreadable
            .iter()
            .map(|place| (Sequence(*place), "damaged".to_owned()))
            .collect(),
    };
    assert_eq!(page(&[], &[]).last(), None);
    assert_eq!(page(&[1, 4], &[2]).last(), Some(Sequence(4)));
    assert_eq!(page(&[1], &[2, 3]).last(), Some(Sequence(3)));
}

/// Rows of a journal, and how often a page of them was asked for.
#[derive(Default)]
struct Rows {
    rows: Vec<Row>,
    pages: AtomicUsize,
}

#[async_trait]
impl Journal for Rows {
    async fn commit(&self, _: Timestamp, _: Commit) -> Result<Vec<Entry>, JournalError> {
        unreachable!("only pages are read")
    }

    async fn load(&self, _: Timestamp) -> Result<Loaded, JournalError> {
        unreachable!("only pages are read")
    }

    async fn page(&self, _: EntriesOf, after: Sequence, limit: u32) -> Result<Page, JournalError> {
        self.pages.fetch_add(1, Ordering::Relaxed);
        let behind = self.rows.iter().filter(|row| row.sequence() > after);
        Ok(Page {
            rows: behind.take(limit as usize).cloned().collect(),
            dropped_until: Sequence(0),
        })
    }

    async fn history(&self, _: &History, _: Option<Sequence>, _: u32) -> Result<HistoryPage, JournalError> {
        unreachable!("only pages are read")
    }

    async fn newest(&self) -> Result<Sequence, JournalError> {
        unreachable!("only pages are read")
    }

    async fn check(&self) -> Result<(), JournalError> {
        unreachable!("only pages are read")
    }

    async fn prune(&self, _: &Keep) -> Result<Pruned, JournalError> {
        unreachable!("only pages are read")
    }
}

/// The sequences of the entries that are read of a journal whose every second row does not read, and in how many pages.
fn read(rows: u64, after: u64, limit: u32) -> (Vec<u64>, usize) {
    let row = |n: u64| {
        if n.is_multiple_of(2) {
            Row::Unreadable(Unreadable {
                sequence: Sequence(n),
                job: String::new(),
                why: "damaged".to_owned(),
            })
        } else {
            Row::Entry(entry(n, &job_key("orders"), Event::Forgotten, 1))
        }
    };
    let journal = Rows {
        rows: (1..=rows).map(row).collect(),
        ..Rows::default()
    };
    let entries = {
        let mut reading = pin!(journal.entries(EntriesOf::Everything, Sequence(after), limit));
        match reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(entries) => entries.unwrap(),
            Poll::Pending => panic!("it waits for nothing"),
        }
    };
    let sequences = entries.iter().map(|entry| entry.sequence.0).collect();
    (sequences, journal.pages.into_inner())
}

#[test]
fn so_many_entries_are_read_as_are_asked_for_though_rows_between_them_do_not_read() {
    assert_eq!(read(9, 0, 2), (vec![1, 3], 2));
    assert_eq!(read(9, 2, 3), (vec![3, 5, 7], 2));
    assert_eq!(read(9, 0, 4), (vec![1, 3, 5, 7], 2));
    assert_eq!(read(1, 0, 1), (vec![1], 1), "no further than it must");
    assert_eq!(read(3, 0, 5), (vec![1, 3], 1), "the rows come to an end");
    assert_eq!(read(4, 0, 4), (vec![1, 3], 2));
    assert_eq!(read(0, 0, 4), (vec![], 1));
}
