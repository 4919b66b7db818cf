//! Prometheus' text format 0.0.4, made from OpenMetrics.
//!
//! The two are nearly one. In OpenMetrics a family is named without the suffix that its samples have (`_total` of a counter,
//! `_info` of an info), and Prometheus names what the samples are called; it knows no units, no types but its own five, and no
//! mark at the end. Exemplars and timestamps, which differ too, are written nowhere here.

/// Rewrites what was encoded.
pub(super) fn from_open_metrics(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        match Line::of(line) {
            Line::Help { family, help: text } => help = Some((family, text)),
            Line::Type { family, kind } => {
                let (suffix, kind) = in_prometheus(kind);
                // A help that does not belong to this family would be another's.
                if let Some((_, text)) = help.take().filter(|(of, _)| *of == family) {
                    written.extend(["# HELP ", family, suffix, " ", text, "\n"]);
                }
                written.extend(["# TYPE ", family, suffix, " ", kind, "\n"]);
            }
            Line::Left => {}
            Line::Sample => written.extend([line, "\n"]),
        }
    }
    written
}

/// What a line is.
enum Line<'a> {
    Help {
        family: &'a str,
        help: &'a str,
    },
    Type {
        family: &'a str,
        kind: &'a str,
    },
    /// A unit, or the end: nothing that Prometheus has.
    Left,
    Sample,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let Some(comment) = line.strip_prefix("# ") else {
            return Self::Sample;
        };
        let (word, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        let (family, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "HELP" => Self::Help { family, help: rest },
            "TYPE" => Self::Type { family, kind: rest },
            _ => Self::Left,
        }
    }
}

/// What the samples of a type are called behind their family, and what Prometheus calls the type.
fn in_prometheus(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        "gauge" | "stateset" => ("", "gauge"),
        "histogram" => ("", "histogram"),
        "summary" => ("", "summary"),
        _ => ("", "untyped"),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;

    #[test]
    fn families_are_named_as_their_samples_are() {
        let mut registry = Registry::default();
        let polls = Family::<[(&str, &str); 1], Counter>::default();
        polls.get_or_create(&[("name", "a\n# HELP \"b\" \\")]).inc();
        registry.register("polls", "Polls", polls);
        registry.register_with_unit("age", "An age", Unit::Seconds, Gauge::<i64>::default());
        registry.register_with_unit("work", "Work", Unit::Seconds, Counter::<u64>::default());
        registry.register("build", "A build", Info::new([("version", "1")]));
        let took = Histogram::new([0.5]);
        took.observe(0.25);
        registry.register("took", "A while", took);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let wanted = "\
# HELP polls_total Polls.
# TYPE polls_total counter
polls_total{name=\"a\\n# HELP \\\"b\\\" \\\\\"} 1
# HELP age_seconds An age.
# TYPE age_seconds gauge
age_seconds 0
# HELP work_seconds_total Work.
# TYPE work_seconds_total counter
work_seconds_total 0
# HELP build_info A build.
# TYPE build_info gauge
build_info{version=\"1\"} 1
# HELP took A while.
# TYPE took histogram
took_sum 0.25
took_count 1
took_bucket{le=\"0.5\"} 1
took_bucket{le=\"+Inf\"} 1
";
        assert_eq!(from_open_metrics(&text), wanted, "from {text}");
    }
}
