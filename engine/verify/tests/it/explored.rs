//! What an exploration finds, and that it finds the same however it is done.

use std::num::NonZeroUsize;

use steadfast_core::evidence::FaultKind;
use steadfast_core::state::JobState;
use steadfast_host::{Policy, PolicyEngine, PolicyLimits, builtin};
use steadfast_verify::laws::{self, Law, Shows};
use steadfast_verify::step::{FlinkStep, Step};
use steadfast_verify::{Counterexample, DepthReport, Observer, Progress, Report, Settings, verify, verify_before};

use crate::policies::{Defect, policy};

/// Nothing of these policies depends on dates and labels.
fn settings(depth: u32) -> Settings {
    Settings {
        depth,
        beyond: 0,
        trials: false,
        ..Settings::default()
    }
}

fn explored(defect: Defect, depth: u32) -> Report {
    verify(&|| policy(defect), &of_states(), &settings(depth), &mut |_| {})
}

/// Without the laws about alerts and conditions: these policies have none, and do not mean to.
fn of_states() -> Vec<Box<dyn Law>> {
    let mut all = laws::all();
    all.retain(|law| ![laws::ENDS_ARE_ALERTED, laws::TROUBLE_IS_TOLD].contains(&law.name()));
    all
}

/// The laws that are broken, by name.
fn broken(report: &Report) -> Vec<(String, Counterexample)> {
    let laws = if report.laws.len() == laws::all().len() {
        laws::all()
    } else {
        of_states()
    };
    let all = laws.iter().zip(&report.laws);
    all.filter_map(|(law, found)| Some((law.name().to_owned(), found.clone()?)))
        .collect()
}

fn of(report: &Report, law: &str) -> Counterexample {
    let found = broken(report);
    let names: Vec<&String> = found.iter().map(|(name, _)| name).collect();
    let one = found.iter().find(|(name, _)| name == law);
    one.unwrap_or_else(|| panic!("{law} holds; broken are {names:?}"))
        .1
        .clone()
}

#[test]
fn a_policy_that_believes_flink_and_waits_breaks_no_law() {
    let report = explored(Defect::None, 3);
    assert_eq!(broken(&report), []);
    let to_the_depth = report.depths.iter().filter(|depth| depth.depth <= 3);
    assert!(
        to_the_depth.clone().all(|depth| depth.states > 0),
        "{:?}",
        report.depths
    );
    assert_eq!((report.complete, report.ended), (3, false));
}

#[test]
fn each_defect_is_found_by_its_law() {
    for (defect, law, depth) in [
        (Defect::Impatient, "unknown-is-not-absent", 3),
        (Defect::AbsentMeansFailed, "ends-are-told", 1),
        (Defect::EndsTheWatch, "watch-never-ends", 1),
        (Defect::AlwaysSure, "stale-is-not-confirmed", 3),
        (Defect::Wavers, "comes-to-rest", 3),
        (Defect::Counts, "same-input-same-output", 1),
        (Defect::Fails, "answers-everything", 1),
        (Defect::Rambles, "answers-everything", 1),
        (Defect::TakesNotFoundForLost, "unknown-is-not-absent", 1),
    ] {
        let found = of(&explored(defect, depth), law);
        let looks = found.steps.len() + found.broken.then.len();
        assert_eq!(looks, usize::try_from(depth).unwrap(), "{defect:?}: {found:?}");
    }
}

#[test]
fn a_start_that_is_made_up_is_found_where_nothing_was_seen_before() {
    let found = of(&explored(Defect::MakesUpStarts, 3), "starts-are-seen");
    assert_eq!(found.broken.shows, Shows::State(JobState::Starting));
}

#[test]
fn the_first_counterexample_is_the_shortest() {
    let report = explored(Defect::Impatient, 4);
    let found = of(&report, "unknown-is-not-absent");
    let silent = Step::Flink(FlinkStep::Silent(FaultKind::Timeout));
    assert!(found.steps.contains(&silent), "{found:?}");
    assert_eq!(found.broken.shows, Shows::State(JobState::Lost));
    assert_eq!(found.steps.len() + found.broken.then.len(), 3, "{found:?}");
}

#[test]
fn a_line_finds_what_lies_beyond_the_depth() {
    let report = explored(Defect::Impatient, 2);
    let found = of(&report, "unknown-is-not-absent");
    assert_eq!(found.depth, 1, "{found:?}");
    assert_eq!(found.broken.then.len(), 2, "{found:?}");
    assert!(report.along_lines > 0 && report.kinds > 0);
}

#[test]
fn an_exploration_that_is_ended_says_how_far_it_came() {
    struct Impatient;
    impl Observer for Impatient {
        fn depth(&mut self, _: DepthReport) {}
        fn goes_on(&mut self, progress: Progress) -> bool {
            progress.depth < 2
        }
    }
    let report = verify_before(&|| policy(Defect::None), &of_states(), &settings(4), &mut Impatient);
    assert_eq!((report.complete, report.ended), (2, true));
    assert_eq!(report.depths.len(), 3);
}

#[test]
fn kinds_of_fault_that_lead_elsewhere_are_told_apart() {
    let report = explored(Defect::TakesNotFoundForLost, 1);
    let apart: Vec<usize> = report.alike.of_flink.iter().map(Vec::len).collect();
    assert_eq!(apart, [14, 1], "{:?}", report.alike);
    assert_eq!(report.alike.of_kubernetes.len(), 1, "{:?}", report.alike);
}

#[test]
fn more_threads_find_the_same() {
    let with = |threads| {
        let settings = Settings {
            threads: NonZeroUsize::new(threads).unwrap(),
            ..settings(3)
        };
        let report = verify(&|| policy(Defect::Impatient), &laws::all(), &settings, &mut |_| {});
        (report.depths.clone(), report.laws)
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_law_in_rust_is_held_to_as_well() {
    struct NeverFinished;
    impl Law for NeverFinished {
        fn name(&self) -> &str {
            "never-finished"
        }
        fn says(&self) -> &str {
            "streaming jobs do not finish"
        }
        fn judge(&self, look: &steadfast_verify::look::Look, _: &mut u64) -> Result<(), laws::Break> {
            match look.record().state {
                JobState::Finished => Err(laws::Break::new("it finished", Shows::State(JobState::Finished))),
                _ => Ok(()),
            }
        }
    }
    let laws: Vec<Box<dyn Law>> = vec![Box::new(NeverFinished)];
    let report = verify(&|| policy(Defect::None), &laws, &settings(2), &mut |_| {});
    let found = report.laws[0].as_ref().unwrap();
    assert_eq!(found.steps, [Step::Flink(FlinkStep::Says(JobState::Finished))]);
}

fn built_in(bytes: &[u8]) -> Policy {
    let engine = PolicyEngine::new(Some(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")))).unwrap();
    engine.load("verified", bytes, "{}", PolicyLimits::default()).unwrap()
}

#[test]
fn the_conservative_policy_keeps_every_law() {
    let loaded = built_in(builtin::CONSERVATIVE);
    let report = verify(&|| Box::new(loaded.another()), &laws::all(), &settings(2), &mut |_| {});
    assert_eq!(broken(&report), []);
}

#[test]
fn the_naive_policy_takes_silence_for_an_end_and_ends_its_watch() {
    let loaded = built_in(builtin::NAIVE);
    let report = verify(&|| Box::new(loaded.another()), &laws::all(), &settings(2), &mut |_| {});
    let found = of(&report, "unknown-is-not-absent");
    assert_eq!(found.broken.shows, Shows::State(JobState::Failed));
    assert_eq!(found.steps.len(), 1, "{found:?}");
    for law in ["watch-never-ends", "ends-are-told", "recovers"] {
        of(&report, law);
    }
}
