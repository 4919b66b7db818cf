use secrecy::ExposeSecret as _;

use super::*;

fn written(folder: &tempfile::TempDir, text: &str) -> Result<NamedTokens, TokensError> {
    let path = folder.path().join("tokens.toml");
    std::fs::write(&path, text).unwrap();
    NamedTokens::read(&path)
}

fn scopes(scopes: &[Scope]) -> Scopes {
    scopes.iter().copied().collect()
}

#[tokio::test]
async fn a_token_that_was_made_is_known_by_its_entry_and_no_other_is() {
    let folder = tempfile::tempdir().unwrap();
    let bot = NewToken::make("deploy-bot", scopes(&[Scope::Read, Scope::Intent])).unwrap();
    let eye = NewToken::make("eye", scopes(&[Scope::Read])).unwrap();
    let tokens = written(&folder, &format!("{}{}", bot.entry, eye.entry)).unwrap();
    let found = tokens.find(bot.token.expose_secret()).await.unwrap();
    assert_eq!(&*found.name, "deploy-bot");
    assert_eq!(found.scopes, scopes(&[Scope::Read, Scope::Intent]));
    assert_eq!(&*tokens.find(eye.token.expose_secret()).await.unwrap().name, "eye");
    let stranger = NewToken::make("eye", Scopes::ALL).unwrap();
    assert_eq!(tokens.find(stranger.token.expose_secret()).await, None);
    assert!(!format!("{bot:?}").contains(&bot.token.expose_secret()[4..]));
    assert!(!bot.entry.contains(&bot.token.expose_secret()[4..]));
}

#[tokio::test]
async fn what_was_not_made_here_opens_nothing_though_its_digest_stands_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for thought_of in ["correct horse battery staple", "sft_0123", ""] {
        let hash = const_hex::encode(digest(thought_of));
        let entry = format!("[[token]]\nname = \"a\"\nscopes = [\"admin\"]\nhash = \"sha256:{hash}\"\n");
        let tokens = written(&folder, &entry).unwrap();
        assert_eq!(tokens.find(thought_of).await, None, "{thought_of}");
    }
}

#[test]
fn a_mistake_is_told_by_its_place_and_nothing_of_it_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let secret = NewToken::make("a", Scopes::ALL).unwrap().token;
    let secret = secret.expose_secret();
    let entry =
        |name: &str, scopes: &str, hash: &str| format!("[[token]]\nname = {name}\nscopes = {scopes}\nhash = {hash}\n");
    let hash = format!("\"sha256:{}\"", "0".repeat(64));
    let twice = entry("\"a\"", "[\"read\"]", &hash).repeat(2);
    for (text, told) in [
        (
            entry("\"a\"", "[\"read\"]", &format!("\"{secret}\"")),
            "entry 1: its hash",
        ),
        (entry("\"a\"", "[\"read\"]", &format!("[\"{secret}\"]")), "line 4"),
        (
            entry(&format!("\"{secret}\""), "[\"read\"]", &hash),
            "entry 1: its name",
        ),
        (entry("\"a b\"", "[\"read\"]", &hash), "entry 1: its name"),
        (entry("\"a\"", "[]", &hash), "entry 1: its scopes"),
        (entry("\"a\"", &format!("[\"{secret}\"]"), &hash), "entry 1: its scopes"),
        (twice, "entry 2: another one"),
        (format!("[[token]]\n{secret} = 1\n"), "line"),
        (secret.to_owned(), "line 1"),
    ] {
        let error = written(&folder, &text).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("tokens.toml"), "{error}");
        assert!(!error.contains(&secret[4..]), "{error}");
    }
    for none in ["", "\n# deploy-bot\n", "token = []\n"] {
        let error = written(&folder, none).unwrap_err().to_string();
        assert!(
            error.contains("holds no token") && error.contains("take server.tokens_file"),
            "{error}"
        );
    }
}

#[test]
fn no_token_is_made_without_a_name_or_a_scope() {
    assert!(matches!(NewToken::make("", Scopes::ALL), Err(NewTokenError::Name)));
    assert!(matches!(NewToken::make("a\"b", Scopes::ALL), Err(NewTokenError::Name)));
    assert!(matches!(
        NewToken::make("a", Scopes::default()),
        Err(NewTokenError::Scopes)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_cut_short_takes_nobodys_token_away_and_an_entry_that_is_taken_out_does() {
    let folder = tempfile::tempdir().unwrap();
    let bot = NewToken::make("deploy-bot", scopes(&[Scope::Read])).unwrap();
    let nobody = NewToken::make("nobody", scopes(&[Scope::Read])).unwrap();
    let tokens = written(&folder, &bot.entry).unwrap();
    let is_known = async |text: &str| {
        std::fs::write(folder.path().join("tokens.toml"), text).unwrap();
        tokio::time::advance(std::time::Duration::from_secs(2)).await;
        tokens.find(bot.token.expose_secret()).await.is_some()
    };
    assert!(is_known("").await && is_known("# all of them were here\n").await);
    assert!(!is_known(&nobody.entry).await);
    assert!(!is_known("").await, "and what was taken out before stays out");
    assert!(is_known(&format!("{}{}", bot.entry, nobody.entry)).await);
}
