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
    let error = written::parse("laws.toml", &law(1_000)).err().unwrap().to_string();
    assert!(error.contains("has a `within` of more than 64 looks"), "{error}");
}

#[test]
fn a_law_that_nothing_fits_says_nothing_and_a_mistyped_alert_is_named() {
    let explored = |law: &str, depth| {
        let law = format!("[[law]]\nname = \"own\"\nsays = \"x\"\n{law}\n");
        let laws: Vec<Box<dyn Law>> = written::parse("laws.toml", &law).unwrap();
        let settings = Settings {
            depth,
            beyond: 0,
            trials: false,
            ..Settings::default()
        };
        let report = verify(&|| policy(Defect::Alarms), &laws, &settings, &mut |_| {});
        (laws[0].was_tried(), report.unheard)
    };
    let silent = "while = { flink = \"unknown\" }";
    for (law, is_tried) in [
        (format!("never = {{ state = \"LOST\" }}\n{silent}"), true),
        // Too much for the depth.
        (
            "never = { state = \"LOST\" }\nwhile = { intent = \"savepoint\", fleet = \"dark\", flink = \"absent\" }"
                .to_owned(),
            false,
        ),
        (
            format!("never = {{ from = \"SUSPENDED\", state = \"LOST\" }}\n{silent}"),
            false,
        ),
        (format!("must = {{ alerts = \"any\" }}\nwithin = 40\n{silent}"), true),
    ] {
        assert_eq!(explored(&law, 2).0, is_tried, "{law}");
    }
    let (_, unheard) = explored(
        "never = { alerts = [\"Silent\", \"Slient\"] }\nwhile = { flink = \"RUNNING\" }",
        2,
    );
    assert_eq!(unheard.into_iter().collect::<Vec<_>>(), ["Slient"]);
}

#[test]
fn what_nothing_fits_or_everything_is_refused() {
    for (law, wanted) in [
        ("never = { state = [] }", "has an empty list, which nothing fits"),
        (
            "must = { state = \"RUNNING\" }\nwhile = { flink = [] }",
            "has an empty list",
        ),
        ("never = { no_conditions = [] }", "has an empty list"),
        ("must = {}", "has an empty `must`, which everything fits"),
        ("must = { from = \"RUNNING\" }", "has an empty `must`"),
        ("never = {}", "has an empty `never`, which every policy breaks"),
        ("never = { from = [\"RUNNING\", \"LOST\"] }", "has an empty `never`"),
        ("never = { alerts = [\"\"] }", "has an alert without a name"),
        ("must = { no_alerts = \" \" }", "has an alert without a name"),
        (
            "never = { alerts = [\"JobLost\"], no_alerts = [\"JobLost\", \"JobFailed\"] }",
            "wants what it also does not want",
        ),
        (
            "never = { alerts = [\"JobLost\"], no_alerts = [\"any\"] }",
            "wants what it also does not want",
        ),
        (
            "must = { alerts = \"any\", no_alerts = \"any\" }",
            "wants what it also does not want",
        ),
        (
            "never = { conditions = [\"CrashLoop\"], no_conditions = [\"CrashLoop\"] }",
            "wants what it also does not want",
        ),
        ("must = { state = \"LOST\" }\nwithin = 65", "write at most 64"),
    ] {
        let law = format!("[[law]]\nname = \"own\"\nsays = \"x\"\n{law}\n");
        let error = written::parse("laws.toml", &law).err().unwrap().to_string();
        assert!(
            error.starts_with("laws.toml: the law `own` ") && error.contains(wanted),
            "{error}"
        );
    }
    // One of two may stand alone.
    for fits in [
        "never = { alerts = [\"JobLost\", \"JobFailed\"], no_alerts = [\"JobLost\"] }",
        "never = { alerts = \"any\", no_alerts = [\"JobLost\"] }",
    ] {
        written::parse("laws.toml", &format!("[[law]]\nname = \"own\"\nsays = \"x\"\n{fits}\n")).unwrap();
    }
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
