//! Modules in files and in the program.

use std::path::PathBuf;

use steadfast_modules::{Digest, Module, ModuleError, ModuleRef, Origin, Registries, Resolver, Trust, signature_file};

use crate::fake::{MODULE, OTHER, key, pinned, trusting};

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.wasm");
        std::fs::write(&path, MODULE).unwrap();
        Self { _folder: folder, path }
    }

    async fn resolve(&self, trust: &Trust) -> Result<Module, ModuleError> {
        resolve(&ModuleRef::File(self.path.clone()), trust).await
    }
}

async fn resolve(reference: &ModuleRef, trust: &Trust) -> Result<Module, ModuleError> {
    let builtin = |name: &str| (name == "known").then_some(MODULE);
    Resolver::new(builtin, Registries::default(), None)
        .resolve(reference, trust)
        .await
}

#[tokio::test]
async fn a_file_is_what_was_pinned_or_refused_with_both_digests() {
    let file = File::new();
    let module = file.resolve(&Trust::default()).await.unwrap();
    assert_eq!((module.bytes.as_ref(), module.provenance.from), (MODULE, Origin::File));
    assert_eq!(module.provenance.trust(), "neither pinned nor signed");
    assert_eq!(
        file.resolve(&pinned(MODULE)).await.unwrap().provenance.trust(),
        "pinned"
    );
    let message = file.resolve(&pinned(OTHER)).await.unwrap_err().to_string();
    for digest in [MODULE, OTHER].map(Digest::of) {
        assert!(message.contains(&digest.to_string()), "{message}");
    }
}

#[tokio::test]
async fn a_signature_beside_the_file_or_elsewhere_must_be_by_a_named_key() {
    let file = File::new();
    let (mine, other) = (key(), key());
    let mut trust = trusting(&[&mine]);
    let error = file.resolve(&trust).await.unwrap_err();
    assert!(
        matches!(&error, ModuleError::Unsigned { location, .. } if location.ends_with("mine.wasm.sig")),
        "{error}"
    );

    let sign = |path: &PathBuf, module| std::fs::write(path, mine.sign(module).unwrap().to_base64()).unwrap();
    sign(&signature_file(&file.path), MODULE);
    let module = file.resolve(&trust).await.unwrap();
    assert_eq!(module.provenance.signed_by, Some(mine.public().fingerprint()));
    let error = file.resolve(&trusting(&[&other])).await.unwrap_err();
    assert!(matches!(error, ModuleError::Signature { .. }), "{error}");

    let elsewhere = file.path.with_file_name("elsewhere");
    trust.signature = Some(elsewhere.clone());
    assert!(matches!(file.resolve(&trust).await, Err(ModuleError::Unsigned { .. })));
    sign(&elsewhere, OTHER);
    assert!(matches!(file.resolve(&trust).await, Err(ModuleError::Signature { .. })));
    std::fs::write(&elsewhere, "{\"bundle\":1}").unwrap();
    let error = file.resolve(&trust).await.unwrap_err();
    assert!(error.fix().contains("--new-bundle-format=false"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let error = resolve(&ModuleRef::File("/nowhere/mine.wasm".into()), &Trust::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("/nowhere/mine.wasm"), "{error}");
}

#[tokio::test]
async fn a_built_in_module_may_be_pinned() {
    let known = ModuleRef::Builtin("known".into());
    assert_eq!(resolve(&known, &pinned(MODULE)).await.unwrap().bytes, MODULE);
    assert!(matches!(
        resolve(&known, &pinned(OTHER)).await,
        Err(ModuleError::Pin { .. })
    ));
    let unknown = resolve(&ModuleRef::Builtin("unknown".into()), &Trust::default())
        .await
        .unwrap_err();
    assert!(unknown.to_string().contains("`unknown`"), "{unknown}");
}
