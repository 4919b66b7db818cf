//! `.../audit`: who asked for something to be written about a job, what, and from where.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use steadfast_core::call::Call;
use steadfast_core::error_chain::error_chain;
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::journal::{EntriesOf, Entry, Event};
use utoipa::ToSchema;

use crate::job::{HistoryQuery, JobPath, missing};
use crate::problem::Problem;
use crate::query::{Page, Parameters};
use crate::state::Api;
use crate::words::schema;

/// A page of calls, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    items: Vec<AuditLine>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    cursor: Option<String>,
}

/// A call that wrote.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AuditLine {
    /// Its position in the journal.
    sequence: u64,
    /// When it was committed, by Steadfast's clock.
    #[schema(format = DateTime)]
    at: String,
    /// What was asked for.
    #[schema(value_type = schema::CallAsked, example = "cancel")]
    what: &'static str,
    /// Which alert, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "JobFailed")]
    alert: Option<String>,
    /// When the silence ends that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// Why it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "planned move to the new Kafka")]
    comment: Option<String>,
    /// Who the caller is, by what they showed: a token's name, a Kubernetes user, a certificate's name. Absent if they showed
    /// nothing, or the token that opens everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "deploy-bot")]
    by: Option<String>,
    /// What they showed.
    #[schema(value_type = schema::CallThrough, example = "token")]
    through: &'static str,
    /// For whom, as they said themselves (`author`); nobody has checked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
    /// The address that the connection came from: a proxy's, where one stands between.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.0.0.7")]
    from: Option<String>,
}

/// What an earlier build took in may hold anything.
fn harmless(name: &str) -> String {
    ForeignText::new(name).into()
}

impl AuditLine {
    pub(crate) fn new(entry: &Entry, call: &Call) -> Self {
        let silence = call.silence.as_ref();
        Self {
            sequence: entry.sequence.0,
            at: entry.at.to_string(),
            what: call.asked.as_str(),
            alert: call.alert.as_deref().map(harmless),
            until: silence.map(|silence| silence.until.to_string()),
            comment: silence.and_then(|silence| silence.comment.as_deref()).map(harmless),
            by: call.by.as_deref().map(harmless),
            through: call.through.as_str(),
            says: call.says.as_deref().map(harmless),
            from: call.from.map(|from| from.to_string()),
        }
    }
}

/// Who asked for what about a job: intents, silences, and the removal of its record. It goes on over a removal, and can be read after
/// it.
///
/// An intent that is said again by the same author changes nothing in the history, and is not here; the log has it. Neither is a silence
/// that is taken back where there is none.
#[utoipa::path(get, path = "/api/v1/jobs/{cluster}/{namespace}/{name}/audit", operation_id = "listJobAudit", tag = "jobs", params(
    ("cluster" = String, Path), ("namespace" = String, Path), ("name" = String, Path), HistoryQuery),
    responses((status = 200, description = "A page of calls, oldest first", body = AuditPage),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such job, and there never was a call about it", body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn list(
    State(api): State<Api>,
    JobPath(key): JobPath,
    Parameters(query): Parameters<HistoryQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let (after, most) = query.range()?;
    let read = api
        .journal
        .entries(EntriesOf::CallsAbout(key.clone()), after, most)
        .await;
    let entries = read.map_err(|error| Problem::unavailable(error_chain(&error)))?;
    if entries.is_empty() && api.jobs.get(&key).is_none() {
        return Err(missing(&api, &key));
    }
    let page = Page::of(entries, query.limit, |entry| Some(entry.sequence.0.to_string()));
    let items = page.items.iter().filter_map(|entry| match &entry.event {
        Event::Called(call) => Some(AuditLine::new(entry, call)),
        Event::Transition(_) | Event::Update(_) | Event::Alert(_) | Event::Forgotten => None,
    });
    Ok(Json(AuditPage {
        items: items.collect(),
        cursor: page.cursor,
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Method, StatusCode};

    use crate::testing::{TestServer, request};

    #[tokio::test]
    async fn a_call_is_in_the_jobs_history_with_who_what_and_from_where() {
        let server = TestServer::new();
        server
            .add("local/default/orders", steadfast_core::state::JobState::Running)
            .await;
        let path = "/api/v1/jobs/local/default/orders";
        let peer = crate::serve::Peer {
            address: "[::ffff:10.0.0.7]:4242".parse().unwrap(),
            line: crate::serve::Line::Plain,
        };
        let asked = request(Method::PUT, &format!("{path}/intent"))
            .header("content-type", "application/json")
            .header("x-forwarded-for", "203.0.113.9")
            .extension(peer);
        let body = Body::from(r#"{"intent":"cancel","author":"ann"}"#);
        assert_eq!(server.send(asked.body(body).unwrap()).await.status(), StatusCode::OK);
        let (status, _) = server.call(Method::DELETE, path, "").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, page) = server.get(&format!("{path}/audit")).await;
        assert_eq!(status, StatusCode::OK, "{page}: after the removal too");
        let first = &page["items"][0];
        assert_eq!(
            (&first["what"], &first["says"], &first["from"]),
            (&"cancel".into(), &"ann".into(), &"10.0.0.7".into())
        );
        assert_eq!((&first["through"], first.get("by")), (&"nothing".into(), None));
        assert_eq!(page["items"][1]["what"], "forget");
        let (_, page) = server.get(&format!("{path}/audit?limit=1")).await;
        let cursor = page["cursor"].as_str().unwrap();
        let (_, page) = server.get(&format!("{path}/audit?cursor={cursor}")).await;
        assert_eq!(page["items"][0]["what"], "forget");
        let (status, _) = server.get("/api/v1/jobs/local/default/nobody/audit").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
