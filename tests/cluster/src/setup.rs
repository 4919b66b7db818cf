//! What an engine is told: its configuration file.

use std::path::{Path, PathBuf};

/// Which Flink clusters an engine takes up without being told of them.
#[derive(Clone, Copy, Debug)]
pub enum Discover {
    /// Deployments that Flink's native integration made.
    Native,
    /// Resources of the Flink Kubernetes Operator, and nothing else.
    Operator,
    /// None: only [`Setup::job`]s are watched.
    Nothing,
}

/// What an engine is told; all else stays at its default.
#[derive(Clone, Debug)]
pub struct Setup {
    name: &'static str,
    kubeconfig: PathBuf,
    flink_rest: &'static str,
    discover: Discover,
    params: &'static str,
    /// The inside of `[timing]`.
    timing: &'static str,
    /// Further keys of the cluster's table, a line each.
    cluster: String,
    /// `[[job]]` tables.
    jobs: String,
}

impl Setup {
    /// An engine of this name, with native discovery and nothing told about any job.
    ///
    /// `flink_rest` is how it reaches Flink: `pod`, `proxy`, `service`.
    #[must_use]
    pub fn new(name: &'static str, kubeconfig: PathBuf, flink_rest: &'static str) -> Self {
        Self {
            name,
            kubeconfig,
            flink_rest,
            discover: Discover::Native,
            params: "",
            timing: "",
            cluster: String::new(),
            jobs: String::new(),
        }
    }

    /// Its name in the timeline, and its folder's.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The default policy's parameters, as the inside of a TOML table.
    #[must_use]
    pub fn params(self, params: &'static str) -> Self {
        Self { params, ..self }
    }

    /// How often things happen, as the inside of a TOML table, a line each.
    #[must_use]
    pub fn timing(self, timing: &'static str) -> Self {
        Self { timing, ..self }
    }

    /// What is taken up.
    #[must_use]
    pub fn discover(self, discover: Discover) -> Self {
        Self { discover, ..self }
    }

    /// Flink's archive directories, on this machine.
    #[must_use]
    pub fn archive(mut self, folders: &[PathBuf]) -> Self {
        let urls: Vec<String> = folders.iter().map(|folder| file_url(folder)).collect();
        self.cluster.push_str(&format!("archive = [{}]\n", urls.join(", ")));
        self
    }

    /// Flink's JobResultStore, on this machine.
    #[must_use]
    pub fn job_result_store(mut self, folder: &Path) -> Self {
        self.cluster
            .push_str(&format!("job_result_store = {}\n", file_url(folder)));
        self
    }

    /// Each job is shown as a JobStatus, and Events tell what becomes of it.
    #[must_use]
    pub fn told_in_kubernetes(mut self) -> Self {
        self.cluster.push_str("job_statuses = true\n");
        self.jobs
            .push_str("\n[[sink]]\nkind = \"kubernetes-event\"\nname = \"events\"\nkubernetes = \"local\"\n");
        self
    }

    /// An application that is told by name, with the address of its Flink.
    #[must_use]
    pub fn job(mut self, name: &str, flink_rest: &str) -> Self {
        self.jobs.push_str(&format!(
            r#"
[[job]]
name = "{name}"
namespace = "default"
flink_rest = "{flink_rest}"
"#
        ));
        self
    }

    /// The configuration file's text.
    #[must_use]
    pub fn toml(&self, port: u16) -> String {
        let discover = match self.discover {
            Discover::Native => r#""native""#,
            Discover::Operator => r#""flinkdeployment""#,
            Discover::Nothing => "",
        };
        format!(
            r#"[store]
url = "sqlite://steadfast.db"

[server]
listen = "127.0.0.1:{port}"

[timing]
{}

[[kubernetes]]
name = "local"
kubeconfig = "{}"
namespaces = ["default"]
discover = [{discover}]
flink_rest = "{}"
{}{}
[[policy]]
name = "default"
module = "builtin:conservative"
select = {{ namespace = ["*"], name = ["*"] }}
params = {{ {} }}
"#,
            self.timing,
            self.kubeconfig.display(),
            self.flink_rest,
            self.cluster,
            self.jobs,
            self.params
        )
    }
}

/// A `file:` URL as a TOML string.
fn file_url(folder: &Path) -> String {
    format!(r#""file://{}""#, folder.display())
}
