//! A small policy to start from: Flink's word counts, an error changes nothing, and gone takes more than one look.

mod params;
mod rules;

use steadfast_policy::{
    Attention, ConditionType, Confidence, DecidedCondition, Decision, DeploymentAnswer, Description, FlinkAnswer,
    FlinkEvidence, JobState, Looks, Policy, Reason, Snapshot, Watch,
};

use params::Params;

/// The policy with its parameters.
#[derive(Debug)]
pub struct Starter {
    params: Params,
}

steadfast_policy::export!(Starter);

impl Policy for Starter {
    fn describe() -> Description {
        Description {
            name: "starter".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Flink's word counts, an error changes nothing.".into(),
            parameters: params::described(),
            rules: rules::described(),
        }
    }

    fn configure(params: &str) -> Result<Self, String> {
        let params = Params::read(params)?;
        Ok(Self { params })
    }

    fn decide(&self, snapshot: &Snapshot, memory: &[u8]) -> Result<Decision, String> {
        let judged = self.judge(snapshot, memory);
        let timing = &snapshot.timing;
        Ok(Decision {
            state: judged.state,
            confidence: judged.confidence,
            reason: judged.reason,
            rule: judged.rule.into(),
            watch: Watch {
                poll_after: if has_ended(judged.state) {
                    timing.terminal_poll
                } else {
                    timing.poll
                },
                validate_after: timing.validate,
                attention: Attention::Active,
            },
            wanted: vec![],
            conditions: self.conditions(snapshot),
            alerts: vec![],
            memory: judged.memory,
        })
    }
}

/// What a rule concludes.
struct Judgement {
    state: JobState,
    confidence: Confidence,
    rule: &'static str,
    reason: Reason,
    memory: Vec<u8>,
}

impl Judgement {
    fn new(
        state: JobState,
        confidence: Confidence,
        rule: &'static str,
        code: &str,
        message: impl Into<String>,
    ) -> Self {
        let reason = Reason {
            code: code.into(),
            message: message.into(),
        };
        Self {
            state,
            confidence,
            rule,
            reason,
            memory: vec![],
        }
    }
}

impl Starter {
    /// Evidence is present, absent or unknown, and every error is unknown: the compiler asks what each means.
    fn judge(&self, snapshot: &Snapshot, memory: &[u8]) -> Judgement {
        let job = &snapshot.job;
        let answer = snapshot.flink.as_ref().map(|flink| (&flink.answer, &flink.looks));
        if let Some((FlinkAnswer::Present(listed), _)) = answer {
            return Judgement::new(
                listed.state,
                Confidence::Confirmed,
                "flink",
                "Flink",
                "Flink lists the job",
            );
        }
        if has_ended(job.state) {
            let ended = Judgement::new(job.state, job.confidence, "ended", "", "");
            return Judgement {
                reason: job.reason.clone(),
                ..ended
            };
        }
        if matches!(job.state, JobState::Unknown | JobState::Starting) {
            return if is_deployed(snapshot) {
                let message = "the Deployment is there, and Flink does not list the job yet";
                Judgement::new(
                    JobState::Starting,
                    Confidence::Inferred,
                    "starting",
                    "Starting",
                    message,
                )
            } else {
                Judgement::new(
                    job.state,
                    Confidence::Stale,
                    "unseen",
                    "Unseen",
                    "nothing has shown the job yet",
                )
            };
        }
        let why = match answer {
            Some((FlinkAnswer::Absent, looks)) => return self.judge_absence(job.state, looks, memory),
            Some((FlinkAnswer::Unknown(fault), _)) => format!("Flink gives no answer: {}", fault.message),
            Some((FlinkAnswer::Present(_), _)) | None => "Flink has not been asked yet".to_owned(),
        };
        let kept = Judgement::new(job.state, Confidence::Stale, "unknown", "FlinkUnknown", why);
        Judgement {
            memory: memory.to_vec(),
            ..kept
        }
    }

    fn judge_absence(&self, state: JobState, looks: &Looks, memory: &[u8]) -> Judgement {
        let (count, needed) = (count_absence(looks, memory), self.params.absence_confirmations);
        let judged = if count >= needed {
            let message = format!("{needed} complete answers of Flink lack the job");
            Judgement::new(JobState::Lost, Confidence::Inferred, "lost", "Lost", message)
        } else {
            let message = format!("{count} of {needed} complete answers of Flink lack the job");
            Judgement::new(state, Confidence::Stale, "missing", "Missing", message)
        };
        let memory = format!("{count} {}", looks.asked_at).into_bytes();
        Judgement { memory, ..judged }
    }

    fn conditions(&self, snapshot: &Snapshot) -> Vec<DecidedCondition> {
        let Some(FlinkEvidence {
            looks,
            answer: FlinkAnswer::Unknown(fault),
        }) = &snapshot.flink
        else {
            return vec![];
        };
        let silent = looks.unknown_since.map(|since| snapshot.now.saturating_sub(since));
        if has_ended(snapshot.job.state) || silent.is_none_or(|silent| silent < self.params.unreachable_after) {
            return vec![];
        }
        vec![DecidedCondition {
            kind: ConditionType::FlinkUnreachable,
            message: fault.message.clone(),
        }]
    }
}

/// How many looks lacked the job. One answer may be judged many times; it counts once.
fn count_absence(looks: &Looks, memory: &[u8]) -> u32 {
    let remembered = std::str::from_utf8(memory).ok().and_then(|text| {
        let (count, asked_at) = text.split_once(' ')?;
        Some((count.parse().ok()?, asked_at.parse::<i64>().ok()?))
    });
    match remembered {
        Some((count, asked_at)) if asked_at == looks.asked_at => count,
        Some((count, _)) => u32::saturating_add(count, 1),
        None => 1,
    }
}

fn is_deployed(snapshot: &Snapshot) -> bool {
    let deployment = snapshot.deployment.as_ref();
    deployment.is_some_and(|deployment| matches!(deployment.answer, DeploymentAnswer::Present(_)))
}

fn has_ended(state: JobState) -> bool {
    matches!(
        state,
        JobState::Failed | JobState::Canceled | JobState::Finished | JobState::Lost | JobState::Terminated
    )
}
