//! What a network does to connections: they answer, fall silent for good, or are refused.

use std::future::pending;

use tokio::sync::watch;

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

/// The network between a client and a server.
#[derive(Debug)]
pub struct Link {
    state: watch::Sender<State>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
        }
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
        self.state.send_modify(|state| {
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
        self.state.borrow().mode
    }

    /// Resolves when connections are treated otherwise than so.
    pub async fn changes_from(&self, mode: Mode) {
        let mut state = self.state.subscribe();
        if state.wait_for(|state| state.mode != mode).await.is_err() {
            pending::<()>().await;
        }
    }

    /// A new connection; `None`: refused. One that is opened into a loss is lost from its beginning.
    pub fn connect(&self) -> Option<Connection> {
        let state = self.state.subscribe();
        let now = *state.borrow();
        let drops = match now.mode {
            Mode::Carry => now.drops,
            Mode::Drop => now.drops.wrapping_sub(1),
            Mode::Refuse => return None,
        };
        Some(Connection {
            drops,
            resets: now.resets,
            state,
        })
    }
}

/// A connection over a link.
#[derive(Debug)]
pub struct Connection {
    state: watch::Receiver<State>,
    drops: u64,
    resets: u64,
}

impl Connection {
    /// Resolves when the connection is lost, with how. What came first counts: silence is not ended by a reset.
    pub async fn lost(&mut self) -> Loss {
        let (drops, resets) = (self.drops, self.resets);
        match self
            .state
            .wait_for(|state| state.drops != drops || state.resets != resets)
            .await
        {
            Ok(state) if state.drops != drops => Loss::Silent,
            Ok(_) => Loss::Reset,
            // The server is gone with its link.
            Err(_) => Loss::Reset,
        }
    }
}
