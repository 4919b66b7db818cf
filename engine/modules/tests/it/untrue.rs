//! Registries that give something else, too much, or nothing.

use bytes::Bytes;
use steadfast_modules::{ModuleError, Outline, Registries, RegistryError, Trust, publish};

use crate::fake::{Fake, Instead, MODULE, OTHER, cache, pinned};

#[tokio::test]
async fn a_tag_that_was_moved_is_refused_by_the_pin_and_nothing_is_fetched() {
    let fake = Fake::start().await;
    fake.push("orders:v1", MODULE, None).await;
    let reference = fake.reference("orders:v1");
    assert!(fake.resolve(&reference, &pinned(MODULE), None).await.is_ok());
    fake.push("orders:v1", OTHER, None).await;
    fake.asked();
    let error = fake.resolve(&reference, &pinned(MODULE), None).await.unwrap_err();
    let message = error.to_string();
    for wanted in [MODULE, OTHER].map(steadfast_modules::Digest::of) {
        assert!(message.contains(&wanted.to_string()), "{message}");
    }
    assert_eq!(error.key(), "sha256");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_digest_are_refused_and_not_kept() {
    let fake = Fake::start().await;
    let (folder, cache) = cache();
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    for part in ["/manifests/", "/blobs/"] {
        fake.instead(part, Instead::Bytes(Bytes::from_static(b"12345678")));
        let error = fake
            .resolve(&reference, &Trust::default(), Some(&cache))
            .await
            .unwrap_err();
        assert!(
            matches!(error, ModuleError::Registry(RegistryError::Tampered { .. })),
            "{error}"
        );
        assert!(error.fix().contains("do not run it"));
        fake.truth();
    }
    for file in std::fs::read_dir(folder.path().join("modules")).unwrap() {
        let kept = std::fs::read(file.unwrap().path()).unwrap();
        assert_ne!(kept, b"12345678", "something that was not verified is kept");
    }
    assert!(fake.resolve(&reference, &Trust::default(), Some(&cache)).await.is_ok());
}

#[tokio::test]
async fn more_than_the_manifest_says_is_not_read() {
    let fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    fake.instead("/blobs/", Instead::Bytes(Bytes::from(vec![0; 100_000])));
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    assert!(
        matches!(error, ModuleError::Registry(RegistryError::TooLarge { limit: 8, .. })),
        "{error}"
    );
    fake.truth();
    fake.instead("/manifests/", Instead::Bytes(Bytes::from(vec![0; 5 << 20])));
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    assert!(
        matches!(error, ModuleError::Registry(RegistryError::TooLarge { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn a_registry_that_hangs_is_left_after_a_while() {
    let mut fake = Fake::start().await;
    let (_folder, cache) = cache();
    fake.push("orders:v1", MODULE, None).await;
    let reference = fake.reference("orders:v1");
    fake.instead("orders", Instead::Silence);
    fake.hurry();
    let error = fake
        .resolve(&reference, &pinned(MODULE), Some(&cache))
        .await
        .unwrap_err();
    assert!(error.is_passing(), "{error}");
    fake.truth();
    fake.registries = Registries::default();
    fake.resolve(&reference, &pinned(MODULE), Some(&cache)).await.unwrap();
    fake.instead("orders", Instead::Silence);
    fake.hurry();
    assert!(fake.resolve(&reference, &pinned(MODULE), Some(&cache)).await.is_ok());
}

#[tokio::test]
async fn what_is_not_there_is_reported_with_its_name() {
    let fake = Fake::start().await;
    let error = fake
        .resolve(&fake.reference("orders:v9"), &pinned(MODULE), None)
        .await
        .unwrap_err();
    assert!(matches!(error, ModuleError::Registry(RegistryError::Absent { .. })));
    assert!(error.to_string().contains("manifest v9 in orders"), "{error}");
}

#[tokio::test]
async fn an_artifact_of_another_kind_is_no_module() {
    let fake = Fake::start().await;
    fake.push("orders:v1", MODULE, None).await;
    for (odd, told) in [
        (
            &br#"{"schemaVersion":2,"manifests":[]}"#[..],
            "an index of several manifests",
        ),
        (b"<html>", "its manifest cannot be read"),
    ] {
        fake.instead("manifests/v1", Instead::Bytes(Bytes::from_static(odd)));
        let error = fake
            .resolve(&fake.reference("orders:v1"), &Trust::default(), None)
            .await
            .unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_but_not_without_an_end() {
    let fake = Fake::start().await;
    let published = fake.push("orders:v1", MODULE, None).await;
    let blob = format!("orders/blobs/{}", published.sha256.oci());
    let kept_elsewhere = format!("storage/{}", published.sha256);
    fake.keep_at(&kept_elsewhere, Bytes::from_static(MODULE));
    fake.instead(&blob, Instead::Elsewhere(format!("/v2/{kept_elsewhere}")));
    assert!(
        fake.resolve(&published.reference, &Trust::default(), None)
            .await
            .is_ok()
    );
    fake.instead(&blob, Instead::Elsewhere(format!("/v2/{blob}")));
    let error = fake
        .resolve(&published.reference, &Trust::default(), None)
        .await
        .unwrap_err();
    assert!(error.is_passing(), "{error}");
    let said = format!("{:?}", std::error::Error::source(&error));
    assert!(said.contains("a redirect in a circle"), "{said}");
}

#[tokio::test]
async fn a_push_says_what_it_needs() {
    let fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let push = |target, bytes: &'static [u8]| {
        let registries = fake.registries.clone();
        async move {
            publish(&registries, &target, Bytes::from_static(bytes), &Outline::Module, None)
                .await
                .unwrap_err()
        }
    };
    let error = push(reference, MODULE).await;
    assert!(error.fix().contains(":TAG"), "{error}");
    fake.instead("uploads", Instead::Status(405));
    let error = push(fake.reference("orders:v1"), OTHER).await;
    assert!(error.to_string().contains("405"), "{error}");
}
