//! The bodies of Flink's REST answers.

use serde_json::{Map, Value, json};
use steadfast_core::state::JobState;
use steadfast_core::time::{Clock, Timestamp};

use crate::model::{Births, Run, Target};
use crate::story::{AskedFault, JobSpec, is_final};

const TASKS: &[&str] = &[
    "created",
    "scheduled",
    "deploying",
    "running",
    "finished",
    "canceling",
    "canceled",
    "failed",
    "reconciling",
    "initializing",
];

/// Answers for one target.
pub(super) struct Shapes<'a> {
    pub(super) target: &'a Target,
    pub(super) births: &'a mut Births,
}

/// A job's times in milliseconds since the Unix epoch; `end` is -1 while it runs, as Flink writes it.
struct Times {
    start: i64,
    end: i64,
    changed: i64,
    lasts: i64,
}

impl Shapes<'_> {
    /// Status and body for a path without the base.
    pub(super) fn answer(&mut self, path: &str, jobs: &[JobSpec]) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let listed: Vec<&JobSpec> = jobs.iter().filter(|job| job.listed).collect();
        let body = match parts.as_slice() {
            ["config"] => json!({
                "refresh-interval": 3000, "timezone-name": "Coordinated Universal Time", "timezone-offset": 0,
                "flink-version": "1.20.1", "flink-revision": "b2d4e5f @ 2025-02-01T00:00:00+01:00",
                "features": { "web-submit": false, "web-cancel": false, "web-rescale": false, "web-history": false },
            }),
            ["overview"] => {
                let count = |state| listed.iter().filter(|job| job.state == state).count();
                let (finished, canceled, failed) = (
                    count(JobState::Finished),
                    count(JobState::Canceled),
                    count(JobState::Failed),
                );
                json!({
                    "taskmanagers": 1, "slots-total": 2, "slots-available": 0, "flink-version": "1.20.1", "flink-commit": "b2d4e5f",
                    "jobs-running": listed.len() - finished - canceled - failed, "jobs-finished": finished,
                    "jobs-cancelled": canceled, "jobs-failed": failed,
                })
            }
            ["jobs"] => {
                let all = listed
                    .iter()
                    .map(|job| json!({ "id": self.target.flink_id(&job.id), "status": state(job) }));
                json!({ "jobs": all.collect::<Vec<_>>() })
            }
            ["jobs", "overview"] => json!({ "jobs": listed.iter().map(|job| self.overview(job)).collect::<Vec<_>>() }),
            ["jobmanager", "config"] => json!([
                { "key": "kubernetes.cluster-id", "value": self.target.cluster_id },
                { "key": "jobmanager.rpc.address", "value": "127.0.0.1" },
            ]),
            ["taskmanagers"] => json!({ "taskmanagers": [] }),
            ["jobs", id, rest @ ..] if rest.len() < 2 => {
                let job = jobs.iter().find(|job| self.target.flink_id(&job.id) == *id);
                let job = match job.map(|job| (job, job.asked)) {
                    Some((job, None)) => job,
                    Some((_, Some(AskedFault::ServerError))) => return server_error(),
                    Some((_, Some(AskedFault::NotFound))) | None => return job_not_found(id),
                };
                match rest {
                    [] => self.detail(job),
                    ["exceptions"] => self.exceptions(job),
                    ["checkpoints"] => self.checkpoints(job),
                    ["status"] => json!({ "status": state(job) }),
                    _ => return unknown_path(path),
                }
            }
            _ => return unknown_path(path),
        };
        (200, body)
    }

    fn times(&mut self, job: &JobSpec) -> Times {
        let clock = self.births.clock;
        let start = clock.at(job.start).as_millis();
        let entered = self.target.runs.of(job).and_then(|run| run.entered(job.state));
        // What an archive or a HistoryServer alone has was first there when it was first asked for.
        let what = format!(
            "{} {} {} {}",
            self.target.name,
            job.id,
            job.start.as_millis(),
            job.state
        );
        let changed = entered.unwrap_or_else(|| self.births.of(what)).as_millis();
        let end = match (job.end, is_final(job.state)) {
            (Some(end), _) => clock.at(end).as_millis(),
            (None, true) => changed,
            (None, false) => -1,
        };
        let until = if end > 0 { end } else { clock.now().as_millis() };
        Times {
            start,
            end,
            changed,
            lasts: until.saturating_sub(start).max(0),
        }
    }

    fn name(&self, job: &JobSpec) -> String {
        job.name.clone().unwrap_or_else(|| format!("{} job", self.target.name))
    }

    /// `GET /jobs/overview`, one job.
    pub(super) fn overview(&mut self, job: &JobSpec) -> Value {
        let times = self.times(job);
        let mut tasks = tasks(job);
        let sum: u64 = tasks.values().filter_map(Value::as_u64).sum();
        let said = job.tasks.as_ref().and_then(|tasks| tasks.get("total"));
        tasks.insert("total".into(), json!(said.map_or(sum, |total| u64::from(*total))));
        json!({
            "jid": self.target.flink_id(&job.id), "name": self.name(job), "start-time": times.start,
            "end-time": times.end, "duration": times.lasts, "state": state(job), "last-modification": times.changed, "tasks": tasks,
        })
    }

    /// `GET /jobs/<id>`.
    pub(super) fn detail(&mut self, job: &JobSpec) -> Value {
        let times = self.times(job);
        let tasks: Map<String, Value> = tasks(job)
            .into_iter()
            .map(|(name, count)| (name.to_uppercase(), count))
            .collect();
        let words = JobState::ALL.iter().filter(|state| state.is_flinks());
        let run = self.target.runs.of(job);
        let entered = |state: &JobState| run.and_then(|run| run.entered(*state)).map_or(0, Timestamp::as_millis);
        let mut stamps: Map<String, Value> = words
            .map(|state| (state.as_str().to_owned(), json!(entered(state))))
            .collect();
        for (word, at) in [
            ("INITIALIZING", times.start),
            ("CREATED", times.start),
            (job.state.as_str(), times.changed),
        ] {
            stamps.insert(word.into(), json!(at));
        }
        let runs = tasks.get("RUNNING").and_then(Value::as_u64).unwrap_or(0) > 0;
        let vertex = json!({
            "id": "cbc357ccb763df2852fee8c4fc7d55f2", "name": "Source -> Sink", "maxParallelism": 128, "parallelism": 1,
            "slotSharingGroupId": "5d3d5e2a5d3d5e2a5d3d5e2a5d3d5e2a", "status": if runs { "RUNNING" } else { "CREATED" },
            "start-time": times.start, "end-time": times.end, "duration": times.lasts, "tasks": tasks,
            "metrics": {
                "read-bytes": 0, "read-bytes-complete": true, "write-bytes": 0, "write-bytes-complete": true,
                "read-records": 0, "read-records-complete": true, "write-records": 0, "write-records-complete": true,
                "accumulated-backpressured-time": 0, "accumulated-idle-time": 0, "accumulated-busy-time": 0.0,
            },
        });
        let (id, name) = (self.target.flink_id(&job.id), self.name(job));
        json!({
            "jid": id, "name": name, "isStoppable": false, "state": state(job), "job-type": "STREAMING",
            "start-time": times.start, "end-time": times.end, "duration": times.lasts, "maxParallelism": -1,
            "now": self.births.clock.now().as_millis(), "timestamps": stamps, "vertices": [vertex], "status-counts": tasks,
            "plan": { "jid": id, "name": name, "type": "STREAMING", "nodes": [] },
        })
    }

    /// `GET /jobs/<id>/exceptions`.
    pub(super) fn exceptions(&mut self, job: &JobSpec) -> Value {
        let changed = self.times(job).changed;
        let Some(root) = &job.root_exception else {
            let history = json!({ "entries": [], "truncated": false });
            return json!({
                "root-exception": null, "timestamp": null, "all-exceptions": [], "truncated": false, "exceptionHistory": history,
            });
        };
        let failures = self.target.runs.of(job).map_or(&[][..], Run::failures);
        let of_this_run = failures.first().filter(|newest| newest.root == *root);
        let at = of_this_run.map_or(changed, |newest| newest.at.as_millis());
        let earlier = failures.iter().skip(1).filter(|_| of_this_run.is_some());
        let earlier = earlier.map(|failure| (failure.root.as_str(), failure.at.as_millis()));
        let entries: Vec<Value> = std::iter::once((root.as_str(), at)).chain(earlier).map(entry).collect();
        json!({
            "root-exception": trace(root), "timestamp": at, "all-exceptions": [], "truncated": false,
            "exceptionHistory": { "entries": entries, "truncated": false },
        })
    }

    /// `GET /jobs/<id>/checkpoints`.
    pub(super) fn checkpoints(&mut self, job: &JobSpec) -> Value {
        let (done, failed) = (u64::from(job.checkpoints.completed), u64::from(job.checkpoints.failed));
        let stamp = self
            .births
            .of(format!("checkpoint {} {} {done} {failed}", self.target.handle, job.id))
            .as_millis();
        let one = |id: u64, state: &str, class: &str| {
            json!({
                "className": class, "id": id, "status": state, "is_savepoint": false, "checkpoint_type": "CHECKPOINT",
                "trigger_timestamp": stamp, "latest_ack_timestamp": stamp, "state_size": 1024, "checkpointed_size": 1024,
                "end_to_end_duration": 20, "alignment_buffered": 0, "processed_data": 0, "persisted_data": 0, "num_subtasks": 1,
                "num_acknowledged_subtasks": 1, "savepointFormat": null, "tasks": {},
            })
        };
        let completed = (done > 0).then(|| {
            let mut body = one(done, "COMPLETED", "completed");
            body["external_path"] = json!(format!("file:///checkpoints/chk-{done}"));
            body["discarded"] = json!(false);
            body
        });
        let lost = (failed > 0).then(|| {
            let mut body = one(done + failed, "FAILED", "failed");
            body["failure_timestamp"] = json!(stamp);
            body["failure_message"] = json!("Checkpoint expired before completing.");
            body
        });
        let figures = json!({
            "min": 0, "max": 0, "avg": 0, "p50": 0.0, "p90": 0.0, "p95": 0.0, "p99": 0.0, "p999": 0.0,
        });
        let summary: Map<String, Value> = [
            "checkpointed_size",
            "state_size",
            "end_to_end_duration",
            "alignment_buffered",
            "processed_data",
            "persisted_data",
        ]
        .into_iter()
        .map(|name| (name.to_owned(), figures.clone()))
        .collect();
        let savepoint = |id: u64, state: &str, class: &str| {
            let mut body = one(id, state, class);
            body["is_savepoint"] = json!(true);
            body["checkpoint_type"] = json!("SAVEPOINT");
            body
        };
        let taken = u64::from(job.checkpoints.savepoints);
        let under_way = job.checkpoints.savepoint_in_progress;
        let under_way = under_way.then(|| savepoint(taken + 1, "IN_PROGRESS", "in_progress"));
        let saved = (taken > 0).then(|| savepoint(taken, "COMPLETED", "completed"));
        let all = [&under_way, &saved, &lost, &completed];
        let history: Vec<&Value> = all.into_iter().flatten().collect();
        json!({
            "counts": { "restored": 0, "total": done + failed, "in_progress": 0, "completed": done, "failed": failed },
            "summary": summary, "history": history,
            "latest": { "completed": completed, "savepoint": saved, "failed": lost, "restored": null },
        })
    }
}

/// What stands where a job's state is to stand.
fn state(job: &JobSpec) -> &str {
    job.written_state.as_deref().unwrap_or(job.state.as_str())
}

fn tasks(job: &JobSpec) -> Map<String, Value> {
    let in_step = match job.state {
        JobState::Finished => "finished",
        JobState::Failed => "failed",
        JobState::Canceled => "canceled",
        JobState::Cancelling => "canceling",
        JobState::Running => "running",
        JobState::Reconciling => "reconciling",
        JobState::Initializing => "initializing",
        JobState::Created
        | JobState::Failing
        | JobState::Restarting
        | JobState::Suspended
        | JobState::Unknown
        | JobState::Starting
        | JobState::Savepointing
        | JobState::Lost
        | JobState::Terminated => "created",
    };
    let count = |name: &str| match &job.tasks {
        Some(tasks) => tasks.get(name).copied().unwrap_or(0),
        None => u32::from(name == in_step),
    };
    TASKS
        .iter()
        .map(|name| ((*name).to_owned(), json!(count(name))))
        .collect()
}

/// A failure in the history of exceptions, and when it was.
fn entry((root, at): (&str, i64)) -> Value {
    json!({
        "exceptionName": root.split(':').next(), "stacktrace": trace(root), "timestamp": at, "failureLabels": {},
        "concurrentExceptions": [],
    })
}

/// An exception with the place it was thrown at.
pub(super) fn trace(root: &str) -> String {
    format!("{root}\n\tat job.Main.run(Main.java:7)\n")
}

/// Flink's answer for a job that it does not have.
fn job_not_found(id: &str) -> (u16, Value) {
    let error = format!("org.apache.flink.runtime.rest.NotFoundException: Job {id} not found\n\tat ...");
    (404, json!({ "errors": [error] }))
}

/// Flink's answer when something behind its REST server fails.
pub(super) fn server_error() -> (u16, Value) {
    let trace = "<Exception on server side:\n\tat ...>";
    (500, json!({ "errors": ["Internal server error.", trace] }))
}

fn unknown_path(path: &str) -> (u16, Value) {
    (
        404,
        json!({ "errors": [format!("Unable to load requested file {path}.")] }),
    )
}
