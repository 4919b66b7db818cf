//! The policies of an engine that starts: whatever has become of one of them, the jobs of the others are watched.
//!
//! What a reload would refuse a start does not take either. A module that cannot be found, trusted, compiled or configured, that
//! was refused when it was last tried, or that fails at what is on record, is not run: the last good one is, and the records
//! say so. If there is none, the policy's jobs are stale and say why.

use std::time::Duration;

use steadfast_core::board::Board;
use steadfast_core::id::{JobKey, PolicyName, TargetId};
use steadfast_core::observe::{Context, observe};
use steadfast_core::record::{JobRecord, Origin};
use steadfast_core::snapshot::Snapshot;
use steadfast_core::state::Mode;
use steadfast_core::time::Timestamp;
use steadfast_core::timing::Timing;
use steadfast_host::{LoadError, PolicyEngine};
use steadfast_modules::{Kept, Module};
use steadfast_reconcile::{Identity, PolicySetup, Role, Standing, tried};
use tokio::task::spawn_blocking;

use super::assemble::{LoadedPolicy, load};
use super::keeper::{Keeper, brief, is_kept};
use super::modules::{RefusedModule, resolve_each};
use crate::config::{Config, Policy};

/// On how many records at most each new module is tried.
const TRIED: usize = 64;

/// A policy as it runs.
pub(super) struct Prepared {
    /// Its entry in the configuration.
    pub(super) entry: Policy,
    /// What decides for it; `None`: nothing can.
    pub(super) loaded: Option<LoadedPolicy>,
    /// Whether that is what the entry asks for.
    pub(super) standing: Standing,
}

impl Prepared {
    /// One that is as its entry asks for.
    pub(super) fn as_configured(loaded: LoadedPolicy) -> Self {
        Self {
            entry: loaded.config.clone(),
            loaded: Some(loaded),
            standing: Standing::AsConfigured,
        }
    }

    /// As the engine takes it, beside others.
    pub(super) fn another_setup(&self) -> PolicySetup {
        match &self.loaded {
            Some(loaded) => PolicySetup {
                standing: self.standing.clone(),
                ..loaded.another_setup()
            },
            None => unusable(&self.entry, &self.standing),
        }
    }

    /// Whether it is what would run of that policy.
    pub(super) fn is(&self, other: &LoadedPolicy) -> bool {
        self.standing == Standing::AsConfigured && self.loaded.as_ref().is_some_and(|loaded| loaded.is(other))
    }
}

fn unusable(entry: &Policy, standing: &Standing) -> PolicySetup {
    let why = match standing {
        Standing::AsConfigured => String::new(),
        Standing::Outdated(why) | Standing::Unusable(why) => why.clone(),
    };
    PolicySetup {
        select: entry.select.clone(),
        rollout: entry.rollout,
        role: role(entry),
        identity: Identity {
            module: entry.module.to_string(),
            params: entry.params.clone(),
            ..Identity::default()
        },
        ..PolicySetup::unusable(&entry.name, why)
    }
}

fn role(entry: &Policy) -> Role {
    if entry.shadow { Role::Shadow } else { Role::Decides }
}

/// What there is to choose from for each policy.
pub(super) struct Choices {
    keeper: Keeper,
    all: Vec<Choice>,
}

struct Choice {
    entry: Policy,
    /// What its entry asks for.
    own: anyhow::Result<(LoadedPolicy, Module)>,
    /// The last good module, where it is another one.
    kept: Option<LoadedPolicy>,
}

impl Choices {
    /// Looks for all modules and compiles them, off the async threads.
    pub(super) async fn look(config: &Config, host: &PolicyEngine, keeper: &Keeper) -> anyhow::Result<Self> {
        let found = resolve_each(&config.policies, &config.registries).await;
        let (host, entries, keeper) = (host.clone(), config.policies.clone(), keeper.clone());
        let chosen = spawn_blocking(move || {
            let choose = |(entry, found)| Choice::of(entry, found, &host, &keeper);
            let all = entries.into_iter().zip(found).map(choose).collect();
            Self { keeper, all }
        });
        Ok(chosen.await?)
    }

    /// Fails with the first refusal if no policy that decides can be used, not even as it was.
    pub(super) fn with_a_decider(self) -> anyhow::Result<Self> {
        let has = |choice: &Choice| !choice.entry.shadow && (choice.own.is_ok() || choice.kept.is_some());
        if self.all.iter().any(has) {
            return Ok(self);
        }
        let mut refusals = self.all.into_iter().filter_map(|choice| choice.own.err());
        Err(refusals
            .next()
            .unwrap_or_else(|| anyhow::anyhow!("there is no policy that decides")))
    }

    /// Whether trying again later may help, with nothing changed.
    pub(super) fn are_looked_for_again(&self) -> bool {
        self.all.iter().any(|choice| choice.own.as_ref().is_err_and(is_passing))
    }

    /// Whether there is a new module that has another to fall back to.
    pub(super) fn have_to_be_tried(&self) -> bool {
        self.all.iter().any(Choice::has_to_be_tried)
    }

    /// Chooses, once new modules have judged what is on record as an engine shows it that has seen nothing yet.
    pub(super) async fn tried_on(
        self,
        records: Vec<JobRecord>,
        timing: Timing,
        now: Timestamp,
    ) -> anyhow::Result<Vec<Prepared>> {
        let chosen = spawn_blocking(move || {
            let entries: Vec<Policy> = self.all.iter().map(|choice| choice.entry.clone()).collect();
            let settle = |choice: Choice| {
                let snapshots = if choice.has_to_be_tried() {
                    snapshots(&choice.entry, &entries, &records, timing, now)
                } else {
                    Vec::new()
                };
                choice.settle(&snapshots, &self.keeper)
            };
            self.all.into_iter().map(settle).collect()
        });
        Ok(chosen.await?)
    }
}

impl Choice {
    fn of(entry: Policy, found: Result<Module, RefusedModule>, host: &PolicyEngine, keeper: &Keeper) -> Self {
        let kept = keeper.kept(&entry);
        let is_it = |module: &Module| kept.as_ref().is_some_and(|kept| is_kept(&entry, module, kept));
        let is_the_same = found.as_ref().is_ok_and(is_it);
        let own = found.map_err(anyhow::Error::new).and_then(|module| {
            if kept.is_some()
                && !is_the_same
                && let Some(why) = keeper.refusal(&entry, module.provenance.sha256)
            {
                anyhow::bail!("it was refused when it was last tried: {why}");
            }
            Ok((load(host, &entry, &module)?, module))
        });
        let kept = kept.filter(|_| !is_the_same);
        Self {
            kept: kept.and_then(|kept| load_kept(host, &entry, kept)),
            own,
            entry,
        }
    }

    fn has_to_be_tried(&self) -> bool {
        self.own.is_ok() && self.kept.is_some()
    }

    fn settle(self, snapshots: &[Snapshot], keeper: &Keeper) -> Prepared {
        let Self { entry, own, kept } = self;
        let own = own.and_then(|(own, module)| match &kept {
            Some(kept) => {
                let tried = tried(&mut [own.another_setup()], &mut [kept.another_setup()], snapshots);
                let tried = tried.map_err(anyhow::Error::new);
                tried.inspect_err(|error| keeper.refuse(&entry, &module, &brief(error)))?;
                Ok((own, module))
            }
            None => Ok((own, module)),
        });
        match (own, kept) {
            (Ok((own, module)), _) => {
                keeper.keep(&entry, &module);
                Prepared::as_configured(own)
            }
            (Err(error), Some(kept)) => {
                let why = brief(&error);
                tracing::error!(policy = %entry.name, sha256 = %kept.module.digest(), "a policy cannot be used as it is configured, and its last good module goes on: {why}");
                Prepared {
                    entry,
                    loaded: Some(kept),
                    standing: Standing::Outdated(why),
                }
            }
            (Err(error), None) => {
                let why = brief(&error);
                tracing::error!(policy = %entry.name, "a policy cannot be used, and none of its jobs is judged until it can: {why}");
                Prepared {
                    entry,
                    loaded: None,
                    standing: Standing::Unusable(why),
                }
            }
        }
    }
}

/// Whether trying again later may help a module that cannot be used, with nothing changed.
pub(super) fn is_passing(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<RefusedModule>();
    refused.is_some_and(|refused| refused.source.is_passing())
        || error.downcast_ref::<LoadError>().is_some_and(LoadError::is_passing)
}

/// The last good module, run as it was, for what the entry selects now.
fn load_kept(host: &PolicyEngine, entry: &Policy, kept: Kept) -> Option<LoadedPolicy> {
    let Kept { module, with } = kept;
    let as_it_was = Policy {
        module: module.provenance.reference.clone(),
        params: with.params,
        deadline: Duration::from_millis(with.deadline_millis),
        memory: with.memory_bytes,
        ..entry.clone()
    };
    load(host, &as_it_was, &module)
        .inspect_err(
            |error| tracing::warn!(policy = %entry.name, "the last good module of a policy cannot be used: {error}"),
        )
        .ok()
}

/// What the policy of that entry is tried on: records that it would decide, each shown as before the first look.
fn snapshots(
    entry: &Policy,
    entries: &[Policy],
    records: &[JobRecord],
    timing: Timing,
    now: Timestamp,
) -> Vec<Snapshot> {
    let selects = |entry: &Policy, target: &TargetId| entry.select.matches(target) && entry.rollout.covers(target);
    let decides = |target: &TargetId| {
        let mut deciders = entries.iter().filter(|entry| !entry.shadow);
        let decider = deciders.find(|entry| selects(entry, target));
        decider.is_some_and(|decider| decider.name == entry.name)
    };
    let is_its_own = |record: &&JobRecord| {
        let target = &record.key.target;
        if entry.shadow {
            selects(entry, target)
        } else {
            decides(target)
        }
    };
    let policy = PolicyName::new(&entry.name);
    let context = Context {
        timing,
        engine_since: now,
        ..Context::default()
    };
    let show = |record: &JobRecord| observe(record, &Board::default(), context, now);
    let own = records.iter().filter(is_its_own).take(TRIED);
    let mut shown: Vec<Snapshot> = own.map(|record| show(&record.handed_to(&policy))).collect();
    // Also where it has no job yet.
    let key = JobKey::application(TargetId::standalone("trial"));
    shown.push(show(&JobRecord::unseen(
        key,
        Mode::Standalone,
        Origin::Configured,
        policy,
        now,
    )));
    shown
}
