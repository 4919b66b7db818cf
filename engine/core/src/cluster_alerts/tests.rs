mod handed;
mod silences;
mod told_once;

use super::*;
use crate::alert::AlertEvent;
use crate::id::{JobKey, PolicyName};
use crate::record::{Condition, Origin, StandingAlert};
use crate::state::{JobState, Mode};

const AT: Timestamp = Timestamp::from_millis(1_000);

/// A record of a job that has these alerts about its cluster.
fn record(key: &str, alerts: &[&str]) -> JobRecord {
    let key = JobKey::parse(&format!("local/default/{key}")).unwrap();
    let alert = |name: &&str| StandingAlert {
        name: (*name).into(),
        scope: AlertScope::Cluster,
        since: AT,
        message: String::new(),
        silenced: false,
    };
    JobRecord {
        alerts: alerts.iter().map(alert).collect(),
        ..JobRecord::unseen(key, Mode::Application, Origin::Configured, PolicyName::new("p"), AT)
    }
}

fn marked(record: JobRecord, kind: ConditionType) -> JobRecord {
    let condition = Condition {
        kind,
        since: AT,
        message: String::new(),
    };
    JobRecord {
        conditions: vec![condition],
        ..record
    }
}

fn change(record: &JobRecord, name: &str, scope: AlertScope, status: AlertStatus) -> Change {
    let event = AlertEvent {
        alert: name.into(),
        scope,
        status,
        since: AT,
        message: "why".into(),
        silenced: false,
    };
    Change::update(record, record.clone(), vec![Event::Alert(event)])
}

/// What a commit tells: of which record, as what, and whether it begins.
fn told(changes: &[Change]) -> Vec<(String, AlertScope, AlertStatus)> {
    let of = |change: &Change| {
        let key = change.record.key.to_string();
        let alerts = change.events.iter().filter_map(move |event| match event {
            Event::Alert(alert) => Some((
                key.trim_start_matches("local/default/").to_owned(),
                alert.scope,
                alert.status,
            )),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        alerts.collect::<Vec<_>>()
    };
    changes.iter().flat_map(of).collect()
}

/// Alerts with records behind them, commit by commit.
#[derive(Default)]
struct Journal {
    alerts: ClusterAlerts,
    records: BTreeMap<JobKey, JobRecord>,
}

impl Journal {
    fn of(records: &[JobRecord]) -> Self {
        let mut journal = Self::default();
        for record in records {
            journal.alerts.committed(None, Some(record));
            journal.records.insert(record.key.clone(), record.clone());
        }
        journal
    }

    fn commit(&mut self, changes: Vec<Change>) -> Vec<Change> {
        let changes = self.alerts.dedupe(changes, |key| self.records.get(key));
        for change in &changes {
            let key = change.record.key.clone();
            let before = if change.forgets() {
                self.records.remove(&key)
            } else {
                self.records.insert(key, change.record.as_ref().clone())
            };
            self.alerts.delivered(before.as_ref(), change);
        }
        changes
    }

    fn tells(&mut self, changes: Vec<Change>) -> Vec<(String, AlertScope, AlertStatus)> {
        told(&self.commit(changes))
    }
}

#[test]
fn an_alert_about_a_policy_is_told_with_its_first_job_and_resolved_with_its_last() {
    let of = |key: &str, policy: &str| {
        let mut record = record(key, &["PolicyFailing"]);
        record.policy = PolicyName::new(policy);
        record.alerts[0].scope = AlertScope::Policy;
        record
    };
    let fires = |key, policy| change(&of(key, policy), "PolicyFailing", AlertScope::Policy, Firing);
    let ends = |key, policy| {
        let record = JobRecord {
            alerts: vec![],
            ..of(key, policy)
        };
        change(&record, "PolicyFailing", AlertScope::Policy, Resolved)
    };
    let is = |key: &str, status| vec![(key.to_owned(), AlertScope::Policy, status)];
    let mut journal = Journal::default();
    assert_eq!(journal.tells(vec![fires("a", "p"), fires("b", "p")]), is("a", Firing));
    assert_eq!(journal.tells(vec![fires("c", "p")]), []);
    assert_eq!(
        journal.tells(vec![fires("d", "q")]),
        is("d", Firing),
        "of another policy"
    );
    assert_eq!(journal.tells(vec![ends("a", "p"), ends("c", "p")]), []);
    assert_eq!(journal.tells(vec![ends("b", "p")]), is("b", Resolved));
    assert_eq!(journal.tells(vec![fires("a", "p")]), is("a", Firing), "and again");
    // A start finds the records, and presumes that it was told.
    let mut journal = Journal::of(&[of("a", "p"), of("b", "p")]);
    assert_eq!(journal.tells(vec![fires("c", "p"), ends("a", "p"), ends("c", "p")]), []);
    assert_eq!(journal.tells(vec![ends("b", "p")]), is("b", Resolved));
}

const NAME: &str = "FlinkUnreachable";
use AlertScope::{Cluster, Job};
use AlertStatus::{Firing, Resolved};

fn fires(key: &str) -> Change {
    change(
        &marked(record(key, &[NAME]), ConditionType::FlinkUnreachable),
        NAME,
        Cluster,
        Firing,
    )
}

fn ends(key: &str) -> Change {
    change(&record(key, &[]), NAME, Cluster, Resolved)
}

#[test]
fn an_outage_is_told_with_its_first_job_and_ends_with_its_last() {
    let mut journal = Journal::of(&[record("a", &[]), record("b", &[]), record("c", &[])]);
    let refused = journal.alerts.dedupe(vec![fires("a"), fires("b")], |_| None);
    assert_eq!(told(&refused), [("a".into(), Cluster, Firing)]);
    // The store refused it: nothing was delivered, and it is told with the next.
    assert_eq!(
        journal.tells(vec![fires("b"), fires("a")]),
        [("b".into(), Cluster, Firing)]
    );
    assert_eq!(journal.tells(vec![fires("c")]), []);
    assert_eq!(journal.tells(vec![ends("b"), ends("a")]), []);
    assert_eq!(journal.tells(vec![ends("c")]), [("c".into(), Cluster, Resolved)]);
}

#[test]
fn one_whose_condition_others_have_is_told_as_the_clusters() {
    let other = marked(record("b", &[]), ConditionType::FlinkUnreachable);
    let mut journal = Journal::of(&[record("a", &[]), other]);
    assert_eq!(journal.tells(vec![fires("a")]), [("a".into(), Cluster, Firing)]);
}

#[test]
fn one_that_rests_on_one_job_is_not_told_and_hides_no_outage() {
    for records in [vec![record("a", &[]), record("b", &[])], vec![record("a", &[])]] {
        let mut journal = Journal::of(&records);
        assert_eq!(journal.tells(vec![fires("a")]), []);
        assert_eq!(journal.tells(vec![fires("b")]), [("b".into(), Cluster, Firing)]);
        assert_eq!(journal.tells(vec![ends("a")]), []);
        assert_eq!(journal.tells(vec![ends("b")]), [("b".into(), Cluster, Resolved)]);
        // What was not told does not end.
        assert_eq!(journal.tells(vec![fires("b")]), []);
        assert_eq!(journal.tells(vec![ends("b")]), []);
    }
}

#[test]
fn an_api_server_that_gives_no_answer_rests_on_no_job() {
    const API: &str = "KubernetesUnreachable";
    let mut journal = Journal::of(&[record("a", &[])]);
    let fires = change(&record("a", &[API]), API, Cluster, Firing);
    let ends = change(&record("a", &[]), API, Cluster, Resolved);
    assert_eq!(journal.tells(vec![fires]), [("a".into(), Cluster, Firing)]);
    assert_eq!(journal.tells(vec![ends]), [("a".into(), Cluster, Resolved)]);
}

#[test]
fn after_a_restart_nothing_is_told_again() {
    let mut journal = Journal::of(&[record("a", &[NAME]), record("b", &[NAME]), record("c", &[])]);
    assert_eq!(journal.tells(vec![fires("c")]), []);
    assert_eq!(journal.tells(vec![ends("a"), ends("b")]), []);
    assert_eq!(journal.tells(vec![ends("c")]), [("c".into(), Cluster, Resolved)]);
    let mut alone = Journal::of(&[record("a", &[NAME]), record("b", &[])]);
    // It may have been told while another had it too: in doubt the end is told.
    assert_eq!(alone.tells(vec![ends("a")]), [("a".into(), Cluster, Resolved)]);
}

#[test]
fn a_forgotten_job_keeps_no_alert() {
    let mut journal = Journal::of(&[record("a", &[]), record("b", &[])]);
    journal.commit(vec![fires("a"), fires("b")]);
    let forgotten = Change::forget(std::sync::Arc::new(record("a", &[NAME])));
    journal.alerts.delivered(Some(&record("a", &[NAME])), &forgotten);
    assert_eq!(journal.tells(vec![ends("b")]), [("b".into(), Cluster, Resolved)]);
}

fn forgets(record: JobRecord) -> Change {
    Change::forget(record.into())
}

#[test]
fn with_the_last_record_that_has_it_a_shared_alert_ends_though_the_record_is_forgotten() {
    let mut journal = Journal::of(&[record("a", &[]), record("b", &[])]);
    journal.commit(vec![fires("a"), fires("b")]);
    assert_eq!(journal.tells(vec![forgets(record("a", &[NAME]))]), []);
    let last = journal.commit(vec![forgets(record("b", &[NAME]))]);
    assert_eq!(told(&last), [("b".into(), Cluster, Resolved)]);
    assert!(
        matches!(&last[0].events[..], [Event::Alert(_), Event::Forgotten]),
        "it ends before its record does: {last:?}"
    );
    // Nobody has it any more, so that it begins anew.
    let begins = journal.tells(vec![fires("c"), fires("d")]);
    assert_eq!(begins, [("c".into(), Cluster, Firing)]);
}

#[test]
fn records_that_a_start_forgets_end_what_they_had_and_nothing_that_others_have() {
    let (a, b) = (record("a", &[NAME]), record("b", &[NAME]));
    let mut alerts = ClusterAlerts::default();
    for stored in [&a, &b] {
        alerts.committed(None, Some(stored));
    }
    let first = alerts.dedupe(vec![forgets(a)], |_| None);
    assert_eq!(told(&first), []);
    // The loop never had a record of it.
    alerts.delivered(None, &first[0]);
    let both = alerts.dedupe(vec![forgets(b)], |_| None);
    assert_eq!(told(&both), [("b".into(), Cluster, Resolved)]);
    alerts.delivered(None, &both[0]);
    let begins = [fires("c"), fires("d")];
    assert_eq!(
        told(&alerts.dedupe(begins.into(), |_| None)),
        [("c".into(), Cluster, Firing)]
    );
}

/// A job of the session cluster `shared` that is gone since that moment, with its alert.
fn lost(n: u8, since: i64, state: JobState, name: &str) -> JobRecord {
    let mut record = record(&format!("shared/{n:032x}"), &[name]);
    record.alerts.iter_mut().for_each(|alert| alert.scope = Job);
    JobRecord {
        mode: Mode::Session,
        state,
        since: Timestamp::from_millis(since),
        ..record
    }
}

fn quiet(record: &JobRecord) -> JobRecord {
    JobRecord {
        alerts: Vec::new(),
        ..record.clone()
    }
}

#[test]
fn a_session_cluster_that_goes_with_its_jobs_is_told_once_and_lists_them() {
    let jobs: Vec<JobRecord> = (1..=10)
        .map(|n| lost(n, i64::from(n) * 500, JobState::Terminated, "JobTerminated"))
        .collect();
    let mut journal = Journal::of(&jobs.iter().map(quiet).collect::<Vec<_>>());
    let fires = |job: &JobRecord| change(job, "JobTerminated", Job, Firing);
    let first = journal.commit(jobs.iter().take(3).map(fires).collect());
    assert_eq!(told(&first).len(), 1);
    let Some(Event::Alert(alert)) = first.first().and_then(|change| change.events.first()) else {
        panic!("{first:?}");
    };
    assert!(
        alert
            .message
            .starts_with("10 jobs of session cluster local/default/shared went together: why")
    );
    assert!(jobs.iter().all(|job| {
        alert
            .message
            .contains(&job.key.session_job.as_ref().unwrap().to_string())
    }));
    assert_eq!(journal.tells(jobs.iter().skip(3).map(fires).collect()), []);
    // After a restart too, and what goes later goes for another reason.
    let mut restarted = Journal::of(&jobs);
    let late = lost(11, 6_000, JobState::Terminated, "JobTerminated");
    assert_eq!(restarted.tells(vec![fires(&late)]), []);
    let other = lost(12, 600_000, JobState::Terminated, "JobTerminated");
    assert_eq!(restarted.tells(vec![fires(&other)]).len(), 1);
    // The end of an alert that was told with another's is not told, however it ends.
    let (forgotten, left) = jobs.split_at(5);
    let ends = |job: &JobRecord| change(&quiet(job), "JobTerminated", Job, Resolved);
    let forgets = |job: &JobRecord| forgets(job.clone());
    let ended = journal.commit(forgotten.iter().map(forgets).chain(left.iter().map(ends)).collect());
    assert_eq!(told(&ended).len(), 1);
}

#[test]
fn alerts_of_jobs_with_a_cause_of_their_own_are_their_own() {
    let failed = [1, 2].map(|n| lost(n, 1_000, JobState::Failed, "JobFailed"));
    let mut journal = Journal::of(&failed.each_ref().map(quiet));
    let fires = |job: &JobRecord| change(job, "JobFailed", Job, Firing);
    assert_eq!(journal.tells(failed.iter().map(fires).collect()).len(), 2);
    let mut applications = Journal::of(&[record("a", &[]), record("b", &[])]);
    let fires = |key: &str| change(&record(key, &[]), "JobTerminated", Job, Firing);
    assert_eq!(applications.tells(vec![fires("a"), fires("b")]).len(), 2);
}

#[test]
fn a_session_cluster_that_goes_again_is_told_once_again() {
    let fires = |job: &JobRecord| change(job, "JobTerminated", Job, Firing);
    let goes = |n, since| lost(n, since, JobState::Terminated, "JobTerminated");
    let first = [goes(1, 1_000), goes(2, 2_000)];
    let again = [goes(3, 900_000), goes(4, 901_000)];
    let mut journal = Journal::default();
    for (job, times) in first.iter().zip([1, 0]).chain(again.iter().zip([1, 0])) {
        assert_eq!(journal.tells(vec![fires(job)]).len(), times, "{}", job.key);
    }
}

#[test]
fn nothing_is_kept_of_a_session_cluster_that_is_no_longer_there() {
    let job = lost(1, 1_000, JobState::Terminated, "JobTerminated");
    let mut journal = Journal::default();
    journal.commit(vec![change(&job, "JobTerminated", Job, Firing)]);
    assert_eq!(journal.alerts.sessions.len(), 1);
    journal.commit(vec![forgets(job)]);
    assert_eq!(journal.alerts.sessions.len(), 0);
}

#[test]
fn of_fifty_jobs_that_went_together_each_is_listed_and_of_more_the_rest_is_counted() {
    for (count, rest) in [(50, None), (51, Some(" and 1 more"))] {
        let jobs: Vec<JobRecord> = (1..=count)
            .map(|n| lost(n, 1_000, JobState::Terminated, "JobTerminated"))
            .collect();
        let mut journal = Journal::of(&jobs);
        let told = journal.commit(vec![change(
            &lost(60, 1_000, JobState::Lost, "JobLost"),
            "JobLost",
            Job,
            Firing,
        )]);
        assert_eq!(told.len(), 1, "of another state");
        let mut journal = Journal::of(&jobs.iter().skip(1).map(quiet).collect::<Vec<_>>());
        let told = journal.commit(vec![change(&jobs[0], "JobTerminated", Job, Firing)]);
        let Some(Event::Alert(alert)) = told.first().and_then(|change| change.events.first()) else {
            panic!("{told:?}");
        };
        assert_eq!(alert.message.contains(" more"), rest.is_some(), "{}", alert.message);
        assert!(
            rest.is_none_or(|rest| alert.message.ends_with(rest)),
            "{}",
            alert.message
        );
    }
}

#[test]
fn an_alert_that_was_not_told_is_not_taken_for_told_since_another_one_was() {
    const API: &str = "KubernetesUnreachable";
    let mut journal = Journal::of(&[record("a", &[]), record("b", &[])]);
    // In one commit the API server's alert is told, and a silent Flink's is not, since it rests on one Flink.
    let both = marked(record("a", &[API, NAME]), ConditionType::FlinkUnreachable);
    let mut change_of_both = change(&both, API, Cluster, Firing);
    change_of_both
        .events
        .extend(change(&both, NAME, Cluster, Firing).events);
    let told_names = |changes: Vec<Change>| {
        let alerts = changes.into_iter().flat_map(|change| change.events);
        let names = alerts.filter_map(|event| match event {
            Event::Alert(alert) => Some(alert.alert),
            Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(told_names(journal.commit(vec![change_of_both])), [API]);
    assert_eq!(told_names(journal.commit(vec![fires("b")])), [NAME]);
}

#[test]
fn a_change_of_something_else_leaves_open_what_was_told_before_a_restart() {
    let mut journal = Journal::of(&[record("a", &[NAME]), record("b", &[])]);
    let update = Change::update(&record("a", &[NAME]), record("a", &[NAME]), Vec::new());
    assert_eq!(journal.tells(vec![update]), []);
    assert_eq!(journal.tells(vec![ends("a")]), [("a".into(), Cluster, Resolved)]);
}

#[test]
fn a_change_of_something_else_does_not_join_a_jobs_own_alert_to_anothers() {
    let failed = lost(1, 1_000, JobState::Failed, "JobFailed");
    let mut journal = Journal::of(&[quiet(&failed)]);
    assert_eq!(journal.tells(vec![change(&failed, "JobFailed", Job, Firing)]).len(), 1);
    let update = Change::update(&failed, failed.clone(), Vec::new());
    assert_eq!(journal.tells(vec![update]), []);
    assert_eq!(
        journal
            .tells(vec![change(&quiet(&failed), "JobFailed", Job, Resolved)])
            .len(),
        1
    );
}

#[test]
fn one_job_of_a_session_went_alone_and_two_went_together() {
    let jobs = [1, 2].map(|n| lost(n, 1_000, JobState::Terminated, "JobTerminated"));
    for (others, together) in [(&jobs[..1], false), (&jobs[..], true)] {
        let mut journal = Journal::of(&others.iter().map(quiet).collect::<Vec<_>>());
        let told = journal.commit(vec![change(&jobs[0], "JobTerminated", Job, Firing)]);
        let Some(Event::Alert(alert)) = told.first().and_then(|change| change.events.first()) else {
            panic!("{told:?}");
        };
        assert_eq!(
            alert.message.starts_with("2 jobs of session cluster"),
            together,
            "{}",
            alert.message
        );
    }
}
