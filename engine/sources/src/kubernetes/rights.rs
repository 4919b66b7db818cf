//! What the engine asks of an API server, as RBAC grants it: one verb on one resource, in one namespace or in all.
//!
//! `docs/deploy.md` has them for people and the chart's roles grant them; a test on a real API server holds the three together.

use std::fmt;

use steadfast_core::id::Namespace;

use super::OperatorResources;

/// A right that the engine makes use of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// The resource's API group; empty: the core group.
    pub group: &'static str,
    /// The resource, with its subresource behind a slash, such as `pods/log`.
    pub resource: &'static str,
    /// As RBAC has it, such as `list`.
    pub verb: &'static str,
    /// Where; `None`: in all namespaces.
    pub namespace: Option<Namespace>,
    /// What hangs on it.
    pub need: Need,
    /// What is so without it, for people.
    pub without: &'static str,
}

/// What hangs on a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Without it, records of the cluster's jobs are not kept true.
    Vital,
    /// Without it they are, and say less.
    Helpful,
    /// Without it they are, and something else that was asked for is not done.
    AskedFor,
}

/// What of the engine makes use of rights.
#[derive(Clone, Copy, Debug)]
pub struct Uses<'a> {
    /// The namespaces that are watched, and written to; none: all at once.
    pub namespaces: &'a [Namespace],
    /// Whether the operator's resources are watched.
    pub operator: OperatorResources,
    /// The namespaces of Flinks that are reached through the API server, `None` among them for any.
    pub through_proxy: &'a [Option<Namespace>],
    /// What is written.
    pub writes: &'a [Writes],
}

/// What is written to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// `JobStatus`es.
    JobStatuses,
    /// Events.
    Events,
}

impl Writes {
    const fn rights(self) -> &'static [Rights] {
        match self {
            Self::JobStatuses => &OF_JOB_STATUSES,
            Self::Events => &OF_EVENTS,
        }
    }
}

/// As in `list pods/log in namespace prod`.
impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group, resource, .. } = self;
        write!(f, "{} {resource}", self.verb)?;
        if !group.is_empty() {
            write!(f, ".{group}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {namespace}"),
            None => f.write_str(" in all namespaces"),
        }
    }
}

/// Rights on one resource that are needed for the same end.
struct Rights {
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    need: Need,
    without: &'static str,
}

const NO_OPERATOR: &str = "what the Flink Kubernetes Operator says is unknown, and each job may be behind a resource that nobody saw; \
                           where there is no operator, set discover = [\"native\"]";

/// Asked for always.
const OF_CLUSTERS: [Rights; 7] = [
    Rights {
        group: "apps",
        resource: "deployments",
        verbs: &["list", "watch"],
        need: Need::Vital,
        without: "no job of the cluster is known",
    },
    Rights {
        group: "apps",
        resource: "deployments",
        verbs: &["get"],
        need: Need::Vital,
        without: "a Deployment that is gone stays unknown",
    },
    Rights {
        group: "",
        resource: "pods",
        verbs: &["list", "watch"],
        need: Need::Vital,
        without: "what becomes of a JobManager is unknown",
    },
    Rights {
        group: "",
        resource: "pods",
        verbs: &["get"],
        need: Need::Vital,
        without: "a pod that lost its labels stays unknown",
    },
    Rights {
        group: "",
        resource: "pods/log",
        verbs: &["get"],
        need: Need::Helpful,
        without: "how an application ended is known from archive, history_server or job_result_store only; else it is TERMINATED",
    },
    Rights {
        group: "",
        resource: "configmaps",
        verbs: &["list"],
        need: Need::Helpful,
        without: "whether a cluster that is gone left HA data is unknown; it is TERMINATED where SUSPENDED would be said",
    },
    Rights {
        group: "",
        resource: "events",
        verbs: &["list"],
        need: Need::Helpful,
        without: "why pods do not start lacks what the cluster says of it",
    },
];

const NO_JOB_STATUSES: &str = "no JobStatus says what the records say; where none is wanted, remove job_statuses";

/// Asked for by `job_statuses`. An apply that makes an object is a `create` as well.
const OF_JOB_STATUSES: [Rights; 2] = [
    Rights {
        group: "steadfast.dev",
        resource: "jobstatuses",
        verbs: &["list", "create", "patch", "delete"],
        need: Need::AskedFor,
        without: NO_JOB_STATUSES,
    },
    Rights {
        group: "steadfast.dev",
        resource: "jobstatuses/status",
        verbs: &["patch"],
        need: Need::AskedFor,
        without: NO_JOB_STATUSES,
    },
];

/// Asked for by a sink of the kind `kubernetes-event`.
const OF_EVENTS: [Rights; 1] = [Rights {
    group: "",
    resource: "events",
    verbs: &["create"],
    need: Need::AskedFor,
    without: "no Event tells of transitions and alerts; they wait in the journal for max_age",
}];

/// Asked for where the operator's resources are taken up.
const OF_OPERATOR: [Rights; 3] = [
    Rights {
        group: "flink.apache.org",
        resource: "flinkdeployments",
        verbs: &["list", "watch", "get"],
        need: Need::Vital,
        without: NO_OPERATOR,
    },
    Rights {
        group: "flink.apache.org",
        resource: "flinksessionjobs",
        verbs: &["list", "watch", "get"],
        need: Need::Vital,
        without: NO_OPERATOR,
    },
    Rights {
        group: "flink.apache.org",
        resource: "flinkstatesnapshots",
        verbs: &["list", "watch"],
        need: Need::Helpful,
        without: "savepoints that the operator is asked for are seen with the next look at Flink's checkpoints only",
    },
];

/// Asked for where Flinks are reached through the API server.
const OF_PROXY: [Rights; 1] = [Rights {
    group: "",
    resource: "services/proxy",
    verbs: &["get"],
    need: Need::Vital,
    without: "no Flink of the cluster answers; flink_rest names other ways to them",
}];

/// Every right that is made use of.
pub fn rights(uses: Uses<'_>) -> Vec<Right> {
    let watched: Vec<Option<Namespace>> = match uses.namespaces {
        [] => vec![None],
        named => named.iter().cloned().map(Some).collect(),
    };
    let of_operator = match uses.operator {
        OperatorResources::Watched => OF_OPERATOR.as_slice(),
        OperatorResources::Ignored => &[],
    };
    let of_writes = uses.writes.iter().flat_map(|writes| writes.rights());
    let of_all = OF_CLUSTERS.iter().chain(of_operator).chain(of_writes);
    let everywhere = of_all.flat_map(|rights| spread(rights, &watched));
    everywhere
        .chain(OF_PROXY.iter().flat_map(|rights| spread(rights, uses.through_proxy)))
        .collect()
}

/// Each verb in each namespace.
fn spread<'a>(rights: &'a Rights, namespaces: &'a [Option<Namespace>]) -> impl Iterator<Item = Right> + 'a {
    namespaces.iter().flat_map(move |namespace| {
        rights.verbs.iter().map(move |verb| Right {
            group: rights.group,
            resource: rights.resource,
            verb,
            namespace: namespace.clone(),
            need: rights.need,
            without: rights.without,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::list::Collection;
    use super::*;

    fn reading(namespaces: &[Namespace], operator: OperatorResources) -> Uses<'_> {
        Uses {
            namespaces,
            operator,
            through_proxy: &[],
            writes: &[],
        }
    }

    #[test]
    fn who_only_reads_is_granted_no_other_verb() {
        for right in rights(reading(&[], OperatorResources::Watched)) {
            assert!(["get", "list", "watch"].contains(&right.verb), "{right}");
        }
    }

    #[test]
    fn what_is_listed_and_watched_is_among_the_rights() {
        let rights = rights(Uses {
            through_proxy: &[None],
            ..reading(&[], OperatorResources::Watched)
        });
        for kind in OperatorResources::Watched.kinds() {
            for verb in ["list", "watch"] {
                let asked = format!("{verb} {} in all namespaces", Collection::of(*kind).resource());
                assert!(rights.iter().any(|right| right.to_string() == asked), "{asked}");
            }
        }
    }

    #[test]
    fn each_namespace_has_its_own_and_the_proxy_its_own_namespaces() {
        let (prod, test) = (Namespace::new("prod"), Namespace::new("test"));
        let rights = rights(Uses {
            through_proxy: &[Some(test.clone())],
            writes: &[Writes::JobStatuses, Writes::Events],
            ..reading(&[prod, test], OperatorResources::Ignored)
        });
        let shown: Vec<String> = rights.iter().map(Right::to_string).collect();
        assert!(
            shown.contains(&"get pods/log in namespace prod".to_owned()),
            "{shown:?}"
        );
        assert!(
            shown.contains(&"list configmaps in namespace test".to_owned()),
            "{shown:?}"
        );
        for written in [
            "patch jobstatuses.steadfast.dev in namespace test",
            "create jobstatuses.steadfast.dev in namespace prod",
            "patch jobstatuses/status.steadfast.dev in namespace prod",
            "create events in namespace prod",
        ] {
            assert!(shown.iter().any(|right| right == written), "{written}: {shown:?}");
        }
        let proxies: Vec<&String> = shown.iter().filter(|right| right.contains("proxy")).collect();
        assert_eq!(proxies, ["get services/proxy in namespace test"]);
        assert!(
            !shown.iter().any(|right| right.contains("flink.apache.org")),
            "{shown:?}"
        );
    }
}
