//! What a policy says about itself.

use steadfast_core::rule::Rule;

use super::types;
use crate::description::{Description, Parameter};

/// Reads a description.
pub(super) fn from_contract(description: types::Description) -> Description {
    let types::Description {
        name,
        version,
        summary,
        parameters,
        rules,
    } = description;
    let parameter = |parameter: types::Parameter| Parameter {
        name: parameter.name,
        kind: parameter.kind,
        default: parameter.default,
        help: parameter.help,
    };
    let rule = |rule: types::Rule| Rule {
        name: rule.name,
        says: rule.says,
        because: rule.because,
        changed_by: rule.changed_by,
    };
    Description {
        name,
        version,
        summary,
        parameters: parameters.into_iter().map(parameter).collect(),
        rules: rules.into_iter().map(rule).collect(),
    }
}
