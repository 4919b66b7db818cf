//! States: their words, and which of them are an end.

use crate::JobState;

impl JobState {
    /// Whether the job has ended, as far as is known. SUSPENDED has not: Flink calls it only locally terminal.
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::Canceled | Self::Finished | Self::Lost | Self::Terminated
        )
    }

    /// The word as the record shows it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Initializing => "INITIALIZING",
            Self::Running => "RUNNING",
            Self::Failing => "FAILING",
            Self::Failed => "FAILED",
            Self::Cancelling => "CANCELLING",
            Self::Canceled => "CANCELED",
            Self::Finished => "FINISHED",
            Self::Restarting => "RESTARTING",
            Self::Suspended => "SUSPENDED",
            Self::Reconciling => "RECONCILING",
            Self::Unknown => "UNKNOWN",
            Self::Starting => "STARTING",
            Self::Savepointing => "SAVEPOINTING",
            Self::Lost => "LOST",
            Self::Terminated => "TERMINATED",
        }
    }
}
