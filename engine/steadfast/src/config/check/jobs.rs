//! `[[job]]`: explicit targets, and the clusters they stand in.

use std::collections::BTreeSet;

use steadfast_core::id::FlinkJobId;
use steadfast_core::state::Mode;
use toml::Spanned;

use super::{Checker, FlinkRest, Job, file, proxied};

impl Checker<'_> {
    pub(super) fn jobs(&mut self, entries: &[file::Job], clusters: &[file::Kubernetes]) -> Vec<Job> {
        let mut seen = BTreeSet::new();
        entries
            .iter()
            .map(|entry| {
                let job = self.job(entry, clusters);
                if !seen.insert((job.kubernetes.clone(), job.namespace.clone(), job.name.clone())) {
                    self.refuse(
                        entry.name.span(),
                        format!("two [[job]] entries are named `{}` in the same namespace", job.name),
                        "give each its own name; the Deployment's name can be told with `deployment`",
                    );
                }
                job
            })
            .collect()
    }

    fn job(&mut self, entry: &file::Job, clusters: &[file::Kubernetes]) -> Job {
        let mistakes = self.mistakes.len();
        let name = self.name(&entry.name, "job.name");
        let is_name = self.mistakes.len() == mistakes;
        let mode = self.mode(entry);
        let kubernetes = self.cluster_of(entry, &name, mode, clusters);
        let flink_rest = self.flink_rest_of(entry, &name, mode);
        let flink_access = self.flink_access(
            entry.flink_auth.as_ref(),
            entry.flink_ca_file.as_ref(),
            proxied_job(flink_rest.as_ref(), kubernetes.as_deref(), clusters),
        );
        let in_kubernetes = kubernetes.is_some();
        let namespace = entry.namespace.as_ref().map(|name| match in_kubernetes {
            true => self.namespace(name, "job.namespace"),
            false => self.name(name, "job.namespace"),
        });
        let namespace = match &kubernetes {
            Some(_) => namespace.unwrap_or_else(|| "default".into()),
            None => "-".into(),
        };
        let deployment = match &entry.deployment {
            Some(name) if in_kubernetes => Some(self.deployment(name, "job.deployment")),
            Some(name) => Some(self.name(name, "job.deployment")),
            None if in_kubernetes && is_name => Some(self.deployment(&entry.name, "job.name")),
            None => None,
        };
        Job {
            deployment: deployment.unwrap_or_else(|| name.clone()),
            flink_job_id: entry.flink_job_id.as_ref().and_then(|id| self.flink_job_id(id)),
            name,
            kubernetes,
            namespace,
            mode,
            flink_rest,
            flink_access,
        }
    }

    fn mode(&mut self, entry: &file::Job) -> Mode {
        let Some(word) = &entry.mode else {
            return Mode::Application;
        };
        Mode::parse(word.get_ref()).unwrap_or_else(|| {
            self.refuse(
                word.span(),
                format!("mode knows no `{}`", word.get_ref()),
                "use application, session or standalone",
            );
            Mode::Application
        })
    }

    /// The name of the cluster a job runs in; a standalone job runs in none.
    fn cluster_of(
        &mut self,
        entry: &file::Job,
        name: &str,
        mode: Mode,
        clusters: &[file::Kubernetes],
    ) -> Option<String> {
        match (&entry.kubernetes, mode) {
            (Some(cluster), Mode::Standalone) => {
                self.refuse(
                    cluster.span(),
                    format!("job `{name}` is standalone and names a Kubernetes cluster"),
                    "remove `kubernetes`, or use mode = \"application\" or \"session\"",
                );
                None
            }
            (None, Mode::Standalone) => None,
            (Some(cluster), Mode::Application | Mode::Session) => {
                if !clusters.iter().any(|known| known.name.get_ref() == cluster.get_ref()) {
                    self.refuse(
                        cluster.span(),
                        format!("no [[kubernetes]] entry is named `{}`", cluster.get_ref()),
                        "add the entry, or correct the name",
                    );
                }
                Some(cluster.get_ref().clone())
            }
            (None, Mode::Application | Mode::Session) => match clusters {
                [only] => Some(only.name.get_ref().clone()),
                _ => {
                    self.refuse(
                        entry.name.span(),
                        format!("job `{name}` does not say in which cluster it runs"),
                        "add kubernetes = \"NAME\", or mode = \"standalone\"",
                    );
                    None
                }
            },
        }
    }

    /// How a job's Flink is reached. Without a cluster nothing but a URL leads there.
    fn flink_rest_of(&mut self, entry: &file::Job, name: &str, mode: Mode) -> Option<FlinkRest> {
        let is_standalone = mode == Mode::Standalone;
        let Some(rest) = &entry.flink_rest else {
            if is_standalone {
                self.refuse(
                    entry.name.span(),
                    format!("job `{name}` is standalone and has no flink_rest"),
                    "add flink_rest = \"http://HOST:8081\"",
                );
            }
            return None;
        };
        let checked = self.flink_rest(rest);
        if is_standalone && !matches!(checked, FlinkRest::Url(_)) {
            self.refuse(
                rest.span(),
                format!("job `{name}` is standalone, and only a URL leads to its Flink"),
                "write flink_rest = \"http://HOST:8081\"",
            );
        }
        if let FlinkRest::Url(url) = &checked
            && let Some(unknown) = ["{pod_ip}", "{namespace}"]
                .iter()
                .find(|place| is_standalone && url.expose().contains(**place))
        {
            self.refuse(
                rest.span(),
                format!("job `{name}` is standalone, and nothing tells what {unknown} of its flink_rest is"),
                "write the address itself, such as flink_rest = \"http://HOST:8081\"",
            );
        }
        Some(checked)
    }

    fn flink_job_id(&mut self, id: &Spanned<String>) -> Option<FlinkJobId> {
        let parsed = FlinkJobId::parse(id.get_ref());
        if parsed.is_none() {
            self.refuse(
                id.span(),
                format!("flink_job_id `{}` is not a Flink job id", id.get_ref()),
                "write its 32 hex digits",
            );
        }
        parsed
    }
}

/// The same as [`proxied`] for a job, which is reached as its cluster's entry says where its own says nothing.
fn proxied_job(own: Option<&FlinkRest>, cluster: Option<&str>, clusters: &[file::Kubernetes]) -> Option<&'static str> {
    let cluster = clusters
        .iter()
        .find(|entry| Some(entry.name.get_ref().as_str()) == cluster);
    let of_cluster = |cluster: &file::Kubernetes| match cluster.flink_rest.as_ref().map(|rest| rest.get_ref().as_str())
    {
        None | Some("auto") => proxied(&FlinkRest::Auto, cluster),
        Some("proxy") => proxied(&FlinkRest::Proxy, cluster),
        Some(_) => None,
    };
    match (own, cluster) {
        (None | Some(FlinkRest::Auto), Some(cluster)) => of_cluster(cluster),
        (Some(FlinkRest::Proxy), _) => Some("flink_rest is \"proxy\""),
        (None | Some(_), _) => None,
    }
}
