//! Makes each known mistake, one at a time, and shows that the test it names catches it: `tests/mutations/run`.

#![allow(clippy::print_stdout, reason = "its report is what it is for")]

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use mutations::patch::Catcher;
use mutations::trial::{self, Trial, Verdict};
use mutations::workbench::{self, Program, Programs};
use mutations::{Patch, Tree, copy, workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let root = workspace();
    let folder = root.join("target/mutations");
    let all = Patch::all(&root)?;
    let mut tree = Tree::of(&root);
    for patch in &all {
        tree.apply(patch)?;
    }
    tree.answer()?;
    let asked_for: Vec<String> = std::env::args().skip(1).collect();
    let unknown = asked_for
        .iter()
        .find(|name| all.iter().all(|patch| patch.name != **name));
    ensure!(
        unknown.is_none(),
        "no patch is called {}",
        unknown.map_or("", String::as_str)
    );
    let chosen = |patch: &&Patch| asked_for.is_empty() || asked_for.contains(&patch.name);
    let patches: Vec<&Patch> = all.iter().filter(chosen).collect();

    workbench::lay_out(&root, &tree, &copy())?;
    let began = Instant::now();
    let catchers = all.iter().map(|patch| &patch.catcher);
    let programs = workbench::build(&copy(), &folder.join("build"), catchers)?;
    println!(
        "{} mistakes in one build, made in {} s\n",
        all.len(),
        began.elapsed().as_secs()
    );
    without_any(&programs, &patches).await?;
    with_each(&programs, &patches, &folder.join("said")).await
}

/// Each test passes while nothing is wrong.
async fn without_any(programs: &Programs, patches: &[&Patch]) -> Result<()> {
    let mut catchers: Vec<&Catcher> = patches.iter().map(|patch| &patch.catcher).collect();
    catchers.sort();
    catchers.dedup();
    let mut wrong = 0;
    for catcher in &catchers {
        let Trial { verdict, said, .. } = trial::run(program(programs, catcher)?, &catcher.test, None).await?;
        if verdict != Verdict::Passed {
            println!(
                "{}: {}: without any mistake it does not pass: {verdict:?}\n{said}",
                catcher.package, catcher.test
            );
            wrong += 1;
        }
    }
    ensure!(wrong == 0, "{wrong} tests do not pass without any mistake");
    println!("{} tests pass without any mistake\n", catchers.len());
    Ok(())
}

/// Each test fails when its mistake is made.
async fn with_each(programs: &Programs, patches: &[&Patch], logs: &Path) -> Result<()> {
    std::fs::create_dir_all(logs)?;
    println!("| mutant | caught by | time |\n|---|---|---|");
    let mut caught = 0;
    for patch in patches {
        let Patch { name, catcher, .. } = patch;
        let trial = trial::run(program(programs, catcher)?, &catcher.test, Some(name)).await?;
        std::fs::write(logs.join(format!("{name}.log")), &trial.said)?;
        let by = match &trial.verdict {
            Verdict::Failed(_) => {
                caught += 1;
                format!("{}: {}", catcher.package, catcher.test)
            }
            Verdict::Passed => format!("NOT CAUGHT by {}: {}", catcher.package, catcher.test),
            Verdict::Void(why) => format!("NOT CAUGHT by {}: {}: {why}", catcher.package, catcher.test),
        };
        println!("| {name} | {by} | {:.1} s |", trial.took.as_secs_f32());
    }
    println!(
        "\n{caught} of {} mistakes are caught; what each test said is below {}",
        patches.len(),
        logs.display()
    );
    if caught < patches.len() {
        bail!("{} mistakes are not caught", patches.len() - caught);
    }
    Ok(())
}

fn program<'a>(programs: &'a Programs, catcher: &Catcher) -> Result<&'a Program> {
    let key = (catcher.package.clone(), catcher.target.clone());
    programs
        .get(&key)
        .with_context(|| format!("package {} has no test target {}", key.0, key.1))
}
