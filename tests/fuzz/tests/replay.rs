//! What was found once, and the seeds, in every target; then each target for a moment with mutations of them.
//!
//! `FUZZ_CASES` says how many mutations of each target are tried, `FUZZ_SEED` which ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fuzz::mutate::mutate;
use fuzz::{TARGETS, Target};
use libtest_mimic::{Arguments, Failed, Trial};

/// Mutations of each target, unless `FUZZ_CASES` says otherwise.
const CASES: u64 = 300;
/// The most an input may hold, in bytes.
const MOST: usize = 64 << 10;

/// The last panic of any thread: a task that panics takes nobody with it.
static PANICKED: Mutex<Option<String>> = Mutex::new(None);

fn main() {
    let arguments = Arguments::from_args();
    panic::set_hook(Box::new(|panicked| {
        *PANICKED.lock().unwrap() = Some(panicked.to_string());
    }));
    let mut trials = Vec::new();
    for target in TARGETS {
        trials.push(Trial::test(format!("{}::regressions", target.name), || {
            regressions(target)
        }));
        trials.push(Trial::test(format!("{}::seeds_and_mutations", target.name), || {
            mutations(target)
        }));
    }
    trials.push(Trial::test(
        "every_folder_of_regressions_is_of_a_target",
        every_folder_is_of_a_target,
    ));
    // One after another, so that a panic is of the input that is tried.
    let arguments = Arguments {
        test_threads: Some(1),
        ..arguments
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

fn tried(target: &Target, input: &[u8], what: &str) -> Result<(), Failed> {
    let outcome = panic::catch_unwind(|| (target.check)(input));
    let panicked = PANICKED.lock().unwrap().take();
    match (outcome, panicked) {
        (Ok(()), None) => Ok(()),
        (_, panicked) => {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.input", target.name));
            fs::write(&path, input)?;
            let why = panicked.unwrap_or_default();
            Err(format!("{what} (kept as {}): {why}", path.display()).into())
        }
    }
}

fn regressions(target: &Target) -> Result<(), Failed> {
    let Ok(files) = fs::read_dir(folder().join(target.name)) else {
        return Ok(());
    };
    for file in files {
        let path = file?.path();
        tried(target, &fs::read(&path)?, &path.display().to_string())?;
    }
    Ok(())
}

fn mutations(target: &Target) -> Result<(), Failed> {
    let number = |name: &str, plain: u64| std::env::var(name).map_or(Ok(plain), |text| text.parse());
    let (cases, first) = (number("FUZZ_CASES", CASES)?, number("FUZZ_SEED", 1)?);
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{} has nothing to begin with", target.name);
    for (n, seed) in seeds.iter().enumerate() {
        tried(target, seed, &format!("seed {n}"))?;
    }
    for case in 0..cases {
        let seed = &seeds[usize::try_from(case)? % seeds.len()];
        let draw = first.wrapping_mul(1_000_003).wrapping_add(case);
        tried(
            target,
            &mutate(seed, target.words, MOST, draw),
            &format!("mutation {draw}"),
        )?;
    }
    Ok(())
}

fn every_folder_is_of_a_target() -> Result<(), Failed> {
    for folder in fs::read_dir(folder())? {
        let name = folder?.file_name();
        let is_known = name.to_str().is_some_and(|name| Target::named(name).is_some());
        if !is_known {
            return Err(format!("{} is of no target", name.display()).into());
        }
    }
    Ok(())
}
