//! One job that runs by turns on one of two Flink clusters.

use steadfast_core::facts::{Deployment, Desired, FlinkResource, ResourceKind};
use steadfast_core::id::{Namespace, Uid};
use steadfast_core::kube_update::{Completeness, KubeChange, Object, ObjectKind};
use steadfast_core::testing;

use super::*;

fn rig() -> Rig {
    Rig::discovering(vec![Discover::Native, Discover::FlinkDeployment])
}

fn id(name: &str) -> TargetId {
    TargetId::new(&ClusterName::new("local"), &Namespace::new("default"), name)
}

fn side(name: &str, created: i64) -> FlinkResource {
    FlinkResource {
        blue_green: Some("app".to_owned()),
        deployment: name.to_owned(),
        created_at: Some(at(created)),
        ..testing::flink_resource(ResourceKind::FlinkDeployment, name)
    }
}

fn deployed(name: &str) -> Deployment {
    Deployment {
        name: name.to_owned(),
        owner: Some("FlinkDeployment".into()),
        native: Some(Mode::Application),
        ..testing::deployment(&format!("uid of {name}"))
    }
}

impl Rig {
    fn told(&mut self, kind: ObjectKind, change: KubeChange) {
        self.now = self.now.after(Duration::from_secs(1));
        self.kube(kind, change);
    }

    fn sides(&mut self, sides: &[FlinkResource]) {
        let objects = sides.iter().cloned().map(Object::FlinkResource).collect();
        self.told(
            ObjectKind::FlinkDeployment,
            KubeChange::Relisted(objects, Completeness::Complete),
        );
    }

    fn deployments(&mut self, names: &[&str]) {
        let objects = names.iter().map(|name| Object::Deployment(deployed(name))).collect();
        self.told(
            ObjectKind::Deployment,
            KubeChange::Relisted(objects, Completeness::Complete),
        );
    }

    /// An answer of the Flink of a side.
    fn side_lists(&mut self, side: &str, job: u128, state: JobState) {
        let overview = FlinkOverview::listing(vec![flink_job(flink_job_id(job), state, at(900))]);
        let fetched = Fetched::Overview {
            target: id("app"),
            observation: Observation::new(Observed::Present(overview), self.now, self.now),
            provenance: crate::fetch::Provenance::Vouched,
            deployment: Some(side.to_owned()),
        };
        self.reactor.fetched(fetched, self.now);
        self.settle();
    }

    fn lists_now(&mut self, job: u128, state: JobState) {
        self.now = self.now.after(Duration::from_secs(1));
        let target = self.reactor.targets.get(&id("app")).unwrap();
        let side = target.deployment(&id("app")).to_owned();
        self.side_lists(&side, job, state);
    }

    /// The names on record, and of the job its state, its attempt, and the Deployment it is on.
    fn shown(&self) -> (Vec<String>, JobState, u32, String) {
        let records = self.reactor.records();
        let names = records.keys().map(|key| key.target.name.to_string()).collect();
        let record = &records[&JobKey::application(id("app"))];
        let object = self
            .reactor
            .targets
            .get(&id("app"))
            .and_then(|target| target.object.clone());
        (names, record.state, record.incarnation.attempt, object.unwrap().name)
    }
}

fn on(state: JobState, attempt: u32, side: &str) -> (Vec<String>, JobState, u32, String) {
    (vec!["app".to_owned()], state, attempt, side.to_owned())
}

#[test]
fn a_switch_is_the_next_attempt_of_one_record() {
    let mut rig = rig();
    rig.sides(&[side("app-blue", 1)]);
    rig.deployments(&["app-blue"]);
    rig.lists_now(1, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 1, "app-blue"));
    // The other side starts, and both run.
    rig.sides(&[side("app-blue", 1), side("app-green", 90)]);
    rig.deployments(&["app-blue", "app-green"]);
    rig.lists_now(1, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 1, "app-blue"));
    let going = FlinkResource {
        deleting_since: Some(rig.now),
        ..side("app-blue", 1)
    };
    rig.sides(&[going, side("app-green", 90)]);
    assert_eq!(rig.shown().3, "app-green");
    // An answer of the old side that was under way is nobody's.
    rig.side_lists("app-blue", 1, JobState::Canceled);
    assert_eq!(rig.shown(), on(JobState::Running, 1, "app-green"));
    rig.lists_now(2, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 2, "app-green"));
    rig.sides(&[side("app-green", 90)]);
    rig.deployments(&["app-green"]);
    rig.lists_now(2, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 2, "app-green"));
}

#[test]
fn a_side_that_is_aborted_or_cannot_be_seen_is_not_gone_over_to() {
    let mut rig = rig();
    rig.sides(&[side("app-blue", 1)]);
    rig.deployments(&["app-blue"]);
    rig.lists_now(1, JobState::Running);
    let aborted = FlinkResource {
        desired: Desired::Suspended,
        ..side("app-green", 90)
    };
    rig.sides(&[side("app-blue", 1), aborted.clone()]);
    assert_eq!(rig.shown().3, "app-blue");
    rig.told(
        ObjectKind::FlinkDeployment,
        KubeChange::Failed(Fault::new(FaultKind::Forbidden, "no")),
    );
    assert_eq!(rig.shown(), on(JobState::Running, 1, "app-blue"));
    // What has ended gives way to what runs, though both are there.
    rig.lists_now(1, JobState::Failed);
    rig.sides(&[side("app-blue", 1), side("app-green", 90)]);
    rig.deployments(&["app-blue", "app-green"]);
    rig.lists_now(2, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 2, "app-green"));
}

#[test]
fn what_was_found_by_the_name_of_a_side_goes_on_under_the_jobs_name() {
    let mut rig = rig();
    rig.deployments(&["app-blue"]);
    let found: Vec<String> = rig.reactor.records().keys().map(ToString::to_string).collect();
    assert_eq!(found, ["local/default/app-blue"]);
    rig.sides(&[side("app-blue", 1)]);
    rig.lists_now(1, JobState::Running);
    assert_eq!(rig.shown(), on(JobState::Running, 1, "app-blue"));
    assert!(!rig.reactor.targets.contains(&id("app-blue")));
}

#[test]
fn a_restart_finds_the_side_again_before_anything_was_read() {
    let mut rig = rig();
    rig.sides(&[side("app-green", 1)]);
    rig.deployments(&["app-green"]);
    rig.lists_now(1, JobState::Running);
    let stored: Vec<JobRecord> = rig
        .reactor
        .records()
        .values()
        .map(|record| JobRecord::clone(record))
        .collect();
    assert_eq!(stored[0].incarnation.deployment_uid, Some(Uid::new("uid of app-green")));
    let mut again = self::rig();
    let first = again.reactor.start(stored, vec![], again.now);
    again.commit(first);
    assert_eq!(again.shown().3, "app-green");
}

#[test]
fn two_sides_that_both_ended_are_gone_over_to_once() {
    let mut rig = rig();
    let both = [side("app-blue", 1), side("app-green", 90)];
    rig.sides(&both[..1]);
    rig.deployments(&["app-blue"]);
    rig.lists_now(1, JobState::Failed);
    rig.sides(&both);
    rig.deployments(&["app-blue", "app-green"]);
    rig.lists_now(2, JobState::Failed);
    for _ in 0..3 {
        rig.sides(&both);
        rig.deployments(&["app-blue", "app-green"]);
        assert_eq!(rig.shown(), on(JobState::Failed, 2, "app-green"));
    }
}

#[test]
fn sides_whose_owners_name_is_taken_go_by_their_own() {
    let mut rig = rig();
    let plain = FlinkResource {
        deployment: "app".to_owned(),
        ..testing::flink_resource(ResourceKind::FlinkDeployment, "app")
    };
    rig.sides(std::slice::from_ref(&plain));
    rig.deployments(&["app"]);
    rig.lists_now(1, JobState::Running);
    rig.sides(&[plain, side("app-blue", 90)]);
    rig.deployments(&["app", "app-blue"]);
    let (names, state, attempt, on) = rig.shown();
    assert_eq!(names, ["app", "app-blue"]);
    assert_eq!(
        (state, attempt, on.as_str()),
        (JobState::Running, 1, "app"),
        "it is still about its own"
    );
}
