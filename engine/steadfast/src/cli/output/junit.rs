//! `-o junit`: what was tried, in the XML that CI servers read. There is no standard; this is what JUnit's Ant task wrote, which
//! Jenkins, GitLab, GitHub's actions and Azure read.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context as _;
use clap::Args;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::Value;

use super::super::{Failure, printer};
use super::Format;

/// The option of commands that try things.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ReportOption {
    /// How to print: table, wide, json, yaml, junit, jsonpath=EXPR or template=TEXT.
    #[arg(
        id = "format",
        short = 'o',
        long = "output",
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(in crate::cli) format: ReportFormat,
    /// Write the report for CI servers (`-o junit`) to this file as well.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) junit: Option<PathBuf>,
}

/// All that was tried, in each form.
pub(in crate::cli) struct Tried<'a> {
    /// What tried it.
    pub(in crate::cli) suite: &'a str,
    /// For people: what they have not been told yet.
    pub(in crate::cli) page: &'a str,
    /// For programs.
    pub(in crate::cli) document: &'a Value,
    /// For CI servers.
    pub(in crate::cli) cases: &'a [Case],
}

impl ReportOption {
    /// Whether people read along.
    pub(in crate::cli) fn is_for_people(&self) -> bool {
        matches!(self.format, ReportFormat::Usual(Format::People(_)))
    }

    /// Prints what came of all of it, and writes the file that is asked for.
    pub(in crate::cli) fn conclude(&self, tried: &Tried<'_>) -> Result<(), Failure> {
        match &self.format {
            ReportFormat::Usual(Format::People(_)) => printer::data(tried.page)?,
            ReportFormat::Usual(Format::Data(data)) => printer::data(&data.shown(tried.document)?)?,
            ReportFormat::JUnit => printer::data(&document(tried.suite, tried.cases)?)?,
        }
        match &self.junit {
            Some(path) => keep(path, &document(tried.suite, tried.cases)?).map_err(Failure::Failed),
            None => Ok(()),
        }
    }
}

fn keep(path: &Path, report: &str) -> anyhow::Result<()> {
    std::fs::write(path, report).with_context(|| {
        format!(
            "the report {} cannot be written; --junit takes a file in a folder that is there",
            path.display()
        )
    })
}

/// How what was tried is printed.
#[derive(Clone, Debug)]
pub(in crate::cli) enum ReportFormat {
    /// As whatever else.
    Usual(Format),
    /// For CI servers.
    JUnit,
}

impl FromStr for ReportFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "junit" {
            return Ok(Self::JUnit);
        }
        let usual = text.parse().map(Self::Usual);
        usual.map_err(|error: String| error.replace("yaml, name,", "yaml, junit, name,"))
    }
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Case {
    /// What it is a part of, such as a file.
    pub(in crate::cli) class: String,
    /// What was tried.
    pub(in crate::cli) name: String,
    pub(in crate::cli) came_to: CameTo,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) enum CameTo {
    Passed,
    /// What is wrong, each on a line of its own, and what else there is to read.
    Failed {
        broken: Vec<String>,
        more: String,
    },
    /// Why it was not tried.
    Skipped(String),
}

/// The document of one suite.
fn document(suite: &str, cases: &[Case]) -> Result<String, Failure> {
    let written = written(suite, cases).context("the report cannot be written as XML");
    let written = written.and_then(|bytes| String::from_utf8(bytes).context("the report is no text"));
    written.map_err(Failure::Failed)
}

fn written(suite: &str, cases: &[Case]) -> io::Result<Vec<u8>> {
    let count = |is: fn(&CameTo) -> bool| cases.iter().filter(|case| is(&case.came_to)).count().to_string();
    let counts = [
        ("name", suite.to_owned()),
        ("tests", cases.len().to_string()),
        ("failures", count(|came_to| matches!(came_to, CameTo::Failed { .. }))),
        ("errors", "0".to_owned()),
        ("skipped", count(|came_to| matches!(came_to, CameTo::Skipped(_)))),
    ];
    let counts = || counts.iter().map(|(name, value)| (*name, value.as_str()));
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = writer.create_element("testsuites").with_attributes(counts());
    all.write_inner_content(|writer| {
        let one = writer.create_element("testsuite").with_attributes(counts());
        one.write_inner_content(|writer| cases.iter().try_for_each(|case| write_case(writer, case)))?;
        Ok(())
    })?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}

fn write_case(writer: &mut Writer<Vec<u8>>, case: &Case) -> io::Result<()> {
    let (class, name) = (readable(&case.class), readable(&case.name));
    let element = writer.create_element("testcase");
    let element = element.with_attributes([("classname", class.as_str()), ("name", name.as_str())]);
    match &case.came_to {
        CameTo::Passed => element.write_empty()?,
        CameTo::Failed { broken, more } => {
            let message = readable(broken.first().map_or("", String::as_str));
            let text = readable(&format!("{}\n{more}", broken.join("\n")));
            element.write_inner_content(|writer| {
                let failure = writer
                    .create_element("failure")
                    .with_attribute(("message", message.as_str()));
                failure.write_text_content(BytesText::new(&text))?;
                Ok(())
            })?
        }
        CameTo::Skipped(why) => {
            let why = readable(why);
            element.write_inner_content(|writer| {
                let skipped = writer
                    .create_element("skipped")
                    .with_attribute(("message", why.as_str()));
                skipped.write_empty()?;
                Ok(())
            })?
        }
    };
    Ok(())
}

/// XML 1.0 has no way to write most control characters, and a reader refuses a document that has one.
fn readable(text: &str) -> String {
    let one = |c: char| match c {
        '\t' | '\n' => c,
        '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_what_ci_servers_read() {
        let case = |name: &str, came_to| Case {
            class: "stories/a.toml".to_owned(),
            name: name.to_owned(),
            came_to,
        };
        let failed = CameTo::Failed {
            broken: vec!["at 5.0s: \"a\" is <LOST> & \u{1b}[2J".to_owned(), "at 9.0s".to_owned()],
            more: "timeline".to_owned(),
        };
        let cases = [
            case("good", CameTo::Passed),
            case("bad", failed),
            case("long", CameTo::Skipped("slow".to_owned())),
        ];
        let report = document("steadfast simulate", &cases).unwrap();
        for part in [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"steadfast simulate\" tests=\"3\" failures=\"1\"",
            "<testcase classname=\"stories/a.toml\" name=\"good\"/>",
            "<failure message=\"at 5.0s: &quot;a&quot; is &lt;LOST&gt; &amp; \u{fffd}[2J\">",
            "\nat 9.0s\ntimeline</failure>",
            "<skipped message=\"slow\"/>",
        ] {
            assert!(report.contains(part), "no `{part}` in\n{report}");
        }
    }

    #[test]
    fn a_format_that_is_none_names_junit_too() {
        let refused = "xml".parse::<ReportFormat>().unwrap_err();
        assert!(refused.contains("yaml, junit, name,"), "{refused}");
    }
}
