//! What a network does to connections: they answer, fall silent for good, or are refused.

use std::sync::Arc;

use crate::watched::Watched;

/// How a link treats connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It carries what is sent.
    #[default]
    Carry,
    /// It accepts them and carries nothing; those caught in it stay dead after it heals.
    Drop,
    /// It refuses them, and resets those that are open.
    Refuse,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    mode: Mode,
    drops: u64,
    resets: u64,
}

/// The network between a client and a server. A server that goes resets what is open.
#[derive(Debug, Default)]
pub struct Link {
    state: Arc<Watched<State>>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.state.modify(|state| state.resets += 1);
    }
}

/// How a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing is carried on it any more, and nothing says so.
    Silent,
    /// It was reset.
    Reset,
}

impl Link {
    /// Changes how connections are treated from now on.
    pub fn set(&self, mode: Mode) {
        self.state.modify(|state| {
            state.mode = mode;
            match mode {
                Mode::Carry => {}
                Mode::Drop => state.drops += 1,
                Mode::Refuse => state.resets += 1,
            }
        });
    }

    /// How connections are treated now.
    pub fn mode(&self) -> Mode {
        self.state.get().mode
    }

    /// Resolves when connections are treated otherwise than so.
    pub async fn changes_from(&self, mode: Mode) {
        self.state.wait_for(|state| state.mode != mode).await;
    }

    /// A new connection; `None`: refused. One that is opened into a loss is lost from its beginning.
    pub fn connect(&self) -> Option<Connection> {
        let now = self.state.get();
        let drops = match now.mode {
            Mode::Carry => now.drops,
            Mode::Drop => now.drops.wrapping_sub(1),
            Mode::Refuse => return None,
        };
        Some(Connection {
            drops,
            resets: now.resets,
            state: Arc::clone(&self.state),
        })
    }
}

/// A connection over a link.
#[derive(Debug)]
pub struct Connection {
    state: Arc<Watched<State>>,
    drops: u64,
    resets: u64,
}

impl Connection {
    /// Resolves when the connection is lost, with how. What came first counts: silence is not ended by a reset.
    pub async fn lost(&self) -> Loss {
        let (drops, resets) = (self.drops, self.resets);
        let is_lost = |state: State| state.drops != drops || state.resets != resets;
        if self.state.wait_for(is_lost).await.drops == drops {
            Loss::Reset
        } else {
            Loss::Silent
        }
    }
}
