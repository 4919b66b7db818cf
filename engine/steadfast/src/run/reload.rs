//! Reloading: the policies of the configuration as it is now, loaded beside the running ones, tried, and put in charge.
//!
//! What cannot be used is refused with the reason, and the running policies go on. The other sections of the file are
//! not reloaded: what has changed in them is named.

mod files;
mod follow;
mod restart;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use steadfast_core::error_chain::error_chain;
use steadfast_core::time::Clock;
use steadfast_host::PolicyEngine;
use steadfast_reconcile::{Control, PolicySetup, RequestError, tried};
use steadfast_server::{LastReload, ReloadError, Reloaded, ReloadedPolicy};

use super::assemble::{LoadedPolicy, compile_into};
use super::locate::locate_in_config;
use super::modules::{RefusedModule, resolve_modules};
use crate::config::Config;

pub(super) use follow::{FileSnapshot, follow};

/// On about how many of the present snapshots policies are tried.
const TRIED: usize = 512;

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
    running: tokio::sync::Mutex<Vec<LoadedPolicy>>,
    last: Mutex<Option<LastReload>>,
    reloads: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Reloader {
    pub(super) fn new(
        file: Option<PathBuf>,
        started: Config,
        (host, running): (PolicyEngine, Vec<LoadedPolicy>),
        control: Control,
        clock: Arc<dyn Clock>,
        registry: &mut Registry,
    ) -> Self {
        let reloads = Family::default();
        registry.register(
            "steadfast_reloads",
            "Attempts to reload the policies, by result",
            reloads.clone(),
        );
        Self {
            file,
            started,
            host,
            control,
            clock,
            running: tokio::sync::Mutex::new(running),
            last: Mutex::new(None),
            reloads,
        }
    }

    /// How the last attempt went.
    pub(super) fn last(&self) -> Option<LastReload> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file and its modules, and lets the policies decide if they can be used.
    pub(crate) async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let mut running = self.running.lock().await;
        let outcome = self.attempt(&mut running).await;
        self.report(&outcome);
        outcome
    }

    async fn attempt(&self, running: &mut Vec<LoadedPolicy>) -> Result<Reloaded, ReloadError> {
        let file = self.file.as_deref().ok_or(ReloadError::NoFile)?;
        let config = Config::load(file).map_err(|error| ReloadError::Refused(error_chain(&error)))?;
        let modules = resolve_modules(&config.policies, &config.registries).await;
        let modules = modules.map_err(|error| refusal(file, error.into()))?;
        let snapshots = self.control.snapshots(TRIED).await.map_err(not_now)?;
        let (host, named) = (self.host.clone(), config.policies.clone());
        let mut beside: Vec<PolicySetup> = running.iter().map(LoadedPolicy::another_setup).collect();
        // Compiling takes a moment, and so may a trial: neither is for a thread that others wait for.
        let prepared = tokio::task::spawn_blocking(move || {
            let policies = compile_into(&host, &named, &modules)?;
            let mut candidates: Vec<PolicySetup> = policies.iter().map(LoadedPolicy::another_setup).collect();
            tried(&mut candidates, &mut beside, &snapshots)?;
            anyhow::Ok(policies)
        });
        let policies = prepared
            .await
            .map_err(|error| ReloadError::Unavailable(error.to_string()))?
            .map_err(|error| refusal(file, error))?;
        let reloaded = Reloaded {
            reloaded: true,
            policies: policies.iter().map(|policy| compared(policy, running)).collect(),
            restart_needed: restart::needed(&self.started, &config),
        };
        let is_same = policies.len() == running.len() && policies.iter().zip(&*running).all(|(new, old)| new.is(old));
        if !is_same {
            let setups = policies.iter().map(LoadedPolicy::another_setup).collect();
            self.control.replace_policies(setups).await.map_err(not_now)?;
            *running = policies;
        }
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
                ("reloaded", message)
            }
            Err(error) => {
                tracing::error!("policies not reloaded, those of before go on: {error}");
                ("refused", error.to_string())
            }
        };
        self.reloads.get_or_create(&[("result", result)]).inc();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastReload {
            at: self.clock.now().to_string(),
            result,
            message,
        });
    }
}

/// Why the policies of the file cannot be used, with the place in the file if the mistake is there.
fn refusal(file: &Path, error: anyhow::Error) -> ReloadError {
    if let Some(mistake) = locate_in_config(file, &error) {
        return ReloadError::Refused(error_chain(&mistake));
    }
    if error.is::<RefusedModule>() {
        return ReloadError::Unavailable(error_chain(&*error));
    }
    ReloadError::Refused(error_chain(&*error))
}

fn compared(policy: &LoadedPolicy, running: &[LoadedPolicy]) -> ReloadedPolicy {
    ReloadedPolicy {
        name: policy.config.name.clone(),
        sha256: policy.module.digest().to_owned(),
        changed: !running.iter().any(|known| policy.is(known)),
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
