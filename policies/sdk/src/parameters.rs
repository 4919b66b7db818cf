//! The parameters of a policy: read from config.toml's `params`, and described for operators.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::Parameter;

/// What an operator can tune, as a struct. The derive makes all of it from the fields:
///
/// ```
/// use steadfast_policy::{Millis, Parameters};
///
/// #[derive(Debug, PartialEq, Parameters)]
/// struct Patience {
///     /// How long Flink may be silent before the job counts as lost.
///     #[default(Millis::from_mins(5))]
///     lost_after: Millis,
///     /// Whether a lost job is alerted.
///     #[default(true)]
///     alert: bool,
/// }
///
/// let patience = Patience::read(r#"{"lost_after": "90s"}"#)?;
/// assert_eq!(patience, Patience { lost_after: Millis::from_secs(90), alert: true });
/// assert_eq!(
///     Patience::read(r#"{"lost_aftr": "90s"}"#).unwrap_err(),
///     "`lost_aftr` is no parameter; there are `lost_after` and `alert`; did you mean `lost_after`?"
/// );
/// assert_eq!(
///     Patience::read(r#"{"lost_after": 90}"#).unwrap_err(),
///     "`lost_after` is 90: not a duration (whole numbers with ms, s, m, h or d, in quotes); \
///      write for example `lost_after = \"5m\"`"
/// );
/// # Ok::<(), String>(())
/// ```
///
/// A field's doc comment is the help, `#[default(...)]` its default (both must be there; the derive implements
/// [`Default`] with it), its type a [`ParameterValue`]. `#[flatten]` on a field of another such struct takes over all of
/// that one's parameters. What types cannot say, [`Policy::new`](crate::Policy::new) checks.
pub trait Parameters: Default {
    /// Each of them, as `describe` tells it.
    fn described() -> Vec<Parameter>;

    /// Sets the one of that name from a JSON value; `None` if there is none of that name.
    #[doc(hidden)]
    fn set(&mut self, name: &str, value: &str) -> Option<Result<(), String>>;

    /// Reads the JSON object of `params`; what it does not name has its default. An error names the parameter, the
    /// rule and the fix.
    fn read(json: &str) -> Result<Self, String> {
        Self::default().with(json)
    }

    /// These, with what a JSON object names in place of their own.
    fn with(mut self, json: &str) -> Result<Self, String> {
        let Named(named) =
            serde_json::from_str(json).map_err(|error| format!("the parameters are no table of names: {error}"))?;
        for (name, value) in named {
            match self.set(&name, value.get()) {
                Some(Ok(())) => {}
                Some(Err(why)) => return Err(refused::<Self>(&name, value.get(), &why)),
                None => return Err(no_such::<Self>(&name)),
            }
        }
        Ok(self)
    }
}

/// No parameters at all.
impl Parameters for () {
    fn described() -> Vec<Parameter> {
        Vec::new()
    }

    fn set(&mut self, _name: &str, _value: &str) -> Option<Result<(), String>> {
        None
    }
}

fn refused<P: Parameters>(name: &str, value: &str, why: &str) -> String {
    let described = P::described();
    let example = described.iter().find(|parameter| parameter.name == name);
    let example = example.map_or("", |parameter| parameter.default.as_str());
    format!("`{name}` is {value}: {why}; write for example `{name} = {example}`")
}

/// How alike a name must be to be taken for the one that was meant.
const ALIKE: f64 = 0.6;

fn no_such<P: Parameters>(name: &str) -> String {
    let described = P::described();
    let names: Vec<&str> = described.iter().map(|parameter| parameter.name.as_str()).collect();
    let meant = names
        .iter()
        .map(|known| (strsim::normalized_levenshtein(known, name), *known))
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .filter(|(alike, _)| *alike >= ALIKE)
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
    match names.as_slice() {
        [] => format!("`{name}` is no parameter; this policy has none"),
        [only] => format!("`{name}` is no parameter; there is only `{only}`{meant}"),
        [first @ .., last] => {
            format!(
                "`{name}` is no parameter; there are `{}` and `{last}`{meant}",
                first.join("`, `")
            )
        }
    }
}

/// A JSON object, its values as they are written.
struct Named(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let mut named = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    named.push(entry);
                }
                Ok(Named(named))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A type that a parameter can have.
pub trait ParameterValue: Sized {
    /// As [`Parameter::kind`] names it: `integer`, `number`, `duration`, `string` or `boolean`.
    const KIND: &'static str;

    /// Reads a valid JSON value. An error says what is wrong with it, such as "not a whole number".
    fn read(json: &str) -> Result<Self, String>;

    /// As it would be written in config.toml.
    fn written(&self) -> String;
}

/// A parameter with a notation of its own, written as a text: opening hours, a list of names.
pub trait TextParameter: Sized {
    /// Reads the text. An error says what is wrong with it, such as "`Mun` is no weekday".
    fn parse(text: &str) -> Result<Self, String>;

    /// The text again.
    fn text(&self) -> String;
}

impl<T: TextParameter> ParameterValue for T {
    const KIND: &'static str = "string";

    fn read(json: &str) -> Result<Self, String> {
        Self::parse(&String::read(json)?)
    }

    fn written(&self) -> String {
        self.text().written()
    }
}

impl ParameterValue for String {
    const KIND: &'static str = "string";

    fn read(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|_| "not a text in quotes".into())
    }

    fn written(&self) -> String {
        // TOML reads what JSON writes.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl ParameterValue for bool {
    const KIND: &'static str = "boolean";

    fn read(json: &str) -> Result<Self, String> {
        json.parse().map_err(|_| "neither true nor false".into())
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl ParameterValue for f64 {
    const KIND: &'static str = "number";

    fn read(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|_| "not a number".into())
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

macro_rules! integers {
    ($($integer:ty),+) => {
        $(impl ParameterValue for $integer {
            const KIND: &'static str = "integer";

            fn read(json: &str) -> Result<Self, String> {
                json.parse()
                    .map_err(|_| format!("not a whole number from {} to {}", Self::MIN, Self::MAX))
            }

            fn written(&self) -> String {
                self.to_string()
            }
        })+
    };
}

integers!(u32, u64, i32, i64);

/// What the derive says of one field; not for direct use.
#[doc(hidden)]
pub fn described<T: ParameterValue>(name: &str, default: &T, help: &str) -> Parameter {
    Parameter {
        name: name.into(),
        kind: T::KIND.into(),
        default: default.written(),
        help: help.into(),
    }
}

/// How the derive sets one field; not for direct use.
#[doc(hidden)]
pub fn read_into<T: ParameterValue>(field: &mut T, json: &str) -> Result<(), String> {
    *field = T::read(json)?;
    Ok(())
}
