//! Who is told: whether they can be reached. Nothing is delivered.

use std::sync::Arc;

use steadfast_server::sinks::{DeliveryError, HttpPost, Mailer};

use super::Finding;
use crate::config::Sink;
use crate::run::{SystemClock, Way};

const FIX: &str =
    "correct sink.url, or what sink.url_file holds; events wait in the journal until it can be reached, for max_age";

/// Asks each receiver for what changes nothing there: the head of its page, or a greeting.
pub(super) async fn examine(sinks: &[Sink]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sink in sinks {
        // What it takes to tell a cluster is asked of the cluster.
        if sink.receiver.cluster().is_some() {
            continue;
        }
        let subject = format!("sink {}", sink.name);
        findings.push(match Way::to(sink, None, Arc::new(SystemClock)) {
            Ok(Way::Http(post)) => by_http(subject, &sink.name, &post).await,
            Ok(Way::Mail(mailer)) => by_mail(subject, &sink.name, &mailer).await,
            Ok(Way::Events(_)) => continue,
            Err(error) => Finding::wrong(subject, error.to_string(), "correct that key of the sink"),
        });
    }
    findings
}

async fn by_http(subject: String, name: &str, post: &HttpPost) -> Finding {
    match post.reach().await {
        Ok(status) if status.is_server_error() => {
            Finding::warning(subject, format!("it is reached, and answers {status}"), FIX)
        }
        Ok(status) => Finding::ok(
            subject,
            format!(
                "it is reached, and answers {status} to HEAD; `steadfast sink test {name}` shows whether it takes events"
            ),
        ),
        Err(why) => Finding::wrong(subject, why, FIX),
    }
}

async fn by_mail(subject: String, name: &str, mailer: &Mailer) -> Finding {
    match mailer.reach().await {
        Ok(()) => {
            let login = if mailer.logs_in() {
                " and knows sink.username"
            } else {
                ""
            };
            Finding::ok(
                subject,
                format!(
                    "it is reached{login}, and answers to NOOP; `steadfast sink test {name}` shows whether it takes mails"
                ),
            )
        }
        Err(DeliveryError { message, fix, .. }) => {
            Finding::wrong(subject, message, if fix.is_empty() { FIX } else { fix })
        }
    }
}
