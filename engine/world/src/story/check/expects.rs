//! The rules of a story's expectations.

use steadfast_core::state::JobState;
use toml::Spanned;

use super::Checker;
use crate::story::{AlertName, Expect};

impl Checker<'_> {
    pub(super) fn expects(&mut self) {
        let file = self.file;
        let never = &file.verdict.never;
        for (index, expect) in file.expects.iter().enumerate() {
            let (span, expect) = (expect.span(), expect.get_ref());
            let long_enough = expect.from.as_millis().saturating_add(5_000) <= expect.until.as_millis();
            self.check(&span, long_enough, || {
                "the span is shorter than a poll (5s): no look might fall into it".into()
            });
            self.check(&span, says_something(expect), || {
                "it expects nothing; name a state, a confidence, a condition, ...".into()
            });
            if let Some(name) = &expect.target {
                self.named(&span, name);
            }
            let allowed = expect.state.is_empty() || expect.state.iter().any(|state| !never.contains(state));
            self.check(&span, allowed, || {
                "all of its states are in the verdict's `never`".into()
            });
            let low_to_high = expect.attempt.len() < 3 && expect.attempt.is_sorted();
            self.check(&span, low_to_high, || {
                "an attempt is a number, or its lowest and highest".into()
            });
            for other in file.expects.iter().take(index).map(Spanned::get_ref) {
                self.check(&span, !contradicts(expect, other), || {
                    format!(
                        "it cannot hold together with what is expected from {} to {}",
                        other.from, other.until
                    )
                });
            }
        }
    }
}

fn says_something(expect: &Expect) -> bool {
    let Expect {
        from: _,
        until: _,
        target: _,
        state,
        confidence,
        condition,
        no_condition,
        alert,
        no_alert,
        reason,
        attempt,
        tracked,
    } = expect;
    !(state.is_empty()
        && confidence.is_empty()
        && condition.is_empty()
        && no_condition.is_empty()
        && alert.is_empty()
        && no_alert.is_empty()
        && reason.is_empty()
        && attempt.is_empty()
        && tracked.is_none())
}

/// Whether two expectations about the same records at one time cannot both hold.
fn contradicts(a: &Expect, b: &Expect) -> bool {
    let meet = a.from.max(b.from) < a.until.min(b.until) && a.target == b.target;
    let apart =
        |a: &[JobState], b: &[JobState]| !a.is_empty() && !b.is_empty() && !a.iter().any(|state| b.contains(state));
    let unsure =
        !a.confidence.is_empty() && !b.confidence.is_empty() && !a.confidence.iter().any(|c| b.confidence.contains(c));
    let forbids = |a: &Expect, b: &Expect| {
        a.condition
            .iter()
            .any(|either| either.0.iter().all(|one| b.no_condition.contains(one)))
    };
    let silences = |a: &Expect, b: &Expect| {
        let is_forbidden = |one: &AlertName| {
            b.no_alert
                .iter()
                .any(|forbidden| forbidden == one || forbidden.is_any())
        };
        a.alert.iter().any(|either| either.0.iter().all(is_forbidden))
    };
    let alert_apart = silences(a, b) || silences(b, a);
    meet && (apart(&a.state, &b.state) || unsure || forbids(a, b) || forbids(b, a) || alert_apart)
}
