//! The words a person would look for are in the reason, and asked for only when needed.

use steadfast_policy::testing::{START, Says};
use steadfast_policy::{JobState, KubeEvent, Pod, Readiness, Rollout, WantedSource};

use super::kit::{Story, ended_pod, pod, wants};

#[test]
fn a_restart_names_the_task_manager_that_was_killed_and_flinks_exception() {
    let mut story = Story::running();
    let first = story.at(10).flink_lists(JobState::Restarting).decide();
    assert!(wants(&first, WantedSource::TaskManagers) && wants(&first, WantedSource::Exceptions));
    assert_eq!(first.reason.code, "FlinkReports");
    story.task_managers(
        10,
        vec![
            pod("orders-taskmanager-1-2"),
            ended_pod("orders-taskmanager-1-1", "OOMKilled", 137),
        ],
    );
    story.exception(10, "JobMasterException: gone; caused by Pod terminated");
    let decision = story.at(11).decide();
    assert_eq!(decision.reason.code, "TaskManagerTrouble");
    let message = &decision.reason.message;
    assert!(
        message.contains("pod orders-taskmanager-1-1, container flink-main-container: OOMKilled (137)"),
        "{message}"
    );
    assert!(message.contains("caused by Pod terminated"), "{message}");
    let ahead = decision
        .wanted
        .iter()
        .filter(|want| want.observed_after > story.snapshot.now);
    assert_eq!(ahead.count(), 2, "what is known is not looked up in a hurry");
}

#[test]
fn evidence_of_an_earlier_trouble_explains_nothing() {
    let mut story = Story::running();
    story.task_managers(5, vec![ended_pod("orders-taskmanager-1-1", "OOMKilled", 137)]);
    let decision = story.at(10).flink_lists(JobState::Restarting).decide();
    assert!(!decision.reason.message.contains("OOMKilled"));
}

#[test]
fn tasks_that_do_not_run_are_explained_once_that_lasts() {
    let mut story = Story::running();
    story.at(5).flink_lists(JobState::Running).tasks(4, 0);
    assert!(!wants(&story.decide(), WantedSource::TaskManagers));
    story.at(10).flink_lists(JobState::Running).tasks(4, 0);
    assert!(wants(&story.decide(), WantedSource::TaskManagers));
    let mut waiting = pod("orders-taskmanager-1-1");
    waiting.unschedulable = Some("Unschedulable: 0/3 nodes are available".into());
    story.task_managers(10, vec![waiting]);
    let decision = story.at(15).flink_lists(JobState::Running).tasks(4, 0).decide();
    assert_eq!(decision.state, JobState::Running);
    assert!(
        decision.reason.message.contains("0/3 nodes"),
        "{}",
        decision.reason.message
    );
}

#[test]
fn a_healthy_job_asks_for_nothing_but_its_checkpoints() {
    let mut story = Story::running();
    // A batch job whose later tasks still wait.
    let decision = story.at(60).flink_lists(JobState::Running).tasks(100, 10).decide();
    assert!(
        decision
            .wanted
            .iter()
            .all(|want| want.source == WantedSource::Checkpoints)
    );
}

#[test]
fn events_tell_why_a_pod_that_exists_does_not_get_to_run() {
    for (reason, code) in [("FailedScheduling", "Unschedulable"), ("FailedMount", "PodStuck")] {
        let mut story = Story::starting();
        let mut stuck = pod("orders-7d-x");
        stuck.phase = "Pending".into();
        stuck.readiness = steadfast_policy::Readiness::NotReady;
        let asked = story
            .at(5)
            .flink_silent(1)
            .deployment_there(4)
            .pods(vec![stuck])
            .decide();
        assert!(wants(&asked, WantedSource::Events));
        story.event("Pod/orders-7d-x", reason, "no persistent volumes");
        let decision = story.at(10).decide();
        assert_eq!(decision.state, JobState::Starting);
        assert!(decision.reason.message.contains(reason), "{}", decision.reason.message);
        let late = story.at(601).deployment_there(600).decide();
        assert_eq!((late.state, late.reason.code.as_str()), (JobState::Failed, code));
    }
}

/// A pod that no node takes, as the scheduler says.
fn without_a_node(said: Option<&str>) -> Pod {
    Pod {
        container: None,
        unschedulable: said.map(str::to_owned),
        ..pending("orders-7d-x")
    }
}

#[test]
fn a_claim_that_is_not_bound_is_named_where_a_pod_waits_for_it() {
    let unbound = "Unschedulable: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims";
    for said in [Some(unbound), None] {
        let mut story = Story::starting();
        let waiting = without_a_node(said);
        let asked = story
            .at(5)
            .flink_silent(1)
            .deployment_there(4)
            .pods(vec![waiting])
            .decide();
        assert!(wants(&asked, WantedSource::Events), "{said:?}");
        let waits = event("PersistentVolumeClaim/checkpoints", "WaitForFirstConsumer");
        let failed = event("PersistentVolumeClaim/checkpoints", "ProvisioningFailed");
        story.events(Says::Present(vec![waits, failed]));
        let decision = story.at(10).decide();
        let named = "PersistentVolumeClaim/checkpoints: ProvisioningFailed: what Kubernetes says";
        assert_eq!(decision.state, JobState::Starting);
        assert!(decision.reason.message.contains(named), "{}", decision.reason.message);
        let late = story.at(601).deployment_there(600).decide();
        assert_eq!(
            (late.state, late.reason.code.as_str()),
            (JobState::Failed, "Unschedulable")
        );
        assert!(late.reason.message.contains(named), "{}", late.reason.message);
        assert!(said.is_none_or(|said| late.reason.message.contains(said)));
    }
}

#[test]
fn a_claim_says_nothing_of_a_pod_that_has_a_node_nor_of_a_later_one() {
    let of = |pod: Pod, event: KubeEvent| {
        let mut story = Story::starting();
        story.at(5).flink_silent(1).deployment_there(4).pods(vec![pod]);
        story.events(Says::Present(vec![event]));
        story.at(601).deployment_there(600).decide()
    };
    let failed = || event("PersistentVolumeClaim/checkpoints", "ProvisioningFailed");
    let pulls = of(pending("orders-7d-x"), failed());
    assert!(!pulls.reason.message.contains("ProvisioningFailed"), "a kubelet has it");
    assert_eq!(pulls.state, JobState::Starting);
    let older = KubeEvent {
        at: Some(START - 60_000),
        ..failed()
    };
    let later = of(without_a_node(None), older);
    assert!(
        !later.reason.message.contains("ProvisioningFailed"),
        "of the pod before"
    );
}

#[test]
fn a_pod_that_no_node_takes_for_another_reason_asks_for_no_events() {
    let mut story = Story::starting();
    let waiting = without_a_node(Some("Unschedulable: 0/3 nodes are available: 3 Insufficient cpu"));
    let decision = story
        .at(5)
        .flink_silent(1)
        .deployment_there(4)
        .pods(vec![waiting])
        .decide();
    assert!(!wants(&decision, WantedSource::Events));
}

#[test]
fn each_reason_that_only_an_event_tells_is_named_after_the_deadline() {
    for reason in [
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "FailedCreatePodSandBox",
        "FailedPodSandBoxStatus",
        "NetworkNotReady",
        "FailedScheduling",
        "FailedPrepareDynamicResources",
        "NodeNotReady",
        "Evicted",
        "SomethingNew",
    ] {
        let mut story = Story::starting();
        story
            .at(5)
            .flink_silent(1)
            .deployment_there(4)
            .pods(vec![pending("orders-7d-x")]);
        let noise = event("Pod/orders-7d-x", "FailedToRetrieveImagePullSecret");
        story.events(Says::Present(vec![noise, event("Pod/orders-7d-x", reason)]));
        story.decide();
        let late = story.at(601).deployment_there(600).decide();
        assert_eq!(late.state, JobState::Failed, "{reason}");
        assert!(late.reason.message.contains(reason), "{}", late.reason.message);
    }
    for reason in ["FailedCreate", "ReplicaSetCreateError"] {
        let mut story = Story::starting();
        story.at(5).flink_silent(1).deployment_there(4).no_pod(4);
        story.events(Says::Present(vec![event("ReplicaSet/orders-7d", reason)]));
        let late = story.at(601).deployment_there(600).decide();
        assert_eq!(
            (late.state, late.reason.code.as_str()),
            (JobState::Failed, "FailedCreate")
        );
    }
}

#[test]
fn warnings_that_harm_nobody_are_no_reason_to_fail() {
    let mut story = Story::starting();
    story
        .at(5)
        .flink_silent(1)
        .deployment_there(4)
        .pods(vec![pending("orders-7d-x")]);
    story.events(Says::Present(vec![event(
        "Pod/orders-7d-x",
        "FailedToRetrieveImagePullSecret",
    )]));
    assert_eq!(story.at(601).deployment_there(600).decide().state, JobState::Starting);
}

#[test]
fn an_event_speaks_only_for_what_is_there_and_no_older() {
    let of_no_pod = |event: KubeEvent| {
        let mut story = Story::starting();
        story.at(3600).flink_silent(1).deployment_there(3599).no_pod(3599);
        story.events(Says::Present(vec![event]));
        story.decide().reason.message
    };
    let at = |second: i64| Some(START + second * 1000);
    let told = |object, at| KubeEvent {
        at,
        ..event(object, "FailedCreate")
    };
    assert!(of_no_pod(told("ReplicaSet/orders-7d", at(3500))).contains("FailedCreate"));
    assert!(
        !of_no_pod(told("Pod/orders-7d-x", at(3500))).contains("FailedCreate"),
        "of a pod that is gone"
    );
    assert!(
        !of_no_pod(told("ReplicaSet/orders-7d", at(1800))).contains("FailedCreate"),
        "half an hour ago"
    );
    assert!(
        !of_no_pod(told("ReplicaSet/orders-7d", at(-60))).contains("FailedCreate"),
        "of the Deployment before"
    );
    let mut story = Story::starting();
    story
        .at(5)
        .flink_silent(1)
        .deployment_there(4)
        .pods(vec![pending("orders-0")]);
    let older = KubeEvent {
        at: at(-60),
        ..event("Pod/orders-0", "FailedMount")
    };
    story.events(Says::Present(vec![older]));
    assert!(
        !story.decide().reason.message.contains("FailedMount"),
        "of another pod of that name"
    );
}

fn pending(name: &str) -> Pod {
    Pod {
        phase: "Pending".into(),
        readiness: Readiness::NotReady,
        ..pod(name)
    }
}

fn event(object: &str, reason: &str) -> KubeEvent {
    KubeEvent {
        object: object.into(),
        reason: reason.into(),
        message: "what Kubernetes says".into(),
        at: None,
    }
}

#[test]
fn events_of_another_pod_tell_nothing_of_this_one() {
    let mut story = Story::starting();
    story
        .at(5)
        .flink_silent(1)
        .deployment_there(4)
        .pods(vec![pod("orders-7d-y")]);
    story.event("Pod/orders-7d-x", "FailedMount", "no persistent volumes");
    assert!(!story.decide().reason.message.contains("FailedMount"));
}

#[test]
fn a_pod_in_anothers_place_says_how_the_other_ended() {
    let mut story = Story::running();
    let answered = story.at(5).pods(vec![pod("jm-a")]).flink_lists(JobState::Running);
    answered.decide();
    let mut evicted = pod("jm-a");
    evicted.phase = "Failed".into();
    evicted.reason = Some("Evicted: The node was low on resource: memory".into());
    let decision = story.at(20).flink_silent(10).pods(vec![pod("jm-b"), evicted]).decide();
    assert_eq!(decision.state, JobState::Restarting);
    assert!(decision.reason.message.contains("jm-b") && decision.reason.message.contains("Evicted"));
}

#[test]
fn a_rollout_under_way_is_said() {
    let mut story = Story::running();
    story.at(30).flink_silent(5).deployment_there(29);
    if let Some(steadfast_policy::DeploymentAnswer::Present(deployment)) =
        story.snapshot.deployment.as_mut().map(|evidence| &mut evidence.answer)
    {
        deployment.rollout = Rollout::InProgress;
    }
    assert!(story.decide().reason.message.contains("rollout is in progress"));
}

#[test]
fn the_cause_of_an_earlier_failure_is_not_that_of_this_one() {
    let mut story = Story::running();
    story.at(60).flink_lists(JobState::Restarting);
    story.exception(61, "A: kafka timed out");
    story.at(62).decide();
    story.at(100).flink_lists(JobState::Running).decide();
    let failed = story.at(1800).flink_lists(JobState::Failed).decide();
    assert_eq!(failed.reason.code, "FlinkReports", "{}", failed.reason.message);
    assert!(wants(&failed, WantedSource::Exceptions));
    story.exception(1801, "B: out of memory");
    let explained = story.at(1802).flink_lists(JobState::Failed).decide();
    assert_eq!(explained.reason.message, "B: out of memory");
}
