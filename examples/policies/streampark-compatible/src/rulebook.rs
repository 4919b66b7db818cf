//! The rules, each with what StreamPark does and why.

use steadfast_policy::rules;

rules! {
    /// Who spoke.
    pub enum Rule {
        FlinkReports = "flink-reports" {
            says: "Flink lists the job: its word is the state.",
            because: "StreamPark takes REST's word as it is.",
            changed_by: "Flink's next answer, or an error."
        }
        Silent = "silent" {
            says: "Flink answers and does not list the job, for less than `silent_state_keep`: SILENT, the state that was.",
            because: "A session cluster may list a job late.",
            changed_by: "A list with the job, or time."
        }
        Lost = "lost" {
            says: "SILENT for `silent_state_keep`: LOST.",
            because: "StreamPark gives up on it then.",
            changed_by: "A list with the job."
        }
        Archived = "archived" {
            says: "Flink does not answer, and an archive or the JobManager's log tells the end: that state.",
            because: "StreamPark reads `jobmanager.archive.fs.dir`.",
            changed_by: "Flink's answer."
        }
        Initializing = "k8s-initializing" {
            says: "The Deployment is there without an error, and Flink does not answer: K8S_INITIALIZING, here STARTING.",
            because: "StreamPark takes every silence for a start.",
            changed_by: "Flink's answer, or an error of the pod."
        }
        Cancelled = "cancelled" {
            says: "The cluster is gone, or gives an error, while the job was being cancelled: CANCELED.",
            because: "StreamPark keeps a list of what it cancels.",
            changed_by: "Flink's answer."
        }
        Failed = "failed" {
            says: "The JobManager restarted or crashed, the Deployment is missing from one answer, or Kubernetes gives an error: FAILED.",
            because: "StreamPark takes an exception for `does not exist`, and a past restart for an error (measured: 4 to 8 s after any restart).",
            changed_by: "Flink's answer. In StreamPark: nothing, since the watch ends."
        }
        Ended = "ended" {
            says: "An end on record stays while Flink does not list the job.",
            because: "Silence revives nothing.",
            changed_by: "Flink's answer."
        }
        NotYetSeen = "not-yet-seen" {
            says: "Nothing has been seen of the job yet: what is on record stays.",
            because: "There is nothing to be gone.",
            changed_by: "Any answer that has it."
        }
    }
}
