//! Directories of files: limits, and paths that lead out.

use super::*;

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read() {
    let (_, job, _) = ENDS[0];
    let (_folder, files) = directory(&[(job, archived("flink-2.2.0", "finished", job))]);
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: 100,
    };
    assert_eq!(files.read(&[job], limits).await.unwrap_err().kind, FaultKind::TooLarge);
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let (folder, files) = directory(&[("inside/file", b"in".to_vec())]);
    std::fs::write(folder.path().join("secret"), "out").unwrap();
    let inside = Directory::new(folder.path().join("inside"));
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: 100,
    };
    for path in [&["..", "secret"][..], &["../secret"], &["./../secret"], &["/secret"]] {
        assert_eq!(
            inside.read(path, limits).await.unwrap_err().kind,
            FaultKind::Address,
            "{path:?}"
        );
    }
    assert_eq!(
        inside.read(&["file"], limits).await.unwrap().as_deref(),
        Some(&b"in"[..])
    );
    assert_eq!(
        files.read(&["inside", "file"], limits).await.unwrap().as_deref(),
        Some(&b"in"[..])
    );
}

#[tokio::test]
async fn a_list_of_a_directory_that_is_lost_is_a_fault() {
    let (folder, files) = directory(&[]);
    let limits = Limits {
        deadline: PATIENT,
        max_bytes: MAX_FILE,
    };
    assert_eq!(files.list(&["c", "applications"], limits).await.unwrap().len(), 0);
    folder.close().unwrap();
    let fault = files.list(&["c", "applications"], limits).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}
