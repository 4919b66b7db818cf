//! `steadfast silence`: an alert of a job that somebody knows about, and nobody is to be told of for a while.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use steadfast_core::duration::parse_duration;
use steadfast_core::silences::LONGEST;
use steadfast_core::time::Timestamp;

use super::alerts::is_silenced_by;
use super::client::{Client, ServerOptions, job_path, segment};
use super::intent::is_about;
use super::job_arg::job;
use super::output::{Format, OutputOption};
use super::{Failure, complete, names, printer};

pub(super) const AFTER_HELP: &str = "\
While a silence stands, sinks are not told that the alert fires; it is shown all the same. A silence outlives its alert until its time,
at most for 30 days; if the alert stands then, sinks are told. --for is counted by the engine's clock.

Examples:
  steadfast silence orders JobFailed --for 2h --comment 'being repaired'
  steadfast silence orders JobFailed --end";

/// Which alert of which job, and for how long.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("time").required(true).args(["span", "until", "end"]))]
pub(super) struct Options {
    /// CLUSTER/NAMESPACE/NAME, or the end of it if only one job ends so.
    #[arg(value_name = "JOB", add = complete::jobs(), value_parser = job)]
    job: String,
    /// The alert's name, as `steadfast alerts` shows it.
    #[arg(value_name = "ALERT", add = complete::alerts())]
    alert: String,
    /// For how long, such as 2h.
    #[arg(long = "for", value_name = "SPAN", value_parser = span)]
    span: Option<Duration>,
    /// Until when (RFC 3339).
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// End the silence now.
    #[arg(long, conflicts_with_all = ["comment", "author"])]
    end: bool,
    /// Why, for whoever sees it.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// For whom; the engine knows who the token belongs to anyway.
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    server: ServerOptions,
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a span such as 30m, 2h or 7d".to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "write a time such as 2026-11-23T01:13:29Z".to_owned())
}

/// Has the engine begin or end a silence.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let below = format!("/silences/{}", segment(&options.alert));
    let until = match options.span {
        Some(span) => Some(client.now().await.after(with_the_second(span))),
        None => options.until,
    };
    let write = async |id: &str| {
        let path = job_path(id, &below)?;
        let Some(until) = until else {
            return client.delete_for(&path).await;
        };
        let mut body = json!({ "until": until.to_string() });
        for (key, text) in [("comment", &options.comment), ("author", &options.author)] {
            if let (Some(text), Some(body)) = (text, body.as_object_mut()) {
                body.insert(key.to_owned(), json!(text));
            }
        }
        client.put(&path, &body).await
    };
    let (id, job) = names::on(&client, &options.job, write).await?;
    is_about(&id, &job)?;
    let alert = &options.alert;
    printer::note(&match until {
        Some(until) => {
            format!("{alert} of {id} is silenced until {until}: sinks are not told of it, and it is shown all the same")
        }
        None => format!("{alert} of {id} is silenced no more: sinks are told of it if it stands"),
    });
    let listed = if until.is_some() { "alerts" } else { "silences" };
    if let Some(doubt) = doubt(alert, &job, listed)
        && !(until.is_some() && stands_for_many(&client, &job, alert).await)
    {
        printer::note(&doubt);
    }
    match &options.output.format {
        Format::People(_) => Ok(()),
        Format::Data(data) => Ok(printer::data(&data.shown(&job)?)?),
    }
}

/// The engine's clock is read to the second, and no silence is to end before its time; nor is the longest to be longer than may be.
fn with_the_second(span: Duration) -> Duration {
    span + LONGEST.saturating_sub(span).min(Duration::from_millis(999))
}

/// Whether an alert of that name stands that is about the job's cluster or its policy: the job's silence is of it, whether the job has it or
/// not. An engine that does not say has none.
async fn stands_for_many(client: &Client, job: &Value, alert: &str) -> bool {
    let asked = [("alert", alert.to_owned()), ("status", "silenced".to_owned())];
    let rows = client.items("/api/v1/alerts", &asked).await.unwrap_or_default();
    rows.iter().any(|row| is_silenced_by(row, job, alert))
}

/// What is to be said where the name may be mistyped: the engine takes any, since a silence may stand before its alert does. A silence
/// is held against the alerts that stand, its end against the silences that are left.
fn doubt(alert: &str, job: &Value, listed: &str) -> Option<String> {
    let all = job.get(listed).and_then(Value::as_array)?.iter();
    let known: Vec<&str> = all.filter_map(|one| one.get("alert")?.as_str()).collect();
    if known.contains(&alert) {
        return None;
    }
    let meant = names::alike(alert, &known);
    match (listed, meant.is_empty()) {
        ("alerts", _) => Some(format!(
            "no alert of that name stands at this job now, and the silence is for when one does{meant}"
        )),
        (_, true) => None,
        (_, false) => Some(format!("another silence stands at this job{meant}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silence_is_no_longer_than_may_be_and_none_ends_before_its_time() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(with_the_second(day * 30), LONGEST);
        assert_eq!(with_the_second(day * 31), day * 31, "which the engine refuses");
        assert_eq!(with_the_second(day), day + Duration::from_millis(999));
    }

    #[test]
    fn a_name_that_may_be_mistyped_is_doubted() {
        let job = json!({ "alerts": [{ "alert": "JobFailed" }, { "alert": "CheckpointsFailing" }],
            "silences": [{ "alert": "CheckpointsFailing" }] });
        assert_eq!(doubt("JobFailed", &job, "alerts"), None);
        for (alert, listed, says) in [
            ("jobfailed", "alerts", "for when one does; did you mean `JobFailed`?"),
            ("JobFialed", "alerts", "did you mean `JobFailed`?"),
            ("NoCheckpoint", "alerts", "for when one does"),
            ("checkpointsfailing", "silences", "did you mean `CheckpointsFailing`?"),
        ] {
            let said = doubt(alert, &job, listed).unwrap();
            assert!(said.ends_with(says), "{alert}: {said}");
        }
        assert_eq!(doubt("JobFailed", &job, "silences"), None, "it is ended, as was asked");
    }
}
