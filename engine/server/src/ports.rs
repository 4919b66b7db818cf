//! What the API needs of the engine, as traits: whoever wires the two implements them.

mod closeup;
mod clusters;
mod control;
mod health;
mod policies;
mod records;

pub use closeup::{Closeup, CloseupError};
pub use clusters::{ClusterReading, FlinkCounts};
pub use control::{AskedSilence, Control, ControlError, Looked};
pub use health::{ClusterHealth, DeadLetter, Health, Liveness, Reach, Readiness, SinkHealth};
pub use policies::{
    LastReload, Policies, PolicyList, PolicyRole, PolicyStanding, ReloadError, ReloadResult, Reloaded, ReloadedPolicy,
    RunningPolicy,
};
pub use records::{QuarantinedRecord, RecordFaults, UnwrittenJob};
