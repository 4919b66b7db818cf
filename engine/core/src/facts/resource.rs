//! Resources of the Flink Kubernetes Operator (`flink.apache.org/v1beta1`).

use super::Rollout;
use crate::foreign_text::ForeignText;
use crate::id::{FlinkJobId, Namespace, Uid};
use crate::state::{JobState, Mode};
use crate::time::Timestamp;

/// A FlinkDeployment or FlinkSessionJob. What its status says is what the operator last saw: evidence, not truth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FlinkResource {
    /// Which of the two.
    pub kind: ResourceKind,
    /// `metadata.namespace`.
    pub namespace: Namespace,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// The FlinkBlueGreenDeployment that owns it (`metadata.ownerReferences`): of a FlinkDeployment that is one of its two
    /// sides.
    pub blue_green: Option<String>,
    /// The Deployment of its JobManager: the FlinkDeployment's own name, or `spec.deploymentName`.
    pub deployment: String,
    /// Application if a FlinkDeployment has a `spec.job`, else session.
    pub mode: Mode,
    /// `metadata.creationTimestamp`, whole seconds.
    pub created_at: Option<Timestamp>,
    /// `metadata.deletionTimestamp`.
    pub deleting_since: Option<Timestamp>,
    /// `spec.job.state`.
    pub desired: Desired,
    /// Whether `status.observedGeneration` is `metadata.generation`.
    pub rollout: Rollout,
    /// `status.jobStatus.jobId`.
    pub flink_job_id: Option<FlinkJobId>,
    /// `status.jobStatus.state`.
    pub reported_state: Option<JobState>,
    /// `status.lifecycleState`, e.g. `STABLE`, `UPGRADING`, `SUSPENDED`, `FAILED`.
    pub lifecycle: Option<ForeignText>,
    /// `status.jobManagerDeploymentStatus`, e.g. `READY`, `MISSING`, `ERROR`.
    pub job_manager_status: Option<ForeignText>,
    /// `status.error`: what the operator could not do.
    pub error: Option<ForeignText>,
}

impl FlinkResource {
    /// Whether a job of its session cluster is one that this FlinkSessionJob asks for: the one that its status names, or one
    /// whose id the operator made for it.
    ///
    /// Since 1.8 the operator draws ids, and writes one into the status before it submits the job. Before, it made them of the
    /// resource's uid and generation, and the status named them only afterwards (flink-kubernetes-operator,
    /// `FlinkUtils.generateSessionJobFixedJobID`): the upper part of the `JobID` is the generation, the lower part the uid's
    /// first 64 bits (1.6 and 1.7), or the `String.hashCode` of it (1.2 to 1.5).
    pub fn asks_for(&self, job: FlinkJobId) -> bool {
        self.kind == ResourceKind::FlinkSessionJob
            && (self.flink_job_id == Some(job) || self.lower_parts_of_jobs().any(|made| made == job.lower_part()))
    }

    /// The lower parts of the ids that versions of the operator make for its jobs.
    pub(crate) fn lower_parts_of_jobs(&self) -> impl Iterator<Item = i64> {
        let uid = self.uid.as_str();
        let first = uid.bytes().filter(|byte| *byte != b'-').take(16);
        let first = String::from_utf8(first.collect()).ok();
        let first_bits = first
            .and_then(|hex| u64::from_str_radix(&hex, 16).ok())
            .map(u64::cast_signed);
        first_bits.into_iter().chain([i64::from(hash_code(uid))])
    }
}

/// Java's `String.hashCode`.
fn hash_code(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The kinds of the operator's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// A Flink cluster: an application, or a session without jobs of its own.
    FlinkDeployment,
    /// A job of a session cluster.
    FlinkSessionJob,
}

/// What a specification asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Desired {
    /// `running`, which is the default.
    #[default]
    Running,
    /// `suspended`: a stop that is intended.
    Suspended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::flink_resource;

    fn made(lower: i64, generation: u64) -> FlinkJobId {
        FlinkJobId::parse(&format!("{lower:016x}{generation:016x}")).unwrap()
    }

    #[test]
    fn a_job_is_known_by_the_status_or_by_what_the_operator_makes_its_id_of() {
        let daily = FlinkResource {
            uid: Uid::new("a26c5d8e-0f00-4000-8000-000000000001"),
            flink_job_id: FlinkJobId::parse(&format!("{:032x}", 7)),
            ..flink_resource(ResourceKind::FlinkSessionJob, "daily")
        };
        assert!(daily.asks_for(daily.flink_job_id.unwrap()), "its status names it");
        let hash = i64::from(hash_code(daily.uid.as_str()));
        assert!(
            daily.asks_for(made(hash, 1)) && daily.asks_for(made(hash, 12)),
            "1.2 to 1.5"
        );
        let bits = 0xa26c_5d8e_0f00_4000_u64.cast_signed();
        assert!(daily.asks_for(made(bits, 1)), "1.6 and 1.7");
        assert!(!daily.asks_for(made(hash.wrapping_add(1), 1)));
        let deployment = FlinkResource {
            kind: ResourceKind::FlinkDeployment,
            ..daily
        };
        assert!(!deployment.asks_for(made(hash, 1)), "a FlinkDeployment is no job");
    }

    #[test]
    fn texts_have_the_hash_that_java_gives_them() {
        // By the definition in java.lang.String: s[0]*31^(n-1) + ... + s[n-1].
        assert_eq!((hash_code(""), hash_code("a"), hash_code("ab")), (0, 97, 97 * 31 + 98));
        assert_eq!(hash_code("polygenelubricants"), i32::MIN);
    }
}
