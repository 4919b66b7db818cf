use std::time::Duration;

use async_trait::async_trait;
use steadfast_core::id::JobKey;
use steadfast_core::lookup::Query;
use steadfast_core::testing;
use steadfast_core::time::Timestamp;
use steadfast_sources::flink::Patience;
use steadfast_sources::transport::Answer;

use super::*;

/// A way on which the engine panics over every answer.
struct Panics;

#[async_trait]
impl Transport for Panics {
    async fn get(&self, url: &str, _: Limits) -> Result<Answer, Fault> {
        panic!("over {url}")
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        testing::at(0)
    }
}

#[tokio::test]
async fn a_panic_over_an_answer_is_a_fault_of_the_engines_own() {
    let ways = Ways {
        http: Arc::new(Panics),
        of_targets: BTreeMap::new(),
    };
    let fetcher = Fetcher::new(ways, Vec::new(), Arc::new(Still), Timing::default());
    let target = TargetId::standalone("orders");
    let endpoint = Endpoint {
        route: FlinkRoute::Template("http://flink:8081".into()),
        target: target.clone(),
        deployment: "orders".into(),
        pod_ip: None,
        rest_port: None,
    };
    let expected = Expected {
        cluster: None,
        runs: Vec::new(),
        followed: Vec::new(),
        is_by_address: false,
        unvouched_for: None,
        patience: Patience {
            told: Duration::ZERO,
            untold: Duration::ZERO,
        },
    };
    let poll = Fetch::Overview {
        endpoint: endpoint.clone(),
        expected,
    };
    let Some(Fetched::Overview { observation, .. }) = fetcher.fetch(poll).await else {
        panic!("nothing came of the poll");
    };
    let lookup = Fetch::Lookup {
        key: JobKey::application(target),
        query: Query::Checkpoints {
            job: testing::flink_job_id(1),
        },
        endpoint,
    };
    let Some(Fetched::Lookup { finding, .. }) = fetcher.fetch(lookup).await else {
        panic!("nothing came of the look-up");
    };
    for fault in [observation.fault(), finding.fault()] {
        assert!(fault.is_some_and(Fault::is_own_lack), "{fault:?}");
    }
}
