//! The policy contract `steadfast:policy` as text, for the host and for tools that make guests.

/// The WIT source of the contract.
pub const POLICY_WIT: &str = include_str!("../wit/policy.wit");

/// The package of the contract.
pub const PACKAGE: &str = "steadfast:policy";

/// The version of the contract in [`POLICY_WIT`].
pub const VERSION: &str = "0.2.0";

/// The version before it, which is served as well.
pub const PREVIOUS_VERSION: &str = "0.1.0";
