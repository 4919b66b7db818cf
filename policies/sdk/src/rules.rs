//! The rules of a policy by name, with what they say and why.

use crate::Rule;

/// An enum of a policy's rules. A decision names the one that spoke; `describe` explains them all. Made by
/// [`rules!`](crate::rules).
pub trait Rules: Copy + 'static {
    /// Every rule, in the order in which they are explained.
    const ALL: &'static [Self];

    /// The name that decisions give, such as `flink-lists-job`.
    fn name(self) -> &'static str;

    /// The name in CamelCase: the reason's code where a decision gives no other.
    fn code(self) -> &'static str;

    /// When it speaks, and what it concludes: the reason's message where a decision gives no other.
    fn says(self) -> &'static str;

    /// As `describe` tells it.
    fn described(self) -> Rule;
}

/// Makes an enum of rules and their texts from one list, so that no rule can speak without being explained.
///
/// ```
/// steadfast_policy::rules! {
///     /// Who spoke.
///     pub enum Rule {
///         FlinkReports = "flink-reports" {
///             says: "Flink lists the job: its word is the state.",
///             because: "Only the JobManager knows it.",
///             changed_by: "Flink's next answer."
///         }
///     }
/// }
///
/// use steadfast_policy::Rules;
/// assert_eq!((Rule::FlinkReports.name(), Rule::FlinkReports.code()), ("flink-reports", "FlinkReports"));
/// ```
#[macro_export]
macro_rules! rules {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $rules:ident {
            $($rule:ident = $name:literal {
                says: $says:literal, because: $because:literal, changed_by: $changed_by:literal $(,)?
            })+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $rules {
            $(#[doc = $says] $rule,)+
        }

        impl $crate::Rules for $rules {
            const ALL: &'static [Self] = &[$(Self::$rule),+];

            fn name(self) -> &'static str {
                match self { $(Self::$rule => $name),+ }
            }

            fn code(self) -> &'static str {
                match self { $(Self::$rule => stringify!($rule)),+ }
            }

            fn says(self) -> &'static str {
                match self { $(Self::$rule => $says),+ }
            }

            fn described(self) -> $crate::Rule {
                let (because, changed_by) = match self { $(Self::$rule => ($because, $changed_by)),+ };
                $crate::Rule {
                    name: $crate::Rules::name(self).into(),
                    says: $crate::Rules::says(self).into(),
                    because: because.into(),
                    changed_by: changed_by.into(),
                }
            }
        }
    };
}
