//! A first signal ends the exploration, and what it found is told. A second one ends the command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::super::super::printer;
use crate::run::ShutdownSignals;

/// Whether somebody had enough.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGQUIT from now on.
    pub(super) fn listen(runtime: &Runtime) -> anyhow::Result<Self> {
        let _within = runtime.enter();
        let mut signals = ShutdownSignals::new().context("no signal can be listened for")?;
        let came = Self(Arc::default());
        let told = came.clone();
        runtime.spawn(async move {
            let name = signals.next().await;
            told.0.store(true, Ordering::Relaxed);
            printer::note(&format!(
                "{name}: the exploration ends here, and what it found is told; a second signal ends the command at once"
            ));
            let name = signals.next().await;
            printer::note(&format!("ended by {name}"));
            std::process::exit(1);
        });
        Ok(came)
    }

    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
