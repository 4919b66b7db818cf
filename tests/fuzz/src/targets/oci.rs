//! Manifests of registries, and the keys and signatures beside modules.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use steadfast_core::error_chain::error_chain;
use steadfast_modules::{Cache, Digest, ModuleRef, OciRef, PublicKey, Registries, Resolver, Signature, Trust, Version};
use tempfile::TempDir;

use crate::fakes::{choice, head};
use crate::{Target, hold};

pub(super) const TARGET: Target = Target {
    name: "oci",
    words: &[
        "schemaVersion",
        "mediaType",
        "application/vnd.oci.image.manifest.v1+json",
        "config",
        "layers",
        "digest",
        "size",
        "application/wasm",
        "annotations",
        "manifests",
        "sha256:",
        "-----BEGIN PUBLIC KEY-----",
        "-----END PUBLIC KEY-----",
        "dev.cosignproject.cosign/signature",
    ],
    seeds,
    check,
};

/// The smallest module there is.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// Behind what chooses: a manifest, a key or a signature.
fn seeds() -> Vec<Vec<u8>> {
    let digest = Digest::of(MODULE);
    let layer = format!(r#"{{"mediaType":"application/wasm","digest":"sha256:{digest}","size":8}}"#);
    let config =
        format!(r#"{{"mediaType":"application/vnd.wasm.config.v0+json","digest":"sha256:{digest}","size":8}}"#);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let texts = [
        format!(r#"0{{"schemaVersion":2,"mediaType":"{kind}","config":{config},"layers":[{layer}]}}"#),
        format!(r#"0{{"schemaVersion":2,"config":{config},"layers":[{layer},{layer}]}}"#),
        format!(r#"0{{"schemaVersion":2,"manifests":[{layer}]}}"#),
        "1-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
            .to_owned(),
        "2bm9uZQ==".to_owned(),
    ];
    texts.map(String::into_bytes).to_vec()
}

/// A cache that has the module, so that no registry is asked.
static CACHE: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    // Another target may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("modules");
    fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    fs::write(folder.join(format!("{}.blob", Digest::of(MODULE))), MODULE).unwrap();
    (outer, folder)
});

fn check(input: &[u8]) {
    let ([which], body) = head(input);
    match choice(which, 3) {
        0 => manifest(body),
        1 => {
            let Ok(pem) = std::str::from_utf8(body) else { return };
            if let Ok(key) = PublicKey::from_pem(pem) {
                assert!(!key.verifies(b"module", &Signature::new(vec![0; 64])));
                assert_eq!(key.fingerprint(), PublicKey::from_pem(pem).unwrap().fingerprint());
            }
        }
        _ => {
            let Ok(text) = std::str::from_utf8(body) else { return };
            if let Ok(signature) = Signature::parse(text) {
                let again = Signature::parse(&signature.to_base64()).unwrap();
                assert_eq!(signature.bytes(), again.bytes());
            }
        }
    }
}

/// A manifest leads to the module that it names and that has its digest, or to an error.
fn manifest(body: &[u8]) {
    let folder = &CACHE.1;
    let digest = Digest::of(body);
    let blob = folder.join(format!("{digest}.blob"));
    // The manifest may be the module itself.
    if body != MODULE {
        fs::write(&blob, body).unwrap();
    }
    let artifact = OciRef {
        // Nobody listens there.
        registry: "127.0.0.1:9".to_owned(),
        repository: "team/orders".to_owned(),
        version: Version::Digest(digest),
    };
    let resolver = Resolver::new(|_| None, Registries::default(), Some(Cache::new(folder.clone())));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(resolver.resolve(&ModuleRef::Oci(artifact), &Trust::default())) {
        Ok(module) => {
            assert_eq!(Digest::of(&module.bytes), module.provenance.sha256);
            assert_eq!(module.provenance.manifest, Some(digest));
            assert!(
                body == MODULE || String::from_utf8_lossy(body).contains(&module.provenance.sha256.to_string()[..8])
            );
        }
        Err(error) => {
            let told = error_chain(&error);
            assert!(told.len() < 8 << 10, "{} bytes", told.len());
            hold::harmless(&told.replace('\n', " "));
        }
    }
    if body != MODULE {
        fs::remove_file(&blob).unwrap();
    }
}
