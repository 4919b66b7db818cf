use std::collections::BTreeMap;

use steadfast_core::cluster_lists::ClusterLists;
use steadfast_core::evidence::{Fault, FaultKind, Observation, Observed};
use steadfast_core::id::TargetId;
use steadfast_core::kube_update::{Completeness, KubeChange, KubeUpdate, ObjectKind, Scope};
use steadfast_core::snapshot::Fleet;
use steadfast_core::testing::at;

use super::*;
use crate::metrics::write::testing::{samples, samples_of};

#[derive(Debug)]
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn read(board: &StatusBoard) -> Sources {
    let (_, entries) = watch::channel(Sequence(7));
    Sources {
        status: board.clone(),
        projection: Arc::default(),
        entries,
        clock: Arc::new(Stopped(at(100))),
    }
}

/// A cluster with lists of Deployments and of the operator's resources, after these updates.
fn cluster(updates: &[(ObjectKind, i64, KubeChange)]) -> StatusBoard {
    let scope = |kind| Scope {
        cluster: ClusterName::new("a"),
        kind,
        namespace: None,
    };
    let mut lists = ClusterLists::new([scope(ObjectKind::Deployment), scope(ObjectKind::FlinkDeployment)]);
    for (kind, seconds, change) in updates {
        lists.note(&KubeUpdate {
            scope: scope(*kind),
            asked_at: at(*seconds),
            at: at(*seconds),
            version: None,
            change: change.clone(),
        });
    }
    let cluster = ClusterStatus {
        server: String::new(),
        lists,
        tells_of_ends: false,
        unwatched: BTreeMap::new(),
    };
    let board = StatusBoard::default();
    board.write(|status| {
        status.turned_at = at(98);
        status.clusters.insert(ClusterName::new("a"), cluster);
    });
    board
}

fn failed(kind: FaultKind) -> KubeChange {
    KubeChange::Failed(Fault::new(kind, "why"))
}

#[test]
fn a_cluster_that_was_not_asked_yet_is_neither_reachable_nor_not() {
    let board = cluster(&[]);
    assert_eq!(samples_of("steadfast_cluster_reachable", read(&board)), [""; 0]);
    assert_eq!(
        samples_of("steadfast_cluster_unknown_since_timestamp_seconds", read(&board)),
        [""; 0]
    );
    assert_eq!(
        samples_of("steadfast_cluster_never_read", read(&board)),
        ["{cluster=\"a\"} 1"]
    );
}

#[test]
fn an_outage_shows_since_when_it_lasts_and_nothing_when_it_is_over() {
    let listed = || KubeChange::Relisted(Vec::new(), Completeness::Complete);
    let out = [
        (ObjectKind::Deployment, 10, listed()),
        (ObjectKind::Deployment, 20, failed(FaultKind::Timeout)),
        (ObjectKind::Deployment, 30, failed(FaultKind::Refused)),
        // The operator is not there: no outage.
        (ObjectKind::FlinkDeployment, 30, failed(FaultKind::NotFound)),
    ];
    let board = cluster(&out);
    assert_eq!(
        samples_of("steadfast_cluster_reachable", read(&board)),
        ["{cluster=\"a\"} 0"]
    );
    let since = samples_of("steadfast_cluster_unknown_since_timestamp_seconds", read(&board));
    assert_eq!(since, ["{cluster=\"a\"} 20.0"]);
    let since = samples_of("steadfast_list_unknown_since_timestamp_seconds", read(&board));
    assert_eq!(since, ["{cluster=\"a\",kind=\"Deployment\",namespace=\"\"} 20.0"]);
    assert_eq!(
        samples_of("steadfast_cluster_never_read", read(&board)),
        ["{cluster=\"a\"} 0"]
    );

    let over = cluster(&[&out[..], &[(ObjectKind::Deployment, 40, listed())]].concat());
    assert_eq!(
        samples_of("steadfast_cluster_reachable", read(&over)),
        ["{cluster=\"a\"} 1"]
    );
    for metric in [
        "steadfast_cluster_unknown_since_timestamp_seconds",
        "steadfast_list_unknown_since_timestamp_seconds",
    ] {
        assert_eq!(samples_of(metric, read(&over)), [""; 0], "{metric}");
    }
}

#[test]
fn flinks_are_silent_since_the_first_of_them_fell_silent() {
    let board = StatusBoard::default();
    let silent = |seconds| {
        Observation::new(
            Observed::Unknown(Fault::new(FaultKind::Refused, "no")),
            at(seconds),
            at(seconds),
        )
    };
    board.write_flinks(|flinks| {
        flinks.note(&TargetId::standalone("x"), &silent(30));
        flinks.note(&TargetId::standalone("y"), &silent(20));
        flinks.note(
            &TargetId::standalone("z"),
            &Observation::new(Observed::Absent, at(1), at(1)),
        );
    });
    let counts = samples_of("steadfast_flinks", read(&board));
    assert_eq!(
        counts,
        [
            "{cluster=\"-\",answer=\"answering\"} 1",
            "{cluster=\"-\",answer=\"silent\"} 2"
        ]
    );
    let since = samples_of("steadfast_flinks_silent_since_timestamp_seconds", read(&board));
    assert_eq!(since, ["{cluster=\"-\"} 20.0"]);
}

#[test]
fn an_engine_without_clusters_tells_of_itself() {
    let board = StatusBoard::default();
    board.write(|status| {
        status.turned_at = at(98);
        status.store_error = Some("no room".to_owned());
        let fleet = Fleet { targets: 3, dark: 2 };
        status.fleets.insert(ClusterName::new("-"), fleet);
    });
    let wanted = [
        "steadfast_fleet_targets{cluster=\"-\"} 3",
        "steadfast_fleet_dark_targets{cluster=\"-\"} 2",
        "steadfast_loop_turn_age_seconds 2.0",
        "steadfast_store_writable 0",
        "steadfast_journal_sequence 7",
    ];
    assert_eq!(samples(read(&board)), wanted);
}
