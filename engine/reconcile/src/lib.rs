//! The reconcile loop: gathers evidence, lets policies decide, commits, and shows what was committed.
//!
//! [`Engine::start`] takes everything from outside in a [`Setup`]: time, randomness, network and disk.
//! The same loop runs in production, in simulations under virtual time, and in benchmarks.

mod control;
mod driver;
mod engine;
mod looker;
mod looks;
mod metrics;
mod policies;
mod reactor;
mod setup;
mod shadows;
mod status;
mod target;
mod trial;

pub use control::{Control, Force, RequestError, SeenAlive};
pub use engine::{Engine, StartError};
pub use setup::{ClusterSetup, Discover, Identity, PolicySetup, Recording, Role, Select, Setup, Share, TargetSetup};
pub use status::{ClusterStatus, PolicyStatus, Status, StatusBoard};
pub use trial::{TrialError, tried};
