//! Who we are to a registry.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use steadfast_files::{FileError, SMALL};

use super::RegistryError;

/// A name and a password.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(super) username: String,
    password: SecretString,
}

impl Credentials {
    /// With the password of a file; a line's end behind it does not count.
    pub(super) async fn with_password_in(username: &str, file: &Path) -> Result<Self, RegistryError> {
        let password = read(file).await.map_err(|source| RegistryError::Unreadable {
            path: file.to_owned(),
            source,
        })?;
        Ok(Self {
            username: username.to_owned(),
            password: password.trim_end_matches(['\r', '\n']).into(),
        })
    }

    /// As `docker login` keeps them. A file that is not there or holds none is no mistake: it is for another program.
    pub(super) async fn in_docker_config(file: &Path, registry: &str) -> Option<Self> {
        let config: serde_json::Value = serde_json::from_str(&read(file).await.ok()?).ok()?;
        let auths = config.get("auths")?.as_object()?;
        let names = match registry {
            "docker.io" => vec!["https://index.docker.io/v1/".to_owned(), "docker.io".to_owned()],
            other => vec![
                other.to_owned(),
                format!("https://{other}"),
                format!("https://{other}/v2/"),
            ],
        };
        let entry = names.iter().find_map(|name| auths.get(name))?;
        let plain = STANDARD.decode(entry.get("auth")?.as_str()?).ok()?;
        let (username, password) = std::str::from_utf8(&plain).ok()?.split_once(':')?;
        Some(Self {
            username: username.to_owned(),
            password: password.trim_end_matches('\0').into(),
        })
    }

    /// As HTTP carries them.
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let plain = format!("{}:{}", self.username, self.password.expose_secret());
        let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain))).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

async fn read(file: &Path) -> Result<String, FileError> {
    steadfast_files::read_text_apart(file, SMALL).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(config: &str, registry: &str) -> Option<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, config).unwrap();
        let found = Credentials::in_docker_config(&file, registry).await?;
        Some((found.username, found.password.expose_secret().to_owned()))
    }

    #[tokio::test]
    async fn what_docker_keeps_is_found_under_the_names_it_uses() {
        // ann:s3:cret, as `docker login` would write it.
        let config = |name: &str| format!(r#"{{"auths":{{"{name}":{{"auth":"YW5uOnMzOmNyZXQ="}}}}}}"#);
        let ann = Some(("ann".to_owned(), "s3:cret".to_owned()));
        assert_eq!(found(&config("r.example:5000"), "r.example:5000").await, ann);
        assert_eq!(found(&config("https://r.example"), "r.example").await, ann);
        assert_eq!(found(&config("https://index.docker.io/v1/"), "docker.io").await, ann);
        assert_eq!(found(&config("r.example:5000"), "r.example").await, None);
    }

    #[tokio::test]
    async fn what_is_not_there_or_of_another_kind_is_none() {
        for config in [
            "",
            "{}",
            r#"{"auths":{"r":{}}}"#,
            r#"{"auths":{"r":{"auth":"%"}}}"#,
            r#"{"auths":[],"credsStore":"desktop"}"#,
        ] {
            assert_eq!(found(config, "r").await, None, "{config}");
        }
        assert!(
            Credentials::in_docker_config(Path::new("/nowhere/config.json"), "r")
                .await
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_end_of_the_line_is_no_part_of_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, " s3cret \r\n").unwrap();
        let ann = Credentials::with_password_in("ann", &file).await.unwrap();
        assert_eq!(ann.password.expose_secret(), " s3cret ");
    }
}
