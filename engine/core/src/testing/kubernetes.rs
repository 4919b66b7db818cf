use crate::facts::{Deployment, Desired, FlinkResource, Pod, Readiness, ResourceKind, Rollout};
use crate::id::{Namespace, Uid};
use crate::labels::Labels;
use crate::state::Mode;

/// `default/orders`, with its one replica ready. Nothing says that it is Flink's: `native` and `owner` are to be set.
pub fn deployment(uid: &str) -> Deployment {
    Deployment {
        namespace: Namespace::new("default"),
        name: "orders".to_owned(),
        uid: Uid::new(uid),
        created_at: None,
        deleting_since: None,
        replicas: 1,
        ready: 1,
        native: None,
        owner: None,
        trouble: None,
        rollout: Rollout::Settled,
        labels: Labels::default(),
    }
}

/// A pod of `default/orders` that runs and is ready; its UID is its name.
pub fn pod(name: &str) -> Pod {
    Pod {
        namespace: Namespace::new("default"),
        name: name.to_owned(),
        uid: Uid::new(name),
        app: "orders".to_owned(),
        created_at: None,
        deleting_since: None,
        phase: "Running".into(),
        reason: None,
        ip: None,
        rest_port: None,
        ready: Readiness::Ready,
        unschedulable: None,
        container: None,
    }
}

/// The operator's resource behind the Deployment `default/orders`: an application that should run, of which its status
/// says nothing yet. A FlinkDeployment has that Deployment's name, a FlinkSessionJob one of its own.
pub fn flink_resource(kind: ResourceKind, name: &str) -> FlinkResource {
    FlinkResource {
        kind,
        namespace: Namespace::new("default"),
        name: name.to_owned(),
        uid: Uid::new(name),
        blue_green: None,
        deployment: "orders".to_owned(),
        mode: Mode::Application,
        created_at: None,
        deleting_since: None,
        desired: Desired::Running,
        rollout: Rollout::Settled,
        flink_job_id: None,
        reported_state: None,
        lifecycle: None,
        job_manager_status: None,
        error: None,
    }
}
