//! The words of the record in requests and in the description of the API.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use steadfast_core::journal::{EventKind, Order};
use steadfast_core::severity::Severity;
use steadfast_core::state::{ConditionType, Confidence, JobState, Mode};

/// An enum whose values are words of the API.
pub(crate) trait Words: Copy + Ord + Sized + 'static {
    /// One of them, as a sentence says it: `a state`.
    const ONE: &'static str;

    fn all() -> &'static [Self];
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($($name:ident, $one:literal;)*) => {
        $(impl Words for $name {
            const ONE: &'static str = $one;

            fn all() -> &'static [Self] {
                Self::ALL
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        })*
    };
}

words! {
    JobState, "a state";
    Confidence, "a confidence";
    Mode, "a mode";
    ConditionType, "a condition";
    Severity, "a severity";
    EventKind, "a kind of event";
}

impl Words for Order {
    const ONE: &'static str = "an order";

    fn all() -> &'static [Self] {
        &[Self::Newest, Self::Oldest]
    }

    fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }
}

/// A word as a request writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T: Words> FromStr for Word<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = T::all().iter().find(|known| known.word() == text);
        known.copied().map(Self).ok_or_else(|| {
            let known: Vec<&str> = T::all().iter().map(|known| known.word()).collect();
            format!("`{text}` is not {}; use one of {}", T::ONE, known.join(", "))
        })
    }
}

impl<T: Words> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word())
    }
}

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What `/openapi.json` says of words: each a schema with all of them.
pub(crate) mod schema {
    use std::borrow::Cow;

    use steadfast_core::state;
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    use utoipa::openapi::{RefOr, Schema};
    use utoipa::{PartialSchema, ToSchema};

    /// A schema of words.
    macro_rules! schemas {
        ($($name:ident, $description:literal, $words:expr;)*) => {
            $(pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let schema = ObjectBuilder::new().schema_type(Type::String).description(Some($description));
                    RefOr::T(schema.enum_values(Some($words)).build().into())
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($name))
                }
            })*
        };
    }

    schemas! {
        State, "The state of a job: Flink's own word where Flink says it, Steadfast's where it cannot", words::<super::JobState>();
        Confidence, "How sure a state is", words::<super::Confidence>();
        Mode, "How a job is deployed", words::<super::Mode>();
        ConditionType, "What stands beside a state", words::<super::ConditionType>();
        Severity, "How much a job needs somebody to look at it, the worst first", words::<super::Severity>();
        EventKind, "What happened", words::<super::EventKind>();
        Order, "Which come first", words::<super::Order>();
        Format, "How a history is written", words::<crate::history::Format>();
        AlertTold, "Whether sinks are told of an alert that stands", words::<crate::alerts::Told>();
        Attention, "Whether a watch polls", state::Attention::ALL.iter().map(|word| word.as_str());
        IntentWord, "What somebody intends with a job", state::Intent::ALL.iter().map(|word| word.as_str());
        CallAsked, "What a call asked for", ["start", "cancel", "savepoint", "none", "forget", "forget-by-force", "silence", "unsilence"];
        CallThrough, "By what a caller is known", ["nothing", "token-file", "token", "certificate", "kubernetes"];
        PolicyFailure, "How a policy fails", ["error", "trap", "deadline", "memory", "invalid"];
        PodRole, "What runs in a pod", ["jobmanager", "taskmanager"];
        ContainerState, "What a container does", ["waiting", "running", "terminated"];
        Sort, "In which order jobs are listed; a `-` turns it round", crate::jobs::sorts();
        StreamParkState, "A state in the words of StreamPark's `FlinkAppStateEnum`", crate::compat::names();
        AlertScope, "What an alert is about", ["job", "cluster", "policy"];
        AlertStatus, "Whether an alert began or ended", ["firing", "resolved"];
    }

    fn words<T: super::Words>() -> impl Iterator<Item = &'static str> {
        T::all().iter().map(|known| known.word())
    }
}
