//! `-o`: how what an engine answers is printed. As kubectl has it: tables for people, documents for programs, and what an
//! expression or a template takes from a document.

mod json_path;
#[cfg(feature = "author")]
pub(super) mod junit;

use std::str::FromStr;

use anyhow::anyhow;
use clap::Args;
use minijinja::Environment;
use serde_json::Value;

use self::json_path::Pieces;
use super::Failure;

/// The bound on a template's work: far more than a page for each of 100,000 jobs takes.
const FUEL: u64 = 50_000_000;

/// The option of every command that shows what an engine says.
#[derive(Clone, Debug, Args)]
pub(super) struct OutputOption {
    /// How to print: table, wide, json, yaml, name, jsonpath=EXPR or template=TEXT.
    #[arg(
        id = "format",
        short = 'o',
        long = "output",
        default_value = "table",
        value_name = "FORMAT"
    )]
    pub(super) format: Format,
}

/// How it is printed.
#[derive(Clone, Debug)]
pub(super) enum Format {
    /// For people.
    People(Detail),
    /// For programs.
    Data(Data),
}

/// How much people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// What fits into the terminal.
    Usual,
    /// More columns, and nothing is cut.
    Wide,
}

/// What is made of a document.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Json,
    Yaml,
    /// The names of what it holds, one to a line, as commands take them.
    Name,
    /// RFC 9535, in kubectl's braces or without.
    JsonPath(Pieces),
    /// Jinja2.
    Template(String),
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, rest) = text
            .split_once('=')
            .map_or((text, None), |(word, rest)| (word, Some(rest)));
        let data = match (word, rest) {
            ("table", None) => return Ok(Self::People(Detail::Usual)),
            ("wide", None) => return Ok(Self::People(Detail::Wide)),
            ("json", None) => Data::Json,
            ("yaml", None) => Data::Yaml,
            ("name", None) => Data::Name,
            ("jsonpath", Some(path)) if !path.trim().is_empty() => Data::JsonPath(Pieces::parse(path)?),
            ("template", Some(text)) if !text.is_empty() => Data::template(text)?,
            ("jsonpath", _) => return Err("write an expression behind it: jsonpath='{.items[*].id}'".to_owned()),
            ("template", _) => return Err("write a template behind it: template='{{ items | length }}'".to_owned()),
            _ => {
                return Err("write one of table, wide, json, yaml, name, jsonpath=EXPR and template=TEXT".to_owned());
            }
        };
        Ok(Self::Data(data))
    }
}

impl Data {
    fn template(text: &str) -> Result<Self, String> {
        let environment = Environment::new();
        let compiled = environment.template_from_str(text).map(drop);
        compiled.map_err(|error| format!("it is no template: {error}"))?;
        Ok(Self::Template(text.to_owned()))
    }

    /// A document, whole.
    pub(super) fn shown(&self, document: &Value) -> Result<String, Failure> {
        match self {
            Self::Json => Ok(format!("{document:#}\n")),
            Self::Yaml | Self::Name | Self::JsonPath(_) | Self::Template(_) => self.line(document),
        }
    }

    /// One of many documents: JSON is on one line.
    pub(super) fn line(&self, document: &Value) -> Result<String, Failure> {
        match self {
            Self::Json => Ok(format!("{document}\n")),
            Self::Yaml => {
                let yaml = serde_saphyr::to_string(document);
                yaml.map_err(|error| Failure::Failed(anyhow::Error::new(error).context("it cannot be written as YAML")))
            }
            Self::Name => Ok(names(document)),
            Self::JsonPath(pieces) => Ok(ended(pieces.shown(document))),
            Self::Template(text) => rendered(text, document).map(ended),
        }
    }
}

fn rendered(text: &str, document: &Value) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    let rendered = environment.render_str(text, minijinja::value::Serde(document));
    rendered.map_err(|error| Failure::Usage(anyhow!("the template cannot be rendered: {error}")))
}

/// Whatever ends without one gets the end of a line.
fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// What commands call what a document is about.
fn names(document: &Value) -> String {
    let one = |item: &Value| {
        let name = ["id", "job", "name", "alert"].into_iter();
        let name = name.filter_map(|key| item.get(key)?.as_str()).next()?;
        Some(format!("{name}\n"))
    };
    match document.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().filter_map(one).collect(),
        None => one(document).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(format: &str, document: &Value) -> String {
        match format.parse() {
            Ok(Format::Data(data)) => data.shown(document).unwrap(),
            Ok(Format::People(_)) => panic!("{format} is for people"),
            Err(error) => panic!("{format}: {error}"),
        }
    }

    #[test]
    fn each_format_takes_its_part_of_a_document() {
        let jobs = json!({ "items": [
            { "id": "-/-/a", "state": "RUNNING", "on": "no", "labels": { "team": "pay" } },
            { "id": "-/-/b", "state": "FAILED", "on": "1.0", "labels": {} },
        ]});
        for (format, expected) in [
            ("name", "-/-/a\n-/-/b\n"),
            ("jsonpath={.items[*].id}", "-/-/a -/-/b\n"),
            ("jsonpath=.items[?@.state=='FAILED'].id", "-/-/b\n"),
            ("jsonpath=$.items[0].labels", "{\"team\":\"pay\"}\n"),
            (
                "jsonpath={range .items[*]}{.id}{\"\\t\"}{.state}{\"\\n\"}{end}",
                "-/-/a\tRUNNING\n-/-/b\tFAILED\n",
            ),
            ("template={{ items | length }} jobs", "2 jobs\n"),
            (
                "template={% for job in items %}{{ job.id }};{% endfor %}",
                "-/-/a;-/-/b;\n",
            ),
        ] {
            assert_eq!(shown(format, &jobs), expected, "{format}");
        }
        let yaml = shown("yaml", &jobs);
        assert!(yaml.starts_with("items:\n"), "{yaml}");
        // What YAML would read as a truth or a number stays a text.
        let read: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read, jobs, "{yaml}");
    }

    #[test]
    fn a_format_that_is_none_is_told_what_to_write() {
        for (format, says) in [
            ("yml", "write one of table, wide, json"),
            ("json=x", "write one of"),
            ("jsonpath", "behind it"),
            ("jsonpath=", "behind it"),
            ("template=", "behind it"),
            ("jsonpath={.items[*", "has no end"),
            ("jsonpath={.items[}", "is no JSONPath"),
            ("jsonpath={range .items[*]}{.id}", "{end}"),
            ("jsonpath={end}", "{range"),
            ("template={{ items", "no template"),
        ] {
            let said = format.parse::<Format>().unwrap_err();
            assert!(said.contains(says), "{format}: {said}");
        }
    }
}
