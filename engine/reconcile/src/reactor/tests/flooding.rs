//! A policy that changes its mind as often as it is asked fills no journal, and holds nobody up.

use steadfast_core::decision::DecidedAlert;
use steadfast_core::planner::{AT_ONCE, EACH_POLL};
use steadfast_core::record::AlertScope;
use steadfast_core::state::ConditionType;

use super::*;
use crate::setup::Select;

/// Says something else each time, wants to be asked again at once, and raises more alerts than anybody reads, each time
/// others. What Flink says of an end it believes.
struct Flood;

impl Decide for Flood {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let revision = snapshot.record.revision;
        let believed = Believer.decide(snapshot)?;
        let state = match (believed.state, revision % 2) {
            (JobState::Failed, _) => JobState::Failed,
            (_, 0) => JobState::Running,
            (_, _) => JobState::Restarting,
        };
        let alert = |n| DecidedAlert {
            name: format!("Alert{n}Of{revision}"),
            scope: AlertScope::Job,
            message: "it".into(),
        };
        Ok(Decision {
            state,
            watch: Watch {
                poll_after: Duration::from_millis(10),
                validate_after: Duration::from_millis(10),
                attention: Attention::Active,
            },
            alerts: (0..2_000).map(alert).collect(),
            ..believed
        })
    }
}

fn rig() -> Rig {
    let flood = PolicySetup {
        select: Select {
            name: vec!["flood".into()],
            ..Select::all()
        },
        ..PolicySetup::deciding("flood", Box::new(Flood))
    };
    let believer = PolicySetup::deciding("believe", Box::new(Believer));
    Rig::under(vec![flood, believer], &["calm", "flood"])
}

#[test]
fn a_minute_of_it_is_a_bounded_number_of_entries_and_polls() {
    let mut rig = rig();
    let polls = live(&mut rig, Duration::from_secs(120), |_| running());
    let (calm, flood) = (TargetId::standalone("calm"), TargetId::standalone("flood"));
    let polls_of_120_s = 24;
    // The first commit of the record is no decision's.
    let most = 1 + AT_ONCE + EACH_POLL * polls_of_120_s;
    assert!(rig.entries[&flood] <= most as usize, "{:?}", rig.entries);
    assert!(polls[&flood] <= 241, "not below a tenth of [timing] poll: {polls:?}");
    let shown = rig.record("flood");
    assert!(
        shown.condition(ConditionType::RateLimited).is_some(),
        "{:?}",
        shown.conditions
    );
    assert!(shown.condition(ConditionType::DecisionTrimmed).is_some());
    assert_eq!(rig.record("calm").state, JobState::Running);
    assert!(polls[&calm].abs_diff(polls_of_120_s + 1) <= 1, "{polls:?}");
    assert_eq!(rig.record("calm").conditions, []);
}

#[test]
fn an_end_is_recorded_within_a_poll_all_the_same() {
    let mut rig = rig();
    live(&mut rig, Duration::from_secs(120), |_| running());
    live(&mut rig, Duration::from_secs(5), |_| listed(JobState::Failed));
    assert_eq!(rig.record("flood").state, JobState::Failed);
}

#[test]
fn it_stands_no_longer_once_the_policy_is_calm() {
    let mut rig = rig();
    live(&mut rig, Duration::from_secs(120), |_| running());
    let policy = PolicySetup::deciding("flood", Box::new(Believer));
    let turn = rig.reactor.replace_policies(Policies::new(vec![policy]));
    rig.commit(turn);
    rig.settle();
    live(&mut rig, Duration::from_secs(300), |_| running());
    assert_eq!(
        (rig.record("flood").state, &rig.record("flood").conditions),
        (JobState::Running, &vec![])
    );
    assert_eq!(rig.record("flood").alerts, []);
}
