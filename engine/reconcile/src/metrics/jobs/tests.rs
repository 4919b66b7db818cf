use steadfast_core::id::JobKey;
use steadfast_core::projection::WatchStatus;
use steadfast_core::record::{Condition, JobRecord, StandingAlert};
use steadfast_core::testing::{at, record};

use super::*;
use crate::metrics::write::testing::{samples, samples_of};

fn show(projection: &Projection, key: &str, change: impl FnOnce(&mut JobRecord), watch: WatchStatus) {
    let mut record = record(JobKey::parse(key).unwrap(), at(0));
    change(&mut record);
    projection.show(JobView {
        record: Arc::new(record),
        watch,
    });
}

fn alert(name: &str) -> StandingAlert {
    StandingAlert {
        name: name.to_owned(),
        scope: AlertScope::Job,
        since: at(0),
        message: String::new(),
        silenced: false,
    }
}

#[test]
fn jobs_are_counted_by_what_they_are_and_what_stands_beside_them() {
    let projection = Arc::new(Projection::default());
    let running =
        |record: &mut JobRecord| (record.state, record.confidence) = (JobState::Running, Confidence::Confirmed);
    for key in ["a/x/1", "a/x/2"] {
        show(&projection, key, running, WatchStatus::default());
    }
    // The store does not take what is decided of it.
    let unwritten = WatchStatus {
        unwritten_since: Some(at(1)),
        ..WatchStatus::default()
    };
    show(&projection, "a/x/3", running, unwritten);
    let failed = |record: &mut JobRecord| {
        (record.state, record.confidence) = (JobState::Failed, Confidence::Inferred);
        record.alerts = vec![alert("JobFailed")];
        record.conditions = vec![Condition {
            kind: ConditionType::FleetDisrupted,
            since: at(0),
            message: String::new(),
        }];
    };
    show(&projection, "b/y/1", failed, WatchStatus::default());
    let wanted = [
        "steadfast_jobs{cluster=\"a\",namespace=\"x\",state=\"RUNNING\",confidence=\"confirmed\"} 2",
        "steadfast_jobs{cluster=\"a\",namespace=\"x\",state=\"RUNNING\",confidence=\"stale\"} 1",
        "steadfast_jobs{cluster=\"b\",namespace=\"y\",state=\"FAILED\",confidence=\"inferred\"} 1",
        "steadfast_alerts{cluster=\"b\",namespace=\"y\",alert=\"JobFailed\",scope=\"job\",silenced=\"false\"} 1",
        "steadfast_conditions{cluster=\"b\",namespace=\"y\",condition=\"FleetDisrupted\"} 1",
        "steadfast_fleet_guard_jobs{cluster=\"a\"} 0",
        "steadfast_fleet_guard_jobs{cluster=\"b\"} 1",
    ];
    assert_eq!(samples(Jobs(projection)), wanted);
}

#[test]
fn a_policy_that_invents_names_makes_no_endless_series() {
    let projection = Arc::new(Projection::default());
    for job in 0..ALERT_NAMES + 10 {
        let of_its_own = |record: &mut JobRecord| record.alerts = vec![alert(&format!("A{job:03}"))];
        show(&projection, &format!("a/x/{job}"), of_its_own, WatchStatus::default());
    }
    let alerts = samples_of("steadfast_alerts", Jobs(projection));
    assert_eq!(alerts.len(), ALERT_NAMES + 1);
    let others = format!("{{cluster=\"a\",namespace=\"x\",alert=\"{OTHERS}\",scope=\"job\",silenced=\"false\"}} 10");
    assert!(alerts.contains(&others), "{alerts:#?}");
}

#[test]
fn an_empty_record_has_no_zeros() {
    assert_eq!(samples(Jobs(Arc::default())), [""; 0]);
}
