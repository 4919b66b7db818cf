//! A registry in this process, which does what it is told to.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use axum::http::{Method, Response, StatusCode};
use bytes::Bytes;
use steadfast_modules::{
    Cache, Deadlines, Digest, Module, ModuleError, ModuleRef, OciRef, Outline, PrivateKey, Published, Registries,
    Resolver, Trust, Version, publish,
};
use tokio::task::JoinHandle;

/// The smallest modules there are; the second has a section without meaning.
pub const MODULE: &[u8] = b"\0asm\x01\0\0\0";
pub const OTHER: &[u8] = b"\0asm\x01\0\0\0\0\x02\x01x";

/// What an answer is instead of the true one.
#[derive(Clone)]
pub enum Instead {
    Status(u16),
    Bytes(Bytes),
    Silence,
    Elsewhere(String),
}

#[derive(Default)]
struct Kept {
    /// By their path below `/v2/`.
    things: BTreeMap<String, Bytes>,
    /// By a part of the path.
    instead: BTreeMap<String, Instead>,
    /// What is asked for before anything is given: the whole `Authorization`, and the challenge.
    guard: Option<(String, String)>,
    /// Method, path and `Authorization` of each request.
    asked: Vec<(String, String, Option<String>)>,
}

pub struct Fake {
    pub host: String,
    pub registries: Registries,
    kept: Arc<Mutex<Kept>>,
    server: JoinHandle<()>,
}

impl Fake {
    pub async fn start() -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let kept = Arc::new(Mutex::new(Kept::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            host,
            registries: Registries::default(),
            kept,
            server,
        }
    }

    pub fn reference(&self, artifact: &str) -> OciRef {
        OciRef::parse(&format!("oci://{}/{artifact}", self.host)).unwrap()
    }

    pub async fn push(&self, artifact: &str, module: &'static [u8], key: Option<&PrivateKey>) -> Published {
        let module = Bytes::from_static(module);
        publish(
            &self.registries,
            &self.reference(artifact),
            module,
            &Outline::Module,
            key,
        )
        .await
        .unwrap()
    }

    pub async fn resolve(
        &self,
        artifact: &OciRef,
        trust: &Trust,
        cache: Option<&Cache>,
    ) -> Result<Module, ModuleError> {
        Resolver::new(|_| None, self.registries.clone(), cache.cloned())
            .resolve(&ModuleRef::Oci(artifact.clone()), trust)
            .await
    }

    /// Whatever has this in its path is answered otherwise.
    pub fn instead(&self, part: &str, answer: Instead) {
        self.kept.lock().unwrap().instead.insert(part.to_owned(), answer);
    }

    pub fn truth(&self) {
        self.kept.lock().unwrap().instead.clear();
    }

    pub fn guard(&self, authorization: &str, challenge: &str) {
        self.kept.lock().unwrap().guard = Some((authorization.to_owned(), challenge.to_owned()));
    }

    /// What is at that tag.
    pub fn thing(&self, place: &OciRef) -> Bytes {
        self.kept.lock().unwrap().things[&manifest_path(place)].clone()
    }

    /// Puts a manifest at that tag.
    pub fn keep(&self, place: &OciRef, manifest: Bytes) {
        self.keep_at(&manifest_path(place), manifest);
    }

    /// Puts something at a path below `/v2/`.
    pub fn keep_at(&self, path: &str, thing: Bytes) {
        self.kept.lock().unwrap().things.insert(path.to_owned(), thing);
    }

    /// The digest in a reference.
    pub fn manifest_of(&self, reference: &OciRef) -> Digest {
        match &reference.version {
            Version::Digest(digest) => *digest,
            Version::Tag(tag) => panic!("{tag} is no digest"),
        }
    }

    /// What was asked since the last time.
    pub fn asked(&self) -> Vec<(String, String, Option<String>)> {
        std::mem::take(&mut self.kept.lock().unwrap().asked)
    }

    /// Answers nothing any more; whoever connects is refused.
    pub async fn go_down(self) -> (String, Registries) {
        self.server.abort();
        drop(self.server.await);
        (self.host, self.registries)
    }

    /// A deadline that a test can wait for.
    pub fn hurry(&mut self) {
        let soon = std::time::Duration::from_millis(200);
        self.registries.deadlines = Deadlines {
            connect: soon,
            answer: soon,
            transfer: soon,
        };
    }
}

async fn answer(State(kept): State<Arc<Mutex<Kept>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches("/v2/").to_owned();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let shown = parts
        .headers
        .get(AUTHORIZATION)
        .map(|shown| shown.to_str().unwrap().to_owned());
    let instead = {
        let mut kept = kept.lock().unwrap();
        kept.asked.push((parts.method.to_string(), path.clone(), shown.clone()));
        let found = kept.instead.iter().find(|(part, _)| path.contains(*part));
        found.map(|(_, instead)| instead.clone())
    };
    match instead {
        Some(Instead::Silence) => std::future::pending().await,
        Some(Instead::Status(status)) => return plain(StatusCode::from_u16(status).unwrap(), Bytes::new()),
        Some(Instead::Bytes(bytes)) => return plain(StatusCode::OK, bytes),
        Some(Instead::Elsewhere(place)) => {
            let response = Response::builder().status(307).header(LOCATION, place);
            return response.body(Body::empty()).unwrap();
        }
        None => {}
    }
    let mut kept = kept.lock().unwrap();
    if let Some((_, challenge)) = kept.guard.as_ref().filter(|(wanted, _)| shown.as_ref() != Some(wanted)) {
        let response = Response::builder().status(401).header(WWW_AUTHENTICATE, challenge);
        return response
            .body(Body::from(r#"{"errors":[{"message":"who are you?"}]}"#))
            .unwrap();
    }
    match parts.method {
        Method::POST => {
            let place = format!("/v2/{path}1?state=x");
            let response = Response::builder().status(202).header(LOCATION, place);
            response.body(Body::empty()).unwrap()
        }
        Method::PUT => {
            let digest = Digest::of(&body).oci();
            match path.split_once("/blobs/uploads/") {
                Some((repository, _)) => {
                    assert!(parts.uri.query().unwrap().replace("%3A", ":").contains(&digest));
                    kept.things.insert(format!("{repository}/blobs/{digest}"), body);
                }
                None => {
                    let (repository, _) = path.split_once("/manifests/").unwrap();
                    kept.things
                        .insert(format!("{repository}/manifests/{digest}"), body.clone());
                    kept.things.insert(path, body);
                }
            }
            plain(StatusCode::CREATED, Bytes::new())
        }
        _ => match kept.things.get(&path) {
            Some(thing) => plain(StatusCode::OK, thing.clone()),
            None => plain(StatusCode::NOT_FOUND, Bytes::new()),
        },
    }
}

fn manifest_path(place: &OciRef) -> String {
    format!("{}/manifests/{}", place.repository, place.version.path())
}

fn plain(status: StatusCode, body: Bytes) -> Response<Body> {
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

/// A cache of its own.
pub fn cache() -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::new(folder.path().join("modules"));
    (folder, cache)
}

pub fn key() -> PrivateKey {
    PrivateKey::from_pem(&PrivateKey::generate(steadfast_modules::Algorithm::EcdsaP256).unwrap()).unwrap()
}

pub fn trusting(keys: &[&PrivateKey]) -> Trust {
    Trust {
        keys: keys.iter().map(|key| key.public().clone()).collect(),
        ..Trust::default()
    }
}

pub fn pinned(module: &[u8]) -> Trust {
    Trust {
        sha256: Some(Digest::of(module)),
        ..Trust::default()
    }
}
