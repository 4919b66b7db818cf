//! The resource as it is written. `examples/deploy/crd/jobstatuses.yaml` is made of these types.
//!
//! No field has a list of words or a longest length: a rule about form must not keep a fact from being written, least of all in a
//! cluster whose definition is older than the engine.

use serde::{Deserialize, Serialize};

/// The API group.
pub const GROUP: &str = "steadfast.dev";
/// Its version.
pub const VERSION: &str = "v1alpha1";
/// The name of the resource in paths and roles.
pub const PLURAL: &str = "jobstatuses";
/// The name of the kind.
pub(crate) const KIND: &str = "JobStatus";

/// Which record of Steadfast's is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(kube::CustomResource, schemars::JsonSchema))]
#[cfg_attr(
    test,
    kube(
        group = "steadfast.dev",
        version = "v1alpha1",
        kind = "JobStatus",
        plural = "jobstatuses",
        shortname = "jst",
        namespaced,
        status = "Status",
        doc = "What Steadfast knows of a Flink job. It shows the record and is written by Steadfast alone: whoever wants to change what it says changes the job.",
        category = "flink",
        printcolumn = r#"{"name":"State","type":"string","jsonPath":".status.state"}"#,
        printcolumn = r#"{"name":"Confidence","type":"string","jsonPath":".status.confidence"}"#,
        printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.reason"}"#,
        printcolumn = r#"{"name":"Since","type":"date","jsonPath":".status.since"}"#,
        printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#,
        printcolumn = r#"{"name":"Attempt","type":"integer","priority":1,"jsonPath":".status.attempt"}"#,
        printcolumn = r#"{"name":"Job","type":"string","priority":1,"jsonPath":".spec.job"}"#,
        printcolumn = r#"{"name":"Message","type":"string","priority":1,"jsonPath":".status.message"}"#
    )
)]
pub(crate) struct Spec {
    /// The id of the record, as the API and the command line have it: `cluster/namespace/name`, and behind it the job of a session
    /// cluster. Steadfast sets it; who declares the resource leaves it out.
    pub(crate) job: String,
}

/// What the record says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Status {
    /// The job's state: one of Flink's own words, or where Flink cannot say, UNKNOWN, STARTING, SAVEPOINTING, LOST or TERMINATED.
    pub(crate) state: String,
    /// How sure it is: confirmed (the source that owns the truth said so), inferred (it follows from another source), or stale (it
    /// was so when last seen).
    pub(crate) confidence: String,
    /// Why it stands, as a word.
    pub(crate) reason: String,
    /// Why it stands, for people.
    pub(crate) message: String,
    /// When the state began.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(crate) since: String,
    /// When the state was last confirmed, as of the last write: while it stays confirmed, nothing is written for that alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(crate) last_seen: Option<String>,
    /// Which run of the job this is, counted by Steadfast; 1 is the first one seen.
    pub(crate) attempt: u32,
    /// Flink's id of the job, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) job_id: Option<String>,
    /// How the job is deployed: application, session or standalone.
    pub(crate) mode: String,
    /// The Deployment of its JobManager, as it was last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<Deployment>,
    /// The policy that decided it.
    pub(crate) policy: String,
    /// Alerts that fire.
    #[cfg_attr(
        test,
        schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name", "scope"]))
    )]
    pub(crate) alerts: Vec<Alert>,
    /// Ready, Confirmed, Alerting and Ended always, and what else stands, such as FlinkUnreachable.
    #[cfg_attr(
        test,
        schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))
    )]
    pub(crate) conditions: Vec<Condition>,
    /// The generation of the resource that this status is about.
    pub(crate) observed_generation: i64,
}

/// A Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Deployment {
    /// Its name.
    pub(crate) name: String,
    /// Its uid.
    pub(crate) uid: String,
}

/// An alert that fires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Alert {
    /// Its name.
    pub(crate) name: String,
    /// What it is about: job, cluster or policy.
    pub(crate) scope: String,
    /// When it began to stand.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(crate) since: String,
    /// For people.
    pub(crate) message: String,
}

/// A condition, in the shape of `metav1.Condition`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Condition {
    /// What it says.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// True, False or Unknown.
    pub(crate) status: String,
    /// The generation of the resource that it is about.
    #[serde(default)]
    pub(crate) observed_generation: i64,
    /// When the status was last another one.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(crate) last_transition_time: String,
    /// Why, as a word.
    pub(crate) reason: String,
    /// Why, for people.
    pub(crate) message: String,
}

#[cfg(test)]
mod tests {
    use kube::{CustomResourceExt as _, Resource as _};

    use super::*;

    const HEAD: &str = "\
# What `kubectl get jobstatuses` shows: docs/kubernetes.md. Made of the types in engine/job-statuses/src/resource.rs by
# UPDATE_CRD=1 cargo test -p steadfast-job-statuses definition
";

    /// The one for whoever applies it by hand, and the one that the chart applies.
    const SHIPPED: [&str; 2] = [
        "../../examples/deploy/crd/jobstatuses.yaml",
        "../../examples/deploy/helm/steadfast/files/jobstatuses.yaml",
    ];

    /// Without the defaults that reading has: the API server would write them into what is there.
    fn definition() -> serde_json::Value {
        fn strip(value: &mut serde_json::Value) {
            match value {
                serde_json::Value::Object(fields) => {
                    fields.remove("default");
                    fields.values_mut().for_each(strip);
                }
                serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Number(_)
                | serde_json::Value::String(_) => {}
            }
        }
        let mut definition = serde_json::to_value(JobStatus::crd()).unwrap();
        strip(&mut definition);
        definition
    }

    #[test]
    fn the_definition_that_is_shipped_is_that_of_the_types() {
        let definition = format!("{HEAD}{}", serde_saphyr::to_string(&definition()).unwrap());
        for shipped in SHIPPED {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(shipped);
            if std::env::var_os("UPDATE_CRD").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &definition).unwrap();
            }
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                there == definition,
                "{shipped} is not current: UPDATE_CRD=1 cargo test -p steadfast-job-statuses definition"
            );
        }
    }

    #[test]
    fn paths_and_definition_have_the_same_names() {
        assert_eq!(JobStatus::group(&()), GROUP);
        assert_eq!(JobStatus::version(&()), VERSION);
        assert_eq!(JobStatus::plural(&()), PLURAL);
        assert_eq!(JobStatus::kind(&()), KIND);
        assert_eq!(JobStatus::crd_name(), format!("{PLURAL}.{GROUP}"));
    }

    #[test]
    fn conditions_have_the_keys_that_kubernetes_wants_of_each() {
        let definition = definition();
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"];
        let condition = &schema["properties"]["conditions"];
        assert_eq!(condition["x-kubernetes-list-map-keys"], serde_json::json!(["type"]));
        let mut required: Vec<String> = serde_json::from_value(condition["items"]["required"].clone()).unwrap();
        required.sort();
        assert_eq!(required, ["lastTransitionTime", "message", "reason", "status", "type"]);
        assert!(definition["spec"]["versions"][0]["subresources"]["status"].is_object());
        // What an older engine leaves out is no reason to refuse what it says.
        assert!(schema.get("required").is_none(), "{schema}");
    }
}
