//! What came from registries, kept on disk so that a start does not need them.
//!
//! Bytes are kept under their digest, and digested again at every reading; what a tag pointed to when the registry
//! last said so is kept beside them.

use std::path::PathBuf;

use bytes::Bytes;
use steadfast_cache::PrivateFolder;

use crate::{Digest, MAX_MODULE, OciRef};

/// A folder of manifests and modules.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PrivateFolder,
}

impl Cache {
    /// A cache in that folder, which is made when something is first kept. Only the user who runs the engine may be
    /// able to write to it; else nothing is read from it.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            folder: PrivateFolder::new(dir),
        }
    }

    /// The bytes of that digest, if they are there and whole.
    pub(crate) fn blob(&self, digest: Digest) -> Option<Bytes> {
        let name = blob_name(digest);
        let bytes = self.folder.read(&name, MAX_MODULE)?;
        if Digest::of(&bytes) != digest {
            tracing::warn!(path = %self.folder.path(&name).display(), "a cached module is damaged; it is fetched again");
            return None;
        }
        Some(Bytes::from(bytes))
    }

    /// Keeps bytes. Failing to is no failure: the next start asks the registry.
    pub(crate) fn keep_blob(&self, digest: Digest, bytes: &[u8]) {
        self.keep(&blob_name(digest), bytes);
    }

    /// The digest of the manifest that a tag pointed to when the registry last said so.
    pub(crate) fn tag(&self, reference: &OciRef) -> Option<Digest> {
        let text = self.folder.read(&tag_name(reference), 100)?;
        Digest::parse(std::str::from_utf8(&text).ok()?).ok()
    }

    /// Keeps what a tag points to.
    pub(crate) fn keep_tag(&self, reference: &OciRef, manifest: Digest) {
        self.keep(&tag_name(reference), manifest.to_string().as_bytes());
    }

    fn keep(&self, name: &str, bytes: &[u8]) {
        if let Err(error) = self.folder.write(name, &[bytes]) {
            tracing::warn!(path = %self.folder.path(name).display(), %error, "a module could not be kept; the next start asks the registry for it");
        }
    }
}

fn blob_name(digest: Digest) -> String {
    format!("{digest}.blob")
}

/// A reference holds slashes and colons, and may be longer than a file's name can be.
fn tag_name(reference: &OciRef) -> String {
    format!("{}.tag", Digest::of(reference.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path().join("modules"));
        (folder, cache)
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"module");
        assert_eq!(cache.blob(digest), None);
        cache.keep_blob(digest, b"module");
        assert_eq!(cache.blob(digest).unwrap(), "module");
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none() {
        let (_folder, cache) = cache();
        let digest = Digest::of(b"module");
        cache.keep_blob(digest, b"module");
        std::fs::write(cache.folder.path(&blob_name(digest)), b"modulf").unwrap();
        assert_eq!(cache.blob(digest), None);
    }

    #[test]
    fn a_tag_is_kept_for_its_repository_alone() {
        let (_folder, cache) = cache();
        let one = OciRef::parse("oci://h/a:v1").unwrap();
        cache.keep_tag(&one, Digest::of(b"1"));
        cache.keep_tag(&one, Digest::of(b"2"));
        assert_eq!(cache.tag(&one), Some(Digest::of(b"2")));
        assert_eq!(cache.tag(&OciRef::parse("oci://h/b:v1").unwrap()), None);
    }
}
