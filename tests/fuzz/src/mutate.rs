//! Changes an input where its grammar has joints: members and values of JSON, lines, numbers, words.
//!
//! libFuzzer changes bytes, and most of what it makes of a JSON document is none. Half of its mutations are made here instead.

mod json;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Numbers at the ends of what somebody counts with.
const NUMBERS: [&str; 18] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "253402207200000",
    "253402300800000",
    "-377705116800001",
    "1e308",
    "0.5",
];

/// Texts that something beyond a parser trips over.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "\u{1b}[2J",
    "\u{202e}",
    "\u{0}",
    "\n",
    "\r\n",
    "..",
    "/",
    "%2F",
    "ä\u{300}ß€😀",
    "\u{feff}",
    "9999-12-31T23:59:59.999Z",
    "-009999-01-01T00:00:00Z",
];

/// A changed input of at most `most` bytes. The same seed changes the same input the same way.
pub fn mutate(input: &[u8], words: &[&str], most: usize, seed: u64) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut changed = input.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        changed = match rng.random_range(0..8) {
            0..=3 => json::change(&changed, words, &mut rng).unwrap_or_else(|| change_line(&changed, &mut rng)),
            4 => change_line(&changed, &mut rng),
            5 => put_number(&changed, &mut rng),
            6 => put_word(&changed, words, &mut rng),
            _ => change_byte(&changed, &mut rng),
        };
    }
    changed.truncate(most);
    changed
}

/// One of them, or nothing if there is none.
fn one_of<'a>(all: &[&'a str], rng: &mut StdRng) -> &'a str {
    if all.is_empty() {
        return "";
    }
    all[rng.random_range(0..all.len())]
}

/// A word of the grammar, or a text that somebody trips over.
fn word<'a>(words: &[&'a str], rng: &mut StdRng) -> &'a str {
    if rng.random_bool(0.6) {
        one_of(words, rng)
    } else {
        one_of(&TEXTS, rng)
    }
}

/// Drops, doubles, moves or cuts a line.
fn change_line(input: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return b"\n".to_vec();
    }
    let (at, other) = (rng.random_range(0..lines.len()), rng.random_range(0..lines.len()));
    match rng.random_range(0..4) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(other, lines[at]),
        2 => lines.swap(at, other),
        _ => lines[at] = &lines[at][..rng.random_range(0..=lines[at].len())],
    }
    lines.concat()
}

/// Puts another number where one stands.
fn put_number(input: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let starts: Vec<usize> = (0..input.len())
        .filter(|at| input[*at].is_ascii_digit() && (*at == 0 || !input[*at - 1].is_ascii_digit()))
        .collect();
    if starts.is_empty() {
        return change_byte(input, rng);
    }
    let start = starts[rng.random_range(0..starts.len())];
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [
        &input[..start],
        one_of(&NUMBERS, rng).as_bytes(),
        &input[start + length..],
    ]
    .concat()
}

/// Puts a word in, or in the place of as many bytes.
fn put_word(input: &[u8], words: &[&str], rng: &mut StdRng) -> Vec<u8> {
    let word = word(words, rng).as_bytes();
    let at = rng.random_range(0..=input.len());
    let over = if rng.random_bool(0.5) {
        word.len().min(input.len() - at)
    } else {
        0
    };
    [&input[..at], word, &input[at + over..]].concat()
}

/// Changes, drops, puts in or repeats a byte.
fn change_byte(input: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut changed = input.to_vec();
    let at = rng.random_range(0..=changed.len());
    match rng.random_range(0..4) {
        0 if at < changed.len() => changed[at] ^= 1 << rng.random_range(0..8),
        1 if at < changed.len() => drop(changed.remove(at)),
        2 => {
            let repeated = vec![rng.random_range(0..=255); rng.random_range(1..2000)];
            drop(changed.splice(at..at, repeated));
        }
        _ => changed.insert(at, rng.random_range(0..=255)),
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_changes_an_input_the_same_way() {
        let input = br#"0{"jobs":[{"jid":"a","start-time":1}]}"#;
        let changed = |seed| mutate(input, &["RUNNING"], 4096, seed);
        assert_eq!(changed(7), changed(7));
        assert!((0..20).any(|seed| changed(seed) != changed(7)));
        assert!((0..200).all(|seed| mutate(input, &[], 10, seed).len() <= 10));
    }

    #[test]
    fn most_of_what_was_json_stays_json() {
        let input = br#"0{"jobs":[{"jid":"a","start-time":1,"tasks":{"total":1}},{"jid":"b","start-time":2}]}"#;
        let is_json = |seed: &u64| {
            let changed = mutate(input, &["RUNNING"], 4096, *seed);
            changed
                .get(1..)
                .is_some_and(|json| serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok())
        };
        let count = (0..1000).filter(is_json).count();
        assert!(count > 300, "{count} of 1000");
    }
}
