use steadfast_server::FlinkCounts;

use super::*;

const SINCE: &str = "2026-11-28T03:31:07.120Z";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-28T03:31:32.500Z").unwrap()
}

fn kind(kind: &str, state: KindState) -> Kind {
    let is_unknown = matches!(state, KindState::Retrying | KindState::NotServed);
    Kind {
        kind: kind.to_owned(),
        namespace: None,
        state,
        reachable_since: None,
        unknown_since: is_unknown.then(|| SINCE.to_owned()),
        fault: is_unknown.then(|| format!("forbidden: cannot list {kind}")),
        last_list_at: None,
        last_list_objects: (state == KindState::Reached).then_some(3),
    }
}

/// Deployments, pods, FlinkDeployments.
fn cluster(states: [KindState; 3], jobs: u64, never_read: bool) -> Seen {
    let [deployments, pods, operators] = states;
    let cluster = Cluster {
        name: "prod".to_owned(),
        server: "https://prod:6443".to_owned(),
        state: Reach::Retrying,
        reachable_since: None,
        unknown_since: Some(SINCE.to_owned()),
        fault: None,
        never_read,
        kinds: vec![
            kind("Deployment", deployments),
            kind("Pod", pods),
            kind("FlinkDeployment", operators),
        ],
        jobs,
        unconfirmed: jobs,
        flinks: FlinkCounts {
            watched: jobs,
            silent: 1,
        },
        unwatched: Vec::new(),
        unwatched_omitted: 0,
    };
    Seen::from(cluster)
}

#[test]
fn a_cluster_that_is_not_wholly_readable_has_a_line_and_any_other_none() {
    use KindState::{NotServed, Pending, Reached, Retrying};
    let forbidden = "since 03:31:07 UTC (25 s): forbidden: cannot list";
    for (states, jobs, never_read, says) in [
        ([Reached, Reached, Reached], 12, false, None),
        ([Reached, Reached, NotServed], 0, false, None),
        (
            [Retrying, Retrying, Retrying],
            12,
            false,
            Some(format!(
                "not readable {forbidden} Deployment; its 12 jobs are as last seen"
            )),
        ),
        (
            [Retrying, Retrying, NotServed],
            0,
            true,
            Some(format!("not readable {forbidden} Deployment; its jobs are not known")),
        ),
        (
            [Reached, Retrying, NotServed],
            1,
            false,
            Some(format!("Pods not readable {forbidden} Pod; its 1 job is as last seen")),
        ),
        (
            [Pending, Reached, Reached],
            2,
            true,
            Some(
                "not read yet, the first lists are under way; its 2 jobs are as last seen, others are not known"
                    .to_owned(),
            ),
        ),
        (
            [Reached, Reached, Retrying],
            12,
            false,
            Some(format!(
                "FlinkDeployments not readable {forbidden} FlinkDeployment; jobs that only a FlinkDeployment names are not known; \
                 without the operator, set discover = [\"native\"]"
            )),
        ),
    ] {
        let says = says.map(|says| format!("prod: {says}"));
        assert_eq!(line(&cluster(states, jobs, never_read), now()), says);
    }
}

#[test]
fn what_can_be_read_is_a_change_and_what_was_read_is_none() {
    use KindState::{NotServed, Reached, Retrying};
    let list = |cluster| Clusters {
        items: vec![cluster],
        ..Clusters::default()
    };
    let healthy = cluster([Reached, Reached, NotServed], 3, false);
    let mut told = Told::new(&list(healthy.clone()));
    let mut later = healthy.clone();
    later.cluster.kinds[0].last_list_objects = Some(4);
    later.cluster.kinds[2].fault = Some("other words".to_owned());
    assert_eq!(told.changes(&list(later)).items, []);
    let lost = cluster([Retrying, Reached, NotServed], 3, false);
    assert_eq!(told.changes(&list(lost.clone())).items, std::slice::from_ref(&lost));
    assert_eq!(told.changes(&list(lost)).items, []);
    assert_eq!(told.changes(&list(healthy.clone())).items, [healthy]);
}

#[test]
fn a_moment_has_its_date_if_it_was_not_today() {
    let now = now();
    for (text, says) in [
        ("2026-11-28T01:00:00.000Z", "01:00:00 UTC (2 h 31 min)"),
        ("2026-11-28T03:29:30.000Z", "03:29:30 UTC (2 min 2 s)"),
        ("2026-11-26T03:00:00.000Z", "2026-11-26 03:00:00 UTC (2 d 0 h)"),
    ] {
        assert_eq!(moment(text, now), says);
    }
}

#[test]
fn deployments_that_nothing_watches_have_a_line() {
    let mut prod = cluster([KindState::Reached; 3], 0, false);
    assert_eq!(unwatched(&prod), None);
    prod.cluster.unwatched = vec!["default/odd".to_owned()];
    let line = unwatched(&prod).unwrap();
    assert!(
        line.starts_with("prod: 1 Deployment of Flink's that nothing watches: default/odd; ")
            && line.contains("mode = \"session\""),
        "{line}"
    );
    prod.cluster.unwatched = (0..6).map(|n| format!("default/d{n}")).collect();
    prod.cluster.unwatched_omitted = 3;
    let line = unwatched(&prod).unwrap();
    assert!(
        line.contains("9 Deployments") && line.contains("default/d3 and 5 more"),
        "{line}"
    );
}

#[test]
fn a_cluster_whose_flinks_answer_is_not_said_to_be_as_last_seen() {
    use KindState::{Reached, Retrying};
    for (states, unseen) in [
        (
            [Retrying, Reached, Reached],
            "that a Deployment is made, changed or deleted is not seen",
        ),
        ([Reached, Retrying, Reached], "what becomes of pods is not seen"),
        (
            [Retrying, Retrying, Reached],
            "what becomes of Deployments and pods is not seen",
        ),
    ] {
        let mut prod = cluster(states, 4, false);
        prod.cluster.unconfirmed = 1;
        let told = line(&prod, now()).unwrap();
        assert!(
            told.ends_with(&format!("; {unseen}; Flink confirms 3 of its 4 jobs")),
            "{told}"
        );
        // Nobody confirms what had ended.
        prod.ended = 2;
        let told = line(&prod, now()).unwrap();
        assert!(
            told.ends_with("; Flink confirms 1 of its 2 jobs; 2 more had ended before"),
            "{told}"
        );
        prod.ended = 3;
        let told = line(&prod, now()).unwrap();
        assert!(
            told.ends_with("; its 1 job is as last seen; 3 more had ended before"),
            "{told}"
        );
        (prod.ended, prod.cluster.unconfirmed) = (4, 0);
        let told = line(&prod, now()).unwrap();
        assert!(told.ends_with("; its 4 jobs had ended before"), "{told}");
    }
}

#[test]
fn the_table_says_why_a_cluster_is_not_readable() {
    use KindState::{NotServed, Reached, Retrying};
    let list = |states| Clusters {
        items: vec![cluster(states, 3, false)],
        ..Clusters::default()
    };
    let lost = table(&list([Retrying, Retrying, NotServed]), now()).shown(Screen::default());
    assert!(
        lost.contains("not-readable") && lost.ends_with("   forbidden: cannot list Deployment\n"),
        "{lost}"
    );
    let well = list([Reached, Reached, NotServed]);
    assert_eq!(reason(&well.items[0]), "");
}
