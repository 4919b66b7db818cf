//! Every rule by name, with what it says, why, and what would change its mind. `describe` tells them to `explain`,
//! and `docs/policy-conservative.md` is made from them.

steadfast_policy::rules! {
    /// A rule of the conservative policy.
    pub enum Rule {
        FlinkListsJob = "flink-lists-job" {
            says: "Flink lists the job: its word is the state, confirmed. A running job whose checkpoints show a savepoint in progress is SAVEPOINTING.",
            because: "Only the JobManager knows the job's state (org.apache.flink.api.common.JobStatus); everything else is a guess about it.",
            changed_by: "Flink's next answer."
        }
        SavepointIntended = "savepoint-intended" {
            says: "Somebody said that a savepoint is taken, and Flink shows none in progress: SAVEPOINTING, inferred, while that intent stands.",
            because: "A wish is not a state: an intent ends when a savepoint is completed, with the next attempt, or after `timing.intent_timeout`.",
            changed_by: "Flink's checkpoints, its next state, or the end of the intent."
        }
        NoJobYet = "no-job-yet" {
            says: "Flink answers and lists no job, and none was seen in this attempt: the state stays, inferred.",
            because: "An application's REST endpoint is up for seconds before its job is submitted; the test cluster shows an empty list then.",
            changed_by: "A job in Flink's list."
        }
        JobLeftOpen = "job-left-open" {
            says: "Flink answers and leaves open what became of the job: its list lacks it, or has a row that cannot be read, and asked for it by its id Flink gives no usable answer. The state stays, inferred.",
            because: "Flink's list leaves a job out whose JobMaster does not answer (FLINK-40602): it proves nothing about what it leaves out.",
            changed_by: "Flink's word on the job: its row, an answer to its id, or Flink's own 404."
        }
        JobNotListed = "job-not-listed" {
            says: "Flink answers that it does not know the job it ran: the state stays, inferred, until `absence_confirmations` such answers of one JobManager span `absence_window`. Of an application for `start_deadline`, unless the one JobManager that is there is known to have listed the job.",
            because: "A JobManager that restarts with HA knows none of its jobs until it has recovered them; and another one may have come, or lead, while nobody looked.",
            changed_by: "A list with the job; or enough such answers, which make it LOST."
        }
        JobLost = "job-lost" {
            says: "Flink answers, and says over `absence_window` that it does not know the job: LOST.",
            because: "Without HA a restarted JobManager has forgotten its jobs: Flink's own, complete word.",
            changed_by: "The job in Flink's list again, or a source that tells how it ended."
        }
        EndedJobNotListed = "ended-job-not-listed" {
            says: "An ended job is no longer listed: the end stays. One that was only known from absence is still looked up in the archives.",
            because: "Flink drops ended jobs from its list (jobstore.expiration-time, jobstore.max-capacity).",
            changed_by: "A job that runs in Flink's list; an end told late, if this one was only known from absence."
        }
        VerdictsWait = "verdicts-wait" {
            says: "Nothing turns terminal while `fleet_unknown_share` of the cluster's jobs are dark (standalone ones have no cluster), or within `startup_grace`: the state stays, inferred.",
            because: "When most of a cluster falls silent at once the cause is the network or the API server, not each job.",
            changed_by: "The cluster seen again: ages start again from there."
        }
        OneLostAnswer = "one-lost-answer" {
            says: "Flink missed an answer within the last two polls and a timeout: state and confidence stay.",
            because: "One lost answer is no news.",
            changed_by: "Flink's next answer; more silence makes the state inferred or stale."
        }
        DeploymentIsThere = "deployment-is-there" {
            says: "Flink is silent and its Deployment is there: the state stays, inferred.",
            because: "A job whose JobManager cannot be asked may well run; a Deployment that exists is no end.",
            changed_by: "Flink's answer; a restarted pod; the Deployment's deletion."
        }
        JobManagerRestarts = "job-manager-restarts" {
            says: "Flink is silent and the JobManager's container restarted, or another pod took its place: RESTARTING, inferred. An application's stays so while Flink answers and does not know the job yet, for `start_deadline` at most, whether its pods can be read or not. With several JobManagers, only if none is left that listed the job.",
            because: "Kubernetes names the restart while Flink elects a leader: 7 to 19 s on the test cluster. An application's JobManager then runs main(), which submits the job.",
            changed_by: "Flink's answer, with the job; the deadline, which makes it LOST."
        }
        DeploymentIsBack = "deployment-is-back" {
            says: "The Deployment that was gone, or scaled to zero, is there again: STARTING; of a session's job UNKNOWN.",
            because: "A new Deployment is a new start; a job that ended with its cluster is not believed to be gone for ever. Whether a session cluster that is back has its jobs, Flink has to tell.",
            changed_by: "Flink's answer."
        }
        FlinkNotHeard = "flink-not-heard" {
            says: "The Deployment is there and well, and its Flink has never been heard: UNKNOWN, with why Flink does not answer.",
            because: "Nobody saw it start: it may have run for weeks behind a wrong route or a NetworkPolicy.",
            changed_by: "Flink's answer; or Kubernetes saying that its pods are not ready, or another Deployment in its place, which is a start."
        }
        Starting = "starting" {
            says: "The Deployment is there, no job was seen in this attempt, and Kubernetes says that it comes up, or Flink that it has no job yet, or it took another Deployment's place: STARTING, with what keeps it. Once it has been well for `start_deadline` and not heard, it is UNKNOWN.",
            because: "Resources exist, Flink cannot speak yet.",
            changed_by: "Flink's answer; or the start deadline with a problem that Kubernetes names."
        }
        StartDeadline = "start-deadline" {
            says: "Not started within `start_deadline`, not counting a darkness, and Kubernetes names a problem (crash loop, image, quota, scheduling): FAILED with it. A silence without a named problem never is.",
            because: "A JobManager that cannot start has never run a job; Kubernetes' own reason is evidence, time alone is not.",
            changed_by: "A job that runs, or another Deployment."
        }
        StartFailed = "start-failed" {
            says: "A start that failed stays FAILED while nothing runs.",
            because: "A pod between two crashes looks healthy for a second.",
            changed_by: "A job in Flink's list, or another Deployment."
        }
        NothingThere = "nothing-there" {
            says: "Neither Flink nor a Deployment has ever been seen: UNKNOWN.",
            because: "A job that was never observed has no state to keep.",
            changed_by: "A Deployment, or Flink's answer."
        }
        NotDeployedYet = "not-deployed-yet" {
            says: "A FlinkDeployment asks for the job and its Deployment has not appeared: STARTING, with what the operator says. So it does that is made anew under the name of one that was deleted.",
            because: "The operator makes the Deployment some time after its resource; nothing of the job can be observed before.",
            changed_by: "The Deployment, or Flink's answer; or the start deadline with an error of the operator's."
        }
        NotSubmittedYet = "not-submitted-yet" {
            says: "A FlinkSessionJob asks for a job, and its Flink answers and lists none of it: STARTING, with what the operator says.",
            because: "The operator submits the job some time after its resource, or refuses to; nothing of the job can be observed before.",
            changed_by: "The job in Flink's list; or the start deadline with an error of the operator's."
        }
        WithdrawnBeforeItRan = "withdrawn-before-it-ran" {
            says: "A FlinkSessionJob, or a FlinkDeployment, is gone before a job of it was ever seen, and Flink lists none, or its cluster is not there either: TERMINATED, no alert, once it was seen to be deleted, or `absence_confirmations` answers without it span `absence_window`; until then the state stays, inferred.",
            because: "Nothing of it is left, and whoever deleted it asked for that.",
            changed_by: "Another FlinkSessionJob of that name, or its job in Flink's list."
        }
        OperatorError = "operator-error" {
            says: "The Deployment, or the job of a FlinkSessionJob, has not appeared within `start_deadline` and the operator names an error (`status.error`): FAILED with it.",
            because: "The operator's own reason is evidence, time alone is not.",
            changed_by: "The Deployment, or Flink's answer; of a FlinkSessionJob, that the operator names no error any more."
        }
        ScaledToZero = "scaled-to-zero" {
            says: "Flink is silent, the Deployment asks for no replica, and complete answers over `absence_window` show no pod: SUSPENDED. Without the window where the operator's resource explains it: SUSPENDED if it asks for that, RECONCILING during an upgrade.",
            because: "`kubectl scale --replicas=0` stops a job and leaves all of it; the operator does so before it deletes a cluster.",
            changed_by: "Flink's answer; or a replica that is asked for, which is a start."
        }
        OperatorReplaces = "operator-replaces" {
            says: "The job has made room while its resource asks for it to run: RECONCILING. If the Deployment is confirmed gone, until `start_deadline` or until the operator gives up (lifecycle FAILED); if Flink told FINISHED or CANCELED, or has lost the job, or nothing is left but a Deployment scaled to zero, for as long as the operator says UPGRADING, and until `start_deadline` where a new specification, another job's id or a suspension that was lifted tells that it is to act.",
            because: "An upgrade of the operator's stops the job, deletes the Deployment and makes it anew (upgradeMode stateless, savepoint and last-state).",
            changed_by: "The Deployment again, or Flink's answer; the deadline, after which the end is judged without the operator."
        }
        OperatorResumes = "operator-resumes" {
            says: "A job on record as suspended whose resource asks for it to run again, and which is not there yet: RECONCILING.",
            because: "`spec.job.state` went back to running.",
            changed_by: "The Deployment, or Flink's answer."
        }
        LookingForTheResource = "looking-for-the-resource" {
            says: "The cluster is gone, and the operator's resource was last seen before that; or the job is gone, or told FINISHED or CANCELED, and the resource that was seen to stand for it cannot be read: the state stays, inferred, until a list tells whether the resource still asks for the job. One that cannot be read is waited for over `absence_window`, and over one validation at least; what it asks for is heard when it can be read again, though an end was judged without it.",
            because: "A FlinkDeployment may be deleted together with its Deployment, and a list that fails says nothing of what is asked for.",
            changed_by: "That list."
        }
        SuspendedAsAsked = "suspended-as-asked" {
            says: "The operator's resource asks for a suspended job, and the cluster is gone, Flink has lost the job, or told FINISHED or CANCELED: SUSPENDED, no alert. What finished by itself before that was asked for stays FINISHED.",
            because: "`spec.job.state: suspended` is a stop that somebody intended (FlinkDeployment and FlinkSessionJob, v1beta1); upgradeMode only decides how Flink words it.",
            changed_by: "The resource asking for it to run, a Deployment, or Flink's answer."
        }
        DeletedWhileSuspended = "deleted-while-suspended" {
            says: "A job was suspended as its resource asked, and complete answers over `absence_window` lack the resource and its HA data: TERMINATED, no alert.",
            because: "Deleting the resource of a suspended job removes the last of it; whoever did so asked for that.",
            changed_by: "The Deployment, or Flink's answer."
        }
        DeploymentMissing = "deployment-missing" {
            says: "A complete answer lacks the Deployment: the state stays, inferred, until a deletion that was seen is confirmed by one complete answer, or `absence_confirmations` answers span `absence_window`.",
            because: "A deletion that was seen plus one answer is knowledge; a list alone may come from a stale cache or a wrong scope.",
            changed_by: "The Deployment in an answer; or the confirmation, which makes the cluster gone."
        }
        LookingForTheEnd = "looking-for-the-end" {
            says: "The cluster is confirmed gone, or Flink has lost the job: before the verdict, what may tell the end is read (the JobManager's log, archives, HA data), for a poll and a timeout at most.",
            because: "REST shows a terminal state for 0.1 to 0.3 s only in application mode; FINISHED and FAILED look alike to Kubernetes.",
            changed_by: "What these sources tell."
        }
        LastWords = "last-words" {
            says: "The JobManager's log names the job's terminal state: that state.",
            because: "Flink's Dispatcher logs `Job <id> reached terminal state <state>` before it deletes its Deployment (right in 4 of 4 tries on the test cluster).",
            changed_by: "The job running again."
        }
        Archive = "archive" {
            says: "The archive, the HistoryServer or the JobResultStore names the job's terminal state: that state.",
            because: "Flink itself writes them when a job reaches a globally terminal state (an end before this run began is an earlier run's, and not believed).",
            changed_by: "The job running again."
        }
        GoneWithHaData = "gone-with-ha-data" {
            says: "The cluster is gone, nothing tells an end, and Flink's HA ConfigMaps are still there: SUSPENDED.",
            because: "Flink removes its HA data when a job ends for good; what is left can be resumed.",
            changed_by: "An end that is told; that the HA data is gone too, which is looked at on; the operator's resource, if it could not be read before; or the Deployment again."
        }
        GoneWhileCancelling = "gone-while-cancelling" {
            says: "The job is gone, and its cancellation was under way or intended: CANCELED.",
            because: "Flink said CANCELLING, or a person said cancel; the end that follows is the one that was asked for.",
            changed_by: "The job running again, or an end that is told."
        }
        Gone = "gone" {
            says: "The cluster is confirmed gone and nothing says how the job ended: TERMINATED. Never FAILED out of ignorance. Inferred, with what could not be read, where that is Flink's HA data, or a log that may not be read; the HA data is asked for on.",
            because: "What was not seen is not known.",
            changed_by: "An archive, HA data, or the operator's resource, that could not be read before; or the Deployment again."
        }
        Ended = "ended" {
            says: "The job ended and its cluster is gone: the end stays, and the watch sleeps until something new is seen.",
            because: "The cluster-wide watch shows a return without polls.",
            changed_by: "A new Deployment; an end told late, if this one was only known from absence."
        }
        EndedClusterStays = "ended-cluster-stays" {
            says: "The job ended, Flink is silent and its Deployment is there: the end stays.",
            because: "A cluster may outlive its job; its silence is no news of it.",
            changed_by: "A job in Flink's list, or another Deployment."
        }
        EndedAndSilent = "ended-and-silent" {
            says: "The job ended and no source answers: the end stays.",
            because: "Silence revives nothing.",
            changed_by: "Any answer that shows it again."
        }
        AllSilent = "all-silent" {
            says: "No source answers: the last state stays, stale.",
            because: "An error is never absence; what was known last is the best there is, and is marked so.",
            changed_by: "Any answer."
        }
        NeverObserved = "never-observed" {
            says: "No source has ever answered: UNKNOWN, stale.",
            because: "There is nothing to keep yet.",
            changed_by: "Any answer."
        }
    }
}
