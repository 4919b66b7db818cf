//! `/openapi.json`: the API described for programs.

use axum::Json;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::problem::Problem;
use crate::{clusters, dashboard, events, health, job, jobs, metrics, policies, shadows, store, view};

#[derive(OpenApi)]
#[openapi(
    info(title = "Steadfast", description = "A truthful record of Flink jobs on Kubernetes.", version = env!("CARGO_PKG_VERSION")),
    paths(
        health::livez, health::readyz, metrics::metrics, document,
        clusters::list, events::events, jobs::list, shadows::list, policies::list, policies::reload, store::show, job::show, job::forget, job::transitions, job::explain, job::intend,
    ),
    components(schemas(view::Job, view::Transition, view::AlertChange, Problem))
)]
struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "engine", responses(
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
    let scheme = json!({ "type": "http", "scheme": "bearer", "description": "Required where the engine was given a token file" });
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), json!({ "token": scheme }));
    }
    if let Some(root) = document.as_object_mut() {
        root.insert("security".to_owned(), json!([{}, { "token": [] }]));
    }
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        paths.extend(dashboard::ASSETS.iter().map(asset));
        add_session_jobs(paths);
    }
    Ok(document)
}

fn asset(asset: &dashboard::Asset) -> (String, Value) {
    let content = json!({ asset.media_type: { "schema": { "type": "string" } } });
    let item = json!({ "get": {
        "tags": ["dashboard"],
        "summary": format!("{}.", asset.description),
        "operationId": asset.operation,
        "responses": { "200": { "description": asset.description, "content": content } },
    } });
    (asset.path.to_owned(), item)
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

fn deepen(operation: &mut Value) {
    if let Some(id) = operation.get_mut("operationId") {
        *id = json!(format!("{}_session_job", id.as_str().unwrap_or_default()));
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
        ] {
            assert!(job.get(field).is_some(), "{field}");
        }
    }
}
