//! Jobs by the name that a person gives them: the whole id, or the end of it if only one job ends so.

use anyhow::anyhow;
use serde_json::Value;
use steadfast_core::id::JobKey;

use super::client::{Client, Found};
use super::{Failure, clusters};

/// The API's list of jobs.
pub(super) const JOBS: &str = "/api/v1/jobs";
/// From this likeness on (Jaro-Winkler, 1 is equal) a job is taken for what was meant.
const ALIKE: f64 = 0.85;
/// Jobs of a page: of 10,000 there are five.
const PAGE: &str = "2000";
/// How many candidates are named.
const NAMED: usize = 5;

/// Whether a text can name a job, whatever the engine says.
pub(super) fn check(text: &str) -> Result<(), Failure> {
    let parts: Vec<&str> = text.split('/').collect();
    // Dots alone lead elsewhere, however they are written.
    let is_part = |part: &&str| !part.is_empty() && !matches!(*part, "." | "..");
    let is_name = match parts.len() {
        1 | 2 => parts.iter().all(is_part),
        _ => parts.iter().all(is_part) && JobKey::parse(text).is_some(),
    };
    if is_name {
        return Ok(());
    }
    Err(Failure::Usage(anyhow!(
        "`{text}` is not a job; write CLUSTER/NAMESPACE/NAME as `steadfast status` shows it, or the end of it if only one job ends so"
    )))
}

/// The id of the job that is meant.
pub(super) async fn resolve(client: &Client, text: &str) -> Result<String, Failure> {
    check(text)?;
    if let Some(key) = JobKey::parse(text) {
        return Ok(key.to_string());
    }
    match one(text, &ids(client).await?) {
        Err(Failure::NoSuchJob(error)) => Err(unless_unread(client, error).await),
        found => found,
    }
}

/// The ids that hold this text: fewer than all of them. Of an engine of an earlier version they are all.
async fn ids_with(client: &Client, text: &str) -> Result<Vec<String>, Failure> {
    match listed(client, &[("search", text.to_owned())]).await {
        Err(Failure::UnknownParameter(_)) => ids(client).await,
        answer => answer,
    }
}

/// The job that is meant, or whether there is none. A list without it says so only where every cluster was read.
pub(super) async fn find(client: &Client, text: &str) -> Result<Found, Failure> {
    check(text)?;
    if let Some(key) = JobKey::parse(text) {
        return client.find_job(&key.to_string()).await;
    }
    match one(text, &ids_with(client, text).await?) {
        Ok(id) => return client.find_job(&id).await,
        Err(Failure::NoSuchJob(error)) => {
            if let Some(why) = unread(client).await? {
                return Ok(Found::NotKnown(format!("{error:#}; {}", not_known(&why))));
            }
        }
        Err(failure) => return Err(failure),
    }
    // A cluster may have been read between the list and that.
    match one(text, &ids_with(client, text).await?) {
        Ok(id) => client.find_job(&id).await,
        Err(Failure::NoSuchJob(_)) => Ok(Found::Gone),
        Err(failure) => Err(failure),
    }
}

/// There is no such job, unless a cluster cannot be read. Who cannot be asked does not say so.
async fn unless_unread(client: &Client, error: anyhow::Error) -> Failure {
    match unread(client).await {
        Ok(None) => Failure::NoSuchJob(error),
        Ok(Some(why)) => Failure::NotKnown(anyhow!("{error:#}; {}", not_known(&why))),
        Err(_) => Failure::NotKnown(error),
    }
}

fn not_known(why: &str) -> String {
    format!("whether there is such a job is not known, since jobs of a cluster may be missing ({why})")
}

/// What is to be said of a cluster that may have jobs that are not on record, since it cannot be read now, or never was since the engine
/// started; `None`: there is none.
pub(super) async fn unread(client: &Client) -> Result<Option<String>, Failure> {
    let list = clusters::read(client).await?;
    let now = client.clock();
    let unread = list.items.iter().find(|cluster| cluster.may_have_more());
    Ok(unread.map(|cluster| clusters::line(cluster, now).unwrap_or_else(|| cluster.name.clone())))
}

/// The one job whose id ends so, or else the one that does in another case.
fn one(text: &str, ids: &[String]) -> Result<String, Failure> {
    let ends = |id: &str, end: &str| id.strip_suffix(end).is_some_and(|before| before.ends_with('/'));
    let mut found: Vec<&String> = ids.iter().filter(|id| ends(id, text)).collect();
    if found.is_empty() {
        let lower = text.to_lowercase();
        found = ids.iter().filter(|id| ends(&id.to_lowercase(), &lower)).collect();
    }
    match found.as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(Failure::NoSuchJob(anyhow!(
            "no job ends in `{text}`{}",
            meant(text, ids)
        ))),
        several => {
            let more = match several.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("\n  and {more} more"),
            };
            let named: String = several.iter().take(NAMED).map(|id| format!("\n  {id}")).collect();
            Err(Failure::Usage(anyhow!(
                "`{text}` may be any of {} jobs; write one of them:{named}{more}",
                several.len()
            )))
        }
    }
}

/// Asks for something of a job. Where there is none of that id, it is said which may have been meant.
pub(super) async fn on<T>(
    client: &Client,
    text: &str,
    ask: impl AsyncFnOnce(&str) -> Result<T, Failure>,
) -> Result<(String, T), Failure> {
    let id = resolve(client, text).await?;
    match ask(&id).await {
        Ok(answer) => Ok((id, answer)),
        Err(Failure::NoSuchJob(error)) => Err(Failure::NoSuchJob(with_meant(client, error, &id).await)),
        Err(Failure::NotKnown(error)) => Err(Failure::NotKnown(with_meant(client, error, &id).await)),
        // An engine of an earlier version does not say which of them it is.
        Err(Failure::Missing(error)) => {
            let Ok(known) = ids(client).await else {
                return Err(Failure::Missing(error));
            };
            if known.contains(&id) {
                let earlier = "the job is there, and this engine is of an earlier version, which does not know what is asked of it";
                return Err(Failure::Missing(error.context(earlier)));
            }
            Err(unless_unread(client, anyhow!("{error:#}{}", meant(&id, &known))).await)
        }
        Err(other) => Err(other),
    }
}

/// Who cannot be asked has no hint.
async fn with_meant(client: &Client, error: anyhow::Error, id: &str) -> anyhow::Error {
    let known = ids(client).await.unwrap_or_default();
    anyhow!("{error:#}{}", meant(id, &known))
}

/// The ids of all jobs.
pub(super) async fn ids(client: &Client) -> Result<Vec<String>, Failure> {
    listed(client, &[]).await
}

async fn listed(client: &Client, asked: &[(&'static str, String)]) -> Result<Vec<String>, Failure> {
    let asked = [&[("limit", PAGE.to_owned())], asked].concat();
    let items = client.items(JOBS, &asked).await?;
    let id = |item: &Value| item.get("id")?.as_str().map(str::to_owned);
    Ok(items.iter().filter_map(id).collect())
}

/// `; did you mean ...?`, or nothing.
fn meant(text: &str, ids: &[String]) -> String {
    alike(text, ids)
}

/// The same of other names than jobs'.
pub(super) fn alike<T: AsRef<str>>(text: &str, known: &[T]) -> String {
    // The name says more than the way to it, which many jobs share.
    let name = |id: &str| id.rsplit('/').next().unwrap_or_default().to_lowercase();
    let wanted = name(text);
    let mut near: Vec<(f64, &str)> = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&wanted, &name(known.as_ref())), known.as_ref()))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let near: Vec<String> = near.iter().take(3).map(|(_, id)| format!("`{id}`")).collect();
    if near.is_empty() {
        String::new()
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 5] = [
        "prod/pay/orders",
        "prod/pay/Refunds",
        "prod/shop/orders",
        "prod/pay/session/orders-2",
        "-/-/clicks",
    ];

    fn named(text: &str) -> Result<String, String> {
        let ids = IDS.map(str::to_owned);
        one(text, &ids).map_err(|failure| {
            if let Failure::Usage(error) = failure {
                format!("usage: {error}")
            } else if let Failure::NoSuchJob(error) = failure {
                format!("missing: {error}")
            } else {
                panic!("{failure:?}")
            }
        })
    }

    #[test]
    fn the_end_of_an_id_is_enough_where_one_job_has_it() {
        for (text, id) in [
            ("pay/orders", "prod/pay/orders"),
            ("orders-2", "prod/pay/session/orders-2"),
            ("refunds", "prod/pay/Refunds"),
            ("clicks", "-/-/clicks"),
        ] {
            assert_eq!(named(text).as_deref(), Ok(id));
        }
        assert_eq!(
            named("orders").unwrap_err(),
            "usage: `orders` may be any of 2 jobs; write one of them:\n  prod/pay/orders\n  prod/shop/orders"
        );
        assert_eq!(
            named("rders").unwrap_err(),
            "missing: no job ends in `rders`; did you mean `prod/pay/orders` or `prod/shop/orders` or `prod/pay/session/orders-2`?"
        );
        assert_eq!(named("nothing").unwrap_err(), "missing: no job ends in `nothing`");
    }

    #[test]
    fn a_job_in_another_namespace_may_have_been_meant() {
        let ids = IDS.map(str::to_owned);
        assert_eq!(meant("prod/default/clicks", &ids), "; did you mean `-/-/clicks`?");
        assert_eq!(meant("prod/pay/order", &ids).matches('`').count(), 6);
    }

    #[test]
    fn what_can_name_no_job_is_refused_before_anybody_is_asked() {
        for text in [
            "",
            "/",
            "a//b",
            "..",
            "./orders",
            "a/b/..",
            "a/b/c/d/e",
            "../default/orders",
        ] {
            assert!(matches!(check(text), Err(Failure::Usage(_))), "{text}");
        }
        for text in ["orders", "default/orders", "-/-/orders", "a/b/c/d"] {
            assert!(check(text).is_ok(), "{text}");
        }
    }
}
