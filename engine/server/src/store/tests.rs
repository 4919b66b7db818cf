use http::StatusCode;
use serde_json::json;

use crate::testing::TestServer;
use crate::{QuarantinedRecord, UnwrittenJob};

#[tokio::test]
async fn what_does_not_read_and_what_is_not_taken_is_named() {
    let server = TestServer::on("mine");
    server
        .add("local/default/a", steadfast_core::state::JobState::Running)
        .await;
    {
        let mut records = server.health.records.lock().unwrap();
        records.quarantined.push(QuarantinedRecord {
            job: "local/default/b".to_owned(),
            at: "2026-11-23T01:13:29.838Z".to_owned(),
            why: "its document does not read".to_owned(),
        });
        records.unwritten.push(UnwrittenJob {
            job: "local/default/a".to_owned(),
            why: "its record would not read back".to_owned(),
        });
    }
    let (status, store) = server.get("/api/v1/store").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        store,
        json!({"store": "mine", "newest": 1, "droppedUntil": 0,
            "quarantined": [{"job": "local/default/b", "at": "2026-11-23T01:13:29.838Z", "why": "its document does not read"}],
            "unwritten": [{"job": "local/default/a", "why": "its record would not read back"}]})
    );
}
