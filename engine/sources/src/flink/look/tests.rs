use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::id::Namespace;
use steadfast_core::incarnation::Run;
use steadfast_core::state::JobState;
use steadfast_core::time::Timestamp;

use super::*;
use crate::flink::identity::{ClusterIdentity, Patience};
use crate::transport::Answer;

const BASE: &str = "http://10.0.0.7:8081";
const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(3),
    max_bytes: 1 << 20,
};

fn recorded(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    std::fs::read_to_string(root.join(path)).unwrap()
}

/// The versions of Flink whose answers were recorded.
fn recorded_versions() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
    let names = folders.map(|name| name.into_string().unwrap());
    names.filter(|name| name.starts_with("flink-")).collect()
}

/// The recorded Flink cluster `run-ha` in namespace `default`, with other answers where a test wants them.
struct RunHa {
    answers: BTreeMap<String, (u16, String)>,
    asked: Mutex<Vec<String>>,
}

impl RunHa {
    fn new() -> Self {
        let body = |name: &str| (200, recorded(&format!("flink-2.2.0/running/{name}.json")));
        let answers = [
            ("/jobs/overview".to_owned(), body("jobs-overview")),
            ("/jobmanager/config".to_owned(), body("jobmanager-config")),
        ];
        Self {
            answers: answers.into(),
            asked: Mutex::default(),
        }
    }

    fn with(mut self, path: impl Into<String>, status: u16, body: impl Into<String>) -> Self {
        self.answers.insert(path.into(), (status, body.into()));
        self
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    async fn look(&self, expected: &Expected) -> Result<FlinkOverview, NoLook> {
        look(self, BASE, expected, LIMITS).await.map(|(overview, _)| overview)
    }
}

#[async_trait]
impl Transport for RunHa {
    async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
        let path = url.trim_start_matches(BASE);
        self.asked.lock().unwrap().push(path.to_owned());
        let nothing = || (404, r#"{"errors":["Unable to load requested file."]}"#.to_owned());
        let (status, body) = self.answers.get(path).cloned().unwrap_or_else(nothing);
        Ok(Answer {
            status,
            retry_after: None,
            body: body.into(),
        })
    }
}

const EMPTY: &str = r#"{"jobs":[]}"#;

fn id(n: u8) -> FlinkJobId {
    FlinkJobId::parse(&format!("{n:032x}")).unwrap()
}

/// A run that is followed, of the cluster of that name.
fn following(cluster_id: &str, run: Run) -> Expected {
    Expected {
        runs: vec![run],
        followed: vec![run.0],
        ..first_contact(cluster_id)
    }
}

fn first_contact(cluster_id: &str) -> Expected {
    Expected {
        cluster: Some(ClusterIdentity {
            namespace: Namespace::new("default"),
            cluster_id: cluster_id.to_owned(),
        }),
        ..standalone(vec![])
    }
}

fn standalone(runs: Vec<Run>) -> Expected {
    Expected {
        cluster: None,
        followed: runs.iter().map(|run| run.0).collect(),
        runs,
        is_by_address: true,
        unvouched_for: None,
        patience: Patience {
            told: Duration::from_secs(5),
            untold: Duration::from_secs(60),
        },
    }
}

/// The run that the recorded list names.
async fn its_run() -> Run {
    let overview = RunHa::new().look(&first_contact("run-ha")).await.unwrap();
    (overview.jobs[0].id, overview.jobs[0].started_at)
}

fn not_found(id: FlinkJobId) -> String {
    recorded("flink-2.2.0/errors/404-unknown-job.json").replace(&"f".repeat(32), &id.to_string())
}

#[tokio::test]
async fn a_known_run_is_proof_enough() {
    let flink = RunHa::new();
    let run = its_run().await;
    flink.look(&following("another-name", run)).await.unwrap();
    assert_eq!(flink.asked(), ["/jobs/overview"]);
}

#[tokio::test]
async fn the_same_job_id_with_another_start_time_must_be_the_same_cluster() {
    let before = (its_run().await.0, Timestamp::from_millis(1));
    assert!(RunHa::new().look(&following("run-ha", before)).await.is_ok());
    let NoLook::Fault(fault) = RunHa::new().look(&following("orders", before)).await.unwrap_err() else {
        panic!("another cluster is no matter of patience")
    };
    assert_eq!(fault.kind, FaultKind::Address);
    assert!(fault.message.contains("answers as Flink cluster run-ha"), "{fault}");
}

#[tokio::test]
async fn a_deployment_may_be_called_otherwise_than_its_cluster_where_no_address_passes_on() {
    let run = (id(1), Timestamp::from_millis(1));
    let expected = |seconds: Option<u64>| Expected {
        is_by_address: false,
        unvouched_for: seconds.map(Duration::from_secs),
        ..following("orders", run)
    };
    let flink = RunHa::new().with(format!("/jobs/{}", run.0), 404, not_found(run.0));
    for (lasted, is_believed) in [(None, false), (Some(59), false), (Some(60), true)] {
        let answer = look(&flink, BASE, &expected(lasted), LIMITS).await;
        match answer {
            Ok((_, vouched)) => assert!(is_believed && vouched == Vouched::ByLasting, "{lasted:?}"),
            Err(error) => assert!(!is_believed && matches!(error, NoLook::Unvouched(_)), "{lasted:?}"),
        }
    }
}

#[tokio::test]
async fn an_empty_list_of_another_cluster_says_nothing_of_ours() {
    let run = (id(1), Timestamp::from_millis(1));
    let empty = || RunHa::new().with("/jobs/overview", 200, EMPTY);
    assert!(empty().look(&following("orders", run)).await.is_err());
    let ours = empty().look(&following("run-ha", run)).await.unwrap();
    assert!(
        ours.jobs.is_empty() && !ours.tells_end_of(run.0),
        "a list proves nothing about what it leaves out"
    );
}

#[tokio::test]
async fn what_cannot_vouch_for_itself_is_believed_when_it_lasts() {
    let run = (id(1), Timestamp::from_millis(1));
    let gone = not_found(run.0);
    let nobody = r#"[{"key":"jobmanager.rpc.address","value":"10.0.0.7"}]"#;
    let plain = || RunHa::new().with("/jobmanager/config", 200, nobody);
    for (flink, cluster) in [
        (plain(), true),
        (plain().with("/jobmanager/config", 500, ""), true),
        (plain(), false),
    ] {
        let flink = flink.with(format!("/jobs/{}", run.0), 404, &gone);
        let expected = |seconds: Option<u64>| {
            let expected = if cluster {
                following("run-ha", run)
            } else {
                standalone(vec![run])
            };
            Expected {
                unvouched_for: seconds.map(Duration::from_secs),
                ..expected
            }
        };
        for (lasted, is_believed) in [(None, false), (Some(4), false), (Some(5), true)] {
            let answer = flink.look(&expected(lasted)).await;
            assert_eq!(answer.is_ok(), is_believed, "{cluster} {lasted:?}");
            assert!(is_believed || matches!(answer, Err(NoLook::Unvouched(_))), "{answer:?}");
        }
        // Where it leaves open what became of the run it moves nothing, unless it names another: then for longer.
        let open = flink.with(format!("/jobs/{}", run.0), 500, "");
        assert!(open.look(&expected(None)).await.is_err());
        assert!(open.look(&expected(Some(59))).await.is_err());
        assert!(open.look(&expected(Some(60))).await.is_ok());
        let empty = open.with("/jobs/overview", 200, EMPTY);
        assert!(empty.look(&expected(None)).await.is_ok());
    }
}

#[tokio::test]
async fn where_nothing_is_known_there_is_nothing_to_lose() {
    let garbage = RunHa::new().with("/jobmanager/config", 200, "<html>");
    assert!(garbage.look(&first_contact("orders")).await.is_ok());
    assert!(
        RunHa::new().look(&first_contact("orders")).await.is_err(),
        "it names another"
    );
    let empty = RunHa::new().with("/jobs/overview", 200, EMPTY);
    assert!(empty.look(&first_contact("orders")).await.is_ok());
    assert_eq!(empty.asked(), ["/jobs/overview"]);
}

#[tokio::test]
async fn another_namespaces_cluster_of_the_same_name_is_another() {
    let config = r#"[{"key":"kubernetes.cluster-id","value":"orders"},{"key":"kubernetes.namespace","value":"b"}]"#;
    let flink = RunHa::new().with("/jobmanager/config", 200, config);
    let fault = flink.look(&first_contact("orders")).await.unwrap_err();
    assert!(fault.to_string().contains("namespace b"), "{fault}");
}

#[tokio::test]
async fn a_job_that_the_list_leaves_out_is_asked_for() {
    let run = its_run().await;
    let path = format!("/jobs/{}", run.0);
    let empty = || RunHa::new().with("/jobs/overview", 200, EMPTY);
    let expected = following("run-ha", run);
    // Flink's own word, of every version that was recorded; and what it says of a path that it does not know.
    let versions = recorded_versions();
    assert!(versions.len() >= 12, "{versions:?}");
    for version in versions {
        let body = |name: &str| {
            recorded(&format!("{version}/errors/{name}.json")).replace(&"f".repeat(32), &run.0.to_string())
        };
        let told = empty().with(&path, 404, body("404-unknown-job"));
        assert!(told.look(&expected).await.unwrap().tells_end_of(run.0), "{version}");
        let open = empty().with(&path, 404, body("404-unknown-path"));
        assert!(!open.look(&expected).await.unwrap().tells_end_of(run.0), "{version}");
    }
    let detail = recorded("flink-2.2.0/running/job.json");
    let told = empty().with(&path, 200, &detail).look(&expected).await.unwrap();
    let job = told.job(run.0).unwrap();
    assert_eq!((job.state, job.started_at), (JobState::Running, run.1));
    assert_eq!(job.tasks, RunHa::new().look(&expected).await.unwrap().jobs[0].tasks);
    // Whatever else comes, nothing is proven.
    let of_another = detail.replace(&run.0.to_string(), &id(9).to_string());
    for (status, body) in [
        (500, r#"{"errors":["Internal server error."]}"#),
        (404, "<html>not found</html>"),
        (404, r#"{"errors":["Unable to load requested file /jobs/00."]}"#),
        (404, not_found(id(9)).as_str()),
        (200, of_another.as_str()),
        (200, EMPTY),
    ] {
        let open = empty().with(&path, status, body).look(&expected).await.unwrap();
        assert!(
            open.job(run.0).is_none() && !open.tells_end_of(run.0),
            "{status} {body}"
        );
        let Some(Untold::Unknown(fault)) = open.untold.get(&run.0) else {
            panic!("{open:?}")
        };
        assert!(fault.message.contains("leaves the job out"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_are_asked_for_share_one_deadline() {
    struct Hangs;
    #[async_trait]
    impl Transport for Hangs {
        async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
            if !url.ends_with("/overview") && !url.ends_with("/config") {
                std::future::pending::<()>().await;
            }
            let body = if url.ends_with("/config") {
                r#"[{"key":"kubernetes.cluster-id","value":"orders"}]"#
            } else {
                EMPTY
            };
            Ok(Answer {
                status: 200,
                retry_after: None,
                body: body.into(),
            })
        }
    }
    let ids: Vec<FlinkJobId> = (1..=100).map(id).collect();
    let expected = Expected {
        followed: ids.clone(),
        ..first_contact("orders")
    };
    let began = tokio::time::Instant::now();
    let (told, _) = look(&Hangs, BASE, &expected, LIMITS).await.unwrap();
    assert_eq!(began.elapsed(), LIMITS.deadline);
    for id in ids {
        assert!(matches!(told.untold.get(&id), Some(Untold::Unknown(fault)) if fault.message.contains("timeout")));
    }
}
