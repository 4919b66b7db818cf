//! The words of the record in requests and in the description of the API.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use steadfast_core::alert::AlertStatus;
use steadfast_core::call::{Asked, Through};
use steadfast_core::closeup::{ContainerState, PodRole};
use steadfast_core::decision::{LookupSource, PolicyFailureKind};
use steadfast_core::explanation::Awaiting;
use steadfast_core::journal::{EventKind, Order};
use steadfast_core::record::AlertScope;
use steadfast_core::severity::Severity;
use steadfast_core::shown::Aspect;
use steadfast_core::state::{Attention, ConditionType, Confidence, Intent, JobState, Mode};

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
    Order, "an order";
    Asked, "something to ask for";
    Through, "a way to be known";
    PolicyFailureKind, "a way to fail";
    PodRole, "a role of a pod";
    ContainerState, "a state of a container";
    AlertScope, "a scope of an alert";
    AlertStatus, "a status of an alert";
    Aspect, "an aspect of a decision";
    Attention, "an attention";
    Intent, "an intent";
}

/// A word, or `*` for any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OrAny<T> {
    Any,
    One(T),
}

impl<T: FromStr<Err = String>> FromStr for OrAny<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == ANY {
            return Ok(Self::Any);
        }
        let one = text.parse().map(Self::One);
        one.map_err(|why| format!("{why}, or `{ANY}` for any"))
    }
}

impl<T: Serialize> Serialize for OrAny<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str(ANY),
            Self::One(one) => one.serialize(serializer),
        }
    }
}

impl<'de, T: FromStr<Err = String>> Deserialize<'de> for OrAny<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Stands for any value.
pub(crate) const ANY: &str = "*";

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

/// What a look may be awaited of.
fn awaited_looks() -> impl Iterator<Item = &'static str> {
    let sources = LookupSource::ALL.iter().copied().map(Awaiting::Lookup);
    [Awaiting::Flink]
        .into_iter()
        .chain(sources)
        .chain([Awaiting::Review])
        .map(Awaiting::as_str)
}

/// What `/openapi.json` says of words: each a schema with all of them.
pub(crate) mod schema {
    use std::borrow::Cow;

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
        AskedCondition, "What stands beside a state; `*` is any of them", words::<super::ConditionType>().chain([super::ANY]);
        Severity, "How much a job needs somebody to look at it, the worst first", words::<super::Severity>();
        EventKind, "What happened", words::<super::EventKind>();
        Order, "Which come first", words::<super::Order>();
        Format, "How a history is written", words::<crate::history::Format>();
        AlertTold, "Whether sinks are told of an alert that stands", words::<crate::alerts::Told>();
        AwaitedLook, "Who is asked: `flink`, or what the policy asked for; `review`: nobody, but all is judged again at that time, since ages count", super::awaited_looks();
        Attention, "Whether a watch polls", words::<super::Attention>();
        IntentWord, "What somebody intends with a job", words::<super::Intent>();
        CallAsked, "What a call asked for", words::<super::Asked>();
        CallThrough, "By what a caller is known", words::<super::Through>();
        PolicyFailure, "How a policy fails", words::<super::PolicyFailureKind>();
        PodRole, "What runs in a pod", words::<super::PodRole>();
        ContainerState, "What a container does", words::<super::ContainerState>();
        Sort, "In which order jobs are listed; a `-` turns it round", crate::jobs::sorts();
        StreamParkState, "A state in the words of StreamPark's `FlinkAppStateEnum`", crate::compat::names();
        AlertScope, "What an alert is about", words::<super::AlertScope>();
        AlertStatus, "Whether an alert began or ended", words::<super::AlertStatus>();
        Aspect, "In what two decisions can differ, the gravest first", words::<super::Aspect>();
    }

    fn words<T: super::Words>() -> impl Iterator<Item = &'static str> {
        T::all().iter().map(|known| known.word())
    }
}
