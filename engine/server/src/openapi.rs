//! `/openapi.json`: the API described for programs.

use axum::Json;
use http::Method;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::access::Door;
use crate::problem::Problem;
use crate::router::{doors, is_tagged};
use crate::words::schema;
use crate::{
    alerts, audit, closeup, clusters, compat, events, health, history, job, jobs, metrics, policies, shadows, silences,
    store, summary, view,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Steadfast", description = "A truthful record of Flink jobs on Kubernetes.", version = env!("CARGO_PKG_VERSION")),
    paths(
        health::livez, health::readyz, metrics::metrics, document,
        clusters::list, events::events, jobs::list, summary::show, alerts::list, history::list, compat::streampark, shadows::list, policies::list, policies::reload, store::show, job::show, job::forget, job::transitions, job::explain, audit::list, job::intend, closeup::flink, closeup::pods, closeup::log, job::look, silences::silence, silences::unsilence,
    ),
    tags(
        (name = "jobs", description = "The record: what is known of jobs, and what led to it"),
        (name = "alerts", description = "Alerts that stand"),
        (name = "events", description = "What happened, and what happens"),
        (name = "policies", description = "What decides"),
        (name = "integrations", description = "The record in the words of others"),
        (name = "engine", description = "How the engine itself is, and what it can see"),
    ),
    components(schemas(
        view::Job, view::Transition, view::AlertChange, Problem, events::EventData, events::UnreadableData, events::ResetData,
        schema::State, schema::Confidence, schema::Mode, schema::ConditionType, schema::AskedCondition, schema::Severity, schema::AlertTold,
        schema::EventKind, schema::Order, schema::Format, schema::Sort,
    ))
)]
struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "engine", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(crate) async fn document() -> Result<Json<Value>, Problem> {
    let described = described();
    described
        .map(Json)
        .map_err(|error| Problem::unavailable(error.to_string()))
}

/// The OpenAPI 3.1 document of the whole API, as JSON.
///
/// Fails only if serde does.
pub(crate) fn described() -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(Document::openapi())?;
    let token = json!({ "type": "http", "scheme": "bearer", "description": "A token of the engine's files, or one of Kubernetes'. Required, \
        or a client certificate, where the engine was given keys; it has to have the scope that an operation names" });
    let certificate =
        json!({ "type": "mutualTLS", "description": "A client certificate, where server.tls.client_ca_file is set" });
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert(
            "securitySchemes".to_owned(),
            json!({ "token": token, "certificate": certificate }),
        );
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        add_session_jobs(paths);
        add_doors(paths);
        add_common_answers(paths);
    }
    Ok(document)
}

/// Whatever is served of an application is served of a session's job, one segment deeper.
fn add_session_jobs(paths: &mut Map<String, Value>) {
    let deeper: Vec<(String, Value)> = paths
        .iter()
        .filter_map(|(path, item)| {
            let rest = path.strip_prefix(job::APPLICATION)?;
            let mut item = item.clone();
            for (_, operation) in item.as_object_mut().into_iter().flatten() {
                deepen(operation);
            }
            Some((format!("{}{rest}", job::SESSION_JOB), item))
        })
        .collect();
    paths.extend(deeper);
}

/// What each operation asks for, as the router says.
fn add_doors(paths: &mut Map<String, Value>) {
    for (path, method, door) in doors() {
        let operation = paths
            .get_mut(path)
            .and_then(|item| item.get_mut(method.as_str().to_ascii_lowercase()));
        let Some(operation) = operation.and_then(Value::as_object_mut) else {
            continue;
        };
        let Door::Needs(scope) = door else {
            operation.insert("security".to_owned(), json!([]));
            continue;
        };
        let scopes = json!([scope.as_str()]);
        operation.insert(
            "security".to_owned(),
            json!([{}, { "token": scopes }, { "certificate": scopes }]),
        );
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
            continue;
        };
        let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        for (status, description) in [
            ("401", "Nothing that this engine knows was shown".to_owned()),
            (
                "403",
                format!(
                    "The caller lacks the scope `{}`, or asks from a foreign page",
                    scope.as_str()
                ),
            ),
            (
                "429",
                "Too many wrong tokens came from this address, or this caller writes too often".to_owned(),
            ),
        ] {
            let response = json!({ "description": description, "content": problem });
            responses.entry(status).or_insert(response);
        }
    }
}

/// What is answered before or after an operation, by what every one of its kind goes through.
fn add_common_answers(paths: &mut Map<String, Value>) {
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let takes_a_body = operation.get("requestBody").is_some();
            let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
                continue;
            };
            if Method::from_bytes(method.to_ascii_uppercase().as_bytes()).is_ok_and(|method| is_tagged(path, &method)) {
                let description =
                    "Nothing has changed since the answer whose `ETag` the request names in `If-None-Match`";
                responses.insert("304".to_owned(), json!({ "description": description }));
            }
            if takes_a_body {
                let description = format!("The body has more than {} KiB", job::BODY_LIMIT / 1024);
                let content =
                    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
                responses.insert(
                    "413".to_owned(),
                    json!({ "description": description, "content": content }),
                );
            }
        }
    }
}

fn deepen(operation: &mut Value) {
    if let Some(id) = operation.get_mut("operationId") {
        *id = json!(id.as_str().unwrap_or_default().replacen("Job", "SessionJob", 1));
    }
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        parameters.push(json!({
            "name": "flinkJobId", "in": "path", "required": true, 
            "description": "The job within its session cluster: its id (32 hex digits), or the name of the FlinkSessionJob that \
                asks for it",
            "schema": { "type": "string" }
        }));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn operations_have_names_of_their_own_and_say_their_path_parameters() {
        let document = described().unwrap();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].to_string()), "{method} {path}");
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
                assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
            }
        }
    }

    #[test]
    fn each_operation_says_which_scope_it_asks_for() {
        let document = described().unwrap();
        let asked = |path: &str, method: &str| document["paths"][path][method]["security"].to_string();
        assert_eq!(asked("/livez", "get"), "[]");
        assert!(asked("/api/v1/jobs", "get").contains(r#"{"token":["read"]}"#));
        assert!(asked(job::APPLICATION_INTENT, "put").contains(r#"{"token":["intent"]}"#));
        assert!(asked(job::SESSION_JOB, "delete").contains(r#"{"certificate":["admin"]}"#));
        let refused = &document["paths"][job::APPLICATION]["delete"]["responses"]["403"]["description"];
        assert!(refused.as_str().unwrap().contains("`admin`"), "{refused}");
    }

    #[test]
    fn what_every_operation_of_a_kind_answers_is_said_of_each() {
        let document = described().unwrap();
        let says = |path: &str, method: &str, status: &str| {
            let answers = &document["paths"][path][method]["responses"];
            assert!(answers["200"].is_object(), "{method} {path}");
            answers[status].is_object()
        };
        assert!(says("/api/v1/clusters", "get", "304"));
        assert!(!says("/api/v1/events", "get", "304"), "it has no end");
        assert!(says(job::APPLICATION_INTENT, "put", "413"));
        assert!(!says("/api/v1/jobs", "get", "413"));
    }

    /// Every `$ref` of a document.
    fn references(value: &Value) -> Vec<String> {
        match value {
            Value::Object(members) => {
                let own = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
                own.into_iter().chain(members.values().flat_map(references)).collect()
            }
            Value::Array(items) => items.iter().flat_map(references).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    #[test]
    fn whatever_is_referred_to_is_described() {
        let document = described().unwrap();
        let references = references(&document);
        assert!(references.len() > 100, "{}", references.len());
        for reference in references {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn operations_read_as_what_they_do_and_have_a_tag_that_is_described() {
        let document = described().unwrap();
        let tags: Vec<&Value> = document["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tag| &tag["name"])
            .collect();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                let verbs = [
                    "list",
                    "get",
                    "set",
                    "forget",
                    "explain",
                    "stream",
                    "reload",
                    "look",
                    "silence",
                    "unsilence",
                ];
                assert!(verbs.iter().any(|verb| id.starts_with(verb)), "{method} {path}: {id}");
                assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
            }
        }
        let paths = &document["paths"];
        assert_eq!(paths["/api/v1/jobs"]["get"]["operationId"], "listJobs");
        assert_eq!(paths[job::SESSION_JOB]["get"]["operationId"], "getSessionJob");
        assert_eq!(
            paths.get("/dashboard/app.js"),
            None,
            "the dashboard's files are no part of the API"
        );
    }

    #[test]
    fn words_are_listed() {
        let document = described().unwrap();
        let schemas = &document["components"]["schemas"];
        for (schema, words) in [
            ("State", "RUNNING TERMINATED UNKNOWN"),
            ("Confidence", "confirmed inferred stale"),
            ("Severity", "alerting ended"),
            ("Attention", "active sleeping"),
            ("AlertScope", "job cluster policy"),
            ("EventKind", "transition call"),
            ("Sort", "severity -since"),
        ] {
            let listed = schemas[schema]["enum"].as_array().unwrap();
            for word in words.split_whitespace() {
                assert!(listed.iter().any(|one| one == word), "{schema}: {word}");
            }
        }
        let state = &schemas["Job"]["properties"]["state"];
        assert_eq!(references(state), ["#/components/schemas/State"], "{state}");
        let parameters = document["paths"]["/api/v1/jobs"]["get"]["parameters"]
            .as_array()
            .unwrap();
        let filter = parameters
            .iter()
            .find(|parameter| parameter["name"] == "severity")
            .unwrap();
        assert_eq!(references(filter), ["#/components/schemas/Severity"], "{filter}");
    }

    #[tokio::test]
    async fn the_example_of_a_job_has_the_members_of_a_job() {
        let document = described().unwrap();
        let example = document["components"]["schemas"]["Job"]["example"]
            .as_object()
            .unwrap()
            .clone();
        let server = crate::testing::TestServer::new();
        server
            .add("prod/default/orders", steadfast_core::state::JobState::Running)
            .await;
        let (_, job) = server.get("/api/v1/jobs/prod/default/orders").await;
        let members = |value: &Map<String, Value>| value.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(members(&example), members(job.as_object().unwrap()));
    }

    #[test]
    fn the_contracts_fields_are_all_described() {
        let document = described().unwrap();
        let job = &document["components"]["schemas"]["Job"]["properties"];
        for field in [
            "id",
            "cluster",
            "namespace",
            "name",
            "mode",
            "flinkJobId",
            "attempt",
            "state",
            "confidence",
            "reason",
            "since",
            "firstSeen",
            "startedAt",
            "confirmedAt",
            "conditions",
            "watch",
            "policy",
            "revision",
            "otherJobs",
            "intent",
            "links",
            "silences",
        ] {
            assert!(job.get(field).is_some(), "{field}");
        }
    }
}
