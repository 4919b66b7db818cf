//! How what was verified is printed, and where stories go.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::super::super::output::junit::{ReportFormat, ReportOption};
use super::super::super::output::{Detail, Format};

/// The options of other commands that try things, and what `--output` was here before: the folder of stories.
#[derive(Clone, Debug, Args)]
pub(super) struct Output {
    /// How to print: table, wide, json, yaml, junit, jsonpath=EXPR or template=TEXT.
    #[arg(
        id = "format",
        short = 'o',
        long = "output",
        default_value = "table",
        value_name = "FORMAT"
    )]
    how: How,
    /// Write the report for CI servers (`-o junit`) to this file as well.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum How {
    As(ReportFormat),
    /// For people, with the stories in that folder.
    Into(PathBuf),
}

impl FromStr for How {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_folder = |text: &str| !text.contains('=') && (text.contains('/') || Path::new(text).is_dir());
        match text.parse() {
            Ok(format) => Ok(Self::As(format)),
            Err(_) if is_folder(text) => Ok(Self::Into(text.into())),
            Err(why) => Err(format!("{why}; the folder of stories is --stories DIR")),
        }
    }
}

impl Output {
    /// As other commands have it.
    pub(super) fn report(&self) -> ReportOption {
        let format = match &self.how {
            How::As(format) => format.clone(),
            How::Into(_) => ReportFormat::Usual(Format::People(Detail::Usual)),
        };
        ReportOption {
            format,
            junit: self.junit.clone(),
        }
    }

    /// Where stories go, if `--stories` says so, or `--output` as it was.
    pub(super) fn folder<'a>(&'a self, stories: Option<&'a Path>) -> &'a Path {
        match (stories, &self.how) {
            (Some(folder), _) => folder,
            (None, How::Into(folder)) => folder,
            (None, How::As(_)) => Path::new("."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_still_taken_for_the_stories_and_a_slip_for_none() {
        for (text, folder) in [("broken/", "broken/"), ("/", "/"), (".", "."), ("json", ".")] {
            let output = Output {
                how: text.parse().unwrap(),
                junit: None,
            };
            assert_eq!(output.folder(None), Path::new(folder), "{text}");
            assert_eq!(output.folder(Some(Path::new("mine"))), Path::new("mine"));
        }
        let refused = "jsn".parse::<How>().unwrap_err();
        assert!(
            refused.contains("junit") && refused.contains("--stories DIR"),
            "{refused}"
        );
        assert!("jsonpath=/".parse::<How>().is_err());
    }
}
