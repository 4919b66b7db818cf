//! Who may call the API.

use steadfast_server::{Access, Token};

use crate::config::Server;

/// The access that the configuration asks for. It was checked that nobody listens openly by mistake.
pub(super) fn of(server: &Server) -> anyhow::Result<Access> {
    Ok(match &server.token_file {
        Some(path) => Access::Token(Token::read(path)?),
        None if server.listen.ip().is_loopback() => Access::Loopback,
        None => Access::Insecure,
    })
}
