//! Who may call the API.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use steadfast_core::timing::Timing;
use steadfast_reconcile::ClusterSetup;
use steadfast_server::{Access, Keys, KubernetesAuth, KubernetesUser, NamedTokens, Scope, Tls, Token, TokenReviewer};
use steadfast_sources::kubernetes::{TokenExaminer, TokenOwner};

use crate::config::{self, Server};

/// The access that the configuration asks for. It was checked that nobody listens openly by mistake.
pub(super) fn of(server: &Server, timing: Timing, clusters: &[ClusterSetup]) -> anyhow::Result<Access> {
    let keys = Keys {
        shared: server.token_file.as_deref().map(Token::read).transpose()?,
        named: server.tokens_file.as_deref().map(NamedTokens::read).transpose()?,
        certificates: server.tls.as_ref().and_then(|tls| tls.client_scopes),
        kubernetes: server
            .kubernetes_auth
            .as_ref()
            .map(|auth| kubernetes(auth, timing, clusters))
            .transpose()?,
    };
    Ok(if !keys.are_none() {
        Access::guarded(keys)
    } else if server.listen.ip().is_loopback() {
        Access::loopback()
    } else {
        Access::insecure()
    })
}

/// What encrypts connections.
pub(super) fn tls(server: &Server) -> anyhow::Result<Option<Tls>> {
    let tls = server.tls.as_ref().map(|tls| Tls::read(&tls.files));
    tls.transpose().context("[server.tls]")
}

fn kubernetes(
    auth: &config::KubernetesAuth,
    timing: Timing,
    clusters: &[ClusterSetup],
) -> anyhow::Result<KubernetesAuth> {
    let mut clusters = clusters.iter();
    let cluster = clusters.find(|cluster| cluster.settings.name.as_str() == auth.cluster);
    let cluster = cluster.with_context(|| format!("no [[kubernetes]] is named `{}`", auth.cluster))?;
    let examiner = TokenExaminer::new(cluster.client.clone(), timing.timeout, auth.audiences.clone());
    Ok(KubernetesAuth::new(Arc::new(ApiServer {
        examiner,
        cluster: auth.cluster.clone(),
    })))
}

/// The API server of a cluster.
#[derive(Debug)]
struct ApiServer {
    examiner: TokenExaminer,
    cluster: String,
}

#[async_trait]
impl TokenReviewer for ApiServer {
    async fn who(&self, token: &str) -> Result<Option<KubernetesUser>, String> {
        let owner = self.examiner.who(token).await;
        let owner = owner.map_err(|fault| format!("cluster {}: {fault}", self.cluster))?;
        Ok(owner.map(|owner| {
            let TokenOwner {
                name,
                uid,
                groups,
                extra,
            } = owner;
            KubernetesUser {
                name,
                uid,
                groups,
                extra,
            }
        }))
    }

    async fn may(&self, user: &KubernetesUser, scope: Scope) -> Result<bool, String> {
        let KubernetesUser {
            name,
            uid,
            groups,
            extra,
        } = user.clone();
        let owner = TokenOwner {
            name,
            uid,
            groups,
            extra,
        };
        let (verb, resource) = KubernetesAuth::right(scope);
        let may = self.examiner.may(&owner, (KubernetesAuth::GROUP, verb, resource)).await;
        may.map_err(|fault| format!("cluster {}: {fault}", self.cluster))
    }
}
