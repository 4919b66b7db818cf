//! Planted mistakes: the default policy with one thing wrong, and whether that is found.
//!
//! `cargo test --release --workspace --test it planted_at_the_defaults -- --ignored --nocapture` prints a table like that of
//! docs/verify.md: each mistake at the defaults of `policy verify`, with all laws.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use steadfast_host::{Policy, PolicyEngine, PolicyLimits};
use steadfast_policy_planted::Mistake;
use steadfast_verify::laws::{self, Law};
use steadfast_verify::{Report, Settings, verify};

/// How a mistake is found at the least cost.
struct Found {
    mistake: &'static str,
    law: &'static str,
    /// To which depth, along lines too.
    depth: u32,
}

const fn found(mistake: &'static str, law: &'static str, depth: u32) -> Found {
    Found { mistake, law, depth }
}

/// Each mistake, with one of the laws that find it.
const TABLE: &[Found] = &[
    found("failed-on-timeout", "unknown-is-not-absent", 1),
    found("failed-on-429-in-the-dark", "unknown-is-not-absent", 2),
    found("terminated-on-403", "unknown-is-not-absent", 1),
    found("lost-when-left-open", "unknown-is-not-absent", 2),
    found("lost-at-the-6th-failure", "unknown-is-not-absent", 2),
    found("lost-at-the-10th-failure", "unknown-is-not-absent", 2),
    found("lost-at-the-40th-failure", "unknown-is-not-absent", 2),
    found("failed-in-the-8th-outage", "unknown-is-not-absent", 1),
    found("lost-at-the-10th-answer", "alive-is-not-ended", 1),
    found("lost-after-an-hour", "unknown-is-not-absent", 2),
    found("lost-after-two-days", "unknown-is-not-absent", 2),
    found("reconciling-after-a-restart", "silence-changes-nothing", 5),
    found("running-out-of-unknown", "silence-changes-nothing", 4),
    found("starting-out-of-unknown", "silence-changes-nothing", 3),
    found("suspended-out-of-unknown", "silence-changes-nothing", 2),
    found("confirmed-when-stale", "stale-is-not-confirmed", 3),
    found("failed-when-not-listed", "ends-are-told", 1),
    found("canceled-when-deleted", "ends-are-told", 1),
    found("canceled-as-intended", "alive-is-not-ended", 3),
    found("finished-when-scaled-to-zero", "ends-are-told", 3),
    found("finished-when-a-pod-restarts", "ends-are-told", 2),
    found("terminated-without-pods", "unknown-is-not-absent", 4),
    found("believes-another-jobs-archive", "ends-are-told", 5),
    found("lost-while-it-starts", "lost-was-seen", 3),
    found("failed-for-ever", "recovers", 2),
    found("finished-for-ever", "recovers", 1),
    found("flip-flop", "comes-to-rest", 3),
    found("restarting-each-20th-look", "comes-to-rest", 1),
    found("restarting-with-two-pods", "follows-flink", 4),
    found("reconciling-after-a-day", "follows-flink", 1),
    found("suspended-in-a-dark-fleet", "follows-flink", 4),
    found("confidence-flips", "stands-with-its-evidence", 1),
    found("reason-changes-each-look", "stands-with-its-evidence", 1),
    found("sleeps-on-an-end", "watch-never-ends", 1),
    found("sleeps-in-the-dark", "watch-never-ends", 2),
    found("polls-once-a-year", "pace-is-sane", 1),
    found("polls-hardly-ever", "pace-is-sane", 1),
    found("polls-each-10ms", "pace-is-sane", 1),
    found("judges-each-10ms", "pace-is-sane", 1),
    found("wants-exceptions-each-time", "look-ups-are-paced", 1),
    found("wants-ha-data-each-time", "look-ups-are-paced", 2),
    found("no-alerts", "ends-are-alerted", 3),
    found("no-alert-of-lost", "ends-are-alerted", 6),
    found("alerts-cleared-by-silence", "silence-changes-nothing", 5),
    found("alerts-flap", "alerts-are-steady", 1),
    found("alerts-with-new-names", "alerts-are-steady", 1),
    found("alert-stays", "alerts-clear", 5),
    found("no-conditions", "trouble-is-told", 2),
    found("flink-never-unreachable", "trouble-is-told", 4),
    found("condition-stays", "conditions-follow", 3),
    found("crash-loop-of-a-ready-pod", "conditions-follow", 1),
    found("counts-in-the-instance", "same-input-same-output", 1),
    found("memory-grows", "memory-is-bounded", 1),
    found("memory-grows-much", "memory-is-bounded", 1),
    found("memory-grows-in-silence", "memory-is-bounded", 2),
    found("memory-grows-with-each-outage", "memory-is-bounded", 1),
    found("memory-grows-with-each-restart", "memory-is-bounded", 1),
    found("lost-without-memory", "alive-is-not-ended", 3),
    found("panics-without-memory", "answers-everything", 3),
    found("panics-without-pods", "answers-everything", 1),
    found("panics-when-checkpoints-fail", "answers-everything", 3),
    found("panics-in-the-8th-outage", "answers-everything", 1),
    found("loops-in-silence", "answers-everything", 1),
    found("wrong-in-session-mode", "unknown-is-not-absent", 4),
    found("wrong-in-standalone-mode", "unknown-is-not-absent", 4),
    found("wrong-with-a-label-it-names", "unknown-is-not-absent", 4),
    found("wrong-with-a-label-of-a-parameter", "unknown-is-not-absent", 4),
    found("failed-on-fridays", "alive-is-not-ended", 4),
    found("failed-at-night", "unknown-is-not-absent", 4),
    found("failed-when-clocks-are-set", "unknown-is-not-absent", 4),
    found("panics-on-a-leap-day", "answers-everything", 4),
];

/// A mistake that the SDK takes away before the engine sees it: a text that is too long is cut.
const MENDED: &str = "rambles-in-the-dark";

/// What the command line finds in parameters and module.
pub(crate) fn labels() -> Vec<(String, String)> {
    ["planted.example.com/tier", "planted-by-parameter"]
        .map(|name| (name.to_owned(), "true".to_owned()))
        .to_vec()
}

pub(crate) fn planted(engine: &PolicyEngine, mistake: &str) -> Policy {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/prebuilt/planted.wasm");
    let module = std::fs::read(path).unwrap();
    let params = format!("{{\"mistake\": \"{mistake}\"}}");
    engine
        .load("planted", &module, &params, PolicyLimits::default())
        .unwrap()
}

pub(crate) fn engine() -> PolicyEngine {
    PolicyEngine::new(Some(Path::new(env!("CARGO_TARGET_TMPDIR")))).unwrap()
}

fn explored(policy: &Policy, laws: &[Box<dyn Law>], settings: &Settings) -> Report {
    verify(&|| Box::new(policy.another()), laws, settings, &mut |_| {})
}

/// Whether a mistake is about where or when a job runs, which is tried beforehand.
fn is_elsewhere(mistake: &str) -> bool {
    let words = ["label", "friday", "night", "clocks", "leap"];
    words.iter().any(|word| mistake.contains(word))
}

#[test]
fn each_planted_mistake_is_found_by_its_law() {
    let engine = engine();
    let (next, missed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(found) = TABLE.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !is_found(&engine, found) {
                        missed.lock().unwrap().push(found.mistake);
                    }
                }
            });
        }
    });
    assert_eq!(missed.into_inner().unwrap(), Vec::<&str>::new());
}

fn is_found(engine: &PolicyEngine, Found { mistake, law, depth }: &Found) -> bool {
    let policy = planted(engine, mistake);
    let settings = Settings {
        depth: *depth,
        beyond: 0,
        fault_depth: if mistake.contains("429") || mistake.contains("unreachable") {
            2
        } else {
            1
        },
        trials: is_elsewhere(mistake),
        labels: labels(),
        ..Settings::default()
    };
    let laws: Vec<Box<dyn Law>> = laws::all().into_iter().filter(|other| other.name() == *law).collect();
    assert_eq!(laws.len(), 1, "there is no law {law}");
    explored(&policy, &laws, &settings).laws.iter().any(Option::is_some)
}

#[test]
fn every_mistake_stands_in_the_table_and_none_is_none() {
    let mistakes: BTreeSet<&str> = Mistake::ALL.iter().map(|(_, word, _)| *word).collect();
    let found = TABLE.iter().map(|found| found.mistake);
    let table: BTreeSet<&str> = found.chain([MENDED]).collect();
    assert_eq!(mistakes, table);
    assert!(mistakes.len() >= 40, "{}", mistakes.len());
    let engine = engine();
    for harmless in ["none", MENDED] {
        breaks_no_law(&planted(&engine, harmless));
    }
}

fn breaks_no_law(policy: &Policy) {
    let settings = Settings {
        depth: 2,
        beyond: 0,
        trials: false,
        fault_depth: 1,
        ..Settings::default()
    };
    let laws = laws::all();
    let report = explored(policy, &laws, &settings);
    for (law, found) in laws.iter().zip(&report.laws) {
        assert!(found.is_none(), "{} is broken by no mistake: {found:?}", law.name());
    }
}

#[test]
#[ignore = "takes an hour or so of processor time; with `--release -- --ignored --nocapture` it prints a table"]
fn planted_at_the_defaults() {
    let engine = engine();
    let mut table =
        String::from("| mistake | found | by | depth | looks behind | seconds |\n|---|---|---|---|---|---|\n");
    for (_, mistake, _) in Mistake::ALL {
        let policy = planted(&engine, mistake);
        let settings = Settings {
            labels: labels(),
            threads: std::thread::available_parallelism().unwrap(),
            spans: [15, 30, 50, 600].map(|span| Duration::from_secs(span + 1)).to_vec(),
            ..Settings::default()
        };
        let laws = laws::all();
        let began = Instant::now();
        let report = explored(&policy, &laws, &settings);
        let took = began.elapsed().as_secs_f64();
        let found = laws
            .iter()
            .zip(&report.laws)
            .filter_map(|(law, found)| Some((law.name(), found.as_ref()?)));
        let shortest =
            found.min_by_key(|(_, found)| found.depth + u32::try_from(found.broken.then.len()).unwrap_or(u32::MAX));
        let row = match shortest {
            Some((law, found)) => format!("yes | `{law}` | {} | {}", found.depth, found.broken.then.len()),
            None => "**missed** | | |".to_owned(),
        };
        writeln!(table, "| `{mistake}` | {row} | {took:.1} |").unwrap();
        println!("{mistake}: {row} | {took:.1}");
    }
    println!("{table}");
}
