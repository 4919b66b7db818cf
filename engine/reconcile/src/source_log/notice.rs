//! A line of the log about a source, and its words.

use std::fmt;
use std::time::Duration;

use steadfast_core::cluster_lists::Collection;
use steadfast_core::evidence::Fault;
use steadfast_core::id::{ClusterName, TargetId};
use steadfast_core::time::Timestamp;

/// How many things of a kind a line names; the rest are a number.
const NAMED: usize = 4;

/// Something to tell of a source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Notice {
    /// Collections of a cluster cannot be read.
    ClusterLost {
        cluster: ClusterName,
        server: String,
        lists: Vec<(Collection, Fault)>,
        since: Timestamp,
        /// How many of its jobs are on record.
        jobs: u64,
    },
    /// Collections that were lost can be read again.
    ClusterBack {
        cluster: ClusterName,
        server: String,
        away: Duration,
        jobs: u64,
        /// How many collections still cannot be.
        unreadable: usize,
    },
    /// A Flink is silent.
    FlinkLost {
        flink: TargetId,
        fault: Fault,
        since: Timestamp,
    },
    /// A Flink that was told as silent answers.
    FlinkBack { flink: TargetId, away: Duration },
    /// Most of a cluster's Flinks are silent.
    FleetLost {
        cluster: ClusterName,
        silent: usize,
        of: usize,
        /// Of one of them.
        fault: Fault,
        since: Timestamp,
    },
    /// A fleet that was told as silent is not any more.
    FleetBack {
        cluster: ClusterName,
        away: Duration,
        /// How many were silent in the meantime.
        concerned: usize,
        /// Those of them that still are.
        silent: Vec<TargetId>,
    },
}

/// Whether a source was lost, or is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Lost,
    Back,
}

impl Notice {
    /// What it tells of: a loss is worth a warning.
    pub(crate) fn loss(&self) -> Loss {
        match self {
            Self::ClusterLost { .. } | Self::FlinkLost { .. } | Self::FleetLost { .. } => Loss::Lost,
            Self::ClusterBack { .. } | Self::FlinkBack { .. } | Self::FleetBack { .. } => Loss::Back,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClusterLost {
                cluster,
                server,
                lists,
                since,
                jobs,
            } => {
                write!(f, "{cluster} ({server}) cannot be read since {since}: ")?;
                let named: Vec<String> = lists.iter().map(collection_lost).collect();
                write!(f, "{}", listed(&named, "; "))?;
                match jobs {
                    0 => write!(f, "; no job of it is on record, which does not mean that it has none"),
                    1 => write!(f, "; its 1 job on record stays as last seen"),
                    _ => write!(f, "; its {jobs} jobs on record stay as last seen"),
                }
            }
            Self::ClusterBack {
                cluster,
                server,
                away,
                jobs,
                unreadable,
            } => {
                write!(f, "{cluster} ({server}) can be read again after {}", seconds(*away))?;
                write!(f, "; it concerned {}", counted(*jobs, "job"))?;
                match unreadable {
                    0 => Ok(()),
                    n => write!(f, "; {} still cannot be read", counted(size(*n), "list")),
                }
            }
            Self::FlinkLost { flink, fault, since } => {
                if fault.is_own_lack() {
                    return write!(f, "Flink of {flink} is not asked since {since}: {}", fault.message);
                }
                write!(f, "Flink of {flink} does not answer since {since}: {fault}")
            }
            Self::FlinkBack { flink, away } => write!(f, "Flink of {flink} answers again after {}", seconds(*away)),
            Self::FleetLost {
                cluster,
                silent,
                of,
                fault,
                since,
            } => {
                let place = place(cluster);
                if fault.is_own_lack() {
                    let why = &fault.message;
                    return write!(f, "{silent} of {of} Flinks {place} are not asked since {since}: {why}");
                }
                write!(
                    f,
                    "{silent} of {of} Flinks {place} do not answer since {since}: {fault}"
                )
            }
            Self::FleetBack {
                cluster,
                away,
                concerned,
                silent,
            } => {
                write!(f, "the Flinks {} answer again after {}", place(cluster), seconds(*away))?;
                write!(f, "; it concerned {concerned}")?;
                if silent.is_empty() {
                    return Ok(());
                }
                let named: Vec<String> = silent.iter().map(TargetId::to_string).collect();
                write!(f, "; still silent: {}", listed(&named, ", "))
            }
        }
    }
}

fn collection_lost(((kind, namespace), fault): &(Collection, Fault)) -> String {
    match namespace {
        Some(namespace) => format!("{} in {namespace}: {fault}", kind.plural()),
        None => format!("{}: {fault}", kind.plural()),
    }
}

fn place(cluster: &ClusterName) -> String {
    match cluster.as_str() {
        "-" => "outside of Kubernetes".to_owned(),
        name => format!("of {name}"),
    }
}

fn listed(named: &[String], between: &str) -> String {
    let shown: Vec<&str> = named.iter().take(NAMED).map(String::as_str).collect();
    let text = shown.join(between);
    match named.len().saturating_sub(NAMED) {
        0 => text,
        more => format!("{text}{between}and {more} more"),
    }
}

fn counted(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}
