//! Which of the module's own code ran while it was explored.
//!
//! What is explored then is a second module, the same code with marks between (`steadfast-coverage`). It decides as the first one does, and is a
//! little slower; where that costs it its deadline, the first one is asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use steadfast_core::decision::{Decide, Decision, Interrupt, PolicyFailure, PolicyFailureKind};
use steadfast_core::rule::Rule;
use steadfast_core::snapshot::Snapshot;
use steadfast_coverage::{Code, Marked, NeverRan, NotMarked, Origin, has_code_of, mark};
use steadfast_host::{Passed, Policy, PolicyEngine};

use super::super::super::printer;
use crate::run::{LoadedPolicy, load_as};

/// The most that is read of a module with its lines, in bytes.
const MAX_LINES: usize = 256 << 20;

/// Which of a policy's code runs, or why that is not seen.
pub(super) enum Coverage {
    Seen {
        marked: Box<Policy>,
        passed: Arc<Passed>,
        code: Code,
    },
    NotSeen(String),
}

impl Coverage {
    /// Of a policy that was loaded from these bytes, which stand in a file if they do. `project` is the folder that they were built
    /// from, if that is not the file's own.
    pub(super) fn of(loaded: &LoadedPolicy, module: &[u8], file: Option<&Path>, project: Option<&Path>) -> Self {
        match noting(loaded, module, file, project) {
            Ok(seen) => seen,
            Err(why) => Self::NotSeen(format!("{why:#}")),
        }
    }

    /// The policy, for one thread.
    pub(super) fn another(&self, loaded: &LoadedPolicy) -> Box<dyn Decide> {
        let plain = loaded.module.another();
        match self {
            Self::Seen { marked, .. } => Box::new(Noting {
                marked: marked.another(),
                plain,
            }),
            Self::NotSeen(_) => Box::new(plain),
        }
    }

    /// What never ran, once every policy that was made has ended.
    pub(super) fn never_ran(&self) -> Result<NeverRan, &str> {
        match self {
            Self::Seen { passed, code, .. } => Ok(code.never_ran(|mark| passed.is_set(mark))),
            Self::NotSeen(why) => Err(why),
        }
    }

    /// The same for people, in whole lines.
    pub(super) fn told(&self) -> String {
        match self.never_ran() {
            Ok(never_ran) => never_ran.to_string(),
            Err(why) => format!("which of its code ran is not seen: {why}\n"),
        }
    }
}

fn noting(
    loaded: &LoadedPolicy,
    module: &[u8],
    file: Option<&Path>,
    project: Option<&Path>,
) -> anyhow::Result<Coverage> {
    let component = PolicyEngine::component(&loaded.config.name, module)?;
    let beside = file.and_then(Path::parent).map(|folder| {
        // A file without a folder stands here.
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    });
    let found = project.or(beside).and_then(|folder| folder.canonicalize().ok());
    let kept = match (file, &found) {
        (Some(file), Some(found)) => kept_lines(found, file, &component)?,
        (_, None) | (None, _) => Kept::Nowhere,
    };
    let kept = match kept {
        Kept::Here(lines) => Some(lines),
        Kept::OfAnotherBuild(path) => {
            printer::note(&format!(
                "{} is of another build than the module, and its lines are not told; run `steadfast policy build`",
                path.display()
            ));
            None
        }
        Kept::NotAt(path) if project.is_some() => {
            printer::note(&format!(
                "there is no {}, and no lines are told; `steadfast policy build` keeps them there",
                path.display()
            ));
            None
        }
        Kept::NotAt(_) | Kept::Nowhere => None,
    };
    let origin = kept.as_deref().zip(found.as_deref());
    let origin = origin.map(|(module, project)| Origin { module, project });
    let Marked { component, words, code } = mark(&component, origin)?;
    let passed = Arc::new(Passed::new(words));
    let marked = load_as(&loaded.config, &component).context("the module with marks in it cannot be loaded")?;
    Ok(Coverage::Seen {
        marked: Box::new(marked.noting(Arc::clone(&passed))),
        passed,
        code,
    })
}

/// What `policy build` has kept of a module's lines.
enum Kept {
    /// The same code with its lines.
    Here(Vec<u8>),
    /// What stands there was not made with the module.
    OfAnotherBuild(PathBuf),
    /// Nothing that can be read.
    NotAt(PathBuf),
    /// There is no project.
    Nowhere,
}

fn kept_lines(project: &Path, file: &Path, component: &[u8]) -> Result<Kept, NotMarked> {
    let path = super::super::build::lines_of(project, file);
    let Ok(kept) = steadfast_files::read(&path, MAX_LINES) else {
        return Ok(Kept::NotAt(path));
    };
    Ok(if has_code_of(component, &kept)? {
        Kept::Here(kept)
    } else {
        Kept::OfAnotherBuild(path)
    })
}

/// A policy that notes which of its code ran.
struct Noting {
    marked: Policy,
    plain: Policy,
}

impl Decide for Noting {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        match self.marked.decide(snapshot) {
            // The marks may have cost it that.
            Err(failure) if failure.kind == PolicyFailureKind::Deadline => {
                self.plain.end_batch();
                self.plain.decide(snapshot)
            }
            answer => answer,
        }
    }

    fn end_batch(&mut self) {
        self.marked.end_batch();
    }

    fn interrupt(&self) -> Option<Interrupt> {
        self.marked.interrupt()
    }

    fn rule(&self, name: &str) -> Option<Rule> {
        self.marked.rule(name)
    }
}
