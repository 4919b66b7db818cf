//! What one policy may use up, as the configuration sets it.

use std::time::Duration;

/// What a policy may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyLimits {
    /// How long one call may run, in processor time; met to about 10 ms.
    pub deadline: Duration,
    /// How much memory an instance may have.
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
