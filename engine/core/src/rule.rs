//! The rules that decisions name, as a policy describes them.

/// One rule of a policy, in the policy's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// As decisions name it.
    pub name: String,
    /// When it speaks, and what it concludes.
    pub says: String,
    /// Why it is so, with the source of the fact.
    pub because: String,
    /// Which evidence would lead to another conclusion.
    pub changed_by: String,
}
