use std::collections::BTreeSet;
use std::time::Duration;

use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::id::Namespace;
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, ObjectKind, Scope};
use steadfast_core::testing::at;

use super::*;

const KINDS: [ObjectKind; 3] = [ObjectKind::Deployment, ObjectKind::Pod, ObjectKind::FlinkDeployment];

/// Twelve jobs in each cluster; Flinks are expected to answer until they have ended.
#[derive(Default)]
struct Record {
    ended: BTreeSet<TargetId>,
}

impl OnRecord for Record {
    fn jobs(&self, _: &ClusterName) -> u64 {
        12
    }

    fn expects(&self, flink: &TargetId) -> bool {
        !self.ended.contains(flink)
    }
}

/// A cluster `prod`, its Flinks, and all that was told of them.
struct Rig {
    clusters: BTreeMap<ClusterName, ClusterStatus>,
    flinks: Flinks,
    record: Record,
    log: SourceLog,
}

impl Rig {
    fn new() -> Self {
        let scopes = KINDS.map(scope);
        let prod = ClusterStatus {
            server: "https://prod:6443".to_owned(),
            lists: ClusterLists::new(scopes),
            tells_of_ends: false,
            unwatched: BTreeMap::new(),
        };
        Self {
            clusters: BTreeMap::from([(ClusterName::new("prod"), prod)]),
            flinks: Flinks::default(),
            record: Record::default(),
            log: SourceLog::default(),
        }
    }

    /// A list of the kind ended: with that fault, or answered.
    fn list(&mut self, kind: ObjectKind, seconds: i64, fault: Option<FaultKind>) {
        let change = match fault {
            Some(fault) => KubeChange::Failed(Fault::new(fault, format!("list {}", kind.plural()))),
            None => KubeChange::Relisted(Vec::new(), Completeness::Complete),
        };
        let update = KubeUpdate {
            scope: scope(kind),
            asked_at: at(seconds),
            at: at(seconds),
            version: None,
            change,
        };
        let prod = self.clusters.get_mut(&update.scope.cluster).unwrap();
        prod.lists.note(&update);
        self.log.list_changed(&update.scope.cluster, at(seconds));
    }

    /// All kinds at once; the operator's is not installed.
    fn lists(&mut self, seconds: i64, fault: Option<FaultKind>) {
        self.list(ObjectKind::Deployment, seconds, fault);
        self.list(ObjectKind::Pod, seconds, fault);
        let operators = fault.unwrap_or(FaultKind::NotFound);
        self.list(ObjectKind::FlinkDeployment, seconds, Some(operators));
    }

    fn poll(&mut self, name: &str, seconds: i64, answers: bool) {
        let answer = match answers {
            true => Observed::Absent,
            false => Observed::Unknown(Fault::new(FaultKind::Refused, "no")),
        };
        let id = flink(name);
        if self
            .flinks
            .note(&id, &Observation::new(answer, at(seconds), at(seconds)))
        {
            self.log.flink_changed(&id, at(seconds));
        }
    }

    /// What is told up to that moment, each time something is due.
    fn until(&mut self, seconds: i64) -> Vec<Notice> {
        let mut notices = Vec::new();
        while let Some(due) = self.log.next_due().filter(|due| *due <= at(seconds)) {
            notices.extend(self.log.of_clusters(&self.clusters, &self.record, due));
            notices.extend(self.log.of_flinks(&self.flinks, &self.record, due));
            assert_ne!(self.log.next_due(), Some(due), "it does not come to rest");
        }
        notices
    }

    fn texts(&mut self, seconds: i64) -> Vec<String> {
        self.until(seconds).iter().map(Notice::to_string).collect()
    }
}

fn scope(kind: ObjectKind) -> Scope {
    Scope {
        cluster: ClusterName::new("prod"),
        kind,
        namespace: None,
    }
}

fn flink(name: &str) -> TargetId {
    TargetId::new(&ClusterName::new("prod"), &Namespace::new("default"), name)
}

#[test]
fn an_outage_is_one_line_and_its_end_another() {
    let mut rig = Rig::new();
    rig.lists(0, None);
    assert_eq!(rig.texts(100), [""; 0], "a cluster that can be read is no news");
    for second in [100, 101, 105, 130, 160] {
        rig.lists(second, Some(FaultKind::Refused));
    }
    let lost = rig.texts(200);
    assert_eq!(
        lost,
        [
            "prod (https://prod:6443) cannot be read since 1970-01-01T00:01:40.000Z: Deployments: refused: list Deployments; \
          Pods: refused: list Pods; its 12 jobs on record stay as last seen"
        ]
    );
    rig.list(ObjectKind::Pod, 220, None);
    assert_eq!(rig.until(230), [], "not before all of it is back");
    rig.lists(240, None);
    assert_eq!(
        rig.texts(300),
        ["prod (https://prod:6443) can be read again after 140.0 s; it concerned 12 jobs"]
    );
}

#[test]
fn what_the_first_retry_mends_is_no_news() {
    let mut rig = Rig::new();
    rig.lists(0, None);
    rig.list(ObjectKind::Deployment, 60, Some(FaultKind::Timeout));
    rig.list(ObjectKind::Deployment, 61, None);
    assert_eq!(rig.until(100), []);
}

#[test]
fn a_cluster_that_refuses_is_told_at_the_start_with_each_resource() {
    let mut rig = Rig::new();
    for second in [0, 5, 10] {
        rig.lists(second, Some(FaultKind::Forbidden));
    }
    let told = rig.texts(60);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("Deployments: forbidden: list Deployments; Pods: forbidden: list Pods;"),
        "{told:?}"
    );
    assert!(
        !told[0].contains("FlinkDeployments"),
        "a cluster without the operator is no fault: {told:?}"
    );
}

#[test]
fn what_was_refused_before_an_outage_is_not_told_again_after_it() {
    let mut rig = Rig::new();
    rig.list(ObjectKind::Deployment, 0, None);
    rig.list(ObjectKind::Pod, 0, Some(FaultKind::Forbidden));
    assert_eq!(rig.until(10).len(), 1);
    rig.list(ObjectKind::Deployment, 20, Some(FaultKind::Timeout));
    rig.list(ObjectKind::Pod, 20, Some(FaultKind::Timeout));
    assert_eq!(rig.until(30).len(), 1);
    rig.list(ObjectKind::Deployment, 40, None);
    rig.list(ObjectKind::Pod, 40, Some(FaultKind::Forbidden));
    assert_eq!(
        rig.texts(50),
        ["prod (https://prod:6443) can be read again after 20.0 s; it concerned 12 jobs; 1 list still cannot be read"]
    );
    rig.list(ObjectKind::Pod, 60, None);
    let [
        Notice::ClusterBack {
            away, unreadable: 0, ..
        },
    ] = rig.until(70)[..]
    else {
        panic!("pods are back")
    };
    assert_eq!(away, Duration::from_secs(60));
}

#[test]
fn a_flink_is_told_once_it_is_silent_for_longer_than_a_restart_takes() {
    let mut rig = Rig::new();
    for name in ["a", "b", "c", "d"] {
        rig.poll(name, 0, true);
    }
    rig.poll("a", 10, false);
    rig.poll("a", 20, true);
    assert_eq!(rig.until(40), [], "it restarted");
    for second in [50, 55, 60, 70, 90] {
        rig.poll("a", second, false);
    }
    assert_eq!(rig.until(64), []);
    assert_eq!(
        rig.texts(100),
        ["Flink of prod/default/a does not answer since 1970-01-01T00:00:50.000Z: refused: no"]
    );
    rig.poll("a", 110, true);
    assert_eq!(rig.texts(120), ["Flink of prod/default/a answers again after 60.0 s"]);
}

#[test]
fn a_flink_that_went_with_its_job_is_not_missed() {
    let mut rig = Rig::new();
    rig.poll("a", 0, true);
    rig.poll("a", 10, false);
    rig.record.ended.insert(flink("a"));
    assert_eq!(rig.until(100), []);
}

#[test]
fn a_fleet_is_told_once_and_so_is_its_return() {
    let mut rig = Rig::new();
    let names = ["a", "b", "c", "d"];
    names.iter().for_each(|name| rig.poll(name, 0, true));
    names
        .iter()
        .zip(10..)
        .for_each(|(name, second)| rig.poll(name, second, false));
    let told = rig.until(60);
    let lines = |told: &[Notice]| told.iter().map(Notice::to_string).collect::<Vec<_>>();
    assert_eq!(
        lines(&told),
        ["4 of 4 Flinks of prod do not answer since 1970-01-01T00:00:10.000Z: refused: no"]
    );
    // They come back within a poll, but for one.
    for (name, second) in [("a", 100), ("b", 102), ("c", 104)] {
        rig.poll(name, second, true);
    }
    assert_eq!(
        rig.texts(130),
        ["the Flinks of prod answer again after 94.0 s; it concerned 4; still silent: prod/default/d"]
    );
    rig.poll("d", 140, true);
    assert_eq!(rig.texts(150), ["Flink of prod/default/d answers again after 127.0 s"]);
}

#[test]
fn two_flinks_are_no_fleet() {
    let mut rig = Rig::new();
    for name in ["a", "b"] {
        rig.poll(name, 0, false);
    }
    let told = rig.until(60);
    assert!(
        matches!(&told[..], [Notice::FlinkLost { .. }, Notice::FlinkLost { .. }]),
        "{told:#?}"
    );
}
