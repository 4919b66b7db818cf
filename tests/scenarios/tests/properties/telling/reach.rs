//! The ways to the API servers and to the Flinks: what is wrong with them.

use super::Tale;
use super::cluster::Cluster;
use crate::properties::plot::{Key, Kind, Place, Setting, Where};

const LOCAL: &str = "local";
const EAST: &str = "east";

/// A credential that is renewed at some time.
pub struct Renewal {
    pub at: u64,
    of: Opens,
    /// What it is answered with until then. Where that changes before, the renewal is no news.
    refusal: &'static str,
}

#[derive(Clone, Copy)]
enum Opens {
    Kubernetes(&'static str),
    Flink(usize),
}

/// In which Kubernetes cluster a target is, and under whose name if not its own.
pub fn placed(setting: Setting, before: &[Cluster]) -> (&'static str, Option<String>) {
    let free = |local: &&Cluster| {
        local.place == LOCAL
            && local.in_kubernetes()
            && before
                .iter()
                .all(|other| other.deployment_name.as_ref() != Some(&local.name))
    };
    match setting.place {
        Place::East | Place::Twin if setting.kind == Kind::Standalone => (LOCAL, None),
        Place::Local => (LOCAL, None),
        Place::East => (EAST, None),
        Place::Twin => (EAST, before.iter().find(free).map(|twin| twin.name.clone())),
    }
}

impl Tale {
    /// The Kubernetes clusters that have targets, among those meant.
    fn meant(&self, place: Where) -> Vec<&'static str> {
        let named = match place {
            Where::Everywhere => [LOCAL, EAST].as_slice(),
            Where::Local => &[LOCAL],
            Where::East => &[EAST],
        };
        let has = |name: &&&str| {
            self.clusters
                .iter()
                .any(|one| one.in_kubernetes() && one.place == **name)
        };
        named.iter().filter(has).copied().collect()
    }

    /// Whether some of them are left out.
    fn is_narrow(&self, meant: &[&str]) -> bool {
        meant.len() < self.meant(Where::Everywhere).len()
    }

    pub fn kubernetes_is(&mut self, fault: &'static str, place: Where) {
        let meant = self.meant(place);
        let narrow = self.is_narrow(&meant);
        for cluster in &meant {
            self.kubernetes.insert(cluster, fault);
            if fault != "ok" {
                self.was_broken.insert(cluster);
            }
            if narrow {
                self.step(None, &format!("kubernetes = \"{fault}\"\ncluster = \"{cluster}\"\n"));
            }
        }
        if !meant.is_empty() && !narrow {
            self.step(None, &format!("kubernetes = \"{fault}\"\n"));
        }
    }

    pub fn ways_are(&mut self, fault: &'static str) {
        self.kubernetes_is(fault, Where::Everywhere);
        for place in 0..self.clusters.len() {
            self.flink_is(place, fault);
        }
    }

    pub fn flink_is(&mut self, place: usize, fault: &'static str) {
        let cluster = &mut self.clusters[place];
        cluster.way = fault;
        let flink = cluster.flink();
        self.step(Some(place), &format!("flink = \"{flink}\"\n"));
    }

    /// A credential is refused for a while.
    pub fn lapse(&mut self, place: usize, key: Key, lasts: u64) {
        let at = self.now + lasts;
        let (opens, refusal): (Vec<Opens>, _) = match key {
            Key::Kubernetes(place) => {
                let meant = self.meant(place);
                self.kubernetes_is("401", place);
                (meant.into_iter().map(Opens::Kubernetes).collect(), "401")
            }
            Key::Flink(refusal) => {
                self.flink_is(place, refusal);
                (vec![Opens::Flink(place)], refusal)
            }
            Key::Flinks(refusal) => {
                (0..self.clusters.len()).for_each(|place| self.flink_is(place, refusal));
                ((0..self.clusters.len()).map(Opens::Flink).collect(), refusal)
            }
        };
        self.renewals
            .extend(opens.into_iter().map(|of| Renewal { at, of, refusal }));
        self.renewals.sort_by_key(|renewal| renewal.at);
    }

    /// Lets all credentials be renewed whose time has come.
    pub fn renew(&mut self, until: u64) {
        while self.renewals.first().is_some_and(|renewal| renewal.at <= until) {
            let Renewal { at, of, refusal } = self.renewals.remove(0);
            self.now = self.now.max(at);
            match of {
                Opens::Kubernetes(cluster) if self.kubernetes.get(cluster) == Some(&refusal) => {
                    self.kubernetes_is("ok", if cluster == EAST { Where::East } else { Where::Local });
                }
                Opens::Flink(place) if self.clusters[place].way == refusal => self.flink_is(place, "ok"),
                Opens::Kubernetes(_) | Opens::Flink(_) => {}
            }
        }
    }
}
