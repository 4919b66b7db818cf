//! How many files the process may open, and who may open how many of them.
//!
//! Connections are files. Those that clients open to the API and those that the engine opens to Flinks are of one number, and
//! without a budget whoever comes first has them all: a thousand idle clients would blind the engine. So the limit is raised as
//! far as the process may raise it, and what there is is divided.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept for the store, the log, modules, watches and whatever else opens a few.
const RESERVE: usize = 96;
/// The most connections of clients; more of them is no use to a person or a platform.
const MOST_CLIENTS: usize = 2048;
/// No limit is raised beyond this.
const MOST: u64 = 1 << 20;
/// With fewer, all polls that may be under way at a time cannot be: 5,376 of them, beside the clients' share.
const COMFORTABLE: usize = 8192;

/// What each side may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OpenFiles {
    /// Connections of clients to the API.
    pub(super) clients: usize,
    /// Connections to Flinks.
    pub(super) outbound: usize,
}

impl OpenFiles {
    /// Raises the limit of the process, and divides what there is. `watches` are connections that stay open, such as those
    /// to API servers.
    pub(super) fn of_process(watches: usize) -> Self {
        let files = raised();
        let divided = Self::divided(files, watches);
        if files < COMFORTABLE {
            tracing::warn!(
                "this process may open {files} files: at most {} clients are served and {} Flinks asked at a time, over TLS up to a \
                 quarter fewer; raise the hard limit (LimitNOFILE, ulimits, nofile) to at least {COMFORTABLE}",
                divided.clients,
                divided.outbound
            );
        }
        divided
    }

    fn divided(files: usize, watches: usize) -> Self {
        let left = files.saturating_sub(RESERVE).saturating_sub(watches);
        let clients = (left / 4).clamp(8, MOST_CLIENTS);
        Self {
            clients,
            outbound: left.saturating_sub(clients).max(8),
        }
    }
}

/// The limit of open files after it was raised.
fn raised() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(MOST, |most| most.min(MOST));
    let present = limit.current.unwrap_or(MOST);
    let files = if present >= wanted {
        present
    } else {
        let raised = Rlimit {
            current: Some(wanted),
            maximum: limit.maximum,
        };
        match setrlimit(Resource::Nofile, raised) {
            Ok(()) => wanted,
            Err(error) => {
                tracing::warn!("the limit of open files stays at {present}: {error}");
                present
            }
        }
    };
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_leave_most_files_to_the_polls() {
        for (files, watches, clients, outbound) in [
            (1024, 10, 229, 689),
            (1 << 20, 10, 2048, (1 << 20) - RESERVE - 10 - 2048),
            (64, 0, 8, 8),
        ] {
            let divided = OpenFiles::divided(files, watches);
            assert_eq!(divided, OpenFiles { clients, outbound }, "{files}");
            assert!(files < 200 || divided.clients + divided.outbound + watches < files);
        }
    }
}
