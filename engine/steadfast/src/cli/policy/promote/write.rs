//! A configuration is replaced whole or not at all: the engine may read it at any moment.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

/// Puts the text in the place of the file, with its permissions. A link stays, and what it points to is replaced.
pub(in crate::cli) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let explained = || {
        format!(
            "{} cannot be replaced, and is as it was; if it is mounted, edit it where it comes from",
            path.display()
        )
    };
    let target = path.canonicalize().with_context(explained)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder).with_context(explained)?;
    beside.write_all(text.as_bytes()).with_context(explained)?;
    let permissions = std::fs::metadata(&target).with_context(explained)?.permissions();
    beside.as_file().set_permissions(permissions).with_context(explained)?;
    beside.as_file().sync_all().with_context(explained)?;
    beside.persist(&target).with_context(explained)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_a_link_points_to_is_replaced_with_its_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real.toml"), folder.path().join("config.toml"));
        std::fs::write(&file, "before").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "after").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            2,
            "something was left behind"
        );
    }
}
