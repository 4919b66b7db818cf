//! What wakes a sleeping watch.
//!
//! A policy may put a watch to sleep: Flink is polled no more, since the job has ended or its Deployment is gone. Lists and
//! watches of Kubernetes go on, because they cost nothing for one job more. What they say wakes the watch: Flink is asked at
//! once, whatever the record says, and the job is judged. An intent has it judged; silence wakes nobody.
//!
//! The same is said twice here, since it is asked of two things: [`woken_by`] of an update as the board takes it in (the
//! reactor, and `policy verify`), and [`Fingerprint`] of two snapshots, where no update is at hand (shadows and replays,
//! which see snapshots alone). A test holds the second to the first: what wakes by snapshots wakes by updates.

use crate::board::{Accepted, ObjectRef};
use crate::evidence::{Evidence, Observed};
use crate::facts::{Deployment, FlinkResource, Pod};
use crate::record::PostedIntent;
use crate::snapshot::Snapshot;

/// The Flink clusters whose sleeping watches an update wakes: those about which a Deployment, a pod or an operator's
/// resource said something new.
pub fn woken_by(accepted: &Accepted) -> impl Iterator<Item = &ObjectRef> {
    accepted.touched.iter()
}

/// What is known of a job while its watch sleeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    attempt: u32,
    intent: Option<PostedIntent>,
    deployment: Option<Observed<Deployment>>,
    pods: Option<Observed<Vec<Pod>>>,
    resource: Option<Observed<FlinkResource>>,
}

impl Fingerprint {
    /// What a snapshot shows of it.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            attempt: snapshot.record.incarnation.attempt,
            intent: snapshot.record.intent.clone(),
            deployment: snapshot.deployment.as_ref().map(|evidence| evidence.latest.clone()),
            pods: snapshot.pods.as_ref().map(|evidence| evidence.latest.clone()),
            resource: snapshot.flink_resource.as_ref().map(|evidence| evidence.latest.clone()),
        }
    }

    /// Whether a later snapshot of the same job shows what wakes its watch.
    pub fn is_woken_by(&self, later: &Snapshot) -> bool {
        self.attempt != later.record.incarnation.attempt
            || self.intent != later.record.intent
            || is_news(self.deployment.as_ref(), later.deployment.as_ref())
            || is_news(self.pods.as_ref(), later.pods.as_ref())
            || is_news(self.resource.as_ref(), later.flink_resource.as_ref())
    }
}

/// Whether there is an answer now, and another one than then.
fn is_news<T: PartialEq>(then: Option<&Observed<T>>, now: Option<&Evidence<T>>) -> bool {
    now.is_some_and(|now| now.latest.is_known() && then != Some(&now.latest))
}

#[cfg(test)]
mod tests;
