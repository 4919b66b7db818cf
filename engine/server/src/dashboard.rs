//! The dashboard: four files, built in, that ask nobody but this engine. They are made of `dashboard/src` by `dashboard/build`, and
//! committed, so that nobody needs Node to build the engine.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};

/// One file of the dashboard.
#[derive(Debug)]
pub(crate) struct Asset {
    /// Where it is served.
    pub(crate) path: &'static str,
    /// The whole `Content-Type`.
    content_type: &'static str,
    text: &'static str,
}

/// Every file of the dashboard.
pub(crate) static ASSETS: [Asset; 4] = [
    Asset {
        path: "/",
        content_type: "text/html; charset=utf-8",
        text: include_str!("../dashboard/dist/index.html"),
    },
    Asset {
        path: "/dashboard/app.js",
        content_type: "text/javascript; charset=utf-8",
        text: include_str!("../dashboard/dist/dashboard/app.js"),
    },
    Asset {
        path: "/dashboard/style.css",
        content_type: "text/css; charset=utf-8",
        text: include_str!("../dashboard/dist/dashboard/style.css"),
    },
    Asset {
        path: "/dashboard/icon.svg",
        content_type: "image/svg+xml",
        text: include_str!("../dashboard/dist/dashboard/icon.svg"),
    },
];

/// Nothing but our own files and our own API; no frames, no forms, no inline code. Job names and messages
/// come from outside, and must never run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where the icon tells how many alerts fire. Data in a `data:` address would be refused by the policy above.
const PLACE_OF_ALERTS: &str = "<!--alerts-->";

impl Asset {
    /// What serves it.
    pub(crate) fn route<S: Clone + Send + Sync + 'static>(&'static self) -> MethodRouter<S> {
        get(async |RawQuery(query): RawQuery, headers: HeaderMap| self.response(query.as_deref(), &headers))
    }

    fn response(&self, query: Option<&str>, asked: &HeaderMap) -> Response {
        let text = self.with_alerts(query);
        let etag = etag(&text);
        let headers = [
            (CONTENT_TYPE, self.content_type),
            (CONTENT_SECURITY_POLICY, POLICY),
            // An upgraded engine is not to be shown through the old one's script.
            (CACHE_CONTROL, "no-cache"),
            (ETAG, &etag),
        ];
        let is_held = asked
            .get(IF_NONE_MATCH)
            .is_some_and(|held| held.as_bytes() == etag.as_bytes());
        if is_held {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, text).into_response()
    }

    /// The file, with the number of alerts where it has a place for one. Nothing of the query but a number gets in.
    fn with_alerts(&self, query: Option<&str>) -> Cow<'static, str> {
        let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let alerts = pairs.find_map(|(name, value)| (name == "alerts").then(|| value.parse().ok()).flatten());
        match alerts {
            Some(1u32..) if !self.text.contains(PLACE_OF_ALERTS) => Cow::Borrowed(self.text),
            Some(alerts @ 1..) => Cow::Owned(self.text.replace(PLACE_OF_ALERTS, &badge(alerts))),
            Some(0) | None => Cow::Borrowed(self.text),
        }
    }
}

/// A number as it fits into a corner of 16 pixels.
fn badge(alerts: u32) -> String {
    let (shown, size) = match alerts {
        0..=9 => (alerts.to_string(), 9),
        10.. => ("9+".to_owned(), 7),
    };
    format!(
        r##"<circle cx="10.5" cy="5.5" r="5.5" fill="#c01c28"/><text x="10.5" y="8.5" font-family="sans-serif" font-weight="700" font-size="{size}" fill="#fff" text-anchor="middle">{shown}</text>"##
    )
}

/// Tells one text from another, within one build and between builds.
fn etag(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // Weak: packed or not, it is the same.
    format!("W/\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(path: &str) -> &'static Asset {
        ASSETS.iter().find(|asset| asset.path == path).unwrap()
    }

    #[test]
    fn every_file_carries_the_policy_and_refers_to_its_own_host_alone() {
        for asset in &ASSETS {
            let headers = asset.response(None, &HeaderMap::new()).headers().clone();
            let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"));
            // Namespaces of XML, where Svelte explains its errors, and a pattern of the page itself: names, which nobody fetches.
            let known = ["http://www.w3.org/", "https://svelte.dev/e/", "url(#"];
            let text = known
                .iter()
                .fold(asset.text.to_owned(), |text, name| text.replace(name, ""));
            for foreign in [
                "http://",
                "https://",
                "\"//",
                "'//",
                "url(",
                "@import",
                "eval(",
                "new Function",
                "onclick=",
            ] {
                assert!(!text.contains(foreign), "{}: {foreign}", asset.path);
            }
        }
        let page = asset("/").text;
        assert!(
            !page.contains("style=") && !page.contains("<style") && !page.contains("<script>"),
            "the policy refuses it"
        );
    }

    #[test]
    fn the_page_refers_to_every_other_file_relative_to_itself() {
        let [page, others @ ..] = &ASSETS;
        for asset in others {
            assert!(page.text.contains(&format!("\".{}\"", asset.path)), "{}", asset.path);
        }
    }

    #[test]
    fn what_a_browser_holds_is_not_sent_again() {
        let script = asset("/dashboard/app.js");
        let mut asked = HeaderMap::new();
        asked.insert(IF_NONE_MATCH, script.response(None, &asked).headers()[ETAG].clone());
        assert_eq!(script.response(None, &asked).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(
            asset("/dashboard/style.css").response(None, &asked).status(),
            StatusCode::OK
        );
    }

    #[test]
    fn the_icon_tells_how_many_alerts_fire_and_takes_nothing_but_a_number() {
        let icon = asset("/dashboard/icon.svg");
        assert!(icon.with_alerts(Some("alerts=3")).contains(">3</text>"));
        assert!(icon.with_alerts(Some("alerts=12")).contains(">9+</text>"));
        for query in [
            None,
            Some("alerts=0"),
            Some("alerts=%3Cscript%3E"),
            Some("alerts=-1"),
            Some("other=3"),
        ] {
            assert_eq!(icon.with_alerts(query), icon.text, "{query:?}");
        }
        assert_eq!(asset("/").with_alerts(Some("alerts=3")), asset("/").text);
    }
}
