//! What fires.

use std::collections::{BTreeMap, BTreeSet};

use steadfast_core::cluster_alerts::rests_on_no_job;
use steadfast_core::id::TargetId;
use steadfast_core::projection::Projection;
use steadfast_core::record::AlertScope;

use super::super::render::Context;
use super::super::selection::Selection;
use super::identity::{About, Identity, Said};
use super::{Ahead, Alerts};

impl Alerts {
    /// What fires: by the records, and by entries that are ahead of them.
    pub(super) fn firing(&self, context: Context<'_>) -> BTreeMap<Identity, Said> {
        let mut firing = self.standing(context.selection, context.records);
        for (identity, open) in &self.open {
            let Some(ahead) = open.ahead.as_ref().filter(|ahead| ahead.is_ahead_of(context.records)) else {
                continue;
            };
            match &ahead.said {
                Some(said) => drop(firing.insert(identity.clone(), said.clone())),
                None => drop(firing.remove(identity)),
            }
        }
        firing
    }

    /// What fires, by the records.
    fn standing(&self, selection: &Selection, records: &Projection) -> BTreeMap<Identity, Said> {
        let mut standing: BTreeMap<Identity, Said> = BTreeMap::new();
        let mut clusters: BTreeMap<Identity, BTreeSet<TargetId>> = BTreeMap::new();
        let silenced = records.silenced();
        for view in records.page(None, usize::MAX, |view| !view.record.alerts.is_empty()) {
            let record = &*view.record;
            for alert in &record.alerts {
                let target = &record.key.target;
                let is_silenced = silenced.has(record, alert.scope, &alert.name);
                if is_silenced || !selection.covers(alert.scope, target, Some(&record.labels)) {
                    continue;
                }
                let identity = Identity::in_record(record, &alert.name, alert.scope);
                if alert.scope == AlertScope::Cluster {
                    clusters.entry(identity.clone()).or_default().insert(target.clone());
                }
                let said = || Said {
                    since: alert.since,
                    message: alert.message.clone(),
                };
                let first = standing.entry(identity).or_insert_with(said);
                if alert.since < first.since {
                    *first = said();
                }
            }
        }
        standing.retain(|identity, _| match &identity.about {
            About::Job(_) | About::Policy(_) => true,
            About::Cluster(cluster) => {
                rests_on_no_job(&identity.name)
                    || self.clusters.contains(&(identity.name.clone(), cluster.clone()))
                    || clusters.get(identity).is_some_and(|flinks| flinks.len() > 1)
            }
        });
        standing
    }
}

impl Ahead {
    /// Whether the records do not show yet what the entry says. Where its job has no record any more, it was forgotten since: no
    /// record begins with an alert.
    fn is_ahead_of(&self, records: &Projection) -> bool {
        let Some(view) = records.get(&self.key) else {
            return false;
        };
        let shown = view.record.revision;
        match self.said {
            Some(_) => shown < self.revision,
            // One that is forgotten ends with the revision that it had.
            None => shown <= self.revision,
        }
    }
}
