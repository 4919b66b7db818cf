//! Laws of one's own, from a file.

use steadfast_verify::laws::{Law, Shows, written};
use steadfast_verify::{Report, Settings, verify};

use crate::policies::{Defect, policy};

fn explored(law: &str, defect: Defect) -> Report {
    let laws: Vec<Box<dyn Law>> = written::parse("laws.toml", law).unwrap();
    let settings = Settings {
        depth: 3,
        beyond: 0,
        trials: false,
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
    assert_eq!(found.steps.len() + found.broken.then.len(), 2, "{found:?}");
    assert!(
        explored(&law(1_000), Defect::None).laws[0].is_none(),
        "no line has so many looks"
    );
}

#[test]
fn alerts_and_conditions_may_be_forbidden_and_demanded() {
    let law = |recorded: &str, condition: &str| {
        format!("[[law]]\nname = \"beside\"\nsays = \"x\"\n{recorded}\nwhile = {{ flink = \"{condition}\" }}\n")
    };
    let is_broken =
        |recorded: &str, condition: &str| explored(&law(recorded, condition), Defect::Alarms).laws[0].is_some();
    // It alerts, with a condition, exactly where Flink gives no usable answer.
    assert!(is_broken("never = { alerts = \"any\" }", "unknown"));
    assert!(is_broken("never = { alerts = [\"Silent\"] }", "unknown"));
    assert!(!is_broken("never = { alerts = [\"Other\"] }", "unknown"));
    assert!(!is_broken(
        "must = { alerts = [\"Other\", \"Silent\"], conditions = [\"FlinkUnreachable\"] }",
        "unknown"
    ));
    assert!(is_broken("must = { no_alerts = \"any\" }", "unknown"));
    assert!(!is_broken(
        "must = { no_alerts = \"any\", no_conditions = [\"FlinkUnreachable\"] }",
        "RUNNING"
    ));
    assert!(is_broken("must = { conditions = [\"CrashLoop\"] }", "unknown"));
}
