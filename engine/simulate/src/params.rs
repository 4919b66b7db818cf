//! A policy's parameters on another scale.

use serde_json::{Map, Value};
use steadfast_host::{Description, Parameter};
use steadfast_world::clock::Scale;
use steadfast_world::story::Moment;

/// The parameters (a JSON object) with every duration made shorter, those that are left to their defaults too. What
/// is no duration, or does not read as one, stays as it is: refusing it is the policy's business.
pub fn shorten_params(params: &str, description: &Description, scale: Scale) -> String {
    let Ok(mut params) = serde_json::from_str::<Map<String, Value>>(params) else {
        return params.to_owned();
    };
    if scale == Scale::ONE {
        return Value::Object(params).to_string();
    }
    for Parameter {
        name, kind, default, ..
    } in &description.parameters
    {
        let given = params.get(name).map(|value| value.as_str().unwrap_or_default());
        let written = given.unwrap_or_else(|| default.trim_matches('"'));
        if kind == "duration"
            && let Some(span) = Moment::parse(written)
        {
            let short = format!("{}ms", scale.shorten(span.elapsed()).as_millis());
            params.insert(name.clone(), Value::String(short));
        }
    }
    Value::Object(params).to_string()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn parameter(name: &str, kind: &str, default: &str) -> Parameter {
        Parameter {
            name: name.into(),
            kind: kind.into(),
            default: default.into(),
            help: String::new(),
        }
    }

    #[test]
    fn durations_shrink_whether_given_or_not_and_nothing_else_does() {
        let description = Description {
            name: "p".into(),
            version: "1".into(),
            summary: String::new(),
            parameters: vec![
                parameter("window", "duration", "\"60s\""),
                parameter("deadline", "duration", "\"10m\""),
                parameter("answers", "integer", "2"),
                parameter("odd", "duration", "\"soon\""),
            ],
            rules: Vec::new(),
        };
        let scale = Scale::times(NonZeroU32::new(12).unwrap());
        let short = shorten_params("{\"window\": \"24s\", \"answers\": 3}", &description, scale);
        assert_eq!(short, "{\"answers\":3,\"deadline\":\"50000ms\",\"window\":\"2000ms\"}");
    }
}
