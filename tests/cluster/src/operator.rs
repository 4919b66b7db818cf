//! Plays the Flink Kubernetes Operator: its resources are real, the controller behind them is the test.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::kit::Kit;
use crate::timeline::Timeline;

/// What the operator writes into a FlinkDeployment's status.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// `jobStatus.state`.
    pub job: &'static str,
    /// `lifecycleState`.
    pub lifecycle: &'static str,
    /// `jobManagerDeploymentStatus`.
    pub job_manager: &'static str,
}

/// A FlinkDeployment of application mode.
#[derive(Debug)]
pub struct FlinkDeployment {
    name: &'static str,
    uid: String,
    kit: Kit,
    timeline: Timeline,
}

impl FlinkDeployment {
    /// Installs the resource's definition, removes what an earlier story left, and creates the resource.
    pub async fn create(name: &'static str, kit: &Kit, timeline: &Timeline) -> Result<Self> {
        kit.run(&["install-crds"]).await?;
        kubectl(kit, &["delete", "flinkdeployments", "--all"]).await?;
        let resource = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment", "metadata": {"name": name},
            "spec": {
                "image": "localhost/flink", "flinkVersion": "v2_2", "serviceAccount": "default",
                "jobManager": {"resource": {"cpu": 0.05, "memory": "1g"}},
                "taskManager": {"resource": {"cpu": 0.05, "memory": "1g"}},
                "job": {"jarURI": "local:///flink-data/jars/job.jar", "parallelism": 1, "upgradeMode": "stateless",
                        "state": "running"},
            },
        });
        let uid = kit
            .ask_with(
                &["kubectl", "--", "create", "-f", "-", "-o", "jsonpath={.metadata.uid}"],
                &resource.to_string(),
            )
            .await?;
        timeline.tell("operator", format!("FlinkDeployment {name} created: {uid}"));
        Ok(Self {
            name,
            uid,
            kit: kit.clone(),
            timeline: timeline.clone(),
        })
    }

    /// The option by which Flink's client puts the resource's ownerReference on the Deployment it makes.
    #[must_use]
    pub fn owner_option(&self) -> String {
        format!(
            "-Dkubernetes.jobmanager.owner.reference=apiVersion:flink.apache.org/v1beta1,kind:FlinkDeployment,\
             name:{},uid:{},controller:false,blockOwnerDeletion:true",
            self.name, self.uid
        )
    }

    /// Writes a status, as of the newest specification.
    pub async fn report(&self, report: Report) -> Result<()> {
        let generation: u64 = self.get("{.metadata.generation}").await?.parse()?;
        let status = json!({
            "observedGeneration": generation,
            "lifecycleState": report.lifecycle,
            "jobManagerDeploymentStatus": report.job_manager,
            "jobStatus": {"state": report.job},
            "reconciliationStatus": {"state": "DEPLOYED"},
        });
        self.patch(&["--subresource=status"], &json!({"status": status}))
            .await?;
        self.timeline
            .tell("operator", format!("{} reported as {report:?}", self.name));
        Ok(())
    }

    /// Asks for a job that is `running` or `suspended`, as its user does.
    pub async fn desire(&self, state: &str) -> Result<()> {
        self.patch(&[], &json!({"spec": {"job": {"state": state}}})).await?;
        self.timeline
            .tell("operator", format!("{} shall be {state}", self.name));
        Ok(())
    }

    /// Deletes the Deployment, as the operator does for a job that shall not run.
    pub async fn delete_deployment(&self) -> Result<()> {
        kubectl(
            &self.kit,
            &["delete", "deployment", self.name, "--ignore-not-found", "--wait=false"],
        )
        .await?;
        self.timeline
            .tell("operator", format!("Deployment {} deleted", self.name));
        Ok(())
    }

    /// Deletes the resource, as its user does.
    pub async fn delete(&self) -> Result<()> {
        kubectl(&self.kit, &["delete", "flinkdeployment", self.name, "--wait=false"]).await?;
        self.timeline
            .tell("operator", format!("FlinkDeployment {} deleted", self.name));
        Ok(())
    }

    async fn get(&self, path: &str) -> Result<String> {
        kubectl(
            &self.kit,
            &["get", "flinkdeployment", self.name, "-o", &format!("jsonpath={path}")],
        )
        .await
    }

    async fn patch(&self, options: &[&str], patch: &Value) -> Result<()> {
        let patch = patch.to_string();
        let argv = [
            &["patch", "flinkdeployment", self.name, "--type=merge", "-p", &patch],
            options,
        ]
        .concat();
        kubectl(&self.kit, &argv).await.map(drop)
    }
}

async fn kubectl(kit: &Kit, argv: &[&str]) -> Result<String> {
    let argv = [&["kubectl", "--"], argv].concat();
    kit.ask(&argv).await.context("the resources of the operator")
}
