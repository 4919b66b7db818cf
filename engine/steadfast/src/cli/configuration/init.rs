//! `steadfast config init`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use serde::Deserialize;

use crate::cli::Failure;
use crate::cli::printer::{self, counted};
use crate::config::Config;
use crate::doctor::{Survey, survey};

pub(super) const AFTER_HELP: &str = "\
A file that is there is never written over. The cluster is that of the kubeconfig's current context: an engine watches that one, and
one more for each [[kubernetes]] entry with a kubeconfig of its own.

Examples:
  steadfast config init
  steadfast config init --kubeconfig prod.yaml --file prod.toml
  steadfast config init --file -         print it instead";

/// From what, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Options {
    /// The kubeconfig [default: in-cluster, then KUBECONFIG, then ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The file that is written; `-`: standard output.
    #[arg(short, long, default_value = "config.toml", value_name = "FILE")]
    file: PathBuf,
}

/// As much of a kubeconfig as has names in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kubeconfig {
    #[serde(rename = "current-context")]
    current_context: Option<String>,
    contexts: Vec<Context_>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Context_ {
    name: String,
}

/// Looks around, and writes the file.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let is_printed = options.file == Path::new("-");
    if !is_printed && options.file.exists() {
        return Err(there(&options.file));
    }
    let kubeconfig = options.kubeconfig.as_deref();
    let names = names(kubeconfig);
    let is_somewhere = kubeconfig.is_some() || names.is_some() || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let mut found = None;
    if is_somewhere {
        let names = names.unwrap_or_default();
        let name = cluster_name(names.current_context.as_deref());
        let others: Vec<&str> = names.contexts.iter().map(|context| context.name.as_str()).collect();
        let others: Vec<&str> = others
            .into_iter()
            .filter(|other| Some(*other) != names.current_context.as_deref())
            .collect();
        if !others.is_empty() {
            printer::note(&format!(
                "the kubeconfig has other contexts ({}): an engine takes the current one; give each its own kubeconfig to watch them too",
                others.join(", ")
            ));
        }
        let text = text(Some(&name), kubeconfig, None);
        let config = Config::parse(&options.file, &text)?;
        let survey = match config.clusters.first() {
            Some(cluster) => survey(&config, cluster).await,
            None => Err("it has no name".to_owned()),
        };
        match &survey {
            Ok(survey) => tell(survey),
            Err(why) => printer::note(&format!(
                "cluster {name} could not be asked, and is written down all the same: {why}"
            )),
        }
        found = Some((name, survey.ok()));
    } else {
        printer::note("no kubeconfig is here: the file has an example of a Flink outside of Kubernetes");
    }
    let text = match &found {
        Some((name, survey)) => text(Some(name), kubeconfig, survey.as_ref()),
        None => text(None, None, None),
    };
    // What is written is what an engine takes.
    Config::parse(&options.file, &text)?;
    if is_printed {
        return Ok(printer::data(&text)?);
    }
    write(&options.file, &text)?;
    printer::note(&format!(
        "{0} is written; next: `steadfast doctor --config {0}`, then `steadfast run --config {0}`",
        options.file.display()
    ));
    Ok(())
}

fn there(file: &Path) -> Failure {
    Failure::Usage(anyhow!(
        "{} is there already, and is not written over; name another with --file, or `--file -` to print it",
        file.display()
    ))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = || format!("{} cannot be written", path.display());
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(there(path)),
        file => file.with_context(cannot)?,
    };
    Ok(file.write_all(text.as_bytes()).with_context(cannot)?)
}

/// What the kubeconfig calls its contexts. One that does not read is found out when the cluster is asked.
fn names(named: Option<&Path>) -> Option<Kubeconfig> {
    let of_environment = || {
        let all = std::env::var_os("KUBECONFIG")?;
        std::env::split_paths(&all).find(|path| path.exists())
    };
    let of_home = || {
        let path = Path::new(&std::env::var_os("HOME")?).join(".kube/config");
        path.exists().then_some(path)
    };
    let path = named.map(Path::to_owned).or_else(of_environment).or_else(of_home)?;
    let text = steadfast_files::read_text(&path, steadfast_files::SMALL).ok()?;
    serde_saphyr::from_str(&text).ok()
}

/// A context's name as the first part of jobs' ids.
fn cluster_name(context: Option<&str>) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = context
        .unwrap_or("local")
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() {
        "local".to_owned()
    } else {
        name.to_owned()
    }
}

fn tell(found: &Survey) {
    printer::note(&format!("{} answers, Kubernetes {}", found.server, found.version));
    printer::note(&format!(
        "{} of Flink's native mode",
        counted(found.deployments, "Deployment")
    ));
    printer::note(&match found.operator {
        Some(count) => format!(
            "the Flink Kubernetes Operator is installed, with {}",
            counted(count, "resource")
        ),
        None => "the Flink Kubernetes Operator is not installed".to_owned(),
    });
    for unread in &found.unread {
        printer::note(&format!("{unread}; docs/deploy.md has the rights that an engine needs"));
    }
}

fn text(name: Option<&str>, kubeconfig: Option<&Path>, found: Option<&Survey>) -> String {
    let mut text = "# Steadfast's configuration. What is left out is as `steadfast config show` says; the config.toml that comes with\n\
                    # Steadfast has every key. `steadfast check` finds mistakes, `steadfast doctor` asks what this leads to.\n\n\
                    [server]\nlisten = \"127.0.0.1:8080\"  # beyond loopback a token is required: steadfast token new\n\n"
        .to_owned();
    let Some(name) = name else {
        text.push_str(
            "# [[job]]\n# name = \"orders\"\n# mode = \"standalone\"\n# flink_rest = \"http://127.0.0.1:8081\"  # its JobManager\n",
        );
        return text;
    };
    text.push_str(&format!("[[kubernetes]]\nname = {}\n", toml_edit::Value::from(name)));
    if let Some(path) = kubeconfig {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        text.push_str(&format!(
            "kubeconfig = {}\n",
            toml_edit::Value::from(path.display().to_string())
        ));
    }
    if found.is_some_and(|found| found.operator.is_none()) {
        text.push_str("discover = [\"native\"]  # the Flink Kubernetes Operator was not installed\n");
    }
    text.push_str("# namespaces = [\"default\"]  # where rights are for some namespaces alone\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contexts_name_becomes_a_part_of_an_id() {
        for (context, name) in [
            (Some("prod"), "prod"),
            (Some("arn:aws:eks:eu/cluster/a"), "arn-aws-eks-eu-cluster-a"),
            (Some("me@prod"), "me-prod"),
            (Some("//"), "local"),
            (None, "local"),
        ] {
            assert_eq!(cluster_name(context), name, "{context:?}");
        }
    }

    #[test]
    fn what_is_written_is_a_configuration_whatever_was_found() {
        let without = Survey::default();
        for (name, found) in [(None, None), (Some("prod"), None), (Some("prod"), Some(&without))] {
            let text = text(name, None, found);
            let config = Config::parse(Path::new("config.toml"), &text).unwrap();
            assert_eq!(config.clusters.len(), usize::from(name.is_some()), "{text}");
            assert_eq!(text.contains("discover"), found.is_some(), "{text}");
        }
    }
}
