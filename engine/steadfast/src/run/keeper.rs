//! What an engine keeps of its policies, so that its next start does not depend on what becomes of their files.

use std::path::Path;

use steadfast_core::error_chain::error_chain;
use steadfast_modules::{Digest, Kept, LastGood, Module, RunWith};

use super::policy_cache;
use crate::config::Policy;

/// The most that a record or the API says of a refusal, in bytes.
const BRIEF: usize = 600;

/// Keeps the last good module of each policy, and which other was refused; nothing for an engine that was not started from a
/// file, or whose user has no cache folder.
#[derive(Clone)]
pub(in crate::run) struct Keeper(Option<LastGood>);

impl Keeper {
    /// Of the engine that was started from that file.
    pub(in crate::run) fn of(file: Option<&Path>) -> Self {
        let last_good = file.zip(policy_cache());
        Self(last_good.map(|(file, folder)| LastGood::new(folder.join("last-good"), file)))
    }

    /// The module decides for the policy.
    pub(in crate::run) fn keep(&self, policy: &Policy, module: &Module) {
        let Some(last_good) = &self.0 else { return };
        if !self.kept(policy).is_some_and(|kept| is_kept(policy, module, &kept)) {
            last_good.keep(&policy.name, module, &run_with(policy));
        }
    }

    /// The module that decided last for the policy, if it is trusted now.
    pub(in crate::run) fn kept(&self, policy: &Policy) -> Option<Kept> {
        let last_good = self.0.as_ref()?;
        let Policy {
            name, module, trust, ..
        } = policy;
        last_good.kept(name, module, trust, steadfast_host::builtin::find)
    }

    /// The module cannot decide for the policy.
    pub(in crate::run) fn refuse(&self, policy: &Policy, module: &Module, why: &str) {
        if let Some(last_good) = &self.0 {
            last_good.refuse(&policy.name, module.provenance.sha256, &run_with(policy), why);
        }
    }

    /// Why it could not when it was tried.
    pub(in crate::run) fn refusal(&self, policy: &Policy, sha256: Digest) -> Option<String> {
        let last_good = self.0.as_ref()?;
        last_good.refusal(&policy.name, sha256, &run_with(policy))
    }
}

/// Whether the module, run as the policy says, is the one that is kept.
pub(in crate::run) fn is_kept(policy: &Policy, module: &Module, kept: &Kept) -> bool {
    let (new, old) = (&module.provenance, &kept.module.provenance);
    (new.sha256, new.signed_by, new.manifest) == (old.sha256, old.signed_by, old.manifest)
        && new.reference == old.reference
        && run_with(policy) == kept.with
}

fn run_with(policy: &Policy) -> RunWith {
    RunWith {
        params: policy.params.clone(),
        deadline_millis: u64::try_from(policy.deadline.as_millis()).unwrap_or(u64::MAX),
        memory_bytes: policy.memory,
    }
}

/// An error on one line.
pub(in crate::run) fn brief(error: &anyhow::Error) -> String {
    let chain = error_chain(&**error);
    let mut line = chain.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > BRIEF {
        let end = (0..=BRIEF).rev().find(|end| line.is_char_boundary(*end));
        line.truncate(end.unwrap_or_default());
        line.push_str("...");
    }
    line
}
