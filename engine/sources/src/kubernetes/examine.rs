//! A cluster asked once: what it is, what we may do there, and what it lists. For `steadfast doctor`; nothing is kept.

use std::time::{Duration, SystemTime};

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use serde::Deserialize;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::foreign_text::ForeignText;
use steadfast_core::kube_update::{Object, Scope};

use super::list::{self, Lister, status_fault, success};
use super::rights::Right;
use super::{KubeSettings, Selector};
use crate::json;
use crate::transport::{Body, MAX_BODY, ask, received, send, within};

/// What asks a cluster.
#[derive(Clone)]
pub struct Examiner {
    client: kube::Client,
    deadline: Duration,
    deployments: Selector,
}

/// What an API server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// `gitVersion`, such as `v1.33.1`.
    pub version: ForeignText,
    /// When its answer was made by its own clock, to the second; `None` if it does not say.
    pub date: Option<SystemTime>,
}

impl Examiner {
    /// Asks as the engine does: with the same client, deadline and selection.
    pub fn new(client: kube::Client, settings: &KubeSettings) -> Self {
        Self {
            client,
            deadline: settings.timing.timeout,
            deployments: settings.deployments,
        }
    }

    /// `GET /version`.
    pub async fn version(&self) -> Result<ServerVersion, Fault> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Said {
            git_version: String,
        }
        const PATH: &str = "/version";
        within(self.deadline, PATH, async {
            let response = send(&self.client, PATH).await?;
            let date = response.headers().get(http::header::DATE).cloned();
            let body = success(PATH, received(PATH, response, MAX_BODY, Body::Whole).await?)?;
            let said: Said = json::from_slice(&body).map_err(|error| malformed(PATH, &error))?;
            Ok(ServerVersion {
                version: said.git_version.into(),
                date: date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok()),
            })
        })
        .await
    }

    /// Whether we have a right, by a SelfSubjectAccessReview, which every user may ask for. It is kept nowhere.
    pub async fn has(&self, right: &Right) -> Result<bool, Fault> {
        const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let question = serde_json::to_vec(&review(right)).map_err(|error| malformed(PATH, &error))?;
        within(self.deadline, PATH, async {
            let answer = received(PATH, ask(&self.client, PATH, question).await?, MAX_BODY, Body::Whole).await?;
            if answer.status != 201 {
                return Err(status_fault(PATH, answer.status, &answer.body));
            }
            let review: SelfSubjectAccessReview =
                json::from_slice(&answer.body).map_err(|error| malformed(PATH, &error))?;
            let status = review
                .status
                .ok_or_else(|| malformed(PATH, &"a review without a status"))?;
            Ok(status.allowed)
        })
        .await
    }

    /// A scope's list, as the engine reads it.
    pub async fn list(&self, scope: &Scope) -> Result<Vec<Object>, Fault> {
        let lister = Lister {
            client: &self.client,
            path: &list::path(scope, self.deployments),
            deadline: self.deadline,
        };
        let list = list::all(lister, scope.kind, &mut list::PAGE.clone()).await?;
        Ok(list.objects)
    }
}

fn review(right: &Right) -> SelfSubjectAccessReview {
    let (resource, subresource) = match right.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource)),
        None => (right.resource, None),
    };
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some(right.group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource: subresource.map(str::to_owned),
                verb: Some(right.verb.to_owned()),
                namespace: right.namespace.as_ref().map(|namespace| namespace.as_str().to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    }
}

fn malformed(path: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(
        FaultKind::Malformed,
        format!("{path}: not what Kubernetes answers: {error}"),
    )
}
