//! What the cache is for: a start without the registry.

use steadfast_modules::{Digest, ModuleError, Origin, RegistryError, Trust};

use crate::fake::{Fake, Instead, MODULE, OTHER, cache, key, pinned, trusting};

#[tokio::test]
async fn what_is_pushed_is_pulled() {
    let fake = Fake::start().await;
    let published = fake.push("team/orders:v1", MODULE, None).await;
    assert_eq!(published.sha256, Digest::of(MODULE));
    for reference in [&fake.reference("team/orders:v1"), &published.reference] {
        let module = fake.resolve(reference, &pinned(MODULE), None).await.unwrap();
        assert_eq!(module.bytes, MODULE);
        assert_eq!(module.provenance.from, Origin::Registry);
        assert_eq!(module.provenance.trust(), "pinned");
    }
    // Pushed again it is the same, and no blob is sent twice.
    fake.asked();
    assert_eq!(fake.push("team/orders:v1", MODULE, None).await, published);
    assert!(fake.asked().iter().all(|(method, ..)| method != "POST"));
}

#[tokio::test]
async fn by_digest_the_registry_is_asked_once() {
    let fake = Fake::start().await;
    let (_folder, cache) = cache();
    let key = key();
    let reference = fake.push("orders:v1", MODULE, Some(&key)).await.reference;
    let trust = trusting(&[&key]);
    fake.resolve(&reference, &trust, Some(&cache)).await.unwrap();
    fake.asked();
    let again = fake.resolve(&reference, &trust, Some(&cache)).await.unwrap();
    assert_eq!((again.bytes.as_ref(), again.provenance.from), (MODULE, Origin::Cache));
    assert_eq!(again.provenance.signed_by, Some(key.public().fingerprint()));
    assert_eq!(fake.asked(), []);
}

#[tokio::test]
async fn by_tag_the_registry_is_asked_and_the_cache_stands_in() {
    let fake = Fake::start().await;
    let (_folder, cache) = cache();
    let key = key();
    fake.push("orders:v1", MODULE, Some(&key)).await;
    let reference = fake.reference("orders:v1");
    let mut trust = trusting(&[&key]);
    trust.sha256 = Some(Digest::of(MODULE));
    fake.resolve(&reference, &trust, Some(&cache)).await.unwrap();
    fake.asked();
    fake.resolve(&reference, &trust, Some(&cache)).await.unwrap();
    let asked = fake.asked();
    assert_eq!(asked.len(), 1, "only what the tag names is asked again: {asked:?}");

    fake.instead("v1", Instead::Status(503));
    let module = fake.resolve(&reference, &trust, Some(&cache)).await.unwrap();
    assert_eq!(module.provenance.from, Origin::Cache);
    fake.truth();

    let (_, registries) = fake.go_down().await;
    let resolver = steadfast_modules::Resolver::new(|_| None, registries, Some(cache));
    let reference = steadfast_modules::ModuleRef::Oci(reference);
    assert_eq!(resolver.resolve(&reference, &trust).await.unwrap().bytes, MODULE);
}

#[tokio::test]
async fn what_the_registry_no_longer_has_is_not_taken_from_the_cache() {
    let fake = Fake::start().await;
    let (_folder, cache) = cache();
    fake.push("orders:v1", MODULE, None).await;
    let reference = fake.reference("orders:v1");
    fake.resolve(&reference, &pinned(MODULE), Some(&cache)).await.unwrap();
    for status in [404, 403] {
        fake.instead("manifests/v1", Instead::Status(status));
        let error = fake
            .resolve(&reference, &pinned(MODULE), Some(&cache))
            .await
            .unwrap_err();
        assert!(!error.is_passing(), "{error}");
    }
}

#[tokio::test]
async fn without_a_cache_a_registry_that_is_down_is_reported() {
    let fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let (_, registries) = fake.go_down().await;
    let resolver = steadfast_modules::Resolver::new(|_| None, registries, None);
    let error = resolver
        .resolve(&steadfast_modules::ModuleRef::Oci(reference), &Trust::default())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ModuleError::Registry(RegistryError::Unreachable { .. })),
        "{error}"
    );
    assert!(error.is_passing() && error.fix().contains("insecure = true"));
}

#[tokio::test]
async fn a_damaged_cache_is_filled_again() {
    let fake = Fake::start().await;
    let (folder, cache) = cache();
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    fake.resolve(&reference, &Trust::default(), Some(&cache)).await.unwrap();
    for file in std::fs::read_dir(folder.path().join("modules")).unwrap() {
        std::fs::write(file.unwrap().path(), OTHER).unwrap();
    }
    let module = fake.resolve(&reference, &Trust::default(), Some(&cache)).await.unwrap();
    assert_eq!(
        (module.bytes.as_ref(), module.provenance.from),
        (MODULE, Origin::Registry)
    );
}
