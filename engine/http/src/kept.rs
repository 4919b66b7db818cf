//! What is ours to keep, in every form in which somebody may quote it.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use reqwest::Url;

/// What stands in its place.
const INSTEAD: &str = "(not shown)";
/// Shorter words are no secrets, and are left in.
const SHORTEST: usize = 6;
/// How much of a text is looked through, in bytes; what is shown of it is far less.
const MOST: usize = 8 << 10;
/// How often a text may have been percent-encoded on its way.
const ENCODED: usize = 3;
/// How often it may have been quoted in JSON or HTML, as in an answer that has another one as a text.
const QUOTED: usize = 2;

/// Secrets, by which a text of others is made fit to be shown.
#[derive(Clone, Default)]
pub struct Kept(Vec<String>);

impl Kept {
    /// Keeps a secret.
    pub fn word(&mut self, word: &str) {
        let word = word.trim();
        if word.len() >= SHORTEST && !self.0.iter().any(|kept| kept == word) {
            self.0.push(word.to_owned());
        }
    }

    /// Keeps the value of a header: whole, what stands in it behind a scheme as `Bearer`, and the words that `Basic` encodes.
    pub fn header(&mut self, value: &str) {
        self.word(value);
        let Some((_, credential)) = value.trim().split_once(' ') else {
            return;
        };
        self.word(credential);
        let decoded = STANDARD_NO_PAD.decode(credential.trim().trim_end_matches('='));
        if let Some(pair) = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.word(&pair);
            pair.split(':').for_each(|part| self.word(part));
        }
    }

    /// Keeps what may be a secret of an address: who asks, the path, and the values of the query.
    pub fn url(&mut self, url: &Url) {
        let written = [url.username(), url.password().unwrap_or_default()];
        let segments = url.path_segments().into_iter().flatten();
        let query = url.query().unwrap_or_default().split('&');
        let values = query.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        for part in written.into_iter().chain(segments).chain(values) {
            self.word(&decoded(part));
            self.word(part);
        }
        // As forms have them, with a plus sign for a blank.
        url.query_pairs().for_each(|(_, value)| self.word(&value));
    }

    /// The beginning of a text without them: as they are, however they are percent-encoded, within whatever is base64, as user and
    /// password are together, and all that as JSON or HTML has it.
    pub fn hush(&self, text: &str) -> String {
        let text = text.get(..text.floor_char_boundary(MOST)).unwrap_or(text);
        let mut hidden: Vec<Range<usize>> = Vec::new();
        let quotations = chain(Seen::new(text), QUOTED, quoted);
        for seen in quotations.flat_map(|seen| chain(seen, ENCODED, percent)) {
            for word in &self.0 {
                hidden.extend(seen.find(word.as_bytes()));
                for middle in middles(word) {
                    hidden.extend(seen.find(middle.as_bytes()).map(|found| widened(text, found)));
                }
            }
        }
        hidden.sort_by_key(|range| range.start);
        let (mut shown, mut end) = (String::new(), 0);
        for range in hidden {
            if range.start >= end {
                shown.push_str(text.get(end..range.start).unwrap_or_default());
                shown.push_str(INSTEAD);
            }
            end = end.max(range.end);
        }
        shown.push_str(text.get(end..).unwrap_or_default());
        shown
    }
}

/// A text's bytes as they are once decoded, each with where it stands in the text.
struct Seen {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

impl Seen {
    fn new(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            places: (0..text.len()).map(|at| at..at + 1).collect(),
        }
    }

    /// As it is once all of those escapes are read.
    fn decoded(&self, escape: Escape) -> Self {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some((rest, place)) = self.bytes.get(at..).zip(self.places.get(at)) {
            let Some(byte) = rest.first() else { break };
            if let Some((meant, length)) = escape(rest) {
                let end = self.places.get(at + length - 1).map_or(place.end, |last| last.end);
                places.extend(meant.iter().map(|_| place.start..end));
                bytes.extend(meant);
                at += length;
            } else {
                places.push(place.clone());
                bytes.push(*byte);
                at += 1;
            }
        }
        Self { bytes, places }
    }

    /// The same, where there is an escape: each is longer than what it stands for.
    fn further(&self, escape: Escape) -> Option<Self> {
        let decoded = self.decoded(escape);
        (decoded.bytes.len() < self.bytes.len()).then_some(decoded)
    }

    /// Where in the text it stands.
    fn find<'a>(&'a self, word: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
        let found = self.bytes.windows(word.len().max(1)).enumerate();
        found
            .filter(move |(_, window)| *window == word)
            .filter_map(|(at, window)| {
                let (first, last) = (self.places.get(at)?, self.places.get(at + window.len() - 1)?);
                Some(first.start..last.end)
            })
    }
}

/// What that which some bytes begin with stands for, and how long it is; `None` where it stands for itself.
type Escape = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

/// A text, and what it is when it is decoded once, twice, and so on, as long as there is something to decode.
fn chain(seen: Seen, times: usize, escape: Escape) -> impl Iterator<Item = Seen> {
    std::iter::successors(Some(seen), move |seen| seen.further(escape)).take(times + 1)
}

/// As in addresses.
fn percent(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let [b'%', high, low, ..] = text else { return None };
    let byte = number(&[*high, *low], 16).and_then(|number| u8::try_from(number).ok())?;
    Some((vec![byte], 3))
}

/// As in JSON and in HTML.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let utf8 = |number| Some(char::from_u32(number)?.to_string().into_bytes());
    match text {
        [b'\\', b'u', ..] => {
            let unit = |at: usize| number(text.get(at..at + 4)?, 16);
            let (high, is_pair) = (unit(2)?, text.get(6..8) == Some(b"\\u"));
            // What is beyond U+FFFF is a pair of surrogates, as in UTF-16.
            let low = unit(8).filter(|low| is_pair && (0xdc00..=0xdfff).contains(low));
            match low.filter(|_| (0xd800..=0xdbff).contains(&high)) {
                Some(low) => Some((utf8(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12)),
                None => Some((utf8(high)?, 6)),
            }
        }
        [b'\\', sign @ (b'"' | b'\\' | b'/'), ..] => Some((vec![*sign], 2)),
        [b'&', rest @ ..] => {
            // No entity that is meant here is longer.
            let length = rest.iter().take(8).position(|byte| *byte == b';')?;
            let meant = match rest.get(..length)? {
                b"amp" => b"&".to_vec(),
                b"lt" => b"<".to_vec(),
                b"gt" => b">".to_vec(),
                b"quot" => b"\"".to_vec(),
                b"apos" => b"'".to_vec(),
                [b'#', b'x' | b'X', digits @ ..] => utf8(number(digits, 16)?)?,
                [b'#', digits @ ..] => utf8(number(digits, 10)?)?,
                _ => return None,
            };
            Some((meant, length + 2))
        }
        _ => None,
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let are_digits = digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix).ok().filter(|_| are_digits)
}

fn decoded(part: &str) -> String {
    String::from_utf8_lossy(&Seen::new(part).decoded(percent).bytes).into_owned()
}

/// What base64 makes of a word, whatever stands before and behind it: the digits that it alone decides.
fn middles(word: &str) -> impl Iterator<Item = String> {
    let of = |before: usize, encode: &dyn Fn(&[u8]) -> String| {
        let digits = encode(&[vec![0; before], word.as_bytes().to_vec()].concat());
        let (first, last) = ((before * 8).div_ceil(6), (before + word.len()) * 8 / 6);
        digits.get(first..last).unwrap_or_default().to_owned()
    };
    let alignments = (0..3).flat_map(move |before| {
        [
            of(before, &|bytes| STANDARD_NO_PAD.encode(bytes)),
            of(before, &|bytes| URL_SAFE_NO_PAD.encode(bytes)),
        ]
    });
    alignments
        .filter(|middle| !middle.is_empty())
        .collect::<Vec<_>>()
        .into_iter()
}

/// The whole of the base64 in which those digits stand.
fn widened(text: &str, found: Range<usize>) -> Range<usize> {
    let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=' | '%');
    let before = text.get(..found.start).unwrap_or_default();
    let behind = text.get(found.end..).unwrap_or_default();
    let start = before.trim_end_matches(is_digit).len();
    let end = text.len() - behind.trim_start_matches(is_digit).len();
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(words: &[&str]) -> Kept {
        let mut kept = Kept::default();
        words.iter().for_each(|word| kept.word(word));
        kept
    }

    #[test]
    fn what_a_receiver_quotes_of_our_secrets_is_not_told() {
        let said = "no robot with access_token=s3cr3t-t0ken at /robot/send";
        let told = kept(&["s3cr3t-t0ken", "send"]).hush(said);
        assert_eq!(told, "no robot with access_token=(not shown) at /robot/send");
        assert_eq!(kept(&[]).hush("größer"), "größer");
        assert_eq!(kept(&["größer"]).hush("nicht größer."), "nicht (not shown).");
    }

    #[test]
    fn no_form_of_a_secret_is_told() {
        let encode = |bytes: &str| base64::engine::general_purpose::STANDARD.encode(bytes);
        let kept = kept(&["a+b/c=d?e&f~CANARY"]);
        for said in [
            "a+b/c=d?e&f~CANARY".to_owned(),
            "a%2Bb%2Fc%3Dd%3Fe%26f%7ECANARY".to_owned(),
            "a%2bb/c=d%3fe&f~CANARY".to_owned(),
            "a%252Bb%252Fc%253Dd%253Fe%2526f%257ECANARY".to_owned(),
            encode("a+b/c=d?e&f~CANARY"),
            encode("user:a+b/c=d?e&f~CANARY"),
            encode("\0u\0a+b/c=d?e&f~CANARY"),
            encode("us:a+b/c=d?e&f~CANARY and more")
                .replace('+', "-")
                .replace('/', "_"),
            encode("u:a+b/c=d?e&f~CANARY").replace('=', "%3D"),
        ] {
            for (before, behind) in [("", ""), ("who is '", "'?"), ("%", "%2"), ("%zz ", "")] {
                let told = kept.hush(&format!("{before}{said}{behind}"));
                assert!(told.contains(INSTEAD) && !told.contains("CANARY"), "{told}");
                assert!(said.get(4..9).is_none_or(|part| !told.contains(part)), "{told}");
            }
        }
    }

    #[test]
    fn no_form_that_json_or_html_gives_a_secret_is_told() {
        let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
        let html = |text: &str| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            text.replace('"', "&quot;").replace('\'', "&#39;")
        };
        let secret = "a\"b\\c&d<e>/'CANARY";
        let kept = kept(&[secret]);
        for said in [
            json(secret),
            html(secret),
            json(&json(secret)),
            json(&html(secret)),
            json(secret).replace('/', "\\/"),
            // As Go writes it.
            json(secret)
                .replace('&', "\\u0026")
                .replace('<', "\\u003c")
                .replace('>', "\\u003E"),
            html(secret).replace("&quot;", "&#34;").replace("&#39;", "&#x27;"),
            json("a%22b%5Cc&d<e>/'CANARY"),
        ] {
            for (before, behind) in [("", ""), ("{\"msg\":\"no \\\"", "\\\" here\"}"), ("&amp", "&x;")] {
                let told = kept.hush(&format!("{before}{said}{behind}"));
                assert_eq!(told, format!("{before}{INSTEAD}{behind}"), "{said}");
            }
        }
        assert_eq!(
            kept.hush("größer & 中 \\ &#xffffff; \\ud83d"),
            "größer & 中 \\ &#xffffff; \\ud83d"
        );
    }

    #[test]
    fn what_json_writes_as_two_surrogates_is_one_character() {
        let kept = kept(&["pa😀ss-𝄞-word"]);
        let said = "pa\\ud83d\\uDE00ss-\\ud834\\udd1e-word";
        for said in [
            said.to_owned(),
            said.replace('\\', "\\\\"),
            "pa&#128512;ss-&#x1D11E;-word".to_owned(),
        ] {
            assert_eq!(
                kept.hush(&format!("{{\"msg\":\"{said}\"}}")),
                format!("{{\"msg\":\"{INSTEAD}\"}}")
            );
        }
        for alone in ["\\ud83d", "\\ude00\\ud83d", "\\ud83d\\u0041bc-defg", "\\ud83d\\ude0"] {
            assert_eq!(kept.hush(alone), alone);
        }
    }

    #[test]
    fn a_header_is_kept_without_its_scheme_too_and_an_address_in_its_parts() {
        let mut kept = Kept::default();
        kept.header("Token header-secret");
        kept.header(&format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode("ann:basic-secret")
        ));
        kept.url(
            &"https://ann:pa%2Bss%2Fword@h/path-secret%2B1/x?a=query%2Bsecret+too&flag-secret"
                .parse()
                .unwrap(),
        );
        for said in [
            "header-secret",
            "basic-secret",
            "pa+ss/word",
            "pa%2Bss/word",
            "path-secret+1",
            "query%2Bsecret%20too",
            "query+secret+too",
            "query+secret too",
            "flag-secret",
        ] {
            assert_eq!(kept.hush(said), INSTEAD, "{said}");
        }
        assert_eq!(kept.hush("the token is unknown"), "the token is unknown");
    }
}
