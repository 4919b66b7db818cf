//! The journal asked as a whole.

use steadfast_core::id::{ClusterName, JobKey, Namespace};
use steadfast_core::journal::{EventKind, History, Order, Row};

use super::*;

pub(super) async fn all<S: Store>(make: impl Fn(&str) -> S) {
    it_is_asked_by_job_kind_and_time(&make("history")).await;
    pages_of_it_join_in_both_orders(&make("history_pages")).await;
    what_is_far_back_is_found(&make("history_far")).await;
    what_was_dropped_leaves_gaps(&make("history_gaps")).await;
}

fn later(minutes: u64) -> Timestamp {
    AT.after(Duration::from_secs(minutes * 60))
}

/// Everything that is asked for, page by page.
async fn found<S: Store>(store: &S, of: &History, limit: u32) -> Vec<u64> {
    let (mut found, mut from) = (Vec::new(), None);
    for _ in 0..1000 {
        let page = store.history(of, from, limit).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        found.extend(page.rows.iter().map(|row| row.sequence().0));
        assert!(
            page.rows
                .iter()
                .all(|row| matches!(row, Row::Entry(entry) if of.takes(entry)))
        );
        match page.next {
            Some(next) => from = Some(next),
            None => return found,
        }
    }
    panic!("it never ends");
}

fn of(key: &str) -> JobKey {
    JobKey::parse(key).unwrap()
}

/// Six entries: of three jobs, of each kind, a minute apart.
async fn commit_six<S: Store>(store: &S) {
    let called = Event::Called(Call {
        asked: Asked::Cancel,
        by: None,
        through: Through::Nothing,
        says: None,
        from: None,
        alert: None,
        silence: None,
    });
    let change = |key: &str, revision, events| Change {
        record: JobRecord {
            key: of(key),
            ..record("any", JobState::Running, revision)
        }
        .into(),
        events,
    };
    let (stale, gone) = (Event::Update(Some(Confidence::Stale)), Event::Forgotten);
    let started = || moved(JobState::Unknown, JobState::Running);
    for (minute, change) in [
        change("east/shop/orders", 1, vec![started()]),
        change("east/pay/orders", 1, vec![started()]),
        change("east/shop/orders", 2, vec![called]),
        change("west/shop/s/daily", 1, vec![alert()]),
        change("east/shop/orders", 3, vec![stale]),
        change("west/shop/s/daily", 1, vec![gone]),
    ]
    .into_iter()
    .enumerate()
    {
        store.commit(later(minute as u64), vec![change].into()).await.unwrap();
    }
}

/// What is asked for, in words: `cluster=east kind=alert since=2`, times in minutes after [`AT`].
fn asked(words: &str) -> History {
    let mut history = History::default();
    for (name, value) in words.split_whitespace().map(|word| word.split_once('=').unwrap()) {
        let minutes = || Some(later(value.parse().unwrap()));
        match name {
            "job" => history.job = Some(of(value)),
            "cluster" => drop(history.clusters.insert(ClusterName::new(value))),
            "namespace" => drop(history.namespaces.insert(Namespace::new(value))),
            "kind" => drop(history.kinds.insert(EventKind::parse(value).unwrap())),
            "since" => history.since = minutes(),
            "until" => history.until = minutes(),
            "order" => history.order = Order::Oldest,
            other => panic!("{other}"),
        }
    }
    history
}

async fn it_is_asked_by_job_kind_and_time<S: Store>(store: &S) {
    commit_six(store).await;
    for (words, expected) in [
        ("", vec![6, 5, 4, 3, 2, 1]),
        ("job=east/shop/orders", vec![5, 3, 1]),
        ("job=west/shop/s/daily", vec![6, 4]),
        ("job=west/shop/s", vec![]),
        ("kind=transition", vec![2, 1]),
        ("kind=update", vec![5]),
        ("kind=call kind=forgotten", vec![6, 3]),
        ("kind=alert", vec![4]),
        ("kind=call job=east/shop/orders", vec![3]),
        ("cluster=west cluster=eas", vec![6, 4]),
        ("namespace=pay namespace=orders namespace=daily", vec![2]),
        ("cluster=east namespace=shop", vec![5, 3, 1]),
        ("cluster=west job=east/shop/orders", vec![]),
        ("since=1 until=3 order=oldest", vec![2, 3]),
        ("since=3 until=4", vec![4]),
        ("since=2 job=east/shop/orders", vec![5, 3]),
    ] {
        assert_eq!(found(store, &asked(words), 100).await, expected, "{words}");
    }
    let page = store.history(&asked(""), None, 2).await.unwrap();
    let Some(Row::Entry(update)) = page.rows.get(1) else {
        panic!("{page:?}")
    };
    assert_eq!(
        update.event,
        Event::Update(Some(Confidence::Stale)),
        "how sure the state is, is kept"
    );
}

async fn pages_of_it_join_in_both_orders<S: Store>(store: &S) {
    commit_six(store).await;
    for limit in [1, 2, 5, 6] {
        for (words, expected) in [
            ("", vec![6, 5, 4, 3, 2, 1]),
            ("order=oldest", vec![1, 2, 3, 4, 5, 6]),
            ("order=oldest job=east/shop/orders", vec![1, 3, 5]),
        ] {
            assert_eq!(found(store, &asked(words), limit).await, expected, "{words}, {limit}");
        }
    }
    let beyond = store.history(&History::default(), Some(Sequence(1)), 10).await.unwrap();
    assert_eq!((beyond.rows.len(), beyond.next), (0, None));
}

/// One job updates for long, while another one moves at the beginning and at the end.
async fn what_is_far_back_is_found<S: Store>(store: &S) {
    const MANY: usize = 10_000;
    let update = |revision, events| Change {
        record: record("busy", JobState::Running, revision).into(),
        events,
    };
    store.commit(later(0), vec![started("quiet")].into()).await.unwrap();
    let updates = vec![Event::Update(None); MANY];
    store
        .commit(later(1), vec![update(1, updates.clone())].into())
        .await
        .unwrap();
    // The clock was set back for a while.
    store
        .commit(
            AT.before(Duration::from_secs(60)),
            vec![update(2, updates.clone())].into(),
        )
        .await
        .unwrap();
    let ended = Change {
        record: record("quiet", JobState::Failed, 2).into(),
        events: vec![moved(JobState::Running, JobState::Failed)],
    };
    store.commit(later(3), vec![ended].into()).await.unwrap();
    let last = 2 * MANY as u64 + 2;
    assert_eq!(found(store, &asked("kind=transition"), 10).await, [last, 1]);
    // Twice: what was learnt of times in the first round is right in the second.
    for _ in 0..2 {
        assert_eq!(
            found(store, &asked("kind=transition since=0 order=oldest"), 10).await,
            [1, last]
        );
        let found = found(store, &asked("since=1 until=3"), 3000).await;
        assert_eq!(
            (found.len(), found.first(), found.last()),
            (MANY, Some(&(MANY as u64 + 1)), Some(&2))
        );
    }
    assert_eq!(
        found(store, &asked("job=local/default/busy until=1"), 3000).await.len(),
        MANY
    );
}

async fn what_was_dropped_leaves_gaps<S: Store>(store: &S) {
    store.commit(AT, vec![started("quiet")].into()).await.unwrap();
    let change = Change {
        record: record("busy", JobState::Running, 1).into(),
        events: vec![Event::Update(None); 20_000],
    };
    store.commit(AT, vec![change].into()).await.unwrap();
    assert_eq!(prune(store, &keep(KeepEntries::Newest(3))).await, 20_000 - 3);
    let page = store.history(&History::default(), None, 10).await.unwrap();
    let places: Vec<u64> = page.rows.iter().map(|row| row.sequence().0).collect();
    assert_eq!((places, page.next), (vec![20_001, 20_000, 19_999, 1], None));
    assert_eq!(page.dropped_until, Sequence(19_998));
}
