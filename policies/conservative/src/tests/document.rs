//! `docs/policy-conservative.md` tells the rules and parameters that the policy describes. Made anew by
//! `UPDATE_DOCS=1 cargo test -p steadfast-policy-conservative document`.

use std::fmt::Write as _;
use std::path::Path;

use steadfast_policy::{Instance, Rules};

use crate::Conservative;
use crate::rulebook::Rule;

/// The text with what stands between a section's marks replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let (before, rest) = text.split_once(&begin).expect(name);
    let (_, after) = rest.split_once(&end).expect(name);
    format!("{before}{begin}{content}{end}{after}")
}

#[test]
fn the_document_tells_every_rule_and_parameter() {
    let described = Instance::<Conservative>::describe();
    let mut rules = String::from("| rule | says | because | changed by |\n|---|---|---|---|\n");
    for rule in &described.rules {
        let cells = [&rule.says, &rule.because, &rule.changed_by].map(|text| text.replace('|', "\\|"));
        writeln!(rules, "| `{}` | {} |", rule.name, cells.join(" | ")).unwrap();
    }
    let mut parameters = String::from("| parameter | type | default | is |\n|---|---|---|---|\n");
    for parameter in &described.parameters {
        let (name, kind, default, help) = (&parameter.name, &parameter.kind, &parameter.default, &parameter.help);
        writeln!(parameters, "| `{name}` | {kind} | `{default}` | {help} |").unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/policy-conservative.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let due = with_section(&with_section(&written, "rules", &rules), "parameters", &parameters);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &due).unwrap();
    }
    assert!(
        due == std::fs::read_to_string(&path).unwrap(),
        "docs/policy-conservative.md is not current: UPDATE_DOCS=1 cargo test -p steadfast-policy-conservative document"
    );
}

#[test]
fn no_two_rules_have_one_name() {
    let mut names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
}
