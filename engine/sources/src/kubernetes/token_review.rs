//! Whose a token is, and what its owner may do, by the word of an API server. Nothing is kept there or here.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use steadfast_core::evidence::{Fault, FaultKind};
use steadfast_core::foreign_text::is_harmful;

use super::list::status_fault;
use super::rights::{Need, Right};
use crate::json;
use crate::transport::{Body, MAX_BODY, ask, received, within};

const TOKENS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const ACCESS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
/// The longest name of a user, in characters. One that is longer is refused: a part of it may be another's.
const NAME: usize = 256;

/// Asks an API server about tokens.
#[derive(Clone)]
pub struct TokenExaminer {
    client: kube::Client,
    deadline: Duration,
    audiences: Vec<String>,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The name, such as `system:serviceaccount:flink:deployer`.
    pub name: String,
    /// The uid, which may be empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else the authenticator says.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// The rights that this needs, beside [`rights`](super::rights).
pub fn rights_of_reviews() -> Vec<Right> {
    let right = |group, resource| Right {
        group,
        resource,
        verb: "create",
        namespace: None,
        need: Need::Helpful,
        without: "nobody comes in by a token of this cluster ([server.kubernetes_auth])",
    };
    vec![
        right("authentication.k8s.io", "tokenreviews"),
        right("authorization.k8s.io", "subjectaccessreviews"),
    ]
}

impl TokenExaminer {
    /// Tokens count that were made for one of these audiences.
    pub fn new(client: kube::Client, deadline: Duration, audiences: Vec<String>) -> Self {
        Self {
            client,
            deadline,
            audiences,
        }
    }

    /// Whose a token is; `None` if it is nobody's, or was made for others. The fault has nothing of the token.
    pub async fn who(&self, token: &str) -> Result<Option<TokenOwner>, Fault> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                audiences: Some(self.audiences.clone()),
                token: Some(token.to_owned()),
            },
            ..TokenReview::default()
        };
        let review: TokenReview = self
            .review(TOKENS, &review)
            .await
            .map_err(|fault| without(token, fault))?;
        let status = review
            .status
            .ok_or_else(|| malformed(TOKENS, "a review without a status"))?;
        if status.authenticated != Some(true) {
            // Whatever its error says: an API server answers as well where an authenticator behind it is away, and does not tell
            // that from a token that is none.
            return Ok(None);
        }
        let is_for_us = |audience: &String| self.audiences.contains(audience);
        if !status
            .audiences
            .is_some_and(|audiences| audiences.iter().any(is_for_us))
        {
            return Ok(None);
        }
        let user = status.user.ok_or_else(|| malformed(TOKENS, "a token of nobody"))?;
        owner(user).map(Some)
    }

    /// Whether somebody may do this to a resource of all namespaces.
    pub async fn may(&self, owner: &TokenOwner, right: (&str, &str, &str)) -> Result<bool, Fault> {
        let (group, verb, resource) = right;
        let (resource, subresource) = match resource.split_once('/') {
            Some((resource, subresource)) => (resource, Some(subresource)),
            None => (resource, None),
        };
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(owner.name.clone()),
                uid: Some(owner.uid.clone()),
                groups: Some(owner.groups.clone()),
                extra: Some(owner.extra.clone()),
                resource_attributes: Some(ResourceAttributes {
                    group: Some(group.to_owned()),
                    resource: Some(resource.to_owned()),
                    subresource: subresource.map(str::to_owned),
                    verb: Some(verb.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let review: SubjectAccessReview = self.review(ACCESS, &review).await?;
        let status = review
            .status
            .ok_or_else(|| malformed(ACCESS, "a review without a status"))?;
        Ok(status.allowed && status.denied != Some(true))
    }

    async fn review<T: Serialize + DeserializeOwned>(&self, path: &'static str, review: &T) -> Result<T, Fault> {
        let question = serde_json::to_vec(review).map_err(|error| malformed(path, &error.to_string()))?;
        within(self.deadline, path, async {
            let answer = received(path, ask(&self.client, path, question).await?, MAX_BODY, Body::Whole).await?;
            if answer.status != 201 && answer.status != 200 {
                return Err(status_fault(path, answer.status, &answer.body));
            }
            json::from_slice(&answer.body).map_err(|_| malformed(path, "not a review"))
        })
        .await
    }
}

impl fmt::Debug for TokenExaminer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExaminer")
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}

fn owner(user: UserInfo) -> Result<TokenOwner, Fault> {
    let name = user.username.unwrap_or_default();
    if name.trim().is_empty() || name.chars().count() > NAME || name.contains(is_harmful) {
        return Err(malformed(
            TOKENS,
            "a user whose name is empty, too long or not one line",
        ));
    }
    Ok(TokenOwner {
        name,
        uid: user.uid.unwrap_or_default(),
        groups: user.groups.unwrap_or_default(),
        extra: user.extra.unwrap_or_default(),
    })
}

/// Who answers may repeat what was asked.
fn without(token: &str, fault: Fault) -> Fault {
    if fault.message.contains(token) {
        Fault::new(fault.kind, format!("{TOKENS}: an answer that repeats the token"))
    } else {
        fault
    }
}

fn malformed(path: &str, what: &str) -> Fault {
    Fault::new(
        FaultKind::Malformed,
        format!("{path}: not what Kubernetes answers: {what}"),
    )
}
