//! A job on the command line.
//!
//! The id of a standalone job begins with a hyphen (`-/-/orders`), which the parser takes for an option. Were it told to take values
//! that look like options, every mistyped option would be a job. So such a word is written in another way before it is parsed, and
//! that is undone where a job is expected; where a path is, both ways lead to the same place.

use std::ffi::OsString;

/// The command line, with what begins as the id of a standalone job written so that it is no option.
pub(super) fn written_as_values(words: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    words.map(|word| match word.to_str() {
        Some(text) if text.starts_with("-/") => format!("./{text}").into(),
        Some(_) | None => word,
    })
}

/// A job as it was written.
pub(super) fn job(text: &str) -> Result<String, std::convert::Infallible> {
    let standalone = text.strip_prefix("./").filter(|rest| rest.starts_with("-/"));
    Ok(standalone.unwrap_or(text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_begins_with_a_hyphen_is_no_option_and_reads_back() {
        let words = ["status", "-/-/orders", "-o", "json", "-", "./a/b", "--"];
        let written: Vec<OsString> = written_as_values(words.iter().map(OsString::from)).collect();
        assert_eq!(written, ["status", "./-/-/orders", "-o", "json", "-", "./a/b", "--"]);
        for (written, read) in [
            ("./-/-/orders", "-/-/orders"),
            ("a/b/c", "a/b/c"),
            ("./orders", "./orders"),
        ] {
            assert_eq!(job(written).unwrap(), read);
        }
    }
}
