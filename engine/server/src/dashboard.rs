//! The dashboard: six files, built in, that ask nobody but this engine.

use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// One file of the dashboard.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is served.
    pub(crate) path: &'static str,
    /// Its name as an operation of the API.
    pub(crate) operation: &'static str,
    /// What it is.
    pub(crate) description: &'static str,
    /// Its media type, without a charset.
    pub(crate) media_type: &'static str,
    /// The whole `Content-Type`.
    content_type: &'static str,
    text: &'static str,
}

/// Every file of the dashboard.
pub(crate) static ASSETS: [Asset; 6] = [
    Asset {
        path: "/",
        operation: "page",
        description: "The dashboard",
        media_type: "text/html",
        content_type: "text/html; charset=utf-8",
        text: include_str!("../dashboard/index.html"),
    },
    Asset {
        path: "/dashboard/app.js",
        operation: "script",
        description: "The dashboard's script",
        media_type: "text/javascript",
        content_type: "text/javascript; charset=utf-8",
        text: include_str!("../dashboard/app.js"),
    },
    Asset {
        path: "/dashboard/clusters.js",
        operation: "unread_clusters",
        description: "The dashboard's banners of what cannot be read",
        media_type: "text/javascript",
        content_type: "text/javascript; charset=utf-8",
        text: include_str!("../dashboard/clusters.js"),
    },
    Asset {
        path: "/dashboard/shadows.js",
        operation: "shadows",
        description: "The dashboard's panel of shadow policies",
        media_type: "text/javascript",
        content_type: "text/javascript; charset=utf-8",
        text: include_str!("../dashboard/shadows.js"),
    },
    Asset {
        path: "/dashboard/style.css",
        operation: "style",
        description: "The dashboard's style",
        media_type: "text/css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("../dashboard/style.css"),
    },
    Asset {
        path: "/dashboard/icon.svg",
        operation: "icon",
        description: "The dashboard's icon",
        media_type: "image/svg+xml",
        content_type: "image/svg+xml",
        text: include_str!("../dashboard/icon.svg"),
    },
];

/// Nothing but our own files and our own API; no frames, no forms, no inline code. Job names and messages
/// come from outside, and must never run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Asset {
    /// What serves it.
    pub(crate) fn route<S: Clone + Send + Sync + 'static>(&'static self) -> MethodRouter<S> {
        get(async || self.response())
    }

    fn response(&self) -> Response {
        let headers = [
            (CONTENT_TYPE, self.content_type),
            (CONTENT_SECURITY_POLICY, POLICY),
            // An upgraded engine is not to be shown through the old one's script.
            (CACHE_CONTROL, "no-cache"),
        ];
        (headers, self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_carries_the_policy_and_refers_to_its_own_host_alone() {
        for asset in &ASSETS {
            let headers = asset.response().headers().clone();
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"));
            assert!(headers[CONTENT_TYPE].to_str().unwrap().starts_with(asset.media_type));
            // The icon names its XML namespace, which nobody fetches.
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
            ]
            .iter()
            .filter(|_| asset.operation != "icon")
            {
                assert!(!asset.text.contains(foreign), "{}: {foreign}", asset.path);
            }
        }
    }

    #[test]
    fn the_page_refers_to_every_other_file() {
        let [page, others @ ..] = &ASSETS;
        for asset in others {
            assert!(page.text.contains(asset.path), "{}", asset.path);
        }
    }
}
