//! The engine's word on itself and its policies.

use std::sync::Mutex;

use async_trait::async_trait;

use crate::{
    ClusterHealth, Health, Liveness, Policies, PolicyList, Reach, Readiness, ReloadError, Reloaded, ReloadedPolicy,
};

#[derive(Debug)]
pub(crate) struct TestHealth(pub(crate) Mutex<(Liveness, Readiness)>);

impl Default for TestHealth {
    fn default() -> Self {
        let live = Liveness {
            live: true,
            turned_seconds_ago: 0.25,
        };
        let retrying = ClusterHealth {
            name: "local".to_owned(),
            state: Reach::Retrying,
            fault: Some("timeout: no answer within 3s".to_owned()),
        };
        let ready = Readiness {
            ready: true,
            store: None,
            policies: vec!["default".to_owned()],
            clusters: vec![retrying],
        };
        Self(Mutex::new((live, ready)))
    }
}

impl Health for TestHealth {
    fn live(&self) -> Liveness {
        self.0.lock().unwrap().0.clone()
    }

    fn ready(&self) -> Readiness {
        self.0.lock().unwrap().1.clone()
    }
}

/// Reloads as it is told to.
#[derive(Debug)]
pub(crate) struct TestPolicies(pub(crate) Mutex<Result<Reloaded, ReloadError>>);

impl Default for TestPolicies {
    fn default() -> Self {
        let policy = ReloadedPolicy {
            name: "default".to_owned(),
            sha256: "00ff".to_owned(),
            changed: true,
        };
        Self(Mutex::new(Ok(Reloaded {
            reloaded: true,
            policies: vec![policy],
            restart_needed: vec!["server.listen".to_owned()],
        })))
    }
}

#[async_trait]
impl Policies for TestPolicies {
    fn running(&self) -> PolicyList {
        PolicyList {
            items: vec![],
            last_reload: None,
        }
    }

    async fn reload(&self) -> Result<Reloaded, ReloadError> {
        self.0.lock().unwrap().clone()
    }
}
