//! Resources of the Flink Kubernetes Operator, read leniently: a field that is not known does no harm, one that is
//! missing is not there yet, and only a field of another shape than the reference says keeps an object from decoding.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::IgnoredAny;
use steadfast_core::facts::{Desired, FlinkResource, ResourceKind, Rollout, SnapshotPhase, StateSnapshot};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::FlinkJobId;
use steadfast_core::state::{JobState, Mode};

use super::metadata::{identity, object_name, timestamp};
use crate::json;

/// A FlinkDeployment or FlinkSessionJob (`flink.apache.org/v1beta1`).
#[derive(Deserialize)]
pub(super) struct Resource {
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    job: Option<Job>,
    /// Of a FlinkSessionJob: its FlinkDeployment, after which the operator names the Deployment.
    deployment_name: Option<String>,
}

#[derive(Deserialize)]
struct Job {
    state: Option<Asked>,
}

/// `spec.job.state`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Asked {
    Running,
    Suspended,
}

impl From<Asked> for Desired {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Running => Self::Running,
            Asked::Suspended => Self::Suspended,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    job_status: Option<JobStatus>,
    error: Option<String>,
    lifecycle_state: Option<String>,
    job_manager_deployment_status: Option<String>,
    observed_generation: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobStatus {
    job_id: Option<String>,
    /// In old versions of the operator also words that Flink does not have.
    state: Option<String>,
}

impl Resource {
    /// The facts; `None` if it lacks its name or uid, or a FlinkSessionJob does not say whose it is.
    pub(super) fn facts(self, kind: ResourceKind) -> Option<FlinkResource> {
        let Self { metadata, spec, status } = self;
        let (namespace, name, uid) = identity(&metadata)?;
        let job_status = status.job_status.as_ref();
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        let blue_green = owners.iter().find(|owner| owner.kind == "FlinkBlueGreenDeployment");
        let is_application = kind == ResourceKind::FlinkDeployment && spec.job.is_some();
        Some(FlinkResource {
            kind,
            namespace,
            uid,
            blue_green: match blue_green {
                Some(owner) => Some(object_name(&owner.name)?),
                None => None,
            },
            deployment: match kind {
                ResourceKind::FlinkDeployment => name.clone(),
                ResourceKind::FlinkSessionJob => object_name(&spec.deployment_name?)?,
            },
            name,
            mode: if is_application {
                Mode::Application
            } else {
                Mode::Session
            },
            created_at: timestamp(metadata.creation_timestamp.as_ref()),
            deleting_since: timestamp(metadata.deletion_timestamp.as_ref()),
            desired: spec
                .job
                .and_then(|job| job.state)
                .map(Desired::from)
                .unwrap_or_default(),
            rollout: if status.observed_generation >= metadata.generation {
                Rollout::Settled
            } else {
                Rollout::InProgress
            },
            flink_job_id: job_status.and_then(|job| FlinkJobId::parse(job.job_id.as_deref()?)),
            reported_state: job_status
                .and_then(|job| JobState::parse(job.state.as_deref()?).filter(|state| state.is_flinks())),
            lifecycle: status.lifecycle_state.map(Into::into),
            job_manager_status: status.job_manager_deployment_status.map(Into::into),
            error: status
                .error
                .filter(|error| !error.is_empty())
                .map(|error| message(&error)),
        })
    }
}

/// A FlinkStateSnapshot (`flink.apache.org/v1beta1`, since 1.10 of the operator).
#[derive(Deserialize)]
pub(super) struct Snapshot {
    metadata: ObjectMeta,
    #[serde(default)]
    spec: SnapshotSpec,
    #[serde(default)]
    status: SnapshotStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotSpec {
    job_reference: Option<JobReference>,
    savepoint: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct JobReference {
    kind: Option<String>,
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct SnapshotStatus {
    state: Option<String>,
}

impl Snapshot {
    /// The facts; `None` if it lacks its name or uid, or does not say of which job it is.
    pub(super) fn facts(self) -> Option<StateSnapshot> {
        let (namespace, name, uid) = identity(&self.metadata)?;
        let JobReference { kind, name: job } = self.spec.job_reference?;
        let kind = match kind?.as_str() {
            "FlinkDeployment" => ResourceKind::FlinkDeployment,
            "FlinkSessionJob" => ResourceKind::FlinkSessionJob,
            _ => return None,
        };
        let is_under_way = matches!(self.status.state.as_deref(), Some("TRIGGER_PENDING" | "IN_PROGRESS"));
        Some(StateSnapshot {
            namespace,
            name,
            uid,
            of: (kind, object_name(&job?)?),
            phase: if is_under_way && self.spec.savepoint.is_some() {
                SnapshotPhase::SavepointUnderWay
            } else {
                SnapshotPhase::Other
            },
        })
    }
}

/// What an error says to people, which may be a whole causal chain. Since 1.3 the operator writes JSON: the exception, and
/// those behind it.
fn message(error: &str) -> ForeignText {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Exception {
        #[serde(rename = "type")]
        class: Option<String>,
        message: Option<String>,
        #[serde(default)]
        throwable_list: Vec<Exception>,
    }
    let Ok(exception) = json::from_str::<Exception>(error) else {
        return error.trim().into();
    };
    let say = |exception: &Exception| {
        let class = exception.class.as_deref().and_then(|class| class.rsplit('.').next());
        match (class, exception.message.as_deref().filter(|text| !text.is_empty())) {
            (Some(class), Some(text)) => Some(format!("{class}: {text}")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => None,
        }
    };
    let cause = exception.throwable_list.iter().rev().find_map(say);
    match (say(&exception), cause) {
        (Some(first), Some(cause)) if first.contains(&cause) => first.trim().into(),
        (Some(first), Some(cause)) => format!("{first}; caused by {cause}").trim().into(),
        (Some(one), None) | (None, Some(one)) => one.trim().into(),
        (None, None) => error.trim().into(),
    }
}
