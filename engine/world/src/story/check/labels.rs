//! The rules of labels: those of Kubernetes, so that no story has what no API server takes.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Checker;

/// What Flink itself puts on its Deployments.
const FLINKS: [&str; 3] = ["app", "component", "type"];

impl Checker<'_> {
    pub(super) fn labels(&mut self, span: &Range<usize>, labels: &BTreeMap<String, String>) {
        for (name, value) in labels {
            self.check(span, is_name(name), || {
                format!(
                    "`{name}` is no name of a label; write at most 63 letters, digits, `-`, `_` and `.`, with a letter or a digit \
                     at both ends, perhaps behind a domain and a slash, such as \"team\" or \"example.com/team\""
                )
            });
            self.check(span, value.is_empty() || is_segment(value), || {
                format!(
                    "`{value}` is no value of a label; write at most 63 letters, digits, `-`, `_` and `.`, with a letter or a digit \
                     at both ends, or nothing"
                )
            });
            self.check(span, !FLINKS.contains(&name.as_str()), || {
                format!("`{name}` is a label of Flink's own; `type_label = false` takes `type` away")
            });
        }
    }
}

/// `name` or `domain/name`.
fn is_name(text: &str) -> bool {
    match text.split_once('/') {
        None => is_segment(text),
        Some((domain, name)) => domain.len() <= 253 && domain.split('.').all(is_part_of_domain) && is_segment(name),
    }
}

fn is_part_of_domain(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(known) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_segment(text: &str) -> bool {
    let at_ends = |c: char| c.is_ascii_alphanumeric();
    let within = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    text.len() <= 63 && text.starts_with(at_ends) && text.ends_with(at_ends) && text.bytes().all(within)
}
