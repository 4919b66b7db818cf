//! How long a server asks to be left alone.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// `Retry-After` in seconds or as an HTTP date, if it can be read; uncapped. A date is taken relative to the answer's own `Date`,
/// so that no clock is needed.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let sent = httpdate::parse_http_date(text(DATE)?).ok()?;
    until.duration_since(sent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(HeaderName, &str)]) -> Option<Duration> {
        let headers = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        retry_after(&headers.collect())
    }

    #[test]
    fn it_is_read_in_both_forms() {
        assert_eq!(asked(&[(RETRY_AFTER, " 86400 ")]), Some(Duration::from_secs(86_400)));
        let sent = (DATE, "Tue, 24 Nov 2026 10:00:00 GMT");
        for (until, expected) in [
            ("Tue, 24 Nov 2026 10:00:20 GMT", Some(Duration::from_secs(20))),
            ("Tuesday, 24-Nov-26 10:00:20 GMT", Some(Duration::from_secs(20))),
            ("Tue, 24 Nov 2026 09:59:00 GMT", None),
            ("Tue, 24 Nov 2026 25:00:00 GMT", None),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(asked(&[sent.clone(), (RETRY_AFTER, until)]), expected, "{until}");
        }
        let alone = (RETRY_AFTER, "Tue, 24 Nov 2026 10:00:20 GMT");
        assert_eq!(asked(&[alone]), None, "nobody knows by whose clock");
        assert_eq!(asked(&[]), None);
    }
}
