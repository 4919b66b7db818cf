//! Rows that do not read cost their job, or their reader's next line, and nobody else anything.

use steadfast_core::journal::{EntriesOf, Event, History, Row};

use super::*;

/// The cells of what was set aside, in hex.
fn kept(store: &SqliteStore) -> Vec<String> {
    let connection = &store.shared.open.lock().unwrap().connection;
    let sql = "SELECT source || ' ' || field || ' ' || hex(value) FROM quarantine JOIN quarantined_cells USING (place)
               ORDER BY place, field";
    let mut select = connection.prepare(sql).unwrap();
    let rows = select.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_record_that_does_not_read_is_set_aside_as_it_is_and_the_others_stand() {
    for (tampering, why) in [
        ("SET record = '{}'", "its document does not read"),
        ("SET record = x'00ff'", "its document does not read"),
        (
            "SET record = replace(record, '2026-', '9999999-')",
            "is not an RFC 3339 time",
        ),
        (
            "SET record = replace(record, '\"name\":\"a\"', '\"name\":\"z\"')",
            "of another job",
        ),
        ("SET record = '{\"version\":9}'", "format 9"),
    ] {
        let (_folder, path) = folder();
        let store = SqliteStore::open(&path).unwrap();
        store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
        // STRICT keeps types, and text may hold any bytes.
        let tampering = tampering.replace("x'00ff'", "CAST(x'7bff' AS TEXT)");
        tamper(&store, &format!("UPDATE jobs {tampering} WHERE job LIKE '%/a'"));
        let before = {
            let connection = &store.shared.open.lock().unwrap().connection;
            let sql = "SELECT hex(record) || hex(memory) FROM jobs WHERE job LIKE '%/a'";
            connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
        };
        drop(store);
        let store = SqliteStore::open(&path).unwrap();
        let later = AT.after(std::time::Duration::from_secs(60));
        let loaded = store.load(later).await.unwrap();
        assert_eq!(loaded.records, [JobRecord::clone(&started("b").record)]);
        let [aside] = &loaded.set_aside[..] else {
            panic!("{loaded:?}")
        };
        assert!(aside.job.ends_with("/a") && aside.at == later, "{aside:?}");
        assert!(aside.why.contains(why), "{aside:?}");
        let kept = kept(&store);
        let cell = |name: &str| {
            let mut found = kept
                .iter()
                .filter_map(|cell| cell.strip_prefix(&format!("jobs {name} ")));
            found.next().unwrap().to_owned()
        };
        assert_eq!(cell("record") + &cell("memory"), before, "byte for byte");
        assert_eq!(kept.len(), 7, "every column");
        // Whoever follows the journal hears of it, and the job begins anew under its name.
        let of_a = EntriesOf::TransitionsOf(started("a").record.key.clone());
        let last = store.entries(EntriesOf::Everything, Sequence(2), 10).await.unwrap();
        assert_eq!(
            (last.len(), &last[0].event, &last[0].key),
            (1, &Event::Forgotten, &started("a").record.key)
        );
        assert!(store.entries(of_a.clone(), Sequence(0), 10).await.unwrap().is_empty());
        store.commit(AT, vec![started("a")].into()).await.unwrap();
        assert_eq!(store.entries(of_a, Sequence(0), 10).await.unwrap().len(), 1);
        // It is told of as long as it is kept, and set aside once.
        let again = store.load(later).await.unwrap();
        assert_eq!(
            (again.set_aside.len(), again.records.len(), again.quarantined),
            (0, 2, loaded.quarantined)
        );
    }
}

#[tokio::test]
async fn columns_that_say_something_else_follow_the_document() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a")].into()).await.unwrap();
    tamper(&store, "UPDATE jobs SET revision = 77, state = 'FAILED'");
    let loaded = store.load(AT).await.unwrap();
    assert_eq!(loaded.records, [JobRecord::clone(&started("a").record)]);
    assert!(
        matches!(&loaded.mended[..], [told] if told.contains("/a") && told.contains("state, revision")),
        "{:?}",
        loaded.mended
    );
    assert_eq!(loaded.set_aside, []);
    store.commit(AT, vec![next("a", 2)].into()).await.unwrap();
    assert_eq!(store.load(AT).await.unwrap().mended, Vec::<String>::new());
}

#[tokio::test]
async fn an_entry_that_does_not_read_is_passed_over_and_told() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    for n in 1..=6 {
        store.commit(AT, vec![next("a", n)].into()).await.unwrap();
    }
    tamper(
        &store,
        "UPDATE journal SET event = '{\"kind\":\"strange\"}' WHERE sequence = 2;
         UPDATE journal SET event = CAST(x'ff' AS TEXT) WHERE sequence IN (3, 5);
         UPDATE journal SET job = 'nobody' WHERE sequence = 6",
    );
    let page = store.page(EntriesOf::Everything, Sequence(0), 100).await.unwrap();
    let read = page
        .rows
        .iter()
        .map(|row| matches!(row, Row::Entry(_)))
        .collect::<Vec<_>>();
    assert_eq!(read, [true, false, false, true, false, false]);
    let Row::Unreadable(strange) = &page.rows[1] else {
        panic!("{page:?}")
    };
    assert!(
        strange.job.ends_with("/a") && strange.why.contains("strange"),
        "{strange:?}"
    );
    assert_eq!(Told::default().tell(&page.rows), 4);
    assert_eq!(
        store.shared.open.lock().unwrap().told.tell(&page.rows),
        0,
        "each is told of once"
    );
    let all = store.history(&History::default(), None, 100).await.unwrap();
    assert!(all.rows.iter().eq(page.rows.iter().rev()), "{all:?}");
    let of_job = History {
        job: Some(started("a").record.key.clone()),
        ..History::default()
    };
    let of_job = store.history(&of_job, None, 100).await.unwrap();
    assert_eq!(of_job.rows, all.rows[1..], "all but the one that names no job");
    // They do not make a page shorter, nor is a page of nothing but these the end.
    let entries = store.entries(EntriesOf::Everything, Sequence(0), 2).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.sequence.0).collect::<Vec<_>>(), [1, 4]);
    let entries = store.entries(EntriesOf::ForSinks, Sequence(1), 2).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.sequence.0).collect::<Vec<_>>(), [4]);
    assert!(
        store
            .entries(EntriesOf::ForSinks, Sequence(4), 2)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_snapshot_that_does_not_read_is_named_beside_the_others() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let commit = Commit {
        changes: vec![],
        recorded: (1..=3).map(|n| shown("a", n)).collect(),
    };
    store.commit(AT, commit).await.unwrap();
    tamper(&store, "UPDATE snapshots SET recorded = x'00' WHERE place = 3");
    let page = store.recorded(Sequence(0), AT, 100).await.unwrap();
    assert_eq!(page.read.len(), 2);
    assert_eq!((page.unreadable[0].0, page.last()), (Sequence(3), Some(Sequence(3))));
}

#[tokio::test]
async fn an_entry_whose_time_no_calendar_has_is_named() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.commit(AT, vec![started("a"), started("b")].into()).await.unwrap();
    tamper(&store, "UPDATE journal SET at = 9223372036854775807 WHERE sequence = 1");
    let page = store.page(EntriesOf::Everything, Sequence(0), 10).await.unwrap();
    let [Row::Unreadable(unreadable), Row::Entry(_)] = &page.rows[..] else {
        panic!("{page:?}")
    };
    assert_eq!(unreadable.why, "its time is beyond what the engine's clock can show");
}
