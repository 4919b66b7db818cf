//! The policy contract `steadfast:policy` as text, for the host and for tools that make guests.

/// The WIT source of the contract.
pub const POLICY_WIT: &str = include_str!("../wit/policy.wit");

/// The package of the contract.
pub const PACKAGE: &str = "steadfast:policy";

/// The version of the contract that this engine serves.
pub const VERSION: &str = "0.1.0";
