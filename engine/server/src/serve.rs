//! Serving until told to stop.

use std::future::IntoFuture as _;
use std::io;
use std::time::Duration;

use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::events::ShutdownSignal;

/// How long answers under way may take after the stop.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves until `cancel` is cancelled: then event streams end at once, answers under way have three seconds, and it
/// returns.
///
/// Fails if the listener does.
pub async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) -> io::Result<()> {
    let router = router.layer(Extension(ShutdownSignal(cancel.clone())));
    let serving = axum::serve(listener, router).with_graceful_shutdown(cancel.clone().cancelled_owned());
    let drained = async {
        cancel.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        biased;
        ended = serving.into_future() => ended,
        () = drained => {
            tracing::warn!("answers were still under way {DRAIN:?} after the stop; they are cut off");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
