//! Reloading: the policies of the configuration as it is now, loaded beside the running ones, tried, and put in charge.
//!
//! What cannot be used is refused with the reason, and the running policies go on. The other sections of the file are
//! not reloaded: what has changed in them is named.

mod files;
mod follow;
mod restart;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use steadfast_core::error_chain::error_chain;
use steadfast_core::snapshot::Snapshot;
use steadfast_core::time::Clock;
use steadfast_crash_points::CrashPoint;
use steadfast_host::PolicyEngine;
use steadfast_modules::Module;
use steadfast_reconcile::{Control, PolicySetup, RequestError, tried};
use steadfast_server::{LastReload, ReloadError, ReloadResult, Reloaded, ReloadedPolicy};
use tokio_util::sync::CancellationToken;

use super::assemble::{LoadedPolicy, load};
use super::keeper::{Keeper, brief};
use super::locate::locate_in_config;
use super::modules::resolve_modules;
use super::particulars::Particulars;
use super::preparing::{Prepared, is_passing};
use crate::config::{Config, Policy};

#[cfg(feature = "author")]
pub(crate) use files::{Files, digest};
pub(super) use follow::{FileSnapshot, follow};

/// On about how many of the present snapshots policies are tried.
const TRIED: usize = 512;
/// Between two attempts of which the first failed for a reason that may pass lies `validate`, and at least this.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The one who knows which policies run, and from which file others come.
pub(crate) struct Reloader {
    /// `None` for an engine that was not started from a file.
    file: Option<PathBuf>,
    /// As it was started: what is not reloaded is in force as it stands there.
    started: Config,
    host: PolicyEngine,
    control: Control,
    clock: Arc<dyn Clock>,
    /// The policies that run. Whoever holds it reloads; others wait for their turn.
    running: tokio::sync::Mutex<Vec<Prepared>>,
    /// What people are told of those.
    particulars: Mutex<Vec<Particulars>>,
    keeper: Keeper,
    /// Cancelled when the engine stops.
    cancel: CancellationToken,
    /// Whether what the files ask for failed for a reason that may pass, and is tried again and again.
    tries_again: AtomicBool,
    last: Mutex<Option<LastReload>>,
    reloads: Family<[(&'static str, &'static str); 1], Counter>,
    /// 0 while what was refused last is what the files say.
    successful: Gauge,
}

/// The policies with which an engine was started.
pub(super) struct StartedWith {
    pub(super) host: PolicyEngine,
    pub(super) running: Vec<Prepared>,
    pub(super) keeper: Keeper,
    /// Whether one failed for a reason that may pass.
    pub(super) tries_again: bool,
}

impl Reloader {
    pub(super) fn new(
        file: Option<PathBuf>,
        started: Config,
        policies: StartedWith,
        control: Control,
        (clock, cancel): (Arc<dyn Clock>, CancellationToken),
        registry: &mut Registry,
    ) -> Self {
        let reloads = Family::default();
        registry.register(
            "steadfast_reloads",
            "Attempts to reload the policies, by result",
            reloads.clone(),
        );
        let successful = Gauge::default();
        successful.set(1);
        registry.register(
            "steadfast_last_reload_successful",
            "Whether the last attempt to reload the policies, if there was one, was not refused",
            successful.clone(),
        );
        Self {
            file,
            started,
            host: policies.host,
            control,
            clock,
            particulars: Mutex::new(policies.running.iter().map(Particulars::of).collect()),
            running: tokio::sync::Mutex::new(policies.running),
            keeper: policies.keeper,
            cancel,
            tries_again: AtomicBool::new(policies.tries_again),
            last: Mutex::new(None),
            reloads,
            successful,
        }
    }

    /// How the last attempt went.
    pub(super) fn last(&self) -> Option<LastReload> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What people are told of a policy that runs that module; `None` in the moment in which it takes over.
    pub(super) fn particulars(&self, name: &str, sha256: &str) -> Option<Particulars> {
        let particulars = self.particulars.lock().unwrap_or_else(PoisonError::into_inner);
        let mut particulars = particulars.iter();
        particulars.find(|of| of.name == name && of.sha256 == sha256).cloned()
    }

    /// Reads the file and its modules, and lets the policies decide if they can be used.
    pub(crate) async fn reload(&self) -> Result<Reloaded, ReloadError> {
        // Not an attempt: nothing was read, and nothing is reported of it.
        let file = self.file.as_deref().ok_or(ReloadError::NoFile)?;
        let mut running = self.running.lock().await;
        let outcome = self.attempt(file, &mut running).await;
        let may_pass = matches!(outcome, Err(ReloadError::Unavailable(_)));
        self.tries_again.store(may_pass, Ordering::Relaxed);
        self.report(&outcome);
        outcome
    }

    /// Whether the last attempt, or the start, failed for a reason that may pass.
    fn tries_again(&self) -> bool {
        self.tries_again.load(Ordering::Relaxed)
    }

    /// After how long.
    fn pause(&self) -> Duration {
        self.started.timing.validate.max(SHORTEST_PAUSE)
    }

    async fn attempt(&self, file: &Path, running: &mut Vec<Prepared>) -> Result<Reloaded, ReloadError> {
        let config = Config::load(file).map_err(|error| ReloadError::Refused(error_chain(&error)))?;
        let modules = resolve_modules(&config.policies, &config.registries).await;
        let modules = modules.map_err(|error| refusal(file, error.into()))?;
        CrashPoint::ReloadRead.reach();
        let snapshots = self.control.snapshots(TRIED).await.map_err(not_now)?;
        let (host, keeper) = (self.host.clone(), self.keeper.clone());
        let named: Vec<(Policy, Module)> = config.policies.iter().cloned().zip(modules).collect();
        let mut beside: Vec<PolicySetup> = running.iter().map(Prepared::another_setup).collect();
        let candidates = named.clone();
        // Compiling takes a moment, and so may a trial: neither is for a thread that others wait for.
        let prepared =
            tokio::task::spawn_blocking(move || try_all(&host, &keeper, &candidates, &mut beside, &snapshots));
        // A stop does not wait for either.
        let prepared = self.cancel.run_until_cancelled(prepared).await;
        let policies = prepared
            .ok_or_else(|| ReloadError::Unavailable("the engine is stopping".into()))?
            .map_err(|error| ReloadError::Unavailable(error.to_string()))?
            .map_err(|error| refusal(file, error))?;
        CrashPoint::ReloadTried.reach();
        let reloaded = Reloaded {
            reloaded: true,
            policies: policies.iter().map(|policy| compared(policy, running)).collect(),
            restart_needed: restart::needed(&self.started, &config),
        };
        let is_same = policies.len() == running.len() && policies.iter().zip(&*running).all(|(new, old)| old.is(new));
        if !is_same {
            let setups = policies.iter().map(LoadedPolicy::another_setup).collect();
            self.control.replace_policies(setups).await.map_err(not_now)?;
            CrashPoint::ReloadReplaced.reach();
            *running = policies.into_iter().map(Prepared::as_configured).collect();
            let particulars = running.iter().map(Particulars::of).collect();
            *self.particulars.lock().unwrap_or_else(PoisonError::into_inner) = particulars;
        }
        let keeper = self.keeper.clone();
        let keep = move || named.iter().for_each(|(policy, module)| keeper.keep(policy, module));
        // What cannot be kept is logged.
        drop(tokio::task::spawn_blocking(keep).await);
        CrashPoint::ReloadKept.reach();
        Ok(reloaded)
    }

    fn report(&self, outcome: &Result<Reloaded, ReloadError>) {
        let (result, message) = match outcome {
            Ok(reloaded) => {
                let message = summary(reloaded);
                tracing::info!("policies reloaded: {message}");
                if !reloaded.restart_needed.is_empty() {
                    tracing::warn!(
                        "changed in the configuration, and needs a restart: {}",
                        reloaded.restart_needed.join(", ")
                    );
                }
                (ReloadResult::Reloaded, message)
            }
            Err(error) => {
                tracing::error!("policies not reloaded, those of before go on: {error}");
                (ReloadResult::Refused, error.to_string())
            }
        };
        self.reloads.get_or_create(&[("result", result.as_str())]).inc();
        self.successful.set(outcome.is_ok().into());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastReload {
            at: self.clock.now().to_string(),
            result,
            message,
        });
    }
}

/// Compiles and configures all policies, and tries them beside those that run. What is refused is noted, for the next start.
fn try_all(
    host: &PolicyEngine,
    keeper: &Keeper,
    named: &[(Policy, Module)],
    beside: &mut [PolicySetup],
    snapshots: &[Snapshot],
) -> anyhow::Result<Vec<LoadedPolicy>> {
    let refused = |(policy, module): &(Policy, Module), error: &anyhow::Error| {
        if !is_passing(error) {
            keeper.refuse(policy, module, &brief(error));
        }
    };
    let load_one = |one: &(Policy, Module)| {
        let (policy, module) = one;
        let loaded = load(host, policy, module).map_err(anyhow::Error::new);
        loaded.inspect_err(|error| refused(one, error))
    };
    let policies: Vec<LoadedPolicy> = named.iter().map(load_one).collect::<Result<_, _>>()?;
    let mut candidates: Vec<PolicySetup> = policies.iter().map(LoadedPolicy::another_setup).collect();
    if let Err(failed) = tried(&mut candidates, beside, snapshots) {
        let at_fault = named.iter().find(|(policy, _)| policy.name == failed.policy.as_str());
        let error = anyhow::Error::new(failed);
        if let Some(one) = at_fault {
            refused(one, &error);
        }
        return Err(error);
    }
    Ok(policies)
}

/// Why the policies of the file cannot be used, with the place in the file if the mistake is there.
fn refusal(file: &Path, error: anyhow::Error) -> ReloadError {
    if let Some(mistake) = locate_in_config(file, &error) {
        return ReloadError::Refused(error_chain(&mistake));
    }
    if is_passing(&error) {
        return ReloadError::Unavailable(error_chain(&*error));
    }
    ReloadError::Refused(error_chain(&*error))
}

fn compared(policy: &LoadedPolicy, running: &[Prepared]) -> ReloadedPolicy {
    ReloadedPolicy {
        name: policy.config.name.clone(),
        sha256: policy.module.digest().to_owned(),
        changed: !running.iter().any(|known| known.is(policy)),
    }
}

fn summary(reloaded: &Reloaded) -> String {
    let named = |changed| {
        let named = reloaded.policies.iter().filter(|policy| policy.changed == changed);
        named.map(|policy| policy.name.as_str()).collect::<Vec<_>>()
    };
    let (changed, same) = (named(true), named(false));
    match (changed.is_empty(), same.is_empty()) {
        (false, false) => format!("{} changed, {} as before", changed.join(", "), same.join(", ")),
        (false, true) => format!("{} changed", changed.join(", ")),
        (true, _) => format!("{} as before", same.join(", ")),
    }
}

fn not_now(error: RequestError) -> ReloadError {
    ReloadError::Unavailable(error_chain(&error))
}
