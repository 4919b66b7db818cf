//! What an HTTP status and body mean, before anything is parsed.

use bytes::Bytes;
use steadfast_core::evidence::{Fault, FaultKind};

use crate::transport::{Answer, shown};

/// The body of a success, or the fault that the answer is.
pub(crate) fn body(url: &str, answer: Answer) -> Result<Bytes, Fault> {
    if answer.status == 200 {
        return Ok(answer.body);
    }
    let text = String::from_utf8_lossy(answer.body.get(..answer.body.len().min(4096)).unwrap_or_default()).into_owned();
    let kind = match answer.status {
        401 => FaultKind::Unauthorized,
        403 => FaultKind::Forbidden,
        404 => FaultKind::NotFound,
        410 => FaultKind::Expired,
        429 => FaultKind::TooManyRequests,
        // Flink's own words while there is no leader (seen on 1.20 and 2.2), and at the end of an election.
        503 if text.contains("leader election") => FaultKind::LeaderElection,
        500 if text.contains("FencingTokenException") => FaultKind::LeaderElection,
        _ => FaultKind::Status,
    };
    Err(Fault {
        retry_after: answer.retry_after,
        ..Fault::new(kind, format!("{}: HTTP {}", shown(url), answer.status))
    })
}
