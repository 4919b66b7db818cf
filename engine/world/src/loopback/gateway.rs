//! Many Flinks behind one port, distinguished by the path's `/{namespace}/{name}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Request;

use crate::World;
use crate::flink::Flink;
use crate::link::{Link, Loss};
use crate::reply::{Reply, Serve, text};

/// Leads requests to the Flink they name. The gateway itself is always reachable; behind it, a Flink that refuses
/// makes it hang up, and one that drops makes it silent.
pub struct Gateway {
    flinks: BTreeMap<String, Arc<Flink>>,
    link: Link,
}

impl Gateway {
    /// To all Flinks of a cluster of a world.
    pub fn to(world: &World, cluster: &str) -> Self {
        let model = world.model();
        let path = |name: &String| {
            let target = model.targets.get(name).filter(|target| target.cluster == cluster)?;
            Some(format!("{}/{}", target.namespace, target.name))
        };
        let flinks = world
            .flinks()
            .iter()
            .filter_map(|(name, flink)| Some((path(name)?, Arc::clone(flink))));
        Self {
            flinks: flinks.collect(),
            link: Link::default(),
        }
    }
}

impl Serve for Gateway {
    fn link(&self) -> &Link {
        &self.link
    }

    fn handle(&self, request: Request<()>) -> BoxFuture<'static, Reply> {
        let path = request.uri().path().trim_start_matches('/');
        let named = path.match_indices('/').nth(1).and_then(|(end, _)| path.get(..end));
        match named.and_then(|named| self.flinks.get(named)) {
            Some(flink) => through(Arc::clone(flink), request).boxed(),
            None => async { text(404, "text/plain", "404 page not found\n") }.boxed(),
        }
    }
}

async fn through(flink: Arc<Flink>, request: Request<()>) -> Reply {
    let Some(connection) = flink.link().connect() else {
        return Reply::Hangup;
    };
    tokio::select! {
        biased;
        loss = connection.lost() => match loss {
            Loss::Silent => Reply::Silence,
            Loss::Reset => Reply::Hangup,
        },
        reply = flink.handle(request) => reply,
    }
}
