//! Whose memory a snapshot has: it is of use only to the policy that left it.

use std::path::Path;

use steadfast_core::id::PolicyName;
use steadfast_core::record::JobRecord;
use steadfast_host::Policy;

use super::super::printer;
use super::policy_arg::PolicyArg;

/// What became of the memory in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// The policy finds it, if there is any.
    Given,
    /// Another policy had left it.
    LeftOut,
}

/// Whether this is the policy that decides where nothing is configured.
pub(super) fn is_default(policy: &PolicyArg) -> bool {
    policy.module() == "builtin:conservative"
}

/// Takes a memory away that another policy left, as the engine does, and says so on standard error: `whose` it is begins the line.
pub(super) fn forget_anothers(record: &mut JobRecord, policy: &PolicyArg, module: &Policy, whose: &str) -> Memory {
    if record.memory.is_empty() || is_own(&record.policy, policy, module) {
        return Memory::Given;
    }
    printer::note(&format!(
        "{whose} memory was left by policy `{}`; a policy of another name begins without (--keep-memory gives it all the same)",
        record.policy
    ));
    record.memory.clear();
    Memory::LeftOut
}

/// Whether the policy that a record names is the one of the command line, as far as names tell: the configuration's name may be
/// the module's own, or that of its file. Where nothing is configured, the built-in one is called `default`; `steadfast simulate`
/// calls the one of its command line as it is named there.
fn is_own(named: &PolicyName, policy: &PolicyArg, module: &Policy) -> bool {
    let stem = |text: &str| Some(Path::new(text).file_stem()?.to_str()?.to_owned());
    (is_default(policy) && named.as_str() == "default")
        || named.as_str() == policy.module()
        || named.as_str() == module.description().name
        || (policy.file().is_some() && stem(policy.module()) == stem(named.as_str()))
}
