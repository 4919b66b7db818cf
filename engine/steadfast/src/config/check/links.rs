//! The entries that say which links a job has.

use std::collections::BTreeSet;

use steadfast_core::foreign_text::is_harmful;
use steadfast_server::LinkTemplate;

use super::{Checker, file};

/// How many there may be: each is in each job that is shown.
const MOST: usize = 32;
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

impl Checker<'_> {
    pub(super) fn links(&mut self, entries: &[file::Link]) -> Vec<LinkTemplate> {
        if let Some(first) = entries.get(MOST) {
            self.refuse(
                first.name.span(),
                format!("there are {} [[link]] entries, more than {MOST}", entries.len()),
                "remove some; each is shown with each job",
            );
        }
        let mut names = BTreeSet::new();
        entries
            .iter()
            .filter_map(|entry| {
                let name = entry.name.get_ref();
                if name.trim().is_empty() || name.chars().count() > LONGEST_NAME || name.contains(is_harmful) {
                    self.refuse(
                        entry.name.span(),
                        format!(
                            "link.name is empty, longer than {LONGEST_NAME} characters, or has a control character"
                        ),
                        "write what people are to read, such as \"Grafana\"",
                    );
                }
                if !names.insert(name) {
                    self.refuse(
                        entry.name.span(),
                        format!("two [[link]] entries are named `{name}`"),
                        "give each its own name",
                    );
                }
                let template = LinkTemplate::new(name, entry.url.get_ref(), entry.clusters.clone());
                template
                    .map_err(|error| self.refuse(entry.url.span(), format!("link.url {error}"), error.fix()))
                    .ok()
            })
            .collect()
    }
}
