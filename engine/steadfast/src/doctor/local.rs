//! What can be seen on this machine without asking anybody. `steadfast check` looks at it too.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::SystemTime;

use steadfast_reconcile::Share;
use steadfast_server::Tls;
use steadfast_sources::kubernetes::{Lacking, Location, look_around};

use super::{Finding, store};
use crate::config::{Cluster, Config, Policy, Server};

/// A day, in seconds.
const DAY: u64 = 86_400;
/// In how many days a certificate ends soon.
const SOON: u64 = 14;

/// Where the configuration is going to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// On this machine.
    ThisOne,
    /// Perhaps on another one: what this one lacks is no more than a warning.
    MaybeAnother,
}

/// What lies open, is missing, taken or never used.
pub fn local(config: &Config, machine: Machine) -> Vec<Finding> {
    let mut findings: Vec<Finding> = config
        .exposed_files()
        .into_iter()
        .map(|file| Finding::warning("files", file.what, file.fix))
        .collect();
    let of_machine = [listen(config.server.listen), folder_of(&config.store)];
    findings.extend(of_machine.into_iter().flatten().map(|finding| match machine {
        Machine::ThisOne => finding,
        Machine::MaybeAnother => finding.softened(),
    }));
    if machine == Machine::MaybeAnother {
        // Where the engine is to run, all of it is looked at more closely.
        findings.extend(at_a_glance(config).into_iter().map(Finding::softened));
    }
    findings.extend(doors(&config.server, SystemTime::now()));
    findings.extend(twice(&config.clusters));
    findings.extend(idle(&config.policies));
    if config.clusters.is_empty() && config.jobs.is_empty() {
        findings.push(Finding::warning(
            "jobs",
            "there is nothing to watch",
            "add a [[kubernetes]] or a [[job]]",
        ));
    }
    findings
}

/// What whoever stands between a caller and the API may read, and whether the certificate is going to end.
fn doors(server: &Server, now: SystemTime) -> Vec<Finding> {
    let subject = "server";
    let Some(tls) = &server.tls else {
        let is_beyond = !server.listen.ip().is_loopback();
        let plain = is_beyond.then(|| {
            Finding::warning(
                subject,
                format!(
                    "{} is reachable from other machines without TLS: whoever stands between may read tokens and answers",
                    server.listen
                ),
                "set cert_file and key_file in [server.tls], or let only a proxy that ends TLS reach it",
            )
        });
        return plain.into_iter().collect();
    };
    let Some(until) = Tls::valid_until(&tls.files) else {
        return Vec::new();
    };
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let file = tls.files.cert_file.display();
    let fix = "renew it and put it in place with its key: the engine takes both up within a second";
    let days = until.saturating_sub(now) / DAY;
    vec![if until <= now {
        Finding::wrong(subject, format!("the certificate in {file} has expired"), fix)
    } else if days < SOON {
        Finding::warning(
            subject,
            format!("the certificate in {file} expires in {days} days"),
            fix,
        )
    } else {
        Finding::ok(subject, format!("the certificate in {file} is valid for {days} days"))
    }]
}

/// Whether the address of the API is free.
fn listen(address: SocketAddr) -> Option<Finding> {
    let error = TcpListener::bind(address).err()?;
    let what = format!("cannot listen on {address}: {error}");
    let subject = "server";
    Some(if error.kind() == ErrorKind::AddrInUse {
        Finding::warning(
            subject,
            format!("{address} is taken by another process"),
            "if that is not an engine with this configuration, end it, or choose another port in server.listen",
        )
    } else if error.kind() == ErrorKind::PermissionDenied {
        Finding::wrong(
            subject,
            what,
            "choose a port of 1024 or more in server.listen, or let the engine's user take lower ones",
        )
    } else {
        Finding::wrong(
            subject,
            what,
            "write an address of this machine in server.listen, such as 127.0.0.1:8080",
        )
    })
}

/// Whether there is a folder for the store.
fn folder_of(url: &str) -> Option<Finding> {
    let path = Path::new(url.strip_prefix("sqlite://")?);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    (!folder.is_dir()).then(|| {
        Finding::wrong(
            "store",
            format!("there is no folder {}", folder.display()),
            format!("mkdir -p {}, or correct store.url", folder.display()),
        )
    })
}

/// What an engine that is started on this machine would not start with.
fn at_a_glance(config: &Config) -> Vec<Finding> {
    let clusters = config.clusters.iter().filter_map(cluster);
    clusters.chain(store::at_a_glance(&config.store)).collect()
}

fn cluster(cluster: &Cluster) -> Option<Finding> {
    let subject = format!("cluster {}", cluster.name);
    match look_around(cluster.kubeconfig.as_deref()) {
        Ok(Location::Outside) if cluster.kubeconfig.is_none() && cluster.is_proxied_with_access() => {
            Some(Finding::wrong(
                subject,
                "from this machine its Flinks are reached through the API server, which passes no flink_auth on and uses no \
             flink_ca_file",
                "set flink_rest to \"service\", \"pod\" or a URL, or remove them",
            ))
        }
        Ok(_) => None,
        Err(lacking @ Lacking::Cluster(_)) => Some(Finding::wrong(
            subject,
            lacking.to_string(),
            "add kubeconfig = \"FILE\" to its entry, or run the engine in the cluster",
        )),
        Err(lacking @ Lacking::Plugin(_)) => Some(Finding::wrong(
            subject,
            lacking.to_string(),
            "install it, or write its absolute path into the kubeconfig; a service has another PATH than a shell",
        )),
    }
}

/// Entries that lead to one cluster and watch a namespace both: each of its jobs has two records.
fn twice(clusters: &[Cluster]) -> Vec<Finding> {
    let overlap = |one: &Cluster, other: &Cluster| {
        one.namespaces.is_empty()
            || other.namespaces.is_empty()
            || one
                .namespaces
                .iter()
                .any(|namespace| other.namespaces.contains(namespace))
    };
    let mut findings = Vec::new();
    for (number, cluster) in clusters.iter().enumerate() {
        let before = clusters.iter().take(number);
        if let Some(first) = before
            .filter(|first| first.kubeconfig == cluster.kubeconfig)
            .find(|first| overlap(first, cluster))
        {
            findings.push(Finding::warning(
                format!("cluster {}", cluster.name),
                format!(
                    "it is reached as the cluster {} is, and watches the same namespaces",
                    first.name
                ),
                "name another kubeconfig, or namespaces that the other does not watch: else each job has two records",
            ));
        }
    }
    findings
}

/// Policies that decide no job, since one before them takes all.
fn idle(policies: &[Policy]) -> Vec<Finding> {
    let mut all_taken_by: Option<&str> = None;
    let mut findings = Vec::new();
    for policy in policies.iter().filter(|policy| !policy.shadow) {
        if let Some(first) = all_taken_by {
            findings.push(Finding::warning(
                format!("policy {}", policy.name),
                format!("it decides no job: the policy {first} before it takes all"),
                "move it before that one, narrow that one's select, or make it a shadow",
            ));
        } else if takes_all(policy) {
            all_taken_by = Some(&policy.name);
        }
    }
    findings
}

fn takes_all(policy: &Policy) -> bool {
    let is_any = |globs: &[String]| globs.iter().any(|glob| glob == "*");
    is_any(&policy.select.namespace) && is_any(&policy.select.name) && policy.rollout == Share::ALL
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn found(text: &str, machine: Machine) -> Vec<Finding> {
        let folder = tempfile::tempdir().unwrap();
        local(
            &Config::parse(&folder.path().join("config.toml"), text).unwrap(),
            machine,
        )
    }

    #[test]
    fn a_taken_port_and_a_missing_folder_are_told() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = format!(
            "[server]\nlisten = \"{}\"\n[store]\nurl = \"sqlite://not/there.db\"\n\
             [[job]]\nname = \"a\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:1\"\n",
            taken.local_addr().unwrap()
        );
        let verdicts = |machine| -> Vec<(String, Verdict)> {
            let findings = found(&text, machine).into_iter();
            findings.map(|finding| (finding.subject, finding.verdict)).collect()
        };
        let (server, store) = ("server".to_owned(), "store".to_owned());
        assert_eq!(
            verdicts(Machine::ThisOne),
            [(server.clone(), Verdict::Warning), (store.clone(), Verdict::Wrong)]
        );
        assert_eq!(
            verdicts(Machine::MaybeAnother),
            [(server, Verdict::Warning), (store, Verdict::Warning)]
        );
    }

    #[test]
    fn a_policy_behind_one_that_takes_all_is_idle() {
        let entry = |name: &str, more: &str| {
            format!("[[policy]]\nname = \"{name}\"\nmodule = \"builtin:conservative\"\n{more}")
        };
        let policies = |first: &str, second: &str| {
            format!("[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"local\"\n{first}{second}")
        };
        let idle = found(&policies(&entry("first", ""), &entry("second", "")), Machine::ThisOne);
        assert_eq!(idle.len(), 1, "{idle:?}");
        assert_eq!(idle[0].subject, "policy second");
        for (first, second) in [
            ("rollout = \"50%\"\n", ""),
            ("select = { name = [\"a*\"] }\n", ""),
            ("", "shadow = true\n"),
        ] {
            let text = policies(&entry("first", first), &entry("second", second));
            assert_eq!(found(&text, Machine::ThisOne), [], "{text}");
        }
    }

    #[test]
    fn a_cluster_that_is_named_twice_is_told() {
        let two = |keys: &str| {
            let text = format!("[[kubernetes]]\nname = \"a\"\n\n[[kubernetes]]\nname = \"b\"\n{keys}");
            let found = found(&text, Machine::ThisOne);
            found.iter().any(|finding| finding.what.contains("as the cluster a is"))
        };
        assert!(two("") && two("namespaces = [\"x\"]\n"));
        let apart =
            "[[kubernetes]]\nname = \"a\"\nnamespaces = [\"x\"]\n[[kubernetes]]\nname = \"b\"\nnamespaces = [\"y\"]\n";
        assert!(
            !found(apart, Machine::ThisOne)
                .iter()
                .any(|finding| finding.what.contains("as the cluster"))
        );
    }
}
