//! The reconcile loop: gathers evidence, lets policies decide, commits, and shows what was committed.
//!
//! [`Engine::start`] takes everything from outside in a [`Setup`]: time, randomness, network and disk.
//! The same loop runs in production, in simulations under virtual time, and in benchmarks.

mod closeup;
mod control;
mod driver;
mod dry_run;
mod engine;
pub mod fetch;
mod fetcher;
mod flinks;
mod judging;
mod metrics;
mod policies;
pub mod reactor;
mod setup;
mod shadows;
mod source_log;
mod status;
mod steady_clock;
mod times;
pub mod turn;

pub use closeup::{CloseupError, Closeups};
pub use control::{Control, RequestError, Says, SeenAlive};
pub use dry_run::{DryRunError, tried};
pub use engine::{Engine, StartError, on_record};
pub use flinks::FlinkCounts;
pub use judging::Judging;
pub use policies::Policies;
pub use setup::{
    ClusterSetup, Discover, Fraction, Identity, JobSeries, KeepJournal, Keeping, PolicySetup, Recording, Role, Select,
    Setup, Share, Standing, TargetSetup, Tracing,
};
pub use status::{ClusterStatus, PolicyStatus, Status, StatusBoard};
pub use steady_clock::SteadyClock;
