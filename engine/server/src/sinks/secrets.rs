//! Secrets from files, read at each try, so that a new one counts at once; and texts of others that may quote one.

use std::path::Path;

use secrecy::SecretString;

pub(super) use steadfast_http::Kept;

use super::deliver::DeliveryError;

/// The line that a file holds.
pub(super) async fn line_of(file: Option<&Path>, key: &str) -> Result<Option<SecretString>, DeliveryError> {
    let Some(file) = file else { return Ok(None) };
    let unusable = |why: String| DeliveryError {
        fix: "write one line into the file, and let the engine's user read it",
        ..DeliveryError::for_now(format!("{key}: {} {why}", file.display()))
    };
    let text = steadfast_files::read_text_apart(file, steadfast_files::SMALL)
        .await
        .map_err(|error| unusable(format!("cannot be read: {error}")))?;
    match text.trim() {
        "" => Err(unusable("is empty".to_owned())),
        line => Ok(Some(line.to_owned().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_holds_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert!(line_of(None, "sink.token_file").await.unwrap().is_none());
        assert!(line_of(Some(&file), "sink.token_file").await.is_err());
        std::fs::write(&file, "  \n").unwrap();
        assert!(line_of(Some(&file), "sink.token_file").await.is_err());
        std::fs::write(&file, "t0ken\n").unwrap();
        assert!(line_of(Some(&file), "sink.token_file").await.unwrap().is_some());
    }
}
