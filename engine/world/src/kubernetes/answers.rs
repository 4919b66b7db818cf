//! The API server's error bodies, and what is none of its own.

use serde_json::{Value, json};

use super::scope::Scope;

/// The word that goes with a code.
pub(super) fn reason(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    }
}

/// A failure's body.
pub(super) fn status(code: u16, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason(code), "code": code,
    })
}

/// An array that has what an empty list has, in the order in which a reader asks for it.
pub(super) fn array(scope: Option<&Scope>) -> String {
    let kind = scope.map_or_else(|| "Status".to_owned(), |scope| format!("{}List", scope.kind.name()));
    json!([kind, { "resourceVersion": "9" }, []]).to_string()
}
