//! How much a story may ask for: what has no end, or no room, is a mistake that is told before anything is made of it.

use std::ops::Range;

use super::super::file::File;
use super::super::{EngineStep, Moment, Resolved, Step, Within};
use super::{Alerts, Broken};

/// A year: no moment of a story lies further behind its beginning.
const LONGEST: Moment = Moment::from_millis(366 * 24 * 3_600_000);
/// A century: no clock of a host is further off.
const CLOCK_OFF: u64 = 36_525 * 24 * 3_600_000;
/// The most targets, counted ones each by itself, and the most jobs in the lists of one step.
const COUNTED: u64 = 10_000;
/// The most steps, each time that one comes again counted.
const STEPS: u64 = 100_000;

/// All that is too much.
pub(in crate::story) fn exceeded(file: &File) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut check = |span: &Range<usize>, good: bool, rule: &dyn Fn() -> String| {
        if !good {
            broken.push((span.clone(), rule()));
        }
    };
    let mut targets = 0_u64;
    for target in &file.targets {
        targets = targets.saturating_add(target.get_ref().count.map_or(1, u64::from));
        check(&target.span(), targets <= COUNTED, &|| {
            format!("a story has at most {COUNTED} targets, and until here it has {targets}; choose a smaller `count`")
        });
    }
    let mut steps = 0_u64;
    for step in &file.steps {
        let (span, step) = (step.span(), step.get_ref());
        let (at, every, until) = step.times();
        for (key, moment) in [("at", Some(at)), ("every", every), ("until", until)] {
            check(&span, moment.is_none_or(is_in_time), &|| too_late(key));
        }
        steps = steps.saturating_add(times(step));
        check(&span, steps <= STEPS, &|| {
            format!(
                "a story has at most {STEPS} steps, and until here it has {steps}; choose a longer `every` or a sooner `until`"
            )
        });
        let counted = step.jobs.iter().flatten().map(|job| job.count.map_or(1, u64::from));
        let jobs = counted.fold(0, u64::saturating_add);
        check(&span, jobs <= COUNTED, &|| {
            format!("a step lists at most {COUNTED} jobs, and this one {jobs}; choose a smaller `count`")
        });
        let stop = match step.engine {
            Some(EngineStep::StopFor(span)) => Some(span),
            Some(EngineStep::Kill | EngineStep::RemoveTarget) | None => None,
        };
        let is_span = |span: Moment| span >= Moment::default() && is_in_time(span);
        check(&span, stop.is_none_or(is_span), &|| too_late("the time of `stop-for`"));
        let off = step.host_clock.map_or(0, |ahead| ahead.as_millis().unsigned_abs());
        check(&span, off <= CLOCK_OFF, &|| {
            "`host_clock` is at most 36525d (a century) ahead or behind; choose a shorter time".to_owned()
        });
    }
    for expect in &file.expects {
        let (span, expect) = (expect.span(), expect.get_ref());
        for (key, moment) in [("from", expect.from), ("until", expect.until)] {
            check(&span, is_in_time(moment), &|| too_late(key));
        }
    }
    let span = file.id.span();
    let most = file.verdict.max_requests_per_poll;
    check(&span, most.is_none_or(|most| most.is_finite() && most >= 0.0), &|| {
        "verdict: `max_requests_per_poll` is a number, 0 or more; what is none would hold for any story".to_owned()
    });
    for within in listed(file) {
        check(&span, is_in_time(within.from) && is_in_time(within.until), &|| {
            too_late("verdict: a time in `alerts`")
        });
    }
    broken
}

fn is_in_time(moment: Moment) -> bool {
    moment <= LONGEST
}

fn too_late(key: &str) -> String {
    let key = if key.contains(' ') {
        key.to_owned()
    } else {
        format!("`{key}`")
    };
    format!("{key} is not between 0s and 366d, the longest that a story may take; choose a shorter time")
}

/// How often a step comes.
fn times(step: &Step) -> u64 {
    let (at, every, until) = step.times();
    let (Some(every), Some(until)) = (every, until) else {
        return 1;
    };
    let span = until.as_millis().saturating_sub(at.as_millis());
    // One that never comes again is another mistake.
    let again = span.checked_div(every.as_millis().max(1)).unwrap_or(0);
    u64::try_from(again).unwrap_or(0).saturating_add(1)
}

/// The spans of time in the verdict's list of alerts.
fn listed(file: &File) -> impl Iterator<Item = Within> + '_ {
    let alerts = match &file.verdict.alerts {
        Some(Alerts::Are(alerts)) => alerts.as_slice(),
        Some(Alerts::Count(_)) | None => &[],
    };
    alerts.iter().flat_map(|alert| {
        let resolved = match alert.resolved {
            Some(Resolved::Within(within)) => Some(within),
            Some(Resolved::AtTheEnd(_)) | None => None,
        };
        [alert.raised, resolved].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use crate::story::Story;

    /// What is wrong with a story of these lines behind its head.
    fn mistakes(target: &str, steps: &str) -> Vec<(usize, String)> {
        let text = format!(
            "id = \"bounds\"\ntitle = \"t\"\nsource = \"s\"\n{}\n[[target]]\nname = \"orders\"\n{target}\n\n[[step]]\nat = \"0s\"\n{steps}\n",
            if steps.contains("engine") {
                "needs = [\"restart\"]"
            } else {
                ""
            },
        );
        match Story::parse("bounds.toml", &text) {
            Ok(_) => Vec::new(),
            Err(error) => error.mistakes.into_iter().map(|one| (one.line, one.rule)).collect(),
        }
    }

    fn is_told(target: &str, steps: &str, said: &str) {
        let mistakes = mistakes(target, steps);
        assert!(
            mistakes.iter().any(|(_, rule)| rule.contains(said)),
            "{said}: {mistakes:?}"
        );
    }

    #[test]
    fn what_has_no_end_or_no_room_is_a_mistake() {
        for (target, steps, said) in [
            (
                "count = 4000000000",
                "",
                "at most 10000 targets, and until here it has 4000000000",
            ),
            (
                "",
                "jobs = [{ id = \"j\", count = 4000000000 }]",
                "at most 10000 jobs, and this one 4000000000",
            ),
            (
                "",
                "engine = \"stop-for:9223372036854775807ms\"",
                "the time of `stop-for` is not between 0s and 366d",
            ),
            ("", "engine = \"stop-for:-5s\"", "the time of `stop-for` is not between"),
            ("", "every = \"1ms\"\nuntil = \"300d\"", "at most 100000 steps"),
            (
                "",
                "every = \"1ms\"\nuntil = \"9223372036854775807ms\"",
                "`until` is not between",
            ),
            (
                "",
                "every = \"9223372036854775807ms\"\nuntil = \"1s\"",
                "`every` is not between",
            ),
            (
                "",
                "host_clock = \"-9223372036854775808ms\"",
                "at most 36525d (a century)",
            ),
            (
                "",
                "[[expect]]\nfrom = \"0s\"\nuntil = \"400d\"",
                "`until` is not between",
            ),
            (
                "",
                "[verdict]\nmax_requests_per_poll = nan",
                "`max_requests_per_poll` is a number",
            ),
            (
                "",
                "[verdict]\nmax_requests_per_poll = inf",
                "`max_requests_per_poll` is a number",
            ),
            (
                "",
                "[verdict]\nmax_requests_per_poll = -1.0",
                "`max_requests_per_poll` is a number",
            ),
        ] {
            is_told(target, steps, said);
        }
        let (line, _) = mistakes("count = 4000000000", "").remove(0);
        assert_eq!(line, 5);
    }

    #[test]
    fn what_a_story_may_ask_for_is_as_it_was() {
        assert_eq!(mistakes("count = 10000", "every = \"5s\"\nuntil = \"5d\""), []);
        assert_eq!(
            mistakes("", "every = \"1h\"\nuntil = \"300d\"\nhost_clock = \"-20000d\""),
            []
        );
    }
}
