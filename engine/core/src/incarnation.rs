//! Which run of a job the record is about, so that two are never mixed.

use std::time::Duration;

use crate::id::{FlinkJobId, Uid};
use crate::time::Timestamp;

/// The identity of one attempt. What is `None` has not been seen yet; it is filled in, and only a
/// value that contradicts a known one begins a new attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation {
    /// 1 for the first one seen; 0 while nothing has been seen.
    pub attempt: u32,
    /// The Deployment's UID.
    pub deployment_uid: Option<Uid>,
    /// Whether that UID was seen in this attempt.
    pub uid_seen: UidSeen,
    /// The job's id.
    pub flink_job_id: Option<FlinkJobId>,
    /// The job's start-time.
    pub started_at: Option<Timestamp>,
    /// When the attempt was first seen.
    pub since: Option<Timestamp>,
    /// Job and start-time of the attempt before: an answer that names them comes from the old JobManager.
    pub previous: Option<(FlinkJobId, Timestamp)>,
}

/// What a `creationTimestamp` leaves out.
const WHOLE_SECONDS: Duration = Duration::from_secs(1);

/// Whether Kubernetes has spoken since the attempt began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UidSeen {
    /// Kubernetes named the UID in this attempt: another one is another attempt.
    InThisAttempt,
    /// The UID is left over from the attempt before, since Flink showed the new one first: another UID
    /// belongs to this attempt.
    Before,
}

impl Incarnation {
    /// Nothing has been seen. A session job is known by its id from the start.
    pub fn unseen(flink_job_id: Option<FlinkJobId>) -> Self {
        Self {
            attempt: 0,
            deployment_uid: None,
            uid_seen: UidSeen::Before,
            flink_job_id,
            started_at: None,
            since: None,
            previous: None,
        }
    }

    /// Takes in a Deployment that is there, by its UID and `creationTimestamp`, as seen at `at`.
    pub fn see_deployment(&mut self, uid: &Uid, created_at: Option<Timestamp>, at: Timestamp, now: Timestamp) {
        let known = self.deployment_uid.as_ref();
        if known == Some(uid) {
            // An older sight of the old UID proves nothing about this attempt.
            if self.uid_seen == UidSeen::Before && self.since.is_none_or(|since| at > since) {
                self.uid_seen = UidSeen::InThisAttempt;
            }
        } else if known.is_none() || self.uid_seen == UidSeen::Before || self.started_after(created_at) {
            // No contradiction: no UID was known, or only that of the attempt before, or the job started under this
            // Deployment, which is shown only now.
            self.deployment_uid = Some(uid.clone());
            self.uid_seen = UidSeen::InThisAttempt;
            self.begin_first(now);
        } else {
            // Another Deployment. Its job is not known yet; the old one's is kept, since the old JobManager may answer
            // once more.
            self.previous = self.flink_job_id.zip(self.started_at);
            self.deployment_uid = Some(uid.clone());
            self.flink_job_id = None;
            self.started_at = None;
            self.begin(now);
        }
    }

    /// Takes in the job that the record is about, as Flink lists it.
    pub fn see_job(&mut self, id: FlinkJobId, started_at: Timestamp, now: Timestamp) {
        let same_job = self.flink_job_id.is_none_or(|known| known == id);
        let same_start = self.started_at.is_none_or(|known| known == started_at);
        if same_job && same_start {
            self.flink_job_id = Some(id);
            self.started_at = Some(started_at);
            self.begin_first(now);
        } else {
            self.previous = self.flink_job_id.zip(self.started_at);
            self.flink_job_id = Some(id);
            self.started_at = Some(started_at);
            // Flink showed this attempt first. The UID that Kubernetes shows next belongs to it, and must not begin
            // another.
            self.uid_seen = UidSeen::Before;
            self.begin(now);
        }
    }

    /// Whether the job started when that Deployment was there already: then a UID that is learnt late, as after a silent
    /// watch, belongs to this attempt.
    fn started_after(&self, created_at: Option<Timestamp>) -> bool {
        created_at
            .zip(self.started_at)
            .is_some_and(|(created, started)| created.after(WHOLE_SECONDS) <= started)
    }

    fn begin(&mut self, now: Timestamp) {
        self.attempt = self.attempt.saturating_add(1);
        self.since = Some(now);
    }

    fn begin_first(&mut self, now: Timestamp) {
        if self.attempt == 0 {
            self.begin(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn job(n: u8) -> FlinkJobId {
        FlinkJobId::parse(&format!("{n:032x}")).unwrap()
    }

    fn running() -> Incarnation {
        let mut incarnation = Incarnation::unseen(None);
        incarnation.see_deployment(&Uid::new("u1"), None, at(1), at(1));
        incarnation.see_job(job(1), at(0), at(2));
        incarnation
    }

    #[test]
    fn what_is_filled_in_is_no_new_attempt() {
        assert_eq!(running().attempt, 1);
    }

    #[test]
    fn a_replacement_is_one_attempt_whichever_source_shows_it_first() {
        let mut watch_first = running();
        watch_first.see_deployment(&Uid::new("u2"), None, at(60), at(60));
        watch_first.see_job(job(2), at(59), at(61));
        let mut flink_first = running();
        flink_first.see_job(job(2), at(59), at(60));
        flink_first.see_deployment(&Uid::new("u1"), None, at(30), at(60));
        flink_first.see_deployment(&Uid::new("u2"), None, at(61), at(61));
        assert_eq!((watch_first.attempt, flink_first.attempt), (2, 2));
        assert_eq!(watch_first.previous, Some((job(1), at(0))));
    }

    #[test]
    fn a_new_start_time_under_the_same_id_is_a_new_attempt() {
        let mut incarnation = running();
        incarnation.see_job(job(1), at(79), at(80));
        assert_eq!(
            (incarnation.attempt, incarnation.deployment_uid),
            (2, Some(Uid::new("u1")))
        );
    }

    #[test]
    fn a_new_uid_after_kubernetes_confirmed_the_old_one_is_a_new_attempt() {
        let mut incarnation = running();
        incarnation.see_job(job(2), at(59), at(60));
        incarnation.see_deployment(&Uid::new("u1"), None, at(65), at(65));
        incarnation.see_deployment(&Uid::new("u2"), None, at(90), at(90));
        assert_eq!(incarnation.attempt, 3);
    }

    #[test]
    fn a_uid_shown_late_belongs_to_the_job_that_started_under_it() {
        let mut incarnation = running();
        incarnation.see_deployment(&Uid::new("u2"), Some(at(30)), at(30), at(30));
        incarnation.see_job(job(2), at(40), at(45));
        incarnation.see_deployment(&Uid::new("u3"), Some(at(32)), at(61), at(61));
        assert_eq!(
            (
                incarnation.attempt,
                incarnation.flink_job_id,
                incarnation.deployment_uid.clone()
            ),
            (2, Some(job(2)), Some(Uid::new("u3")))
        );
        incarnation.see_deployment(&Uid::new("u4"), Some(at(39)), at(70), at(70));
        assert_eq!(incarnation.attempt, 2, "39.9 is before 40 too");
        incarnation.see_deployment(&Uid::new("u5"), Some(at(40)), at(80), at(80));
        assert_eq!((incarnation.attempt, incarnation.flink_job_id), (3, None));
    }
}
