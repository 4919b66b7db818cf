//! What the record must show once all has healed, and for as long as the story lasts.

use std::collections::BTreeSet;

use super::cluster::{Cluster, Job, There};
use super::operator::{SessionJob, Wish};
use super::{Tale, seconds};
use crate::properties::plot::{Found, Kind};

/// By when what Flink lists must stand in the record after all has healed, in seconds: a terminal record that only
/// Flink revives takes 75.
const LISTED_WITHIN: u64 = 80;
/// By when the end of a cluster that is gone must stand there: two validations and what comes after them.
const GONE_WITHIN: u64 = 150;
/// Who was there and undisturbed for so long was seen by the engine.
const SEEN_AFTER: u64 = 20_000;
/// What Flink says of a job that has ended, and of one that was stopped with a savepoint or cancelled.
pub const ENDS: [&str; 3] = ["FINISHED", "FAILED", "CANCELED"];
pub(super) const STOPS: [&str; 2] = ["FINISHED", "CANCELED"];

/// What one record must show.
struct Expected {
    target: String,
    within: u64,
    states: BTreeSet<&'static str>,
    confidence: &'static str,
    /// Whether its Flink and its API server answer and are to.
    is_reachable: bool,
}

const EXPLAINED: &str = "[\"confirmed\", \"inferred\"]";

impl Tale {
    /// What must be recorded, and for so many seconds stay so.
    pub fn expected(&self, stays: u64) -> String {
        let all: Vec<Expected> = self.clusters.iter().flat_map(|cluster| self.of(cluster)).collect();
        let is_settled = self.clusters.iter().all(|cluster| cluster.there == There::Up)
            && all.iter().all(|one| one.within == LISTED_WITHIN);
        let last = if is_settled { LISTED_WITHIN } else { GONE_WITHIN };
        let until = seconds(self.now + (last + stays) * 1000);
        all.iter().map(|one| self.written(one, &until)).collect()
    }

    fn written(&self, expected: &Expected, until: &str) -> String {
        let from = seconds(self.now + expected.within * 1000);
        let states: Vec<String> = expected.states.iter().map(|state| format!("\"{state}\"")).collect();
        let reach = if expected.is_reachable {
            "no_condition = [\"AccessDenied\", \"FlinkUnreachable\", \"KubernetesUnreachable\"]\n"
        } else {
            ""
        };
        format!(
            "[[expect]]\nfrom = \"{from}\"\nuntil = \"{until}\"\ntarget = \"{}\"\nstate = [{}]\nconfidence = {}\n{reach}\n",
            expected.target,
            states.join(", "),
            expected.confidence,
        )
    }

    fn of(&self, cluster: &Cluster) -> Vec<Expected> {
        match (cluster.there, cluster.kind) {
            (There::Up, _) => {
                let reads = self.reads_resources(cluster);
                let listed = cluster.jobs.iter().map(|job| listed(cluster, job, reads));
                let stopped = cluster.session_jobs.iter();
                let stopped = stopped.filter_map(|resource| self.stopped(cluster, resource));
                listed.chain(stopped).collect()
            }
            (There::Gone, Kind::Application) => self.gone(cluster).into_iter().collect(),
            (There::Gone | There::Down | There::ScaledToZero, _) => Vec::new(),
        }
    }

    /// Whether the engine reads the operator's kinds there: it does where it discovers by them.
    fn reads_resources(&self, cluster: &Cluster) -> bool {
        let mut there = self.clusters.iter().filter(|other| other.place == cluster.place);
        there.any(|other| other.found == Found::Operator)
    }

    /// Whether the engine may never have seen what was there at the beginning.
    fn may_be_unseen(&self) -> bool {
        self.first_disturbance.is_some_and(|at| at < SEEN_AFTER)
    }

    /// A session cluster's job that the operator stopped, as its FlinkSessionJob asks.
    fn stopped(&self, cluster: &Cluster, resource: &SessionJob) -> Option<Expected> {
        let as_it_was = resource.stopped_as.filter(|_| resource.wish == Wish::Suspended)?;
        // Only the first job is there from the beginning.
        if self.may_be_unseen() || resource.job != 1 || resource.was_unreadable {
            return None;
        }
        // Without the resource it is a job that Flink no longer knows.
        let bare: &[_] = match as_it_was {
            end if ENDS.contains(&end) => &[end],
            _ if as_it_was == "CANCELLING" || resource.was_to_be_cancelled => &["CANCELED"],
            // It was said of a job that was gone: before its end was judged, or after.
            _ if cluster.intents.contains(&"cancel") => &["CANCELED", "LOST"],
            _ => &["LOST"],
        };
        let mut states = BTreeSet::new();
        if self.reads_resources(cluster) {
            states.insert("SUSPENDED");
        }
        // A failure stays one, and it may have been told lost before it was known that somebody asked for that.
        if states.is_empty() || as_it_was == "FAILED" || self.was_broken.contains(cluster.place) {
            states.extend(bare);
        }
        Some(Expected {
            target: format!("{}/j{}", cluster.name, resource.job),
            within: GONE_WITHIN,
            states,
            confidence: EXPLAINED,
            is_reachable: true,
        })
    }

    /// An application that is gone.
    fn gone(&self, cluster: &Cluster) -> Option<Expected> {
        if self.may_be_unseen() && cluster.found != Found::Config {
            return None;
        }
        let mut ends: BTreeSet<&str> = ENDS.into_iter().filter(|end| cluster.told.contains(end)).collect();
        if cluster.told.contains("CANCELLING") || cluster.intents.contains(&"cancel") {
            ends.insert("CANCELED");
        }
        let broken = self.was_broken.contains(cluster.place);
        let resource = cluster.resource.as_ref().filter(|_| self.reads_resources(cluster));
        let wish = resource.map_or(Wish::None, |resource| resource.wish);
        let mut states = match (wish, cluster.was_deployed) {
            (Wish::Running, false) => BTreeSet::from(["STARTING"]),
            (Wish::Suspended, false) => BTreeSet::from(["SUSPENDED"]),
            (Wish::Deleted | Wish::None, false) if cluster.found == Found::Config => BTreeSet::from(["UNKNOWN"]),
            (Wish::Deleted | Wish::None, false) => return None,
            (Wish::Running, true) => {
                // It may have been told gone for good while its resource was.
                if resource.is_some_and(|resource| resource.was_withdrawn) {
                    ends.insert("TERMINATED");
                    // Another one of its name asks for another start.
                    ends.insert("STARTING");
                    ends.extend(cluster.told.get("SUSPENDED"));
                }
                if broken && cluster.was_asked_for_first {
                    // Its Deployment may have come and gone unseen.
                    ends.insert("STARTING");
                }
                ends.insert("RECONCILING");
                ends
            }
            (Wish::Suspended, true) => {
                let may_have_ended = broken || resource.is_some_and(|resource| resource.asked_of_nothing);
                if may_have_ended {
                    ends.insert("TERMINATED");
                } else {
                    // An end that was told before that was asked for was none that carried it out.
                    let told_before = |end: &str| resource.is_some_and(|resource| resource.told_before.contains(end));
                    ends.retain(|end| *end == "FAILED" || told_before(end));
                }
                ends.insert("SUSPENDED");
                ends
            }
            (Wish::Deleted | Wish::None, true) => {
                ends.insert("TERMINATED");
                ends.extend(cluster.told.get("SUSPENDED"));
                ends
            }
        };
        if self.may_be_unseen() {
            states.insert("UNKNOWN");
        }
        Some(Expected {
            target: cluster.name.clone(),
            within: GONE_WITHIN,
            states,
            confidence: EXPLAINED,
            is_reachable: false,
        })
    }
}

/// A job that Flink lists, in a cluster where the engine reads the operator's kinds or does not.
fn listed(cluster: &Cluster, job: &Job, reads_resources: bool) -> Expected {
    let (target, wish, is_its_own) = match cluster.kind {
        Kind::Session => {
            let resource = cluster.session_jobs.iter().find(|resource| resource.job == job.number);
            (
                format!("{}/j{}", cluster.name, job.number),
                resource.map(|resource| resource.wish),
                resource.is_some_and(|resource| resource.asked_of_stopped),
            )
        }
        Kind::Application | Kind::Standalone => {
            let resource = cluster.resource.as_ref();
            (
                cluster.name.clone(),
                resource.map(|resource| resource.wish),
                resource.is_some_and(|resource| resource.asked_of_stopped),
            )
        }
    };
    // A savepoint that Flink does not show is inferred from the intent.
    let (states, confidence) = if job.state == "RUNNING" && cluster.intents.last() == Some(&"savepoint") {
        (BTreeSet::from(["RUNNING", "SAVEPOINTING"]), EXPLAINED)
    } else if reads_resources && wish == Some(Wish::Suspended) && is_its_own {
        // It had stopped by itself before that was asked for; so short before, that it may have been how it was carried out.
        (BTreeSet::from([job.state, "SUSPENDED"]), EXPLAINED)
    } else if reads_resources && wish == Some(Wish::Suspended) && STOPS.contains(&job.state) {
        (BTreeSet::from(["SUSPENDED"]), "\"inferred\"")
    } else if reads_resources && wish == Some(Wish::Running) && is_its_own {
        // It had stopped under a resource that asked for no running job, and the operator is to bring it back.
        (BTreeSet::from([job.state, "RECONCILING"]), EXPLAINED)
    } else {
        (BTreeSet::from([job.state]), "\"confirmed\"")
    };
    Expected {
        target,
        within: LISTED_WITHIN,
        states,
        confidence,
        is_reachable: true,
    }
}
