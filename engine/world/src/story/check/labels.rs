//! The rules of labels: those of Kubernetes, so that no story has what no API server takes.

use std::collections::BTreeMap;
use std::ops::Range;

use steadfast_core::labels::{is_name, is_value};

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
            self.check(span, is_value(value), || {
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
