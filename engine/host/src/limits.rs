//! What one policy may use up, as the configuration sets it.

use std::time::Duration;

/// How many policies one process runs: each may have an instance at the same time.
pub const MAX_POLICIES: usize = 256;

/// What a policy may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyLimits {
    /// How long one call may run, in processor time; met to about 10 ms.
    pub deadline: Duration,
    /// How much its memories and tables may hold together, in bytes.
    pub memory_bytes: u64,
}

impl Default for PolicyLimits {
    /// 50 ms and 64 MiB.
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            memory_bytes: 64 * 1024 * 1024,
        }
    }
}
