//! Sockets on this machine: HTTP/1.1 servers whose ports answer, fall silent for good, or refuse.

mod gateway;
mod http1;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::link::Mode;
use crate::reply::Serve;

pub use gateway::Gateway;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A server's port on 127.0.0.1. Its number stays reserved while it refuses, so that nobody else can take it.
pub struct Port {
    address: SocketAddr,
    _reserved: TcpSocket,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

impl Port {
    /// Opens a port of any number on 127.0.0.1 for a server. Fails if the system has none left.
    pub fn open(server: Arc<dyn Serve>) -> io::Result<Self> {
        let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        let reserved = TcpSocket::new_v4()?;
        // Without SO_REUSEADDR, so that nobody who lacks SO_REUSEPORT gets the number while nothing listens on it.
        reserved.set_reuseport(true)?;
        reserved.bind(any)?;
        let address = reserved.local_addr()?;
        let first = bound(address)?.listen(BACKLOG)?;
        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        let run = listen(server, address, first, tasks.clone(), cancel.clone());
        tasks.spawn(cancel.clone().run_until_cancelled_owned(run));
        Ok(Self {
            address,
            _reserved: reserved,
            cancel,
            tasks,
        })
    }

    /// Its address and number on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all its connections and waits for them.
    pub async fn close(self) {
        self.cancel.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Accepts while the link does not refuse; closes the listener while it does.
async fn listen(
    server: Arc<dyn Serve>,
    address: SocketAddr,
    first: TcpListener,
    tasks: TaskTracker,
    cancel: CancellationToken,
) {
    let mut listener = Some(first);
    loop {
        let mode = server.link().mode();
        if mode == Mode::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = bound(address).and_then(|socket| socket.listen(BACKLOG)).ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = server.link().changes_from(mode) => {}
            accepted = accepted => {
                if let Ok((stream, _)) = accepted
                    && let Some(connection) = server.link().connect()
                {
                    let serving = http1::serve(stream, connection, Arc::clone(&server));
                    tasks.spawn(cancel.clone().run_until_cancelled_owned(serving));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
