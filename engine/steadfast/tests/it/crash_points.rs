//! The program is killed at each point at which it must leave nothing half done, and started again: then memory, store, event
//! stream and sink agree, with each other and with what was shown before.
//!
//! `cargo test --workspace --test it crash_points -- --nocapture` prints what was hit and what was held.

mod agreement;
mod follower;
mod killed;
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use steadfast_crash_points::CrashPoint;
use strum::IntoEnumIterator as _;

use crate::command::{Ended, run, steadfast};
use crate::running::Engine;
use agreement::{Seen, agree};
use follower::{Follower, ask};
use killed::killed_at;
use world::{Flinks, JOBS, Mood, Receiver};

const STORE: &str = "steadfast.db";
/// A time that cannot be shown: a row that does not read.
const POISON: &str = "UPDATE jobs SET record = json_set(record, '$.since', '253402300800000ms') WHERE job = '-/-/a'";
const CONSERVATIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/conservative.wasm");
const NAIVE: &[u8] = include_bytes!("../../../../policies/prebuilt/naive.wasm");

/// When a point is come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// While a store is made, which has nothing yet.
    Making,
    /// While a store is taken up that an engine left which was killed.
    Starting,
    /// While the engine works: each of these times that it is reached.
    Working(&'static [u32]),
    /// While what is old is dropped.
    Dropping,
    /// At the start over a row that does not read.
    Settling,
    /// In `store repair` of such a store.
    Repairing,
    /// In `store backup`.
    BackingUp,
    /// At the start beside the log of another store.
    BesideALog,
    /// While policies are replaced.
    Reloading,
}

/// No arm for the rest: whoever adds a point says here how it is come to.
fn when(point: CrashPoint) -> When {
    use CrashPoint as P;
    match point {
        P::StoreMade | P::StoreNamed | P::MigrationWritten | P::MigrationDurable => When::Making,
        P::StoreTaken => When::Starting,
        P::LogSetAside => When::BesideALog,
        P::CommitBegun | P::CommitMarked => When::Working(&[1, 12]),
        P::CommitRecordWritten | P::CommitDurable | P::CommitShown => When::Working(&[12]),
        P::PolicyCalled | P::PolicyAnswered => When::Working(&[20]),
        P::CheckBegun | P::CheckMarked | P::CheckDurable => When::Working(&[3]),
        // A new sink's first place is a cursor too.
        P::CursorBegun => When::Working(&[1, 4]),
        P::CursorMarked | P::CursorDurable => When::Working(&[4]),
        P::SinkOffered | P::SinkTaken => When::Working(&[6]),
        P::PruneBegun | P::PruneDropped | P::PruneMarked | P::PruneDurable => When::Dropping,
        P::SettleBegun | P::SettleCopied | P::SettleMarked | P::SettleDurable => When::Settling,
        P::RepairCopied | P::RepairBegun | P::RepairMarked | P::RepairDurable => When::Repairing,
        P::BackupWritten | P::BackupNamed => When::BackingUp,
        P::ReloadRead | P::ReloadTried | P::ReloadSeated | P::ReloadReplaced | P::ReloadKept => When::Reloading,
    }
}

/// What an engine is started on, again and again.
struct World {
    folder: tempfile::TempDir,
    flinks: Flinks,
    receiver: Receiver,
    follower: Follower,
}

impl World {
    fn new(more: &str) -> Self {
        Self::with_receiver(more, |_| Mood::Takes)
    }

    /// `mood` is that of the receiver at each offer.
    fn with_receiver(more: &str, mood: impl Fn(u32) -> Mood + Send + 'static) -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            flinks: Flinks::start(),
            receiver: Receiver::start(mood),
            follower: Follower::default(),
        };
        let mut config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\n\
             [timing]\npoll = \"50ms\"\ntimeout = \"2s\"\nvalidate = \"200ms\"\nretry_initial = \"20ms\"\nretry_max = \"100ms\"\n\
             [[sink]]\nkind = \"webhook\"\nname = \"hook\"\nurl = \"http://{}/\"\n{more}",
            world.receiver.address
        );
        for job in JOBS {
            config.push_str(&format!(
                "[[job]]\nname = \"{job}\"\nmode = \"standalone\"\nflink_rest = \"http://{}/{job}\"\n",
                world.flinks.address
            ));
        }
        fs::write(world.path().join("config.toml"), config).unwrap();
        world
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn store(&self) -> PathBuf {
        self.path().join(STORE)
    }

    /// An engine works until it is killed at that point.
    fn killed_at(&self, point: CrashPoint, time: u32, meanwhile: impl FnMut(&str)) -> Seen {
        let mut command = steadfast(self.path(), &["run"]);
        killed_at(&mut command, point, time, &self.follower, meanwhile)
    }

    /// An engine has worked, and was killed with some of its record in the log alone.
    fn recorded(&self) -> Seen {
        self.killed_at(CrashPoint::CommitDurable, 5, |_| {})
    }

    fn tamper(&self, sql: &str) {
        let connection = Connection::open(self.store()).unwrap();
        assert_eq!(connection.execute(sql, []).unwrap(), 1);
        connection.close().unwrap();
    }

    /// After a start all agree. The engine is left running.
    #[expect(
        clippy::print_stdout,
        reason = "`--nocapture` shows what was compared after each kill"
    )]
    fn agrees(&self, seen: &Seen, about: &str) -> Engine {
        self.flinks.calm_down();
        let engine = Engine::start_configured(self.path());
        self.follower.follow(&engine.server);
        let held = agree(self, &engine, seen);
        println!("{about:<26} {held}");
        engine
    }
}

fn points(which: impl Fn(When) -> bool) -> Vec<CrashPoint> {
    let points: Vec<CrashPoint> = CrashPoint::iter().filter(|point| which(when(*point))).collect();
    assert!(!points.is_empty());
    points
}

/// Kills at each of the points on a world of its own, and holds the agreement.
fn at_work(of: &[CrashPoint]) {
    for point in of {
        let When::Working(times) = when(*point) else { continue };
        for time in times {
            let world = World::new("");
            let seen = world.killed_at(*point, *time, |server| drop(ask(server, "GET", "/readyz")));
            world.agrees(&seen, &format!("{point}:{time}"));
        }
    }
}

#[test]
fn in_commits() {
    use CrashPoint as P;
    at_work(&[
        P::CommitBegun,
        P::CommitRecordWritten,
        P::CommitMarked,
        P::CommitDurable,
        P::CommitShown,
    ]);
}

#[test]
fn beside_commits() {
    let commits = |point: &CrashPoint| point.to_string().starts_with("commit");
    let points = points(|when| matches!(when, When::Working(_)));
    let others: Vec<CrashPoint> = points.into_iter().filter(|point| !commits(point)).collect();
    at_work(&others);
}

#[test]
fn while_a_store_is_made() {
    for point in points(|when| matches!(when, When::Making | When::Starting)) {
        let world = World::new("");
        let before = if when(point) == When::Starting {
            world.recorded()
        } else {
            Seen::default()
        };
        world.killed_at(point, 1, |_| {});
        world.agrees(&before, &point.to_string());
    }
    // The last step of the schema.
    for point in [CrashPoint::MigrationWritten, CrashPoint::MigrationDurable] {
        let world = World::new("");
        let seen = world.killed_at(point, 3, |_| {});
        world.agrees(&seen, &format!("{point}:3"));
    }
}

#[test]
fn while_the_old_is_dropped() {
    for point in points(|when| when == When::Dropping) {
        let world = World::new("[retention]\njournal = \"300ms\"\n");
        let seen = world.killed_at(point, 1, |_| {});
        world.agrees(&seen, &point.to_string());
    }
}

#[test]
fn while_a_row_is_set_aside() {
    for point in points(|when| when == When::Settling) {
        let world = World::new("");
        let mut seen = world.recorded();
        world.tamper(POISON);
        seen.add(world.killed_at(point, 1, |_| {}));
        let engine = world.agrees(&seen, &point.to_string());
        set_aside_once(&world, &engine);
    }
}

/// The row that did not read was set aside, and the journal says once that its record has ended.
fn set_aside_once(world: &World, engine: &Engine) {
    let store = engine.get("/api/v1/store");
    let quarantined = store["quarantined"].as_array().unwrap();
    assert_eq!(quarantined.len(), 1, "{store}");
    assert_eq!(quarantined[0]["job"], "-/-/a");
    let connection = Connection::open(world.store()).unwrap();
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM journal WHERE kind = 'forgotten'"), 1);
    assert_eq!(
        count("SELECT count(*) FROM quarantined_cells WHERE field = 'record'"),
        1
    );
}

#[test]
fn in_a_repair() {
    for point in points(|when| when == When::Repairing) {
        let world = World::new("");
        let seen = world.recorded();
        world.tamper(POISON);
        let mut repair = steadfast(world.path(), &["store", "repair"]);
        killed_at(&mut repair, point, 1, &world.follower, |_| {});
        let backups = fs::read_dir(world.path()).unwrap();
        let backups = backups.filter(|file| {
            file.as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains(".backup-")
        });
        assert!(backups.count() >= 1, "{point}: the files were not copied first");
        let repaired = run(world.path(), &["store", "repair"]);
        assert_eq!(repaired.code, Some(0), "{point}: {}{}", repaired.out, repaired.err);
        let engine = world.agrees(&seen, &point.to_string());
        set_aside_once(&world, &engine);
    }
}

/// There is no backup, and the next one is made; or there is one, and it is whole.
#[test]
fn in_a_backup() {
    for point in points(|when| when == When::BackingUp) {
        let world = World::new("");
        let seen = world.recorded();
        let arguments = ["store", "backup", "--to", "copy.db"];
        killed_at(
            &mut steadfast(world.path(), &arguments),
            point,
            1,
            &world.follower,
            |_| {},
        );
        let is_there = world.path().join("copy.db").exists();
        assert_eq!(is_there, point == CrashPoint::BackupNamed);
        let again = run(world.path(), &arguments);
        assert_eq!(
            again.code,
            Some(i32::from(is_there)),
            "{point}: {}{}",
            again.out,
            again.err
        );
        let checked = run(world.path(), &["store", "check", "--store", "sqlite://copy.db"]);
        assert_eq!(checked.code, Some(0), "{point}: {}{}", checked.out, checked.err);
        assert!(!world.path().join("copy.db.partial").exists());
        world.agrees(&seen, &point.to_string());
    }
}

#[test]
fn beside_the_log_of_another_store() {
    for point in points(|when| when == When::BesideALog) {
        let mut world = World::new("");
        world.recorded();
        let moved = world.path().join("moved.db");
        fs::rename(world.store(), &moved).unwrap();
        // A record begins anew, and nobody has seen anything of it.
        world.follower = Follower::default();
        world.killed_at(point, 1, |_| {});
        let aside = world.path().join("steadfast.db-wal.set-aside");
        let held = fs::read(&aside).unwrap();
        let before = world.receiver.taken().len();
        let engine = world.agrees(&Seen::default().behind(before), &point.to_string());
        drop(engine);
        assert_eq!(fs::read(&aside).unwrap(), held, "what was set aside is as it was");
        fs::rename(&aside, world.path().join("moved.db-wal")).unwrap();
        let check: Ended = run(world.path(), &["store", "check", "--store", "sqlite://moved.db"]);
        assert_eq!(
            check.code,
            Some(0),
            "the store that was moved is whole: {}{}",
            check.out,
            check.err
        );
    }
}

#[test]
fn while_policies_are_replaced() {
    for point in points(|when| when == When::Reloading) {
        let world = World::new("[[policy]]\nname = \"own\"\nmodule = \"own.wasm\"\n");
        let write = |module: &[u8]| {
            let beside = world.path().join("beside");
            fs::write(&beside, module).unwrap();
            fs::rename(beside, world.path().join("own.wasm")).unwrap();
        };
        write(NAIVE);
        let seen = world.killed_at(point, 1, |server| {
            write(CONSERVATIVE);
            drop(ask(server, "POST", "/api/v1/reload"));
        });
        let engine = world.agrees(&seen, &point.to_string());
        let policies = engine.get("/api/v1/policies");
        let size = policies["items"].as_array().unwrap().len();
        assert_eq!(
            (size, &policies["items"][0]["name"]),
            (1, &"own".into()),
            "{policies:#}"
        );
        let jobs = engine.get("/api/v1/jobs");
        let jobs = jobs["items"].as_array().unwrap();
        assert!(jobs.iter().all(|job| job["policy"] == "own"), "{point}: {jobs:#?}");
    }
}

/// In an order that looks like none.
fn moody(number: u32) -> Mood {
    match number.wrapping_mul(2_654_435_761) >> 16 & 7 {
        0 | 1 => Mood::Refuses,
        2 => Mood::HangsUp,
        3 => Mood::TakesInSilence,
        _ => Mood::Takes,
    }
}

/// Nothing is lost, the order is kept, and what comes again has the id and the text that it had.
#[test]
fn beside_a_receiver_that_fails_again_and_again() {
    for (point, time) in [(CrashPoint::SinkOffered, 12), (CrashPoint::SinkTaken, 8)] {
        let world = World::with_receiver("", moody);
        let seen = world.killed_at(point, time, |_| {});
        let engine = world.agrees(&seen, &format!("{point}:{time}, fails"));
        let moods = world.receiver.moods();
        println!("{:<26} the receiver: {moods:?}", "");
        assert_eq!(moods.len(), 4, "{moods:?}");
        let health = &engine.get("/readyz")["sinks"][0];
        assert_eq!(health["deadLetters"], 0, "{health}");
    }
}
