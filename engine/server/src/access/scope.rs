//! What a caller may do, and what a route asks of one.

use std::fmt;

/// A right that a caller has or lacks. None includes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See: jobs, their histories, clusters, policies, events, metrics.
    Read,
    /// Say what is wanted of a job.
    Intent,
    /// Remove records, and reload the configuration.
    Admin,
}

impl Scope {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Intent, Self::Admin];

    /// As files, commands and refusals call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Intent => "intent",
            Self::Admin => "admin",
        }
    }

    /// The one of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Intent => 2,
            Self::Admin => 4,
        }
    }
}

/// The scopes that a caller has.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// All of them.
    pub const ALL: Self = Self(Scope::Read.bit() | Scope::Intent.bit() | Scope::Admin.bit());

    /// Whether this one is among them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Scope::ALL.into_iter().filter(|scope| self.has(*scope));
        let held: Vec<&str> = held.map(Scope::as_str).collect();
        f.write_str(&held.join(", "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// What a route asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Nothing: a probe, which carries no token, or a file of the dashboard, which has to be loaded before it can ask for one.
    /// Neither tells of jobs.
    Open,
    /// To be somebody: what is not served is nobody's business either.
    Known,
    /// This scope.
    Needs(Scope),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        let some: Scopes = [Scope::Read, Scope::Admin].into_iter().collect();
        assert!(some.has(Scope::Read) && !some.has(Scope::Intent) && some.has(Scope::Admin));
        assert_eq!(some.to_string(), "read, admin");
        assert!(Scope::ALL.into_iter().all(|scope| Scopes::ALL.has(scope)));
        assert!(Scopes::default().is_empty());
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
    }
}
