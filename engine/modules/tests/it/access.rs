//! Who we are to a registry, and to whom we say it.

use bytes::Bytes;
use steadfast_modules::{ModuleError, Registries, RegistryError, RegistryHost, Trust};

use crate::fake::{Fake, Instead, MODULE};

/// ann:s3cret
const BASIC: &str = "Basic YW5uOnMzY3JldA==";

fn with_password(fake: &Fake, folder: &tempfile::TempDir, password: &str) -> Registries {
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{password}\n")).unwrap();
    Registries {
        hosts: vec![RegistryHost {
            host: fake.host.clone(),
            login: Some(("ann".into(), file)),
            ..RegistryHost::default()
        }],
        ..Registries::default()
    }
}

#[tokio::test]
async fn a_name_and_a_password_are_shown_when_they_are_asked_for() {
    let mut fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    fake.asked();
    fake.resolve(&reference, &Trust::default(), None).await.unwrap();
    assert!(
        fake.asked().iter().all(|(_, _, shown)| shown.is_none()),
        "shown to a registry that did not ask"
    );
    fake.guard(BASIC, "Basic realm=\"x\"");
    fake.resolve(&reference, &Trust::default(), None).await.unwrap();

    fake.registries = with_password(&fake, &folder, "wrong");
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("the user `ann`") && message.contains("who are you?"),
        "{message}"
    );
    assert!(!message.contains("wrong"), "the password is told: {message}");
    fake.registries = Registries::default();
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    assert!(
        error.to_string().contains("without credentials") && error.fix().contains("password_file"),
        "{error}"
    );
}

#[tokio::test]
async fn docker_s_login_will_do() {
    let mut fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    fake.guard(BASIC, "Basic realm=\"x\"");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let config = serde_json::json!({ "auths": { &fake.host: { "auth": "YW5uOnMzY3JldA==" } } });
    std::fs::write(&file, config.to_string()).unwrap();
    fake.registries.docker_config = Some(file);
    fake.resolve(&reference, &Trust::default(), None).await.unwrap();
}

#[tokio::test]
async fn a_token_is_got_where_the_registry_says_and_used_while_it_is_good() {
    let mut fake = Fake::start().await;
    let reference = fake.push("team/orders:v1", MODULE, None).await.reference;
    let tokens = Fake::start().await;
    tokens.instead("token", Instead::Bytes(Bytes::from_static(br#"{"token":"t0"}"#)));
    let challenge = format!("Bearer realm=\"http://{}/token\",service=\"s\"", tokens.host);
    fake.guard("Bearer t0", &challenge);
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    fake.resolve(&reference, &Trust::default(), None).await.unwrap();
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1, "a token is good for more than one question: {asked:?}");
    assert_eq!(asked[0].2.as_deref(), Some(BASIC));
    tokens.instead("token", Instead::Status(401));
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    assert!(
        matches!(error, ModuleError::Registry(RegistryError::Denied { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn where_a_registry_sends_us_nothing_is_shown() {
    let mut fake = Fake::start().await;
    let published = fake.push("orders:v1", MODULE, None).await;
    let storage = Fake::start().await;
    storage.keep_at("bucket/module", Bytes::from_static(MODULE));
    storage.guard(BASIC, "Basic realm=\"x\"");
    fake.guard(BASIC, "Basic realm=\"x\"");
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    let place = format!("http://{}/v2/bucket/module", storage.host);
    fake.instead(&published.sha256.oci(), Instead::Elsewhere(place));
    fake.resolve(&published.reference, &Trust::default(), None)
        .await
        .unwrap_err();
    let asked = storage.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|(_, _, shown)| shown.is_none()),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_challenge_of_where_a_registry_sends_us_is_none() {
    let mut fake = Fake::start().await;
    let published = fake.push("orders:v1", MODULE, None).await;
    let (storage, third) = (Fake::start().await, Fake::start().await);
    third.instead("token", Instead::Bytes(Bytes::from_static(br#"{"token":"t0"}"#)));
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    let place = format!("http://{}/v2/bucket/module", storage.host);
    fake.instead(&published.sha256.oci(), Instead::Elsewhere(place));
    for scheme in ["Bearer", "Basic"] {
        storage.guard(
            "nothing",
            &format!("{scheme} realm=\"http://{}/token\",service=\"s\"", third.host),
        );
        let refused = fake.resolve(&published.reference, &Trust::default(), None).await;
        let ModuleError::Registry(RegistryError::Denied { .. }) = refused.unwrap_err() else {
            panic!("the storage did not refuse")
        };
    }
    assert!(third.asked().is_empty(), "a stranger's word led to a third");
    assert!(storage.asked().iter().all(|(_, _, shown)| shown.is_none()));
}

#[tokio::test]
async fn a_token_server_that_sends_us_on_takes_no_password_along() {
    let mut fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let (tokens, third) = (Fake::start().await, Fake::start().await);
    tokens.instead("token", Instead::Elsewhere(format!("http://{}/v2/token", third.host)));
    third.instead("token", Instead::Bytes(Bytes::from_static(br#"{"token":"t0"}"#)));
    fake.guard("Bearer t0", &format!("Bearer realm=\"http://{}/token\"", tokens.host));
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    fake.resolve(&reference, &Trust::default(), None).await.unwrap();
    assert_eq!(tokens.asked()[0].2.as_deref(), Some(BASIC));
    let asked = third.asked();
    assert!(asked.len() == 1 && asked[0].2.is_none(), "{asked:?}");
}

#[tokio::test]
async fn a_password_that_cannot_be_read_is_reported_with_its_file() {
    let mut fake = Fake::start().await;
    let reference = fake.push("orders:v1", MODULE, None).await.reference;
    let folder = tempfile::tempdir().unwrap();
    fake.registries = with_password(&fake, &folder, "s3cret");
    std::fs::remove_file(folder.path().join("password")).unwrap();
    let error = fake.resolve(&reference, &Trust::default(), None).await.unwrap_err();
    assert!(error.to_string().contains("password cannot be read"), "{error}");
}
