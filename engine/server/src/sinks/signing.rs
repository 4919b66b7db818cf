//! Signatures by which a receiver knows that a message is ours. All are HMAC with SHA-256; each receiver has its own form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

fn hmac_sha256(key: &[u8], text: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    STANDARD.encode(hmac::sign(&key, text))
}

/// The value of `webhook-signature`, as the Standard Webhooks specification has it: over id, seconds and body. A secret that
/// begins with `whsec_` is base64; any other is taken as it is.
pub(super) fn standard_webhooks(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let decoded = secret
        .strip_prefix("whsec_")
        .and_then(|text| STANDARD.decode(text).ok());
    let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let signed = format!("{id}.{seconds}.{body}");
    format!("v1,{}", hmac_sha256(&key, signed.as_bytes()))
}

/// DingTalk's `sign`, before it is written into the query: over milliseconds and the secret itself.
pub(super) fn dingtalk(secret: &str, millis: i64) -> String {
    hmac_sha256(secret.as_bytes(), format!("{millis}\n{secret}").as_bytes())
}

/// Feishu's `sign`: of nothing, under seconds and the secret as the key.
pub(super) fn feishu(secret: &str, seconds: i64) -> String {
    hmac_sha256(format!("{seconds}\n{secret}").as_bytes(), b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn standard_webhooks_own_example() {
        let signature = standard_webhooks(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// What Python's hmac gives for the recipes of both vendors (tests/sinks/receive.py has them).
    #[test]
    fn the_vendors_recipes() {
        assert_eq!(
            dingtalk("SECabc", 1_700_000_000_000),
            "jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM="
        );
        assert_eq!(
            feishu("abc", 1_700_000_000),
            "VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4="
        );
    }
}
