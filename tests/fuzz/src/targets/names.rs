//! Texts by which things are named: jobs, modules, places, moments and spans.

use steadfast_core::duration::parse_duration;
use steadfast_core::id::{FlinkJobId, JobKey, SessionJob};
use steadfast_core::secret_url::SecretUrl;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;
use steadfast_modules::{Digest, ModuleRef, OciRef, is_registry};
use steadfast_sources::job_results::Location;

use crate::{Target, hold};

pub(super) const TARGET: Target = Target {
    name: "names",
    words: &[
        "oci://",
        "@sha256:",
        "builtin:",
        "file:///",
        "s3://",
        "s3a://",
        "://",
        "@",
        ":",
        "/",
        "..",
        "[::1]",
        "127.0.0.1",
        ":5000",
        "1h 30m",
        "500ms",
        "-",
        "T",
        "Z",
        "+23:59",
        "9999-12-31",
        "-009999-01-01",
        "ago",
        "xn--",
        "%00",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "local/default/orders",
        "-/-/orders",
        "local/default/s/ffffffffa021a4190000000000000000",
        "local/default/s/daily-2.eu",
        "oci://127.0.0.1:5000/team/orders@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "oci://[::1]:5000/a/b__c/d.e-f:latest",
        "oci://registry.example.com/orders:V1.2_Final",
        "builtin:conservative",
        "policies/mine.wasm",
        "file:///ha/a%20b/../archive",
        "s3a://flink/completed-jobs/",
        "2026-11-23T01:13:29.838Z",
        "9999-12-30T22:00:00.999999999Z",
        "1h 30m",
        "1.5s",
        "http://user:s3cret@host/path?token=1#x",
        "RUNNING",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    of_jobs(text);
    of_modules(text);
    if let Some(time) = Timestamp::parse(text) {
        hold::time(time);
        assert!(Timestamp::written(time.as_millis()).is_some(), "{time}");
    }
    if let Some(span) = parse_duration(text) {
        assert!(span.as_secs() < u64::from(u32::MAX) * 1_000, "{span:?}");
    }
    if let Ok(location) = Location::parse(text) {
        assert_eq!(read_again(&location), Some(location), "{text}");
    }
    assert_eq!(SecretUrl::new(text).expose(), text);
    assert!(!format!("{:?}", SecretUrl::new(text)).contains("s3cret"));
    assert_eq!(
        JobState::parse(text).map(JobState::as_str),
        JobState::parse(text).and(Some(text))
    );
}

/// A directory is shown as it is, and an address has its special characters escaped: what is read again is what needs none.
fn read_again(location: &Location) -> Option<Location> {
    let shown = location.to_string();
    let is_plain = shown
        .chars()
        .all(|c| c.is_ascii_graphic() && !"%?#\\<>\"`{}|^".contains(c));
    if is_plain {
        Location::parse(&shown).ok()
    } else {
        Some(location.clone())
    }
}

fn of_jobs(text: &str) {
    if let Some(key) = JobKey::parse(text) {
        assert_eq!(JobKey::parse(&key.to_string()).as_ref(), Some(&key));
        let kept = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<JobKey>(&kept).ok(), Some(key), "{kept}");
    }
    if let Some(job) = SessionJob::parse(text) {
        assert_eq!(SessionJob::parse(&job.to_string()), Some(job));
    }
    if let Some(id) = FlinkJobId::parse(text) {
        assert_eq!(id.to_string(), text.to_ascii_lowercase());
    }
}

fn of_modules(text: &str) {
    match ModuleRef::parse(text) {
        Ok(module) => {
            assert_eq!(ModuleRef::parse(&module.to_string()).as_ref(), Ok(&module), "{text}");
            if let ModuleRef::Oci(OciRef {
                registry, repository, ..
            }) = module
            {
                assert!(is_registry(&registry) && !registry.contains(['@', '/']), "{registry}");
                let parts: Vec<&str> = repository.split('/').collect();
                assert!(
                    parts.iter().all(|part| !matches!(*part, "" | "." | "..")),
                    "{repository}"
                );
            }
        }
        Err(error) => assert!(!error.fix().is_empty()),
    }
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(Digest::parse(&digest.to_string()).ok(), Some(digest));
    }
}
