//! Reads a story's file: shapes first, then the rules between its parts.

use std::fmt;
use std::ops::Range;

use toml::Spanned;

use super::file::{File, TargetFile};
use super::{Moment, Step, Story, TargetSpec, check};

/// A story that cannot be played: every mistake that was found.
#[derive(Debug, thiserror::Error)]
pub struct StoryError {
    /// What is wrong, in the order of the file.
    pub mistakes: Vec<Mistake>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The rule that is broken, and the fix.
    pub rule: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.rule)
    }
}

impl fmt::Display for StoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{mistake}")?;
        }
        Ok(())
    }
}

pub(super) fn read(name: &str, text: &str) -> Result<Story, StoryError> {
    let mistake = |span: Range<usize>, rule: String| Mistake {
        file: name.to_owned(),
        line: text
            .get(..span.start)
            .map_or(1, |before| before.matches('\n').count() + 1),
        rule,
    };
    let file: File = toml::from_str(text).map_err(|error| StoryError {
        mistakes: vec![mistake(error.span().unwrap_or(0..0), error.message().to_owned())],
    })?;
    let refused = |broken: Vec<(Range<usize>, String)>| StoryError {
        mistakes: broken.into_iter().map(|(span, rule)| mistake(span, rule)).collect(),
    };
    let exceeded = check::exceeded(&file);
    if !exceeded.is_empty() {
        return Err(refused(exceeded));
    }
    let targets = single_targets(&file);
    let mistakes = check::mistakes(&file, &targets);
    if !mistakes.is_empty() {
        return Err(refused(mistakes));
    }
    Ok(Story {
        id: file.id.into_inner(),
        title: file.title.into_inner(),
        source: file.source.into_inner(),
        needs: file.needs,
        start: file.start,
        slow: file.slow,
        realtime: file.realtime,
        targets,
        steps: every_step(file.steps.into_iter().map(Spanned::into_inner)),
        expects: file.expects.into_iter().map(Spanned::into_inner).collect(),
        verdict: file.verdict,
    })
}

fn single_targets(file: &File) -> Vec<TargetSpec> {
    let single = |target: &TargetFile, handle: String| TargetSpec {
        name: target.deployment.clone().unwrap_or_else(|| handle.clone()),
        handle,
        group: target.name.clone(),
        mode: target.mode,
        namespace: target.namespace.clone(),
        cluster: target.cluster.clone(),
        found: target.found,
        rest_port: target.rest_port,
        labels: target.labels.clone(),
    };
    let targets = file.targets.iter().map(Spanned::get_ref);
    targets
        .flat_map(|target| match target.count {
            None => vec![single(target, target.name.clone())],
            Some(count) => (0..count)
                .map(|n| single(target, format!("{}-{n}", target.name)))
                .collect(),
        })
        .collect()
}

/// Repeated steps stand once for each time. Steps of one moment keep the file's order.
fn every_step(steps: impl Iterator<Item = Step>) -> Vec<(Moment, Step)> {
    let mut all = Vec::new();
    for step in steps {
        let (mut at, last) = (step.at, step.until.unwrap_or(step.at));
        match step.every {
            None => all.push((at, step)),
            Some(every) => {
                while at <= last {
                    all.push((at, step.clone()));
                    at = Moment::from_millis(at.as_millis().saturating_add(every.as_millis().max(1)));
                }
            }
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

impl Step {
    /// When it comes first, how often, and until when, as the file says it.
    pub(super) fn times(&self) -> (Moment, Option<Moment>, Option<Moment>) {
        (self.at, self.every, self.until)
    }
}
