//! Where requests go: by a URL of the configuration, or by one that a file holds, since a robot's URL is its password.

use std::fmt;
use std::path::{Path, PathBuf};

use reqwest::Url;
use secrecy::ExposeSecret as _;
use steadfast_core::secret_url::SecretUrl;
use steadfast_files::SMALL;

use super::deliver::DeliveryError;
use super::secrets::line_of;

/// The key of a file that holds a URL.
pub(super) const URL_FILE: &str = "sink.url_file";

/// The URL of a receiver. What is shown of it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `url`.
    Given(SecretUrl),
    /// `url_file`: a file whose line it is, read at each try.
    File(PathBuf),
}

impl Address {
    /// The file that holds it.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Given(_) => None,
            Self::File(file) => Some(file),
        }
    }

    /// As it is now; of a file it is checked.
    pub(super) async fn read(&self) -> Result<SecretUrl, DeliveryError> {
        let file = match self {
            Self::Given(url) => return Ok(url.clone()),
            Self::File(file) => file,
        };
        let line = line_of(Some(file), URL_FILE).await?;
        let line = line.as_ref().map_or("", |line| line.expose_secret());
        if http_url(line).is_none() {
            return Err(DeliveryError {
                fix: "write the receiver's URL into that file; it begins with http:// or https://",
                ..DeliveryError::for_now(format!("{URL_FILE}: {}", no_address(file)))
            });
        }
        Ok(SecretUrl::from(line))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(url) => url.fmt(f),
            Self::File(file) => write!(f, "the address in {}", file.display()),
        }
    }
}

/// The text as an HTTP address, if it is one.
pub fn http_url(text: &str) -> Option<Url> {
    // A URL parser leaves out line feeds; whoever wrote one meant something else.
    if text.contains(char::is_control) {
        return None;
    }
    let is_http = |url: &Url| ["http", "https"].contains(&url.scheme());
    text.parse().ok().filter(is_http)
}

/// The HTTP address that a file holds as its only line. Fails with the reason, which quotes nothing of what it holds.
pub fn check_url_file(file: &Path) -> Result<Url, String> {
    let text = steadfast_files::read_text(file, SMALL)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    http_url(text.trim()).ok_or_else(|| no_address(file))
}

fn no_address(file: &Path) -> String {
    format!("what {} holds is not an HTTP address", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://robots.example/send?access_token=t0ken";

    #[tokio::test]
    async fn what_a_file_holds_counts_as_of_now_and_is_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("robot.url");
        let address = Address::File(file.clone());
        for (text, is_url) in [
            (format!("{URL}\n"), true),
            (format!("{URL}2"), true),
            (String::new(), false),
            (format!("{URL}\n{URL}\n"), false),
            (URL.replace("https", "ftp"), false),
            ("t0ken".to_owned(), false),
        ] {
            std::fs::write(&file, &text).unwrap();
            let read = address.read().await;
            assert_eq!(read.is_ok(), is_url, "{text}");
            assert_eq!(check_url_file(&file).is_ok(), is_url, "{text}");
            match read {
                Ok(url) => assert_eq!(url.expose(), text.trim_end()),
                Err(error) => assert!(
                    error.message.contains("robot.url") && !format!("{error:?}").contains("t0ken"),
                    "{error:?}"
                ),
            }
            assert!(!check_url_file(&file).is_err_and(|why| why.contains("t0ken")));
            assert!(!format!("{address} {address:?}").contains("t0ken"));
        }
    }

    #[tokio::test]
    async fn only_a_regular_file_of_some_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        std::fs::write(&large, format!("{URL}/{}", "x".repeat(SMALL))).unwrap();
        for (file, why) in [
            (large, "more than"),
            (folder.path().to_owned(), "no regular file"),
            (folder.path().join("gone"), "cannot be read"),
        ] {
            assert!(check_url_file(&file).unwrap_err().contains(why));
            assert!(Address::File(file).read().await.unwrap_err().message.contains(why));
        }
    }
}
