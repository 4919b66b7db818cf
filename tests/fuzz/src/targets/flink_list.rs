//! `/jobs/overview`, cut into chunks anywhere, and what a look makes of it.

use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::facts::{FlinkOverview, Untold};
use steadfast_core::id::FlinkJobId;
use steadfast_core::testing;
use steadfast_sources::flink::{self, Expected, Patience};
use steadfast_sources::transport::Limits;

use crate::fakes::{FakeFlink, head, play, status};
use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "flink_list",
    words: &[
        "jobs",
        "jid",
        "state",
        "start-time",
        "end-time",
        "tasks",
        "total",
        "running",
        "finished",
        "name",
        "duration",
        "RUNNING",
        "FAILED",
        "FINISHED",
        "CANCELED",
        "SUSPENDED",
        "RECONCILING",
        "LOST",
        "UNKNOWN",
        "ffffffffa021a4190000000000000000",
        "errors",
    ],
    seeds,
    check,
};

pub(super) const BASE: &str = "http://user:s3cret-canary@flink:8081/s3cret-canary";
pub(super) const LIMITS: Limits = Limits {
    deadline: Duration::from_secs(3),
    max_bytes: 8 << 20,
};

/// Behind what chooses chunk and status: the body.
fn seeds() -> Vec<Vec<u8>> {
    let bodies = seeds::files("tests/fixtures", |path| path.ends_with("jobs-overview.json"));
    bodies.into_iter().map(|(_, body)| seeds::input("00", &body)).collect()
}

fn check(input: &[u8]) {
    let ([chunk, of_status], body) = head(input);
    let flink = |chunk| FakeFlink {
        answers: vec![(
            "/jobs/overview".to_owned(),
            status(of_status),
            Bytes::copy_from_slice(body),
        )],
        chunk,
    };
    play(async {
        let whole = flink::overview(&flink(0), BASE, LIMITS).await;
        let cut = flink::overview(&flink(usize::from(chunk % 32) + 1), BASE, LIMITS).await;
        same(&whole, &cut);
        match &whole {
            Ok(overview) => {
                assert_eq!(status(of_status), 200, "only a success lists anything");
                list(overview, body);
            }
            Err(fault) => {
                hold::fault(fault);
                assert!(status(of_status) != 200 || matches!(fault.kind, FaultKind::Malformed | FaultKind::TooLarge));
            }
        }
        look(&flink(0)).await;
    });
}

/// Wherever a body is cut, the same comes of it; of one that is none, at least that.
fn same(whole: &Result<FlinkOverview, Fault>, cut: &Result<FlinkOverview, Fault>) {
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => assert_eq!(whole, cut),
        (Err(whole), Err(cut)) => assert_eq!(whole.kind, cut.kind),
        (whole, cut) => panic!("whole: {whole:?}\ncut: {cut:?}"),
    }
}

fn list(overview: &FlinkOverview, body: &[u8]) {
    assert!(
        serde_json::from_slice::<IgnoredAny>(body).is_ok(),
        "what is no JSON lists nothing"
    );
    assert!(
        overview.jobs.is_sorted_by(|one, other| one.id < other.id),
        "each job once, by its id"
    );
    overview.unreadable.iter().for_each(hold::text);
    for job in &overview.jobs {
        assert!(job.state.is_flinks(), "{job:?}");
        assert!(!overview.untold.contains_key(&job.id), "{job:?} is told and untold");
        hold::time(job.started_at);
        job.ended_at.into_iter().for_each(hold::time);
        hold::kept(|snapshot| snapshot.flink = testing::observed(hold::present(job.clone()), testing::at(1)));
    }
    for untold in overview.untold.values() {
        match untold {
            Untold::Unknown(fault) => hold::fault(fault),
            Untold::Gone => panic!("a list alone says of no job that it is gone"),
        }
    }
}

/// A followed job of which the list does not tell is asked for, and a 404 of no Flink's says nothing.
async fn look(flink: &FakeFlink) {
    let followed = FlinkJobId::parse("ffffffffa021a4190000000000000000").unwrap();
    let expected = Expected {
        cluster: None,
        runs: Vec::new(),
        followed: vec![followed],
        is_by_address: false,
        unvouched_for: None,
        patience: Patience {
            told: Duration::from_secs(10),
            untold: Duration::from_secs(50),
        },
    };
    if let Ok((overview, _)) = flink::look(flink, BASE, &expected, LIMITS).await {
        assert_ne!(
            overview.untold.get(&followed),
            Some(&Untold::Gone),
            "unknown is not absent"
        );
        assert!(overview.job(followed).is_some() || overview.untold.contains_key(&followed));
    }
}
