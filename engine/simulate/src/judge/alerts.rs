//! Whether the alerts that were raised are those that a verdict lists.

use std::fmt;

use steadfast_core::record::AlertScope;
use steadfast_world::story::{AlertName, Alerts, Expect, Moment, WantedAlert};

/// An alert, from when it was raised until it was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaisedAlert {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub scope: AlertScope,
    /// The record that raised it, as the story calls it.
    pub record: String,
    /// When.
    pub raised: Moment,
    /// When it was resolved; `None`: it stands at the end.
    pub resolved: Option<Moment>,
    /// What it said, for people.
    pub message: String,
}

impl fmt::Display for RaisedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) of {} at {}",
            self.name, self.scope, self.record, self.raised
        )?;
        match self.resolved {
            Some(at) => write!(f, ", resolved at {at}")?,
            None => f.write_str(", not resolved")?,
        }
        write!(f, ": {}", self.message)
    }
}

/// What is wrong with the alerts of a record at a look, if anything.
pub(super) fn wrong(expect: &Expect, standing: &[(String, AlertScope)]) -> Option<String> {
    let stands = |alert: &AlertName| standing.iter().any(|(name, scope)| alert.means(name, *scope));
    let stand = || {
        let all = standing.iter().map(|(name, scope)| format!("{name} ({scope})"));
        or_none(all.collect::<Vec<_>>().join(" and "))
    };
    if let Some(either) = expect.alert.iter().find(|either| !either.0.iter().any(stands)) {
        return Some(format!("lacks alert {either}, has {}", stand()));
    }
    let forbidden = expect.no_alert.iter().find(|alert| stands(alert))?;
    Some(format!(
        "has alert {forbidden}, though none such may stand: {}",
        stand()
    ))
}

/// What is wrong with the alerts that were raised, if anything: all of what a verdict lists, and nothing else.
pub(super) fn objections(wanted: &Alerts, raised: &[RaisedAlert]) -> Vec<String> {
    let told = || raised.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match wanted {
        Alerts::Count(count) if *count == raised.len() => Vec::new(),
        Alerts::Count(count) => vec![format!("{} alerts, not {count}: {}", raised.len(), told())],
        Alerts::Are(wanted) => {
            let matched = matched(wanted, raised);
            let unmatched = |place: &usize| !matched.iter().flatten().any(|taken| taken == place);
            let lacking = wanted.iter().zip(&matched).filter(|(_, taken)| taken.is_none());
            let lacking = lacking.map(|(alert, _)| format!("no alert {alert}; there were: {}", or_none(told())));
            let beyond = raised.iter().enumerate().filter(|(place, _)| unmatched(place));
            let beyond = beyond.map(|(_, alert)| format!("alert {alert}, which the verdict does not list"));
            lacking.chain(beyond).collect()
        }
    }
}

/// What is wrong if no more than so many were to be raised.
pub(super) fn beyond(most: usize, raised: &[RaisedAlert]) -> Option<String> {
    let told = || raised.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    (raised.len() > most).then(|| format!("{} alerts began, more than {most}: {}", raised.len(), told()))
}

fn or_none(told: String) -> String {
    if told.is_empty() { "none".to_owned() } else { told }
}

/// For each that is wanted the one that is it, so that as many as can be have one.
fn matched(wanted: &[WantedAlert], raised: &[RaisedAlert]) -> Vec<Option<usize>> {
    let mut taken_by: Vec<Option<usize>> = vec![None; raised.len()];
    for place in 0..wanted.len() {
        find(place, wanted, raised, &mut taken_by, &mut vec![false; raised.len()]);
    }
    let of = |place| taken_by.iter().position(|taken| *taken == Some(place));
    (0..wanted.len()).map(of).collect()
}

/// Finds one for that wanted alert, moving others to what fits them as well (augmenting paths in a bipartite graph).
fn find(
    place: usize,
    wanted: &[WantedAlert],
    raised: &[RaisedAlert],
    taken_by: &mut [Option<usize>],
    seen: &mut [bool],
) -> bool {
    let Some(alert) = wanted.get(place) else { return false };
    for (candidate, one) in raised.iter().enumerate() {
        let fits = alert.fits(&one.name, one.scope, &one.record, one.raised, one.resolved);
        let is_new = seen.get(candidate) == Some(&false);
        if !fits || !is_new {
            continue;
        }
        if let Some(seen) = seen.get_mut(candidate) {
            *seen = true;
        }
        let holder = taken_by.get(candidate).copied().flatten();
        if holder.is_none_or(|holder| find(holder, wanted, raised, taken_by, seen)) {
            if let Some(taken) = taken_by.get_mut(candidate) {
                *taken = Some(place);
            }
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(name: &str, record: &str, at: &str, resolved: Option<&str>) -> RaisedAlert {
        RaisedAlert {
            name: name.to_owned(),
            scope: AlertScope::Job,
            record: record.to_owned(),
            raised: Moment::parse(at).unwrap(),
            resolved: resolved.map(|at| Moment::parse(at).unwrap()),
            message: "so it is".to_owned(),
        }
    }

    /// As a story writes it, in JSON.
    fn wanted(text: &str) -> Alerts {
        serde_json::from_str(text).unwrap()
    }

    fn two() -> [RaisedAlert; 2] {
        [
            raised("JobFailed", "a", "40s", Some("90s")),
            raised("JobFailed", "b", "50s", None),
        ]
    }

    #[test]
    fn more_alerts_than_may_begin_are_named() {
        assert_eq!(beyond(2, &two()), None);
        let objection = beyond(1, &two()).unwrap();
        assert!(
            objection.starts_with("2 alerts began, more than 1: JobFailed (job) of a at 40.0s"),
            "{objection}"
        );
    }

    #[test]
    fn each_alert_of_the_list_is_one_that_was_raised_and_the_other_way_round() {
        for good in [
            "2",
            "[\"JobFailed\", \"JobFailed\"]",
            "[\"*\", { \"name\": \"JobFailed\", \"target\": \"a\", \"raised\": [\"35s\", \"45s\"], \"resolved\": \"90s\" }]",
            // The first fits both; it leaves `a` to the second, which fits no other.
            "[{ \"name\": \"job:JobFailed\" }, { \"name\": \"JobFailed\", \"target\": \"a\" }]",
            "[{ \"name\": \"JobFailed\", \"resolved\": false }, { \"name\": \"JobFailed\", \"resolved\": true }]",
        ] {
            assert_eq!(objections(&wanted(good), &two()), [""; 0], "{good}");
        }
        for (bad, said) in [
            (
                "1",
                "2 alerts, not 1: JobFailed (job) of a at 40.0s, resolved at 90.0s: so it is; JobFailed",
            ),
            ("[\"JobFailed\"]", "which the verdict does not list"),
            (
                "[\"JobFailed\", \"JobLost\"]",
                "no alert JobLost; there were: JobFailed (job) of a",
            ),
            (
                "[\"*\", { \"name\": \"JobFailed\", \"target\": \"a\", \"raised\": \"30s\" }]",
                "no alert JobFailed of a raised from 0.0s to 30.0s",
            ),
            (
                "[\"*\", { \"name\": \"JobFailed\", \"target\": \"b\", \"resolved\": \"100s\" }]",
                "no alert JobFailed of b resolved from",
            ),
        ] {
            let objections = objections(&wanted(bad), &two());
            assert!(objections.iter().any(|one| one.contains(said)), "{bad}: {objections:?}");
        }
        assert_eq!(objections(&wanted("[]"), &[]), [""; 0]);
        assert!(objections(&wanted("[\"A\"]"), &[])[0].ends_with("there were: none"));
    }
}
