//! The file of a token, as a kubeconfig or a pod names it: followed while it is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use kube::client::Body;
use steadfast_files::{FileError, SMALL};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// For how long a file that was read counts as it was: tokens that are rotated hold for minutes beyond that.
const FRESH: Duration = Duration::from_secs(50);
/// How long it may take to be read again; meanwhile what was read before counts.
const LOOK: Duration = Duration::from_secs(1);

/// Why there is no token in a file.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("the token file {path} of its user cannot be read: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: FileError,
    },
    /// It holds something else.
    #[error("the token file {path} of its user holds characters that cannot be sent", path = .0.display())]
    Unsendable(PathBuf),
}

/// A token and its file.
struct TokenFile {
    path: PathBuf,
    held: Mutex<(HeaderValue, Instant)>,
}

/// A client that shows with each request what stands in that file. Fails if there is no token in it.
pub(super) fn showing(client: kube::Client, path: &Path) -> Result<kube::Client, TokenFileError> {
    let token = Arc::new(TokenFile::read(path)?);
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |mut request: http::Request<Body>| {
        let (client, token) = (client.clone(), Arc::clone(&token));
        async move {
            request.headers_mut().insert(AUTHORIZATION, token.current().await);
            client.send(request).await
        }
    });
    Ok(kube::Client::new(service, namespace))
}

/// Whether there is a token in that file.
pub(super) fn check(path: &Path) -> Result<(), TokenFileError> {
    TokenFile::read(path).map(drop)
}

impl TokenFile {
    fn read(path: &Path) -> Result<Self, TokenFileError> {
        let read = steadfast_files::read_text(path, SMALL);
        Ok(Self {
            path: path.to_owned(),
            held: Mutex::new((header(path, read)?, Instant::now())),
        })
    }

    /// What is shown now. A file that cannot be used leaves what was read before.
    async fn current(&self) -> HeaderValue {
        let mut held = self.held.lock().await;
        if held.1.elapsed() < FRESH {
            return held.0.clone();
        }
        held.1 = Instant::now();
        if let Ok(read) = timeout(LOOK, steadfast_files::read_text_apart(&self.path, SMALL)).await {
            match header(&self.path, read) {
                Ok(token) => held.0 = token,
                Err(error) => tracing::warn!("the token of before goes on: {error}"),
            }
        }
        held.0.clone()
    }
}

fn header(path: &Path, read: Result<String, FileError>) -> Result<HeaderValue, TokenFileError> {
    let text = read.map_err(|source| TokenFileError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let header = HeaderValue::try_from(format!("Bearer {}", text.trim()));
    let mut header = header.map_err(|_| TokenFileError::Unsendable(path.to_owned()))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_followed_and_what_takes_its_files_place_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "one\n").unwrap();
        let token = TokenFile::read(&path).unwrap();
        let old = || Instant::now().checked_sub(FRESH).unwrap();
        assert_eq!(token.current().await, "Bearer one");
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(token.current().await, "Bearer one", "it was just read");
        token.held.lock().await.1 = old();
        assert_eq!(token.current().await, "Bearer two");
        for bad in ["/dev/zero", "pipe"] {
            std::fs::remove_file(&path).unwrap();
            if bad == "pipe" {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.unwrap().success());
            } else {
                std::os::unix::fs::symlink(bad, &path).unwrap();
            }
            token.held.lock().await.1 = old();
            assert_eq!(token.current().await, "Bearer two", "{bad}");
        }
    }

    #[test]
    fn a_file_without_a_token_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\nmore").unwrap();
        let error = check(&path).err().unwrap().to_string();
        assert!(error.contains("token") && !error.contains("s3cret"), "{error}");
        let error = check(Path::new("/dev/zero")).err().unwrap().to_string();
        assert!(error.contains("it is no regular file"), "{error}");
    }
}
