//! What a decision showed, beside its snapshot.
//!
//! Recordings of builds that did not keep it lack the whole, and an earlier build passes it over; so its words are its own. A
//! source of look-ups that a later build names is passed over as well, instead of the whole recording.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use steadfast_core::decision::LookupSource;
use steadfast_core::{record, shown};

use super::state::{Attention, ConditionType, Confidence, State};
use crate::format::shape::{Shape, object, words};

object!(Shown of shown::Shown {
    "state": State = state,
    "attempt": u32 = attempt,
    "confidence": Confidence = confidence,
    "reason": String = reason,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    "conditions": Vec<ConditionType> = conditions,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    "alerts": Vec<Alert> = alerts,
    "attention": Attention = attention,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    "looks": Option<Looks> = looks,
});

object!(Alert of shown::ShownAlert {
    "name": String = name,
    "scope": Scope = scope,
});

words!(Scope of record::AlertScope {
    "job" = Job,
    "cluster" = Cluster,
    "policy" = Policy,
});

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Looks {
    #[serde(rename = "pollAfter")]
    poll_after: Duration,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wanted: Vec<String>,
}

impl Shape for Looks {
    type Core = shown::Looks;

    fn of(core: &shown::Looks) -> Self {
        let shown::Looks { poll_after, wanted } = core;
        Self {
            poll_after: *poll_after,
            wanted: wanted.iter().map(|source| source.as_str().to_owned()).collect(),
        }
    }

    fn into_core(self) -> shown::Looks {
        let named = |word: &String| LookupSource::ALL.iter().find(|source| source.as_str() == word).copied();
        shown::Looks {
            poll_after: self.poll_after,
            wanted: self.wanted.iter().filter_map(named).collect(),
        }
    }
}
