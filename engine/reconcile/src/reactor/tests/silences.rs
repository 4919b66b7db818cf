//! Silences: asked for, told in the journal, and ended by the loop.

use steadfast_core::alert::AlertStatus;
use steadfast_core::decision::DecidedAlert;
use steadfast_core::record::{AlertScope, Silence};

use super::*;

/// Raises an alert for a job that FAILED, and looks at it once a day.
struct Alarmist;

impl Decide for Alarmist {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let mut decision = Believer.decide(snapshot)?;
        decision.watch.validate_after = Duration::from_secs(86_400);
        if decision.state == JobState::Failed {
            decision.watch.attention = Attention::Sleeping;
            decision.alerts = vec![DecidedAlert {
                name: "JobFailed".to_owned(),
                scope: AlertScope::Job,
                message: "it failed".to_owned(),
            }];
        }
        Ok(decision)
    }
}

fn orders() -> JobKey {
    JobKey::application(TargetId::standalone("orders"))
}

fn rig() -> Rig {
    let policy = PolicySetup::deciding("alarm", Box::new(Alarmist));
    let mut rig = Rig::under(vec![policy], &["orders"]);
    live(&mut rig, Duration::from_secs(12), |_| running());
    rig
}

impl Rig {
    fn silence(&mut self, lasts: Duration) -> Vec<Change> {
        let silence = Silence {
            alert: "JobFailed".to_owned(),
            since: self.now,
            until: self.now.after(lasts),
            by: Some("ann".into()),
            comment: None,
        };
        let turn = self.reactor.silence(&orders(), silence, None).unwrap();
        let mut changes = self.commit(turn);
        changes.extend(self.settle());
        changes
    }

    /// What is committed until nothing is left to do for so long.
    fn pass_by(&mut self, span: Duration) -> Vec<Change> {
        let end = self.now.after(span);
        let mut changes = Vec::new();
        while self.now < end {
            let next = self.reactor.next_turn(self.now);
            self.now = next.map_or(end, |next| next.clamp(self.now, end));
            changes.extend(self.settle());
            for fetch in std::mem::take(&mut self.fetches) {
                if matches!(fetch, Fetch::Overview { .. }) {
                    self.answer(&fetch, super::listed(JobState::Failed));
                }
            }
        }
        changes
    }

    fn fail(&mut self) -> Vec<Change> {
        let fetches = self.advance(Duration::from_secs(60));
        let Fetch::Overview { endpoint, .. } = &fetches[0] else {
            panic!()
        };
        let observation = Observation::new(super::listed(JobState::Failed), self.now, self.now);
        self.reactor
            .fetched(Fetched::overview(endpoint.target.clone(), observation), self.now);
        self.settle()
    }
}

/// What was told of alerts: whether it begins, and whether nobody is to hear of it.
fn told(changes: &[Change]) -> Vec<(AlertStatus, bool)> {
    let events = changes.iter().flat_map(|change| &change.events);
    let alerts = events.filter_map(|event| match event {
        Event::Alert(alert) => Some((alert.status, alert.silenced)),
        Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
    });
    alerts.collect()
}

#[test]
fn the_loop_ends_a_silence_by_itself_and_tells_what_still_stands() {
    let mut rig = rig();
    rig.silence(Duration::from_secs(3600));
    assert_eq!(rig.record("orders").silences.len(), 1);
    assert_eq!(told(&rig.fail()), [(AlertStatus::Firing, true)]);
    assert_eq!(told(&rig.pass_by(Duration::from_secs(3000))), []);
    let changes = rig.pass_by(Duration::from_secs(700));
    assert_eq!(
        told(&changes),
        [(AlertStatus::Firing, false)],
        "though its watch sleeps"
    );
    let record = rig.record("orders");
    assert!(record.silences.is_empty() && !record.alerts[0].silenced);
    assert_eq!(told(&rig.pass_by(Duration::from_secs(3000))), [], "once");
}

#[test]
fn who_takes_it_back_has_it_told_and_without_one_nothing_is_written() {
    let mut rig = rig();
    rig.silence(Duration::from_secs(3600));
    rig.fail();
    let turn = rig.reactor.unsilence(&orders(), "JobFailed", None, rig.now).unwrap();
    let changes = rig.commit(turn);
    assert_eq!(told(&changes), [(AlertStatus::Firing, false)]);
    let revision = rig.record("orders").revision;
    let turn = rig.reactor.unsilence(&orders(), "JobFailed", None, rig.now).unwrap();
    assert!(rig.commit(turn).is_empty());
    assert_eq!(rig.record("orders").revision, revision);
}
