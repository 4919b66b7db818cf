//! A watch looks neither all the time nor hardly ever.

use std::time::Duration;

use steadfast_core::decision::Watch;
use steadfast_core::state::Attention;

use super::{Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;

/// How often a policy has Flink asked, and its job judged, is a load that others bear, and a delay that people see.
pub(super) struct PaceIsSane;

/// How many looks in a row tell a pace from a haste that passes.
const IN_A_ROW: usize = 3;
/// Faster than this share of the poll is no pace.
const SHARE: u32 = 4;
/// So many polls of an end is the slowest for a job that lives.
const SLOWEST: u32 = 5;

impl Law for PaceIsSane {
    fn name(&self) -> &str {
        "pace-is-sane"
    }

    fn says(&self) -> &str {
        "while nothing changes, polls and judgements are no closer than a quarter of a poll, and those of a job that has not ended \
         no further apart than five of `terminal_poll`"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        if line.course != Course::Still {
            return Ok(());
        }
        let lately: Vec<&Look> = line.looks.iter().rev().take(IN_A_ROW).collect();
        if lately.len() < IN_A_ROW {
            return Ok(());
        }
        let all = |test: &dyn Fn(&Look, &Watch) -> bool| {
            lately
                .iter()
                .all(|look| look.outcome.as_ref().is_ok_and(|decision| test(look, &decision.watch)))
        };
        let timing = |look: &Look| look.snapshot.timing;
        let hasty = |look: &Look, span: Duration| span < timing(look).poll / SHARE;
        let lives = |look: &Look| !look.record().state.is_terminal() && look.record().attention == Attention::Active;
        let why = if all(&|look, watch| hasty(look, watch.poll_after)) {
            "Flink is asked again and again at once"
        } else if all(&|look, watch| hasty(look, watch.validate_after)) {
            "the job is judged again and again at once"
        } else if all(&|look, watch| lives(look) && watch.poll_after > timing(look).terminal_poll * SLOWEST) {
            "a job that has not ended is hardly ever asked for"
        } else if all(&|look, watch| lives(look) && watch.validate_after > timing(look).terminal_poll * SLOWEST) {
            "a job that has not ended is hardly ever judged while no evidence comes"
        } else {
            return Ok(());
        };
        Err(Break::new(
            why,
            Shows::Nothing("a record does not show how often its job is looked at"),
        ))
    }
}
