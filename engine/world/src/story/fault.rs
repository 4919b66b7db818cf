//! What can be wrong with a server.

use std::time::Duration;

use serde::Deserialize;

use super::moment::Moment;

/// What is wrong with an API server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum KubernetesFault {
    /// Nothing.
    #[default]
    Ok,
    /// No answer at all; connections caught in it stay dead.
    Drop,
    /// Connections are refused.
    Refuse,
    /// That HTTP status, with `Retry-After` in seconds if there is one.
    Status(u16, Option<u64>),
    /// 403 with a message of 5,000 bytes, as of an authorizer that lists all that is missing, a line feed and a command for
    /// terminals in it.
    Wordy,
    /// A login page with status 200.
    Html,
    /// A body that breaks off.
    Garbage,
    /// An array with the members of an empty list, in the order in which they are read.
    Array,
    /// Answers that arrive late.
    Slow(Duration),
    /// Every resource version handed out so far is too old.
    Expired,
    /// Lists work; watches deliver nothing, and what they missed is lost.
    WatchSilent,
    /// Watches end at once.
    WatchClose,
    /// LIST and GET of objects fail.
    ListFails,
    /// A GET of one object by its name is answered with that status, or not at all; lists and watches work.
    Get(Option<u16>),
    /// A foreign pod that does not decode stands in the list.
    BadObject,
    /// The operator's kinds are answered with that status: 404 where they are not installed, 403 where they may not be
    /// listed.
    Operator(u16),
}

/// What is wrong with a Flink cluster's REST endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum FlinkFault {
    /// Nothing.
    #[default]
    Ok,
    /// No answer at all; connections caught in it stay dead.
    Drop,
    /// Connections are refused.
    Refuse,
    /// 401 of a gateway.
    Unauthorized,
    /// 403 of a gateway.
    Forbidden,
    /// A proxy's plain 404 page.
    ProxyNotFound,
    /// 429, with `Retry-After` in seconds if there is one.
    TooManyRequests(Option<u64>),
    /// 500 with Flink's own error body.
    ServerError,
    /// 502 of a gateway, in HTML.
    BadGateway,
    /// A login page with status 200.
    LoginPage,
    /// 503 with Flink's words for a leader election.
    LeaderElection,
    /// A body that breaks off.
    Garbage,
    /// An array with the members of an empty list.
    Array,
    /// The answer is of the moment of asking and arrives late.
    Slow(Duration),
}

/// What is wrong with the folders of archive and JobResultStore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum FilesFault {
    /// Nothing.
    #[default]
    #[serde(rename = "ok")]
    Ok,
    /// No answer at all, as from a lost mount.
    #[serde(rename = "drop")]
    Drop,
    /// Reading is forbidden.
    #[serde(rename = "403")]
    Forbidden,
    /// The folders are not there.
    #[serde(rename = "missing")]
    Missing,
    /// Every file is half of what it should be.
    #[serde(rename = "garbage")]
    Garbage,
}

impl TryFrom<String> for KubernetesFault {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (word, detail) = split(&text);
        let fault = match (word, detail) {
            ("ok", None) => Self::Ok,
            ("drop", None) => Self::Drop,
            ("refuse", None) => Self::Refuse,
            ("401", None) => Self::Status(401, None),
            ("403", None) => Self::Status(403, None),
            ("403", Some("long")) => Self::Wordy,
            ("429", wait) => Self::Status(429, wait.map(|wait| whole(&text, wait)).transpose()?),
            ("500", None) => Self::Status(500, None),
            ("503", None) => Self::Status(503, None),
            ("html", None) => Self::Html,
            ("garbage", None) => Self::Garbage,
            ("array", None) => Self::Array,
            ("slow", Some(wait)) => Self::Slow(span(&text, wait)?),
            ("410", None) => Self::Expired,
            ("watch-silent", None) => Self::WatchSilent,
            ("watch-close", None) => Self::WatchClose,
            ("list-fails", None) => Self::ListFails,
            ("get", Some("403")) => Self::Get(Some(403)),
            ("get", Some("500")) => Self::Get(Some(500)),
            ("get", Some("drop")) => Self::Get(None),
            ("bad-object", None) => Self::BadObject,
            ("operator", Some("403")) => Self::Operator(403),
            ("operator", Some("404")) => Self::Operator(404),
            _ => {
                return Err(format!(
                    "`{text}` is no fault of Kubernetes; choose ok, drop, refuse, 401, 403, 403:long, 429, 429:SECONDS, 410, 500, \
                     503, html, garbage, array, slow:TIME, watch-silent, watch-close, list-fails, get:403, get:500, get:drop, bad-object, operator:403 or \
                     operator:404"
                ));
            }
        };
        Ok(fault)
    }
}

impl TryFrom<String> for FlinkFault {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (word, detail) = split(&text);
        let fault = match (word, detail) {
            ("ok", None) => Self::Ok,
            ("drop", None) => Self::Drop,
            ("refuse", None) => Self::Refuse,
            ("401", None) => Self::Unauthorized,
            ("403", None) => Self::Forbidden,
            ("404-proxy", None) => Self::ProxyNotFound,
            ("429", wait) => Self::TooManyRequests(wait.map(|wait| whole(&text, wait)).transpose()?),
            ("500", None) => Self::ServerError,
            ("502-html", None) => Self::BadGateway,
            ("200-html", None) => Self::LoginPage,
            ("503-leader", None) => Self::LeaderElection,
            ("garbage", None) => Self::Garbage,
            ("array", None) => Self::Array,
            ("slow", Some(wait)) => Self::Slow(span(&text, wait)?),
            _ => {
                return Err(format!(
                    "`{text}` is no fault of Flink; choose ok, drop, refuse, 401, 403, 404-proxy, 429, 429:SECONDS, 500, \
                     502-html, 200-html, 503-leader, garbage, array or slow:TIME"
                ));
            }
        };
        Ok(fault)
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once(':')
        .map_or((text, None), |(word, detail)| (word, Some(detail)))
}

fn whole(text: &str, seconds: &str) -> Result<u64, String> {
    seconds
        .parse()
        .map_err(|_| format!("`{text}`: behind the colon goes a whole number of seconds, such as 429:20"))
}

fn span(text: &str, wait: &str) -> Result<Duration, String> {
    Moment::parse(wait)
        .filter(|wait| wait.as_millis() > 0)
        .map(Moment::elapsed)
        .ok_or_else(|| format!("`{text}`: behind the colon goes a time, such as slow:2s"))
}
