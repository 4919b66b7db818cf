//! The names of attributes. Those of OpenTelemetry's semantic conventions where there are any; ours begin with `steadfast.`

pub(super) const K8S_CLUSTER: &str = "k8s.cluster.name";
pub(super) const K8S_NAMESPACE: &str = "k8s.namespace.name";
pub(super) const ERROR_TYPE: &str = "error.type";
pub(super) const HTTP_STATUS: &str = "http.response.status_code";
pub(super) const DB_SYSTEM: &str = "db.system.name";
pub(super) const DB_BATCH: &str = "db.operation.batch.size";

pub(super) const JOB: &str = "steadfast.job.id";
pub(super) const JOB_MODE: &str = "steadfast.job.mode";
pub(super) const FLINK_JOB: &str = "steadfast.flink_job.id";
pub(super) const ATTEMPT: &str = "steadfast.attempt";
pub(super) const POLICY: &str = "steadfast.policy.name";
/// How long the policy worked, in seconds.
pub(super) const POLICY_DURATION: &str = "steadfast.policy.duration";
/// Who spoke: `policy` or `engine`.
pub(super) const DECIDED_BY: &str = "steadfast.decided_by";
pub(super) const RULE: &str = "steadfast.rule";
pub(super) const STATE: &str = "steadfast.state";
pub(super) const CONFIDENCE: &str = "steadfast.confidence";
pub(super) const REASON_CODE: &str = "steadfast.reason.code";
pub(super) const REASON_MESSAGE: &str = "steadfast.reason.message";
pub(super) const WANTED: &str = "steadfast.wanted";

pub(super) const SOURCE: &str = "steadfast.source";
/// Who was asked: `flink`, `kubernetes` or `archive`.
pub(super) const ASKED: &str = "steadfast.asked";
/// What was seen: `present`, `absent` or `unknown`.
pub(super) const SEEN: &str = "steadfast.seen";
/// How many answers in a row were unknown.
pub(super) const FAILURES: &str = "steadfast.failures";

pub(super) const REVISION: &str = "steadfast.revision";
pub(super) const SEQUENCES: &str = "steadfast.sequences";
pub(super) const STATE_BEFORE: &str = "steadfast.state.before";

pub(super) const SINK: &str = "steadfast.sink.name";
/// How many tries to deliver the message failed before.
pub(super) const FAILED_TRIES: &str = "steadfast.delivery.failed_tries";
/// How many events a message tells of.
pub(super) const EVENTS: &str = "steadfast.delivery.events";
