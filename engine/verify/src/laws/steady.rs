//! Alerts do not flap.

use std::collections::BTreeMap;

use super::{Beside, Break, Law, Shows};
use crate::lines::{Along, Course};
use crate::look::Look;

/// While only time passes an alert begins once.
pub(super) struct AlertsAreSteady;

/// So many alerts may begin of one piece of constant evidence.
const MOST: usize = 8;

impl Law for AlertsAreSteady {
    fn name(&self) -> &str {
        "alerts-are-steady"
    }

    fn says(&self) -> &str {
        "while only time passes, an alert that was resolved does not begin again, and no more than eight begin"
    }

    fn judge(&self, _: &Look, _: &mut u64) -> Result<(), Break> {
        Ok(())
    }

    fn along(&self, line: &Along<'_>) -> Result<(), Break> {
        if line.course != Course::Still {
            return Ok(());
        }
        let mut begun: BTreeMap<(&str, _), usize> = BTreeMap::new();
        for look in line.looks {
            for alert in &look.record().alerts {
                let name = (alert.name.as_str(), alert.scope);
                let stood = look
                    .before
                    .alerts
                    .iter()
                    .any(|other| (other.name.as_str(), other.scope) == name);
                if stood {
                    // One that stood before the line has begun before it.
                    begun.entry(name).or_insert(1);
                } else {
                    *begun.entry(name).or_default() += 1;
                }
            }
        }
        if let Some(((name, _), _)) = begun.iter().find(|(_, times)| **times > 1) {
            let why = format!("the alert {name} began again, and nothing had changed");
            return Err(Break::new(why, Shows::Beside(Beside::AlertsOnce)));
        }
        if begun.len() > MOST {
            let why = format!("{} alerts began while nothing changed", begun.len());
            return Err(Break::new(why, Shows::Beside(Beside::AlertsAtMost(MOST))));
        }
        Ok(())
    }
}
