//! What a registry wants to see before it answers, and how it is got.

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;

/// What a registry wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// The name and the password.
    Basic,
    /// A token, which is given out at another address.
    Bearer {
        /// The URL that gives out tokens.
        realm: Url,
        /// The service that the token is for, as the registry calls itself.
        service: Option<String>,
    },
}

impl Challenge {
    /// Reads the headers of a 401. A token is preferred, as it says less.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut is_basic = false;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let Ok(challenges) = http_auth::parse_challenges(value.to_str().unwrap_or_default()) else {
                continue;
            };
            for challenge in challenges {
                let param = |name: &str| {
                    let mut params = challenge.params.iter();
                    params
                        .find(|(known, _)| known.eq_ignore_ascii_case(name))
                        .map(|(_, value)| value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    let realm = param("realm").and_then(|realm| Url::parse(&realm).ok())?;
                    return Some(Self::Bearer {
                        realm,
                        service: param("service"),
                    });
                }
                is_basic |= challenge.scheme.eq_ignore_ascii_case("basic");
            }
        }
        is_basic.then_some(Self::Basic)
    }
}

/// The header of a token that was given out.
pub(super) fn bearer(answer: &[u8]) -> Option<HeaderValue> {
    /// Servers use one name or the other.
    #[derive(Deserialize)]
    struct Grant {
        token: Option<String>,
        access_token: Option<String>,
    }
    let grant: Grant = serde_json::from_slice(answer).ok()?;
    let token = grant.token.or(grant.access_token)?;
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenge::of(&headers)
    }

    #[test]
    fn a_token_is_preferred_and_what_cannot_be_read_is_passed_over() {
        let token = "Bearer realm=\"https://auth.example/token\",service=\"registry.example\"";
        let bearer = Some(Challenge::Bearer {
            realm: Url::parse("https://auth.example/token").unwrap(),
            service: Some("registry.example".into()),
        });
        assert_eq!(challenge(&[token]), bearer);
        assert_eq!(challenge(&["Basic realm=\"x\"", token]), bearer);
        assert_eq!(challenge(&["basic realm=\"x\""]), Some(Challenge::Basic));
        for odd in [
            "",
            "Negotiate",
            "Bearer",
            "Bearer realm=\"not a url\"",
            "\"",
            "Bearer realm=",
        ] {
            assert_eq!(challenge(&[odd]), None, "{odd}");
        }
    }

    #[test]
    fn a_token_goes_under_either_name_and_cannot_break_a_header() {
        assert_eq!(bearer(br#"{"token":"a"}"#).unwrap(), "Bearer a");
        assert_eq!(bearer(br#"{"access_token":"b"}"#).unwrap(), "Bearer b");
        for odd in [&br#"{}"#[..], b"", br#"{"token":"a\nb: c"}"#] {
            assert_eq!(bearer(odd), None);
        }
    }
}
