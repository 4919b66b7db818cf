//! Laws of one's own, from a file.

use steadfast_verify::laws::{Law, Shows, written};
use steadfast_verify::{Report, Settings, verify};

use crate::policies::{Defect, policy};

fn explored(law: &str, defect: Defect) -> Report {
    let laws: Vec<Box<dyn Law>> = written::parse("laws.toml", law).unwrap();
    let settings = Settings {
        depth: 3,
        ..Settings::default()
    };
    verify(&|| policy(defect), &laws, &settings, &mut |_| {})
}

#[test]
fn a_state_may_be_forbidden_while_the_evidence_is_so() {
    let law = "[[law]]\nname = \"silence-is-not-lost\"\nsays = \"x\"\n\
               never = { state = [\"LOST\", \"FAILED\"], from = \"RUNNING\" }\nwhile = { flink = \"unknown\", kubernetes = \"present\" }\n";
    let report = explored(law, Defect::Impatient);
    let found = report.laws[0].as_ref().unwrap();
    assert!(matches!(found.broken.shows, Shows::StateAgain(_)), "{found:?}");
    assert!(explored(law, Defect::None).laws[0].is_none());
    let other = law.replace("\"unknown\"", "\"absent\"");
    assert!(explored(&other, Defect::Impatient).laws[0].is_none());
}

#[test]
fn a_state_may_be_demanded_within_some_looks() {
    let law = |within| {
        format!(
            "[[law]]\nname = \"gone-is-told\"\nsays = \"x\"\nmust = {{ state = [\"FAILED\"] }}\nwithin = {within}\n\
             while = {{ flink = \"absent\" }}\n"
        )
    };
    let report = explored(&law(2), Defect::None);
    let found = report.laws[0].as_ref().unwrap();
    assert_eq!(found.steps.len(), 2, "{found:?}");
    assert!(
        explored(&law(4), Defect::None).laws[0].is_none(),
        "only three looks were taken"
    );
}
