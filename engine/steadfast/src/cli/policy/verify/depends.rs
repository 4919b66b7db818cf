//! What a policy's answers depend on beside the evidence, in words, and how much of it the exploration reached.

use std::fmt::Write as _;

use steadfast_core::labels::Labels;
use steadfast_verify::beginning::Scene;
use steadfast_verify::{Beginning, Report, Tried};

/// What they depend on, where it began beside the usual places, and where it did not begin.
pub(super) fn told(report: &Report) -> String {
    let Report { tried, beginnings, .. } = report;
    let mut text = String::new();
    if tried.was_tried {
        text.push_str(&dependence(tried, beginnings, report.depth));
    }
    let elsewhere: Vec<String> = beginnings
        .iter()
        .filter(|from| !from.is_usual())
        .map(Beginning::to_string)
        .collect();
    if !elsewhere.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "began also where {}", elsewhere.join("; where "));
    }
    let usual = tried.not_begun.iter().filter(|from| from.is_usual());
    let scenes: Vec<&str> = usual.map(|from| named(from.scene)).collect();
    if !scenes.is_empty() {
        let _ = writeln!(text, "--depth {} does not reach {}", report.depth, scenes.join(", "));
    }
    text
}

fn dependence(tried: &Tried, beginnings: &[Beginning], depth: u32) -> String {
    let mut parts = Vec::new();
    if tried.date {
        parts.push("the date".to_owned());
    }
    let labels: Vec<String> = tried.labels.iter().map(pairs).collect();
    if !labels.is_empty() {
        parts.push(format!("the labels {}", labels.join("; ")));
    }
    if parts.is_empty() {
        return "its answers depend on no label that was tried, and not on the date\n".to_owned();
    }
    let is_reached = beginnings.iter().any(|from| !from.is_usual());
    let mut text = format!("its answers depend on {}", parts.join(" and on "));
    if !is_reached {
        let _ = write!(
            text,
            ", which --depth {depth} does not reach: only short troubles were tried there"
        );
    }
    for (left_out, what) in [
        (tried.moments_left_out, "more kinds of hour and day were only tried so"),
        (tried.labels_left_out, "labels more were not tried"),
    ] {
        if left_out > 0 {
            let _ = write!(text, "; {left_out} {what}");
        }
    }
    text.push('\n');
    text
}

fn pairs(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(",")
}

fn named(scene: Scene) -> &'static str {
    match scene {
        Scene::Running => "a job that runs",
        Scene::Start => "a job that nobody has looked at yet",
        Scene::Session => "the job of a session cluster",
        Scene::Standalone => "the job of a Flink outside of Kubernetes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use steadfast_core::time::Timestamp;
    use steadfast_verify::Coverage;
    use steadfast_verify::fault_kinds::Alike;

    fn begun(scene: Scene, at: Option<&str>) -> Beginning {
        let usual = Beginning::of(scene);
        Beginning {
            at: at.map_or(usual.at, |at| Timestamp::parse(at).unwrap()),
            ..usual
        }
    }

    fn report(tried: Tried, beginnings: Vec<Beginning>) -> Report {
        Report {
            depths: Vec::new(),
            depth: 2,
            complete: 2,
            ended: false,
            late: None,
            beginnings,
            tried,
            kinds: 0,
            along_lines: 0,
            coverage: Coverage::default(),
            unheard: BTreeSet::new(),
            alike: Alike::default(),
            laws: Vec::new(),
        }
    }

    #[test]
    fn what_the_depth_does_not_reach_is_no_independence() {
        let usual = vec![begun(Scene::Running, None)];
        let tried = |date, not_begun| Tried {
            was_tried: true,
            date,
            not_begun,
            moments_left_out: 3,
            ..Tried::default()
        };
        let beyond = vec![
            begun(Scene::Session, None),
            begun(Scene::Standalone, None),
            begun(Scene::Running, Some("2026-03-29T00:00:00Z")),
        ];
        assert_eq!(
            told(&report(tried(true, beyond), usual.clone())),
            "its answers depend on the date, which --depth 2 does not reach: only short troubles were tried there; 3 more kinds of hour \
             and day were only tried so\n\
             --depth 2 does not reach the job of a session cluster, the job of a Flink outside of Kubernetes\n"
        );
        assert_eq!(
            told(&report(tried(false, Vec::new()), usual.clone())),
            "its answers depend on no label that was tried, and not on the date\n"
        );
        let elsewhere = begun(Scene::Running, Some("2026-03-29T00:00:00Z"));
        let text = told(&report(tried(true, Vec::new()), [&usual[..], &[elsewhere]].concat()));
        assert!(
            text.starts_with("its answers depend on the date; 3 more kinds"),
            "{text}"
        );
        assert!(
            text.contains("\nbegan also where the job runs, and was seen to run, at 2026-03-29"),
            "{text}"
        );
        assert_eq!(told(&report(Tried::default(), usual)), "");
    }

    #[test]
    fn labels_that_matter_are_named() {
        let pairs = [("example.com/tier".to_owned(), "gold".to_owned())];
        let tried = Tried {
            was_tried: true,
            labels: vec![Labels::from(BTreeMap::from(pairs))],
            labels_left_out: 2,
            ..Tried::default()
        };
        let text = told(&report(tried, vec![begun(Scene::Running, None)]));
        assert!(
            text.contains("depend on the labels example.com/tier=gold, which --depth 2 does not reach"),
            "{text}"
        );
        assert!(text.ends_with("; 2 labels more were not tried\n"), "{text}");
    }
}
