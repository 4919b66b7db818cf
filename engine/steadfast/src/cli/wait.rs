//! `steadfast wait`: until a job is what it is waited for, as a step of a pipeline.

mod condition;

use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::Args;
use serde_json::{Value, json};
use steadfast_core::duration::parse_duration;
use steadfast_core::id::JobKey;

use self::condition::Conditions;
use super::client::{Client, Found, ServerOptions};
use super::clusters;
use super::follow::Absence;
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::status::text;
use super::{Failure, complete, names, printer};

/// How often the job is looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// How long the last look may take, which begins as time is up.
const LAST: Duration = Duration::from_secs(1);

pub(super) const AFTER_HELP: &str = "\
Conditions, all of which must hold:
  state=RUNNING              it is in this state; state=RUNNING|FINISHED in one of these; state!=FAILED in another one
  confirmed                  what is shown is confirmed, not inferred or stale; confidence=stale and the like
  alert=JobFailed            this alert stands; alert!=JobFailed it does not; alert=none none stands, alert=* any
  condition=CrashLoop        the same of conditions
  severity=alerting          the same of the severity
  intent=cancel              the same of the intent
  gone                       there is no such job; while a cluster that may have it cannot be read, that is not known

Exit codes:
  0  all hold
  1  they did not within --timeout; standard error says what was so instead
  2  the command line is wrong
  3  the engine could not be reached, or refused; also where it was away as the time was up, whatever was so before

Examples:
  steadfast wait orders --for state=RUNNING,confirmed --timeout 10m
  steadfast wait orders --for alert=none && ./deploy-the-next";

/// Which job, and what for.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so. One that is not there yet is waited for.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    /// What is waited for, such as state=RUNNING,confirmed [repeatable].
    #[arg(long = "for", required = true, value_name = "CONDITIONS", value_parser = Conditions::parse)]
    conditions: Vec<Conditions>,
    /// For how long; 0s: it is looked at once.
    #[arg(long, default_value = "5m", value_name = "SPAN", value_parser = span)]
    timeout: Duration,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a span such as 90s, 5m or 2h".to_owned())
}

/// Waits until all conditions hold, or time is up.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    names::check(&options.job)?;
    let client = Client::new(&options.server)?;
    // A time that no clock comes to is none.
    let until = Instant::now().checked_add(options.timeout);
    let left = || until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
    let mut sought = Sought {
        client: &client,
        written: &options.job,
        id: None,
    };
    if let Some(key) = JobKey::parse(&options.job) {
        // No job of a cluster that is not configured ever comes, and none is gone.
        if let Ok(list) = clusters::read(&client).await {
            let cluster = key.target.cluster.to_string();
            list.refuse_unknown(&client, &[cluster]).await?;
        }
    }
    // An engine that does not answer at all is no engine that restarts.
    let mut looked = Ok(sought.look().await?);
    let mut absence = Absence::default();
    loop {
        match looked {
            Ok(job) => {
                absence.end();
                if options.conditions.iter().all(|conditions| conditions.hold(&job)) {
                    return told(options, &job);
                }
                if left().is_zero() {
                    return Err(Failure::Failed(late(options, &job)));
                }
                tokio::time::sleep(PAUSE.min(left())).await;
            }
            // What was so before is not what is so now.
            Err(failure) if left().is_zero() => return Err(failure),
            Err(failure) => absence.wait(failure, left()).await?,
        }
        looked = sought.look_within(left().max(LAST)).await;
    }
}

/// The job that is waited for: by the end of its id until one is found, and then by its id.
struct Sought<'a> {
    client: &'a Client,
    written: &'a str,
    id: Option<String>,
}

impl Sought<'_> {
    async fn look(&mut self) -> Result<Found, Failure> {
        let found = match &self.id {
            Some(id) => return self.client.find_job(id).await,
            None => names::find(self.client, self.written).await?,
        };
        if let Found::Job(job) = &found {
            self.id = job.get("id").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(found)
    }

    async fn look_within(&mut self, span: Duration) -> Result<Found, Failure> {
        let looked = tokio::time::timeout(span, self.look()).await;
        looked.unwrap_or_else(|_| {
            Err(Failure::Unreachable(anyhow!(
                "the engine did not answer before the time of --timeout was over, so what is so now is not known"
            )))
        })
    }
}

fn described(options: &Options, job: &Found) -> String {
    match job {
        Found::Gone => format!("there is no job {}", options.job),
        Found::NotKnown(why) => format!("{} is not on record: {why}", options.job),
        Found::Job(job) => {
            let alerts = super::status::rows::alerts(job);
            let alerts = if alerts.is_empty() {
                String::new()
            } else {
                format!(", with {alerts}")
            };
            format!(
                "{} is {}, {}{alerts}: {}",
                text(job, "/id"),
                text(job, "/state"),
                text(job, "/confidence"),
                text(job, "/reason/message")
            )
        }
    }
}

fn told(options: &Options, job: &Found) -> Result<(), Failure> {
    match (&options.output.format, job) {
        (Format::People(_), _) => printer::data(&format!("{}\n", described(options, job)))?,
        (Format::Data(data), Found::Job(job)) => printer::data(&data.shown(job)?)?,
        // What is not known fulfils no condition.
        (Format::Data(data), Found::Gone | Found::NotKnown(_)) => {
            printer::data(&data.shown(&json!({ "id": options.job, "gone": true }))?)?;
        }
    }
    Ok(())
}

fn late(options: &Options, job: &Found) -> anyhow::Error {
    let conditions: Vec<String> = options.conditions.iter().map(ToString::to_string).collect();
    let span = super::age::short(options.timeout);
    let now = described(options, job);
    anyhow!("{} did not hold within {span}: {now}", conditions.join(","))
}
