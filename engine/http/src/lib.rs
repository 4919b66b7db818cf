//! The one door to HTTP clients: none of them follows a redirect by itself.
//!
//! Whoever answers may name another place, and a client that goes there on its own takes along what was meant for the first,
//! or lets the second ask for it. So a client is made by [`client`], which hands every redirect back as the answer that it
//! is, and what must follow one does so with [`send`], which shows credentials to one origin alone. Clippy refuses other
//! ways to a client (`disallowed-methods` in `clippy.toml`).

mod body;
mod follow;
pub mod json;
mod kept;
mod retry_after;
mod tls;

pub use body::{BodyError, whole};
pub use follow::{Answered, MOST_HOPS, Request, SendError, send};
pub use kept::Kept;
pub use retry_after::retry_after;
pub use tls::TlsFault;

/// The beginning of a client: it follows no redirect, and says nothing of where it came from.
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
}

/// The certificates that a PEM file holds; `None` if it holds none, which to reqwest is no error.
pub fn certificates(pem: &[u8]) -> Option<Vec<reqwest::Certificate>> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem).ok()?;
    (!certificates.is_empty()).then_some(certificates)
}
