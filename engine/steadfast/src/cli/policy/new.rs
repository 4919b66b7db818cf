//! `steadfast policy new`.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, ValueEnum};

use super::super::{Failure, printer};
use super::language::Language;
use super::template;

pub(super) const AFTER_HELP: &str = "\
The project is a small policy that works: its source, tests in its language, its stories, the contract it is built against, and a
README. In Rust the SDK comes with it, in sdk/. Nothing else is fetched until `steadfast policy build`.

With --from conservative it is in Rust, and decides as the default policy does but for what you change: that policy comes with
it as a library, in conservative/.

Examples:
  steadfast policy new mine --lang python
  steadfast policy new mine --from conservative
  steadfast policy build mine
  steadfast simulate --policy mine/mine.wasm mine/stories";

#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// What the policy is called: small letters, digits and hyphens, such as `night-shift`.
    #[arg(value_parser = name)]
    name: String,
    /// The language it is written in.
    #[arg(long, value_enum, value_name = "LANGUAGE", required_unless_present = "from")]
    lang: Option<Language>,
    /// Build on a policy that there is, in Rust.
    #[arg(long, value_enum, value_name = "POLICY")]
    from: Option<Base>,
    /// The folder it is written to [default: NAME].
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

/// What a policy can build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Base {
    Conservative,
}

/// Writes a project, and says what comes next.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let Options { name, lang, from, into } = options;
    let (lang, files) = match (from, lang) {
        (Some(Base::Conservative), Some(Language::Rust) | None) => {
            (Language::Rust, template::files_from_conservative(name))
        }
        (Some(Base::Conservative), Some(Language::Python | Language::JavaScript | Language::C | Language::Go)) => {
            return Err(Failure::Usage(anyhow!(
                "the default policy is written in Rust, and a policy that builds on it is, too; leave --lang out, or leave --from out \
                 for a small policy to begin with"
            )));
        }
        (None, Some(lang)) => (*lang, template::files(*lang, name)),
        (None, None) => return Err(Failure::Usage(anyhow!("name a language with --lang"))),
    };
    let folder = into.clone().unwrap_or_else(|| PathBuf::from(name));
    refuse_occupied(&folder).map_err(Failure::Usage)?;
    for file in files {
        write_file(&folder.join(file.path), &file.text)?;
    }
    let place = folder.display();
    printer::note(&format!(
        "{place} holds the policy `{name}` in {}; begin with {}. Next:\n  \
         steadfast policy build {place}\n  \
         steadfast simulate --policy {place}/{module}.wasm {place}/stories\n  \
         steadfast policy verify {place}/{module}.wasm\n  \
         cd {place} && {test}",
        lang.spec().title,
        folder.join(lang.spec().source).display(),
        module = super::build::module_name(&folder)?,
        test = lang.spec().test,
    ));
    Ok(())
}

/// A name that every language takes.
fn name(text: &str) -> Result<String, String> {
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
    let ends_well = !text.ends_with('-') && !text.contains("--");
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if starts_well && ends_well && text.len() <= 40 && text.chars().all(known) {
        Ok(text.to_owned())
    } else {
        Err(
            "a name begins with a small letter and goes on with small letters, digits and single hyphens, 40 at most"
                .into(),
        )
    }
}

/// What is there is somebody's work.
fn refuse_occupied(folder: &Path) -> anyhow::Result<()> {
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(anyhow!(
            "{} is not empty, and nothing in it was touched; give another NAME, or another folder with --into",
            folder.display()
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(error).with_context(|| format!("{} cannot be written to; name a folder with --into", folder.display()))
        }
    }
}

fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(cannot)?;
    }
    std::fs::write(path, text).with_context(cannot)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_one_that_every_language_takes() {
        for good in ["a", "night-shift", "v2"] {
            assert_eq!(name(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "2v",
            "Night",
            "night_shift",
            "-a",
            "a-",
            "a--b",
            "a/b",
            "ä",
            &"a".repeat(41),
        ] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }
}
