//! What a policy says about itself when it is loaded.

use steadfast_core::explanation::Rule;

/// What a policy says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A sentence.
    pub summary: String,
    /// What can be tuned.
    pub parameters: Vec<Parameter>,
    /// The rules its decisions name.
    pub rules: Vec<Rule>,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in `params`.
    pub name: String,
    /// `integer`, `number`, `duration`, `string` or `boolean`.
    pub kind: String,
    /// As it would be written in the configuration.
    pub default: String,
    /// A sentence.
    pub help: String,
}
