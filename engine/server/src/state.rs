//! What every handler reads from and asks.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use steadfast_core::journal::{Sequence, Store};
use steadfast_core::projection::{JobView, Projection};
use steadfast_core::shadow::ShadowBoard;
use steadfast_core::time::Clock;
use tokio::sync::watch;

use crate::access::Access;
use crate::links::{LinkTemplate, links};
use crate::ports::{Closeup, Control, Health, Policies};
use crate::view::Job;

/// What the API reads from and asks. A clone shares all of it.
#[derive(Clone)]
pub struct Api {
    /// The present: committed records.
    pub jobs: Arc<Projection>,
    /// The past, and the identity of the store that keeps it.
    pub journal: Arc<dyn Store>,
    /// The newest sequence that `jobs` shows. It starts at [`Journal::newest`], since events behind it are held
    /// back; when its sender is dropped the event streams end.
    ///
    /// [`Journal::newest`]: steadfast_core::journal::Journal::newest
    pub entries: watch::Receiver<Sequence>,
    /// What shadow policies would show.
    pub shadows: ShadowBoard,
    /// The policies, and the way to others.
    pub policies: Arc<dyn Policies>,
    /// The reconcile loop.
    pub control: Arc<dyn Control>,
    /// The way to look at one job as it is now.
    pub closeup: Arc<dyn Closeup>,
    /// How the engine itself is.
    pub health: Arc<dyn Health>,
    /// What the engine counts.
    pub metrics: Arc<Registry>,
    /// Says when something is sent.
    pub clock: Arc<dyn Clock>,
    /// The links that jobs are shown with.
    pub links: Arc<[LinkTemplate]>,
    /// Who may ask.
    pub access: Access,
}

impl Api {
    /// A job as it is shown: wherever one is, it comes from here.
    pub(crate) fn job(&self, view: &JobView) -> Job {
        Job::new(view, &self.jobs.silenced(), links(&self.links, &view.record))
    }
}
