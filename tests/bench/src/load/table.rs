//! A report as the tables of docs/benchmarks.md.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;

use super::report::{Phase, Report, Run};

const HEAD: &str = "\
| phase | cores | polls | processor time of a poll | busiest second, to the mean | age p50 | age p99 | memory | files | store | lists (pages) | GETs | |
|---|---|---|---|---|---|---|---|---|---|---|---|---|
";

/// Prints the tables of a report that was written before.
#[expect(clippy::print_stdout, reason = "they are what this is for")]
pub fn print(file: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let report: Report = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    print!("{}", tables(&report));
    Ok(())
}

/// All runs, and how their figures grow.
fn tables(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "{} cores ({}), {} GiB, Linux {}; commit {}, {}.\n",
        machine.cores,
        machine.processor,
        machine.memory_mib / 1024,
        machine.kernel,
        machine.commit,
        report.date
    );
    for run in &report.runs {
        text.push('\n');
        text.push_str(&of_run(run));
    }
    text.push_str(&growth(report));
    text
}

fn of_run(run: &Run) -> String {
    let title = match run.session {
        Some([running, listed]) => format!(
            "a session cluster, {} of {} jobs run",
            grouped(running),
            grouped(listed)
        ),
        None => format!("{} jobs", grouped(run.jobs)),
    };
    let rows: String = run.phases.iter().map(row).collect();
    let stopped = run.stopped_after;
    format!(
        "### {}: {title}\n\n{HEAD}{rows}\nStopped after {stopped:.2} s.\n",
        run.engine
    )
}

fn row(phase: &Phase) -> String {
    let seconds = |age: Option<f64>| age.map_or_else(String::new, |age| format!("{age:.2} s"));
    let busiest = phase
        .busiest
        .map_or_else(String::new, |busiest| format!("{busiest:.2}"));
    let figures: Vec<String> = phase.figures.iter().map(ToString::to_string).collect();
    format!(
        "| `{}` | {:.2} | {} | {:.0} us | {busiest} | {} | {} | {:.0} MiB | {} | {:.0} MiB | {} ({}) | {} | {} |\n",
        phase.name,
        phase.cores,
        grouped(usize::try_from(phase.polls).unwrap_or(usize::MAX)),
        phase.cpu_us_a_poll,
        seconds(phase.age_p50),
        seconds(phase.age_p99),
        phase.resident_mib,
        grouped(phase.files),
        phase.store_mib,
        phase.lists,
        phase.pages,
        phase.gets,
        figures.join(", ")
    )
}

/// A line for each phase, a column for each figure.
fn growth(report: &Report) -> String {
    if report.growth.is_empty() {
        return String::new();
    }
    let mut figures: Vec<&str> = Vec::new();
    let mut lines: Vec<(&str, &str)> = Vec::new();
    for grown in &report.growth {
        let line = (grown.engine.as_str(), grown.phase.as_str());
        if !figures.contains(&grown.figure.as_str()) {
            figures.push(&grown.figure);
        }
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let mut text = format!(
        "\n### Growth\n\n| engine | phase | {} |\n|---|---|{}\n",
        figures.join(" | "),
        "---|".repeat(figures.len())
    );
    for (engine, phase) in lines {
        let cells: Vec<String> = figures
            .iter()
            .map(|figure| {
                let is_it = |grown: &&super::growth::Growth| {
                    (grown.engine.as_str(), grown.phase.as_str(), grown.figure.as_str()) == (engine, phase, *figure)
                };
                let found = report.growth.iter().find(is_it);
                found.map_or_else(String::new, |grown| format!("{:.2}", grown.exponent))
            })
            .collect();
        // A String takes what is written.
        let _ = writeln!(text, "| {engine} | `{phase}` | {} |", cells.join(" | "));
    }
    text
}

fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks.md");
    const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/benchmarks/fleet.json");
    const BEGIN: &str = "<!-- made of benchmarks/fleet.json: UPDATE_DOCS=1 cargo test -p bench table -->\n";
    const END: &str = "<!-- end -->";

    #[test]
    fn the_page_shows_the_figures() {
        let report: Report = serde_json::from_str(&std::fs::read_to_string(FIGURES).unwrap()).unwrap();
        let page = std::fs::read_to_string(PAGE).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (shown, behind) = rest.split_once(END).unwrap();
        let tables = tables(&report);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(PAGE, format!("{before}{BEGIN}{tables}{END}{behind}")).unwrap();
        } else {
            assert_eq!(shown, tables, "UPDATE_DOCS=1 makes it anew");
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([7, 1_000, 1_234_567].map(grouped), ["7", "1,000", "1,234,567"]);
    }
}
