//! Whether a written law could be broken at all: what nothing fits holds of every policy.

use std::sync::atomic::{AtomicBool, Ordering};

use super::words::{Any, Found, Recorded, Written};
use crate::laws::{Break, Law};
use crate::look::Look;

/// The most looks in a row that `within` may ask for: no line has more of one kind of evidence at the pace of polls.
const MOST_LOOKS: u32 = 64;

/// A written law that knows whether it has had a look to judge.
#[derive(Debug)]
pub(super) struct Tried {
    law: Written,
    /// Set by whichever thread comes first, and never taken back.
    was_tried: AtomicBool,
}

impl Tried {
    pub(super) fn new(law: Written) -> Self {
        Self {
            law,
            was_tried: AtomicBool::new(false),
        }
    }
}

impl Law for Tried {
    fn name(&self) -> &str {
        self.law.name()
    }

    fn says(&self) -> &str {
        self.law.says()
    }

    fn judge(&self, look: &Look, tracker: &mut u64) -> Result<(), Break> {
        let judged = self.law.judge(look, tracker);
        // The tracker is 0 where the evidence does not fit.
        let fits = *tracker >= u64::from(self.law.within.unwrap_or(1));
        let from = self.law.never.as_ref().and_then(|never| never.from.as_ref());
        if fits && from.is_none_or(|from| from.fits(&look.before.state)) && !self.was_tried() {
            self.was_tried.store(true, Ordering::Relaxed);
        }
        judged
    }

    fn was_tried(&self) -> bool {
        self.was_tried.load(Ordering::Relaxed)
    }

    fn alerts(&self) -> Vec<&str> {
        let lists = self
            .law
            .recorded()
            .flat_map(|recorded| [&recorded.alerts, &recorded.no_alerts]);
        let names = lists.flatten().flat_map(Any::each).map(String::as_str);
        names.filter(|name| *name != "any").collect()
    }
}

impl Written {
    fn recorded(&self) -> impl Iterator<Item = &Recorded> {
        [&self.never, &self.must].into_iter().flatten()
    }

    /// What makes it hold of every policy, or of none.
    pub(super) fn emptiness(&self) -> Option<&'static str> {
        if self.recorded().any(Recorded::has_an_empty_list) || self.condition.has_an_empty_list() {
            Some("has an empty list, which nothing fits; name a word in it, or leave the key out")
        } else if self.must.as_ref().is_some_and(Recorded::is_empty) {
            Some("has an empty `must`, which everything fits; say what the record must be like after the look")
        } else if self.never.as_ref().is_some_and(Recorded::is_empty) {
            Some("has an empty `never`, which every policy breaks; say what the record may not be like after the look")
        } else if self.recorded().any(Recorded::has_an_empty_name) {
            Some("has an alert without a name, which none has; write its name, or `any`")
        } else if self.recorded().any(Recorded::contradicts_itself) {
            Some(
                "wants what it also does not want, so that nothing fits; take it out of `no_alerts` or `no_conditions`",
            )
        } else if self.within.is_some_and(|within| within > MOST_LOOKS) {
            Some("has a `within` of more than 64 looks, and so many are not tried; write at most 64")
        } else {
            None
        }
    }
}

fn is_empty<T>(any: Option<&Any<T>>) -> bool {
    any.is_some_and(|any| any.each().len() == 0)
}

impl Recorded {
    fn has_an_empty_list(&self) -> bool {
        is_empty(self.from.as_ref())
            || is_empty(self.state.as_ref())
            || is_empty(self.confidence.as_ref())
            || is_empty(self.attention.as_ref())
            || is_empty(self.alerts.as_ref())
            || is_empty(self.no_alerts.as_ref())
            || is_empty(self.conditions.as_ref())
            || is_empty(self.no_conditions.as_ref())
    }

    fn has_an_empty_name(&self) -> bool {
        let names = [&self.alerts, &self.no_alerts].into_iter().flatten();
        names.flat_map(Any::each).any(|name| name.trim().is_empty())
    }

    /// Whether nothing can stand of what is to stand.
    fn contradicts_itself(&self) -> bool {
        let no_alert = |name: &String| {
            let unwanted = self.no_alerts.as_ref();
            unwanted.is_some_and(|any| any.fits(name) || any.each().any(|one| one == "any"))
        };
        let no_condition = |kind| self.no_conditions.as_ref().is_some_and(|any| any.fits(kind));
        let alerts = self.alerts.as_ref().is_some_and(|any| any.each().all(no_alert));
        alerts || self.conditions.as_ref().is_some_and(|any| any.each().all(no_condition))
    }

    /// Whether it says nothing of the record after the look.
    fn is_empty(&self) -> bool {
        let Self {
            from: _,
            state,
            confidence,
            attention,
            alerts,
            no_alerts,
            conditions,
            no_conditions,
        } = self;
        let of_state = state.is_none() && confidence.is_none() && attention.is_none();
        of_state && alerts.is_none() && no_alerts.is_none() && conditions.is_none() && no_conditions.is_none()
    }
}

impl Found {
    fn has_an_empty_list(&self) -> bool {
        is_empty(self.flink.as_ref())
            || is_empty(self.kubernetes.as_ref())
            || is_empty(self.deletion.as_ref())
            || is_empty(self.told.as_ref())
            || is_empty(self.intent.as_ref())
            || is_empty(self.fleet.as_ref())
    }
}
