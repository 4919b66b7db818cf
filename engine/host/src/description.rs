//! What a policy says about itself when it is loaded.

use steadfast_core::rule::Rule;

/// What a policy says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The policy's own name, which need not be that of its `[[policy]]`.
    pub name: String,
    /// The policy's own version, in whatever form it chose.
    pub version: String,
    /// A sentence for people.
    pub summary: String,
    /// The keys of `params` that it reads.
    pub parameters: Vec<Parameter>,
    /// The rules its decisions name.
    pub rules: Vec<Rule>,
}

/// A key of `params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its key in `params`.
    pub name: String,
    /// `integer`, `number`, `duration`, `string` or `boolean`.
    pub kind: String,
    /// As it would be written in the configuration: TOML.
    pub default: String,
    /// A sentence for people.
    pub help: String,
}
