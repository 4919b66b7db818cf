//! Everything outside the loop that reads what it did: the projection and the journal's followers, the shadows' board, the
//! engine's status, metrics and log. Nothing is decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use steadfast_core::alert::{AlertEvent, AlertStatus};
use steadfast_core::board::ObjectRef;
use steadfast_core::cluster_lists::ListStatus;
use steadfast_core::error_chain::error_chain;
use steadfast_core::evidence::Observed;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::id::{ClusterName, JobKey, PolicyName, TargetId};
use steadfast_core::journal::{Change, Entry, Event, JournalError, Loaded, Part, Refusal, Sequence, Transition};
use steadfast_core::kube_update::{KubeUpdate, Scope};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::record::{JobRecord, PostedIntent};
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::snapshot::Fleet;
use steadfast_core::state::{ConditionType, Intent, JobState};
use steadfast_core::time::Timestamp;
use steadfast_core::trace::Tracer;
use tokio::sync::watch;

use super::traces::{Answered, told};
use crate::fetch::Fetched;
use crate::metrics::{KindLabel, Metrics, PolicyLabel, ResultLabel, TrimLabels};
use crate::policies::Policies;
use crate::source_log::{Loss, SourceLog};
use crate::status::{ClusterStatus, StatusBoard};
use crate::turn::{Show, Traced, Turn};

/// The target of what the log says of sources, for filters.
const SOURCES: &str = "steadfast_reconcile::sources";

pub(crate) struct Readers {
    pub(crate) projection: Arc<Projection>,
    pub(crate) shadows: ShadowBoard,
    pub(crate) status: StatusBoard,
    pub(crate) metrics: Metrics,
    /// The newest committed entry, for the stream and the sinks.
    pub(crate) entries: watch::Sender<Sequence>,
    /// What the log has said of sources.
    pub(crate) source_log: SourceLog,
    /// Flinks of whose newest list rows could not be read, as the log has said.
    pub(crate) unreadable: BTreeSet<TargetId>,
    /// Who is told of decisions; `None`: nobody is.
    pub(crate) tracer: Option<Arc<dyn Tracer>>,
    /// The log has said that the store fails, and not yet that it works again.
    pub(crate) store_fails: bool,
}

/// Says what was wrong with the records that were read from the store.
pub(crate) fn log_loaded(loaded: &Loaded) {
    for row in &loaded.set_aside {
        tracing::error!(
            job = %row.job, why = row.why,
            "the record does not read and was set aside; what is known of the job is what its sources say from now on. \
             `steadfast store check` and `export` show it"
        );
    }
    for what in &loaded.mended {
        tracing::warn!("the store was mended: {what}");
    }
}

impl Readers {
    /// The clusters of the configuration, none of which was looked at yet.
    pub(crate) fn begin(&self, clusters: BTreeMap<ClusterName, ClusterStatus>) {
        for (name, cluster) in &clusters {
            for (collection, list) in cluster.lists.iter() {
                self.metrics.show_list(name, collection, list);
            }
        }
        self.status.write(|status| status.clusters = clusters);
    }

    /// The loop turns: `/livez` reads it.
    pub(super) fn turned(&self, now: Timestamp, fleets: &BTreeMap<ClusterName, Fleet>) {
        self.status.write(|status| {
            status.turned_at = now;
            if status.fleets != *fleets {
                status.fleets.clone_from(fleets);
            }
        });
    }

    /// Something came from a Kubernetes list or watch.
    pub(super) fn kube_update(&mut self, update: &KubeUpdate, now: Timestamp) {
        let name = &update.scope.cluster;
        let collection = (update.scope.kind, update.scope.namespace.clone());
        let noted = self.status.write(|status| {
            let lists = &mut status.clusters.get_mut(name)?.lists;
            let fault = |list: &ListStatus| list.fault().map(|fault| fault.kind);
            let before = lists.get(&collection).and_then(fault);
            lists.note(update);
            let list = lists.get(&collection)?;
            Some((list.clone(), before != fault(list)))
        });
        if let Some((list, changed)) = noted {
            self.metrics.show_list(name, &collection, &list);
            if changed {
                self.source_log.list_changed(name, now);
            }
        }
    }

    /// What of a list nothing watches.
    pub(super) fn unwatched(&self, scope: &Scope, objects: Vec<ObjectRef>) {
        let names = objects
            .iter()
            .map(|object| format!("{}/{}", object.namespace, object.name));
        let names: Vec<String> = names.collect();
        self.status.write(|status| {
            if let Some(cluster) = status.clusters.get_mut(&scope.cluster) {
                cluster.unwatched.insert(scope.namespace.clone(), names);
            }
        });
    }

    pub(super) fn list_repairs(&self, repairs: u64) {
        self.metrics.list_repairs.set(gauge(repairs));
    }

    /// Something came of a request.
    pub(super) fn fetched(&mut self, fetched: &Fetched, now: Timestamp) {
        if let Fetched::Overview {
            target, observation, ..
        } = fetched
        {
            if self.status.write_flinks(|flinks| flinks.note(target, observation)) {
                self.source_log.flink_changed(target, now);
            }
            if let Observed::Present(overview) = &observation.answer {
                self.report_unreadable(target, &overview.unreadable);
            }
            let result = if observation.answer.is_known() {
                "answered"
            } else {
                "unknown"
            };
            self.metrics.polls.get_or_create(&ResultLabel { result }).inc();
            self.metrics.latencies.polled(&target.cluster, observation, result);
        }
    }

    /// Counts rows that could not be read, and says so once, until the Flink lists none of them any more.
    fn report_unreadable(&mut self, target: &TargetId, rows: &[ForeignText]) {
        self.metrics.unreadable_rows.inc_by(rows.len() as u64);
        match rows.first() {
            Some(first) if self.unreadable.insert(target.clone()) => tracing::warn!(
                flink = %target, rows = rows.len(),
                "rows of Flink's list cannot be read, and nothing is known of their jobs; the first: {first}"
            ),
            Some(_) => {}
            None if self.unreadable.remove(target) => {
                tracing::info!(flink = %target, "all rows of Flink's list can be read again");
            }
            None => {}
        }
    }

    /// When the log may have something to say of a source.
    pub(super) fn next_log(&self) -> Option<Timestamp> {
        self.source_log.next_due()
    }

    /// Says which sources were lost, and which are back.
    pub(super) fn log_sources(&mut self, now: Timestamp) {
        if self.source_log.next_due().is_none_or(|due| due > now) {
            return;
        }
        let Self {
            source_log,
            status,
            projection,
            ..
        } = self;
        let record: &Projection = projection;
        let mut notices = status.write(|status| source_log.of_clusters(&status.clusters, record, now));
        notices.extend(status.write_flinks(|flinks| source_log.of_flinks(flinks, record, now)));
        for notice in notices {
            match notice.loss() {
                Loss::Lost => tracing::warn!(target: SOURCES, "{notice}"),
                Loss::Back => tracing::info!(target: SOURCES, "{notice}"),
            }
        }
    }

    /// A turn was planned.
    pub(super) fn judged(&self, turn: &Turn) {
        let judged = u64::try_from(turn.judged()).unwrap_or(u64::MAX);
        self.metrics.decisions.inc_by(judged);
        for (job, failure) in turn.failures() {
            let kind = failure.kind.as_str();
            self.metrics.policy_failures.get_or_create(&KindLabel { kind }).inc();
            let is_known = self.projection.get(job).is_some_and(|view| is_failing(&view.record));
            if is_known {
                // It is tried again and again, and each time would be a line.
                tracing::debug!(%job, kind, "policy failed again: {}", failure.message);
            } else {
                tracing::warn!(%job, kind, "policy failed: {}", failure.message);
            }
        }
        for (policy, trim) in turn.trimmed() {
            let (policy, part) = (policy.to_string(), trim.as_str());
            self.metrics
                .decisions_trimmed
                .get_or_create(&TrimLabels { policy, part })
                .inc();
        }
        self.metrics.rate_limited.inc_by(turn.put_off());
    }

    /// The store took a commit, or did not.
    pub(super) fn committed(&mut self, result: &Result<Vec<Entry>, JournalError>) {
        let (label, error) = match result {
            Ok(_) => ("committed", None),
            // Of single jobs, which are shown by themselves; the store can be written.
            Err(JournalError::Refused { .. }) => ("refused", None),
            Err(error) => ("failed", Some(error)),
        };
        match error {
            Some(error) => self.store_failed("the store did not take a commit, which is tried again", error),
            None if self.store_fails => {
                self.store_fails = false;
                tracing::info!("the store takes commits again");
            }
            None => {}
        }
        self.metrics.commits.get_or_create(&ResultLabel { result: label }).inc();
        let error = error.map(|error| error_chain(error));
        self.status.write(|status| status.store_error = error);
    }

    /// What is asked of the store fails. It is asked again and again, and each time would be a line: it is said until a commit is
    /// taken.
    pub(super) fn store_failed(&mut self, what: &str, error: &JournalError) {
        let error = error_chain(error);
        if std::mem::replace(&mut self.store_fails, true) {
            tracing::debug!("{what}: {error}");
        } else {
            tracing::error!("{what}: {error}; said once, until the store takes a commit again");
        }
    }

    /// The store was read: what of it does not read is told, and what was set aside before is shown.
    pub(crate) fn loaded(&self, loaded: &Loaded) {
        log_loaded(loaded);
        let count = i64::try_from(loaded.quarantined.len()).unwrap_or(i64::MAX);
        self.metrics.quarantined.set(count);
        self.status
            .write(|status| status.quarantined = loaded.quarantined.as_slice().into());
    }

    /// The store does not take what was decided of some jobs. Of each it is said once, until it does.
    pub(super) fn refused(&self, refusals: &[Refusal]) {
        let known = self.status.read().unwritten;
        for Refusal { key, part, why } in refusals {
            match part {
                Part::Change if known.get(key) != Some(why) => tracing::error!(
                    job = %key, why,
                    "the store does not take what was decided of the job: its record stays as it is, and is shown as stale"
                ),
                Part::Change => {}
                Part::Snapshot => tracing::warn!(job = %key, why, "the snapshot behind a decision was not kept"),
            }
        }
    }

    /// Of which jobs the store takes nothing.
    pub(super) fn unwritten(&self, unwritten: BTreeMap<JobKey, String>) {
        self.metrics
            .unwritten
            .set(i64::try_from(unwritten.len()).unwrap_or(i64::MAX));
        self.status.write(|status| {
            let written = status.unwritten.keys().filter(|key| !unwritten.contains_key(*key));
            match written.collect::<Vec<_>>().as_slice() {
                [] => {}
                [key] => tracing::info!(job = %key, "the store takes what is decided of the job again"),
                keys => tracing::info!("the store takes what is decided of {} jobs again", keys.len()),
            }
            status.unwritten = unwritten;
        });
    }

    /// Shows what is durable.
    pub(super) fn show(&self, show: Show, policies: &Policies, now: Timestamp) {
        match show {
            Show::Changed(change, view) => {
                self.report_transitions(&change);
                report_alerts(&change);
                self.report_intent(&change.record);
                self.show_record(view);
            }
            Show::Forgotten(change) => {
                let key = &change.record.key;
                report_alerts(&change);
                self.projection.remove(key);
                self.shadows.forget(key);
                self.metrics.forget(key);
                // If it is polled on for other jobs, the next poll shows it again.
                self.status.write_flinks(|flinks| flinks.forget(&key.target));
            }
            Show::Repaired(view) => {
                tracing::error!(job = %view.record.key, "memory differed from the store and was repaired");
                self.metrics.drift.inc();
                self.show_record(view);
            }
            Show::Dropped(key) => {
                tracing::error!(job = %key, "memory had a record that the store does not have; it was dropped");
                self.metrics.drift.inc();
                self.projection.remove(&key);
                self.shadows.forget(&key);
                self.metrics.forget(&key);
                self.status.write_flinks(|flinks| flinks.forget(&key.target));
            }
            Show::Watch(key, watch) => self.projection.show_watch(&key, watch),
            Show::Shadow(policy, record, verdict) => {
                let aspects = self.shadows.record(&policy, record, *verdict, now);
                self.metrics.shadows.compared(&policy, &aspects);
            }
            Show::Worked(policy, work) => self.metrics.worked(&policy, &work),
            Show::Suspended(policy, since) => self.suspended(&policy, since),
            Show::Policies(shadows) => {
                let continues = |policy: &_, key: &_| shadows.continues(policy, key);
                self.shadows.begin(&shadows.names, continues);
                self.status
                    .write(|status| status.policies = policies.statuses(&status.policies, now));
                // Those that are no shadows, or not there, any more leave the metrics.
                self.metrics.shadows.begin();
                self.metrics.policy_waiting.clear();
                self.metrics.policy_suspended.clear();
            }
        }
    }

    /// A policy is suspended, or not any more.
    fn suspended(&self, policy: &PolicyName, since: Option<Timestamp>) {
        let label = PolicyLabel {
            policy: policy.to_string(),
        };
        let suspended = i64::from(since.is_some());
        self.metrics.policy_suspended.get_or_create(&label).set(suspended);
        self.status.write(|status| {
            let named = status.policies.iter_mut().filter(|known| known.name == *policy);
            named.for_each(|known| known.suspended_since = since);
        });
        if since.is_some() {
            tracing::warn!(
                %policy,
                "the policy ran out of time again and again; it is asked about one job at a time, with growing pauses, until it \
                 answers one. Allow it more with `deadline` in its [[policy]], or mend the module"
            );
        } else {
            tracing::info!(%policy, "the policy keeps its deadline again, and is asked about all its jobs");
        }
    }

    pub(super) fn show_record(&self, view: JobView) {
        self.projection.show(view);
    }

    /// Tells of decisions, now that the store has answered.
    pub(super) fn trace(&self, traced: Vec<Traced>, answered: &Answered<'_>) {
        if let Some(tracer) = &self.tracer {
            let told = told(traced, answered);
            told.into_iter().for_each(|decision| tracer.decided(decision));
        }
    }

    /// Everything of a commit is shown: those who follow the journal may read on.
    pub(super) fn announce(&self, newest: Option<Sequence>) {
        self.metrics.shadows.show(&self.shadows.counts());
        if let Some(newest) = newest {
            self.entries.send_replace(newest);
        }
    }

    /// Says in the log what became of an intent, beside the record as it was shown last.
    fn report_intent(&self, record: &JobRecord) {
        let key = &record.key;
        let before = self.projection.get(key).and_then(|view| view.record.intent.clone());
        let stands = |posted: &&PostedIntent| posted.intent != Intent::None;
        match (before.as_ref().filter(stands), record.intent.as_ref().filter(stands)) {
            (before, Some(now))
                if before.is_none_or(|before| (before.intent, &before.author) != (now.intent, &now.author)) =>
            {
                let author = now.author.as_deref().unwrap_or("nobody named");
                tracing::info!(job = %key, intent = now.intent.as_str(), author, "an intent was posted");
            }
            (Some(before), None) => {
                let author = before.author.as_deref().unwrap_or("nobody named");
                tracing::info!(
                    job = %key, intent = before.intent.as_str(), author, posted = %before.since,
                    "an intent has ended: taken back, fulfilled, outlived by the next attempt, or timed out"
                );
            }
            (None | Some(_), Some(_)) | (None, None) => {}
        }
    }

    fn report_transitions(&self, change: &Change) {
        for event in &change.events {
            if let Event::Transition(transition) = event {
                self.metrics.moved(&change.record.key, transition.to);
                let Transition { from, to, reason, .. } = transition;
                tracing::info!(
                    job = %change.record.key, %from, %to, attempt = transition.attempt,
                    "{}{}", what_began(*from, *to), reason.message
                );
            }
        }
    }
}

/// Says in the log which alerts begin and end. Of one that many records share the journal has one entry, and so has the log.
fn report_alerts(change: &Change) {
    for event in &change.events {
        if let Event::Alert(alert) = event {
            let AlertEvent {
                alert: name,
                scope,
                status,
                since,
                message,
                silenced,
            } = alert;
            let job = &change.record.key;
            match status {
                AlertStatus::Firing => {
                    tracing::info!(%job, alert = name, %scope, silenced, "an alert was raised: {message}");
                }
                AlertStatus::Resolved => {
                    tracing::info!(%job, alert = name, %scope, silenced, %since, "an alert was resolved: {message}");
                }
            }
        }
    }
}

/// Whether readers are told already that the job's policy fails.
fn is_failing(record: &JobRecord) -> bool {
    record.condition(ConditionType::PolicyFailing).is_some()
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A state that follows itself is another run's.
fn what_began(from: JobState, to: JobState) -> &'static str {
    if from == to { "a new run: " } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_follows_itself_is_told_as_a_new_run() {
        assert_eq!(what_began(JobState::Running, JobState::Running), "a new run: ");
        assert_eq!(what_began(JobState::Restarting, JobState::Running), "");
    }
}
