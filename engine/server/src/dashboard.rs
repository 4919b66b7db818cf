//! The dashboard: five files, built in, that ask nobody but this engine.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};

const PAGE: &str = include_str!("../dashboard/index.html");
const SCRIPT: &str = include_str!("../dashboard/app.js");
const SHADOWS: &str = include_str!("../dashboard/shadows.js");
const STYLE: &str = include_str!("../dashboard/style.css");
const ICON: &str = include_str!("../dashboard/icon.svg");

/// Nothing but our own files and our own API; no frames, no forms, no inline code. Job names and messages
/// come from outside, and must never run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn file(format: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, format),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        // An upgraded engine is not to be shown through the old one's script.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

/// The dashboard.
#[utoipa::path(get, path = "/", tag = "dashboard", responses(
    (status = 200, description = "The dashboard", body = String, content_type = "text/html")))]
pub(crate) async fn page() -> Response {
    file("text/html; charset=utf-8", PAGE)
}

/// The dashboard's script.
#[utoipa::path(get, path = "/dashboard/app.js", tag = "dashboard", responses(
    (status = 200, description = "The dashboard's script", body = String, content_type = "text/javascript")))]
pub(crate) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

/// The dashboard's panel of shadow policies.
#[utoipa::path(get, path = "/dashboard/shadows.js", tag = "dashboard", responses(
    (status = 200, description = "The dashboard's panel of shadow policies", body = String, content_type = "text/javascript")))]
pub(crate) async fn shadows() -> Response {
    file("text/javascript; charset=utf-8", SHADOWS)
}

/// The dashboard's style.
#[utoipa::path(get, path = "/dashboard/style.css", tag = "dashboard", responses(
    (status = 200, description = "The dashboard's style", body = String, content_type = "text/css")))]
pub(crate) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

/// The dashboard's icon.
#[utoipa::path(get, path = "/dashboard/icon.svg", tag = "dashboard", responses(
    (status = 200, description = "The dashboard's icon", body = String, content_type = "image/svg+xml")))]
pub(crate) async fn icon() -> Response {
    file("image/svg+xml", ICON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_carries_the_policy_and_refers_to_its_own_host_alone() {
        for text in [PAGE, SCRIPT, SHADOWS, STYLE] {
            for foreign in [
                "http://",
                "https://",
                "\"//",
                "'//",
                "url(",
                "@import",
                "style=",
                "onclick",
                "innerHTML",
            ] {
                assert!(!text.contains(foreign), "{foreign}");
            }
            let headers = file("text/plain", text).headers().clone();
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"));
        }
        for reference in [
            "/dashboard/app.js",
            "/dashboard/shadows.js",
            "/dashboard/style.css",
            "/dashboard/icon.svg",
        ] {
            assert!(PAGE.contains(reference));
        }
    }
}
