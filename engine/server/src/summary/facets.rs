//! Which values the filters may be given, and how many jobs each of them would leave.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde::Serialize;
use steadfast_core::projection::JobView;
use utoipa::ToSchema;

/// How many values of a facet are named.
const NAMED: usize = 200;

/// The values of each filter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facets {
    cluster: Facet,
    namespace: Facet,
    state: Facet,
    confidence: Facet,
    mode: Facet,
    policy: Facet,
    condition: Facet,
    alert: Facet,
    /// `key=value`.
    label: Facet,
}

/// The values of a filter, those that most jobs have first, then in the order of the alphabet.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Facet {
    /// At most 200 of them.
    items: Vec<FacetValue>,
    /// How many more values there are.
    #[schema(example = 0)]
    more: usize,
}

/// A value of a filter.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FacetValue {
    #[schema(example = "prod")]
    value: String,
    /// How many of the jobs have it.
    #[schema(example = 3)]
    count: u64,
}

/// Counts values.
#[derive(Debug, Default)]
struct Counts(HashMap<String, u64>);

impl Counts {
    fn add(&mut self, value: &str) {
        match self.0.get_mut(value) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(value.to_owned(), 1)),
        }
    }

    fn facet(self) -> Facet {
        let values = self.0.into_iter();
        let mut items: Vec<FacetValue> = values.map(|(value, count)| FacetValue { value, count }).collect();
        items.sort_unstable_by(|one, other| (other.count, &one.value).cmp(&(one.count, &other.value)));
        let more = items.len().saturating_sub(NAMED);
        items.truncate(NAMED);
        Facet { items, more }
    }
}

/// Counts the values of jobs.
#[derive(Debug, Default)]
pub(super) struct Tally {
    cluster: Counts,
    namespace: Counts,
    state: Counts,
    confidence: Counts,
    mode: Counts,
    policy: Counts,
    condition: Counts,
    alert: Counts,
    label: Counts,
    /// Where a label is written.
    text: String,
}

impl Tally {
    pub(super) fn add(&mut self, view: &JobView) {
        let record = &view.record;
        self.cluster.add(record.key.target.cluster.as_str());
        self.namespace.add(record.key.target.namespace.as_str());
        self.state.add(record.state.as_str());
        self.confidence.add(view.confidence().as_str());
        self.mode.add(record.mode.as_str());
        self.policy.add(record.policy.as_str());
        for condition in &record.conditions {
            self.condition.add(condition.kind.as_str());
        }
        for alert in &record.alerts {
            self.alert.add(&alert.name);
        }
        for (key, value) in record.labels.iter() {
            self.text.clear();
            if write!(self.text, "{key}={value}").is_ok() {
                self.label.add(&self.text);
            }
        }
    }

    pub(super) fn facets(self) -> Facets {
        Facets {
            cluster: self.cluster.facet(),
            namespace: self.namespace.facet(),
            state: self.state.facet(),
            confidence: self.confidence.facet(),
            mode: self.mode.facet(),
            policy: self.policy.facet(),
            condition: self.condition.facet(),
            alert: self.alert.facet(),
            label: self.label.facet(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_counted() {
        let mut counts = Counts::default();
        for number in 0..250 {
            counts.add(&format!("v{number:03}"));
        }
        counts.add("v249");
        let facet = counts.facet();
        let values: Vec<&str> = facet.items.iter().map(|item| item.value.as_str()).collect();
        assert_eq!((values.len(), facet.more), (200, 50));
        assert_eq!(values[..3], ["v249", "v000", "v001"]);
        assert_eq!(facet.items[0].count, 2);
    }
}
