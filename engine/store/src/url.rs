//! `[store] url` of the configuration.

use std::path::Path;
use std::sync::Arc;

use steadfast_core::journal::{JournalError, Recordings, Store};

use crate::sqlite::{SqliteReader, SqliteStore};

/// Opens the store a URL names: `sqlite://PATH`, where the path is absolute if it begins with `/` and else
/// relative to the working directory. Creates it if there is none; blocks while it does.
pub fn open(url: &str) -> Result<Arc<dyn Store>, JournalError> {
    Ok(Arc::new(SqliteStore::open(file(url)?)?))
}

/// Opens what a store keeps of snapshots, beside the engine that may be running on it. Nothing is created.
pub fn open_recordings(url: &str) -> Result<Arc<dyn Recordings>, JournalError> {
    Ok(Arc::new(SqliteReader::open(file(url)?)?))
}

/// The file that a URL names: the path behind `sqlite://`. Nothing is opened.
pub fn file(url: &str) -> Result<&Path, JournalError> {
    if let Some(path) = url.strip_prefix("sqlite://") {
        if path.is_empty() || path.starts_with(':') {
            return Err(JournalError::Unusable(format!(
                "store.url = \"{url}\" names no file; write sqlite://PATH, for example sqlite://steadfast.db"
            )));
        }
        return Ok(Path::new(path));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Err(JournalError::Unusable(
            "store.url names PostgreSQL, but this build has no PostgreSQL store yet; use sqlite://PATH".to_owned(),
        ));
    }
    // Else there may be a password in it.
    if !url.contains([':', '@', '?', '=']) {
        return Err(JournalError::Unusable(format!(
            "the store `{url}` is named without a scheme; write sqlite://{url}"
        )));
    }
    let scheme = url.split_once("://").map_or("none", |(scheme, _)| scheme);
    Err(JournalError::Unusable(format!(
        "store.url has the scheme `{scheme}`, which is not known; use sqlite://PATH"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match open(url) {
            Ok(_) => panic!("{url} was opened"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_absolute_path_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.db");
        open(&format!("sqlite://{}", path.display())).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn what_is_not_served_is_said_without_the_password() {
        let text = refusal("postgres://user:secret@db/steadfast");
        assert!(
            text.contains("no PostgreSQL store yet") && !text.contains("secret"),
            "{text}"
        );
        assert!(refusal("steadfast.db").contains("write sqlite://steadfast.db"));
        assert!(refusal("sqlite://").contains("names no file"));
        assert!(refusal("sqlite://:memory:").contains("names no file"));
    }
}
