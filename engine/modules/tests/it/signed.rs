//! Signatures of artifacts.

use bytes::Bytes;
use steadfast_modules::{ModuleError, Trust};

use crate::fake::{Fake, Instead, MODULE, OTHER, cache, key, trusting};

#[tokio::test]
async fn only_the_signature_of_a_named_key_counts() {
    let fake = Fake::start().await;
    let (mine, other) = (key(), key());
    let reference = fake.push("orders:v1", MODULE, Some(&mine)).await.reference;
    let module = fake
        .resolve(&reference, &trusting(&[&other, &mine]), None)
        .await
        .unwrap();
    assert_eq!(module.provenance.signed_by, Some(mine.public().fingerprint()));
    let error = fake.resolve(&reference, &trusting(&[&other]), None).await.unwrap_err();
    assert!(
        matches!(&error, ModuleError::Signature { keys, .. } if *keys == other.public().fingerprint().oci()),
        "{error}"
    );
    assert_eq!(error.key(), "public_key");
}

#[tokio::test]
async fn a_module_without_a_signature_is_refused_where_one_is_asked_for() {
    let fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let error = fake.resolve(&reference, &trusting(&[&key()]), None).await.unwrap_err();
    assert!(
        matches!(&error, ModuleError::Unsigned { location, .. } if location.ends_with(".sig")),
        "{error}"
    );
    assert!(fake.resolve(&reference, &Trust::default(), None).await.is_ok());
}

#[tokio::test]
async fn the_module_itself_is_not_fetched_before_its_signature_is_seen() {
    let fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    fake.asked();
    fake.resolve(&reference, &trusting(&[&key()]), None).await.unwrap_err();
    assert!(fake.asked().iter().all(|(_, path, _)| !path.contains("/blobs/")));
}

#[tokio::test]
async fn the_signature_of_another_module_is_none_of_this_one() {
    let fake = Fake::start().await;
    let key = key();
    let signed = fake.push("orders:v1", OTHER, Some(&key)).await.reference;
    let unsigned = fake.push("orders:v2", MODULE, None).await.reference;
    let trust = trusting(&[&key]);
    assert!(fake.resolve(&signed, &trust, None).await.is_ok());
    // Whoever runs the registry moves the signature to where this one's would be.
    let moved = fake.thing(&signed.signatures(fake.manifest_of(&signed)));
    fake.keep(&unsigned.signatures(fake.manifest_of(&unsigned)), moved);
    let error = fake.resolve(&unsigned, &trust, None).await.unwrap_err();
    assert!(matches!(error, ModuleError::Signature { .. }), "{error}");
}

#[tokio::test]
async fn an_old_key_and_its_successor_both_sign() {
    let fake = Fake::start().await;
    let (old, new) = (key(), key());
    let reference = fake.push("orders:v1", MODULE, Some(&old)).await.reference;
    fake.push("orders:v1", MODULE, Some(&new)).await;
    fake.push("orders:v1", MODULE, Some(&new)).await;
    for key in [&old, &new] {
        let module = fake.resolve(&reference, &trusting(&[key]), None).await.unwrap();
        assert_eq!(module.provenance.signed_by, Some(key.public().fingerprint()));
    }
    let signatures = fake.thing(&reference.signatures(fake.manifest_of(&reference)));
    let signatures: serde_json::Value = serde_json::from_slice(&signatures).unwrap();
    assert_eq!(
        signatures["layers"].as_array().unwrap().len(),
        2,
        "signing twice adds nothing"
    );
}

#[tokio::test]
async fn a_new_key_is_looked_for_in_the_registry_when_the_cache_has_an_old_signature() {
    let fake = Fake::start().await;
    let (_folder, cache) = cache();
    let (old, new) = (key(), key());
    let reference = fake.push("orders:v1", MODULE, Some(&old)).await.reference;
    fake.resolve(&reference, &trusting(&[&old]), Some(&cache))
        .await
        .unwrap();
    fake.push("orders:v1", MODULE, Some(&new)).await;
    let module = fake
        .resolve(&reference, &trusting(&[&new]), Some(&cache))
        .await
        .unwrap();
    assert_eq!(module.provenance.signed_by, Some(new.public().fingerprint()));
}

#[tokio::test]
async fn what_stands_where_signatures_belong_may_be_anything() {
    let fake = Fake::start().await;
    let key = key();
    let reference = fake.push("orders:v1", MODULE, Some(&key)).await.reference;
    for odd in [&b""[..], b"<html>", b"{\"schemaVersion\":2}", b"\xff"] {
        fake.instead(".sig", Instead::Bytes(Bytes::from_static(odd)));
        let error = fake.resolve(&reference, &trusting(&[&key]), None).await.unwrap_err();
        assert!(matches!(error, ModuleError::Signature { .. }), "{error}");
    }
}
