//! What a shadow would show beside the state, next to what the record shows, and in what the two have differed.

use serde::{Deserialize, Serialize};
use steadfast_core::record::{self, JobRecord};
use steadfast_core::shadow::{Differing, ShadowState, ShadowView};
use steadfast_core::shown;
use utoipa::ToSchema;

use super::decision::LookupSource;
use super::record::{Alert, Condition};
use super::scalar::{Moment, Seconds};
use super::state::Attention;
use super::table::{Shows, words};

words!(
    /// In what two decisions can differ, the gravest first.
    Aspect of shown::Aspect {
        "state" = State,
        "attempt" = Attempt,
        "alerts" = Alerts,
        "conditions" = Conditions,
        "confidence" = Confidence,
        "reason" = Reason,
        "pace" = Pace,
        "lookups" = Lookups,
    }
);

/// All that is compared beside state, attempt, confidence and reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::Compared)]
pub struct Compared {
    /// In what the two have differed so far, the gravest first.
    pub differences: Vec<Difference>,
    /// What the record shows beside the state.
    pub decided: Beside,
    /// What it would show if the shadow decided. Nobody is told of these alerts.
    pub shadow: Beside,
}

/// How the two have differed in one aspect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = explain::Difference)]
pub struct Difference {
    /// In what.
    pub aspect: Aspect,
    /// Since when without a break; null: they agree in it now.
    #[schema(required)]
    pub since: Option<Moment>,
    /// In how many of the comparisons.
    pub times: u64,
}

/// What stands beside a state, and what is asked next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = explain::Beside)]
pub struct Beside {
    /// The alerts that stand.
    pub alerts: Vec<Alert>,
    /// The conditions that stand.
    pub conditions: Vec<Condition>,
    /// Whether the watch polls.
    pub attention: Attention,
    /// How long until Flink is asked again, in seconds; null after a decision that failed.
    #[schema(required)]
    pub poll_after_seconds: Option<Seconds>,
    /// How long until it is judged again, whatever polls see, in seconds; null after a decision that failed.
    #[serde(default)]
    pub validate_after_seconds: Option<Seconds>,
    /// Evidence that the decision wants.
    pub wanted: Vec<LookupSource>,
    /// What of it is asked for: what there was will not do.
    #[serde(default)]
    pub asked: Vec<LookupSource>,
}

impl From<&ShadowView> for Compared {
    fn from(view: &ShadowView) -> Self {
        let JobRecord { alerts, conditions, .. } = &*view.decided;
        let ShadowState {
            shows,
            conditions: shadow_conditions,
            alerts: shadow_alerts,
            ..
        } = &view.shown;
        Self {
            differences: view.differences.iter().map(Difference::of).collect(),
            decided: Beside::of(alerts, conditions, &view.beside),
            shadow: Beside::of(shadow_alerts, shadow_conditions, shows),
        }
    }
}

impl Difference {
    fn of((aspect, differing): (&shown::Aspect, &Differing)) -> Self {
        let Differing { since, times } = differing;
        Self {
            aspect: Shows::of(aspect),
            since: Shows::of(since),
            times: *times,
        }
    }
}

impl Beside {
    fn of(alerts: &[record::StandingAlert], conditions: &[record::Condition], shown: &shown::Shown) -> Self {
        let looks = shown.looks.as_ref();
        let wanted = looks.iter().flat_map(|looks| &looks.wanted);
        let asked = looks.iter().flat_map(|looks| looks.asked.iter().flatten());
        Self {
            alerts: alerts.iter().map(Shows::of).collect(),
            conditions: conditions.iter().map(Shows::of).collect(),
            attention: Shows::of(&shown.attention),
            poll_after_seconds: looks.map(|looks| Shows::of(&looks.poll_after)),
            validate_after_seconds: looks
                .and_then(|looks| looks.validate_after)
                .map(|after| Shows::of(&after)),
            wanted: wanted.map(Shows::of).collect(),
            asked: asked.map(Shows::of).collect(),
        }
    }
}
