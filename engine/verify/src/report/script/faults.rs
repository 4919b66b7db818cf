//! What kinds of fault are called in stories.

use steadfast_core::evidence::FaultKind;

/// Of a Flink. `other` is none of these: it says that Flink answers, and not about this job.
pub(super) fn flink_fault(kind: FaultKind) -> Result<&'static str, String> {
    match kind {
        FaultKind::Timeout => Ok("drop"),
        FaultKind::Refused => Ok("refuse"),
        FaultKind::Unauthorized => Ok("401"),
        FaultKind::Forbidden => Ok("403"),
        FaultKind::NotFound => Ok("404-proxy"),
        FaultKind::TooManyRequests => Ok("429"),
        FaultKind::LeaderElection => Ok("503-leader"),
        FaultKind::Status => Ok("500"),
        FaultKind::Malformed => Ok("garbage"),
        FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::Expired
        | FaultKind::TooLarge
        | FaultKind::Other => Err(format!(
            "a story has no word for a Flink that answers with `{}`",
            kind.as_str()
        )),
    }
}

/// Of an API server.
pub(super) fn kubernetes_fault(kind: FaultKind) -> Result<&'static str, String> {
    match kind {
        FaultKind::Timeout => Ok("drop"),
        FaultKind::Refused => Ok("refuse"),
        FaultKind::Unauthorized => Ok("401"),
        FaultKind::Forbidden => Ok("403"),
        FaultKind::TooManyRequests => Ok("429"),
        FaultKind::Status => Ok("500"),
        FaultKind::Malformed => Ok("garbage"),
        FaultKind::Address
        | FaultKind::Tls
        | FaultKind::Connection
        | FaultKind::NotFound
        | FaultKind::Expired
        | FaultKind::LeaderElection
        | FaultKind::TooLarge
        | FaultKind::Other => Err(format!(
            "a story has no word for a Kubernetes that answers with `{}`",
            kind.as_str()
        )),
    }
}
