//! What a policy says about itself.

use steadfast_core::foreign_text::{ForeignText, harmless};
use steadfast_core::planner::NAME_LIMIT;
use steadfast_core::rule::Rule;

use super::types;
use crate::description::{Description, Parameter};

/// Reads a description. What a policy writes about itself goes into the log and to terminals, as its decisions do.
pub(super) fn from_contract(description: types::Description) -> Description {
    let types::Description {
        name,
        version,
        summary,
        parameters,
        rules,
    } = description;
    let named = |name: String| harmless(&name, NAME_LIMIT).into_owned();
    let text = |text: String| harmless(&text, ForeignText::LIMIT).into_owned();
    let parameter = |parameter: types::Parameter| Parameter {
        name: named(parameter.name),
        kind: text(parameter.kind),
        default: text(parameter.default),
        help: text(parameter.help),
    };
    let rule = |rule: types::Rule| Rule {
        name: named(rule.name),
        says: text(rule.says),
        because: text(rule.because),
        changed_by: text(rule.changed_by),
    };
    Description {
        name: named(name),
        version: named(version),
        summary: text(summary),
        parameters: parameters.into_iter().map(parameter).collect(),
        rules: rules.into_iter().map(rule).collect(),
    }
}
