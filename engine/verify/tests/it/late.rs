//! A policy that misses its deadline again and again is not explored without an end.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steadfast_core::decision::{Decide, Decision, PolicyFailure, PolicyFailureKind};
use steadfast_core::snapshot::Snapshot;
use steadfast_verify::laws;
use steadfast_verify::{MOST_LATE, Report, Settings, verify};

use crate::changed::{flink_fault, to, tried};
use crate::policies::{Defect, policy};

/// Misses its deadline at some snapshots, and counts how often.
struct Loops {
    inner: Box<dyn Decide>,
    at: fn(&Snapshot) -> bool,
    missed: Arc<AtomicUsize>,
}

impl Decide for Loops {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        if !(self.at)(snapshot) {
            return self.inner.decide(snapshot);
        }
        self.missed.fetch_add(1, Ordering::Relaxed);
        Err(PolicyFailure {
            kind: PolicyFailureKind::Deadline,
            message: "`decide` ran for too long; in judge".into(),
        })
    }
}

/// What came of it, with all laws, and how often the deadline was missed.
fn explored(at: fn(&Snapshot) -> bool, settings: &Settings) -> (Report, usize) {
    let missed = Arc::new(AtomicUsize::new(0));
    let make = || -> Box<dyn Decide> {
        Box::new(Loops {
            inner: policy(Defect::None),
            at,
            missed: Arc::clone(&missed),
        })
    };
    let report = verify(&make, &laws::all(), settings, &mut |_| {});
    (report, missed.load(Ordering::Relaxed))
}

fn is_broken(report: &Report, name: &str) -> bool {
    let all = laws::all();
    let place = all.iter().map(|law| law.name()).position(|law| law == name);
    place
        .and_then(|place| report.laws.get(place))
        .is_some_and(Option::is_some)
}

#[test]
fn at_the_tenth_call_that_is_late_the_exploration_ends_and_tells_the_first() {
    let threads = NonZeroUsize::new(4).unwrap();
    for (what, at) in [
        ("always", (|_| true) as fn(&Snapshot) -> bool),
        ("in silence", |snapshot| flink_fault(snapshot).is_some()),
    ] {
        for settings in [tried(7), to(7)] {
            let (report, missed) = explored(at, &Settings { threads, ..settings });
            assert!((MOST_LATE..200).contains(&missed), "{what}: {missed}");
            assert!(report.ended && report.complete < 7, "{what}: {}", report.complete);
            assert_eq!(
                report.late.as_deref(),
                Some("`decide` ran for too long; in judge"),
                "{what}"
            );
            assert!(is_broken(&report, "answers-everything"), "{what}");
        }
    }
}
