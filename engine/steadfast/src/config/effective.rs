//! What a configuration comes to: each key with its value, and where that came from.

use std::path::Path;

use serde_json::{Value, json};
use steadfast_core::secret_url::SecretUrl;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{Holds, Key, SECTIONS, Secret, Section};
use super::{ConfigError, environment, overrides};

/// What stands for what may be a secret.
const HIDDEN: &str = "***";

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// The table that it stands in, such as `[timing]`, `[[kubernetes]]` or `[server.tls]`.
    pub(crate) table: String,
    /// Where several tables have that name: which of them, from 0 on.
    pub(crate) index: Option<usize>,
    pub(crate) key: String,
    /// As the file would say it; hidden if it may be a secret.
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    /// The line of the file.
    File(usize),
    /// The line of the file, which names variables.
    Environment(usize),
    /// `--set`.
    CommandLine,
}

impl Origin {
    fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::CommandLine => "--set",
        }
    }

    fn line(&self) -> Option<usize> {
        match self {
            Self::File(line) | Self::Environment(line) => Some(*line),
            Self::Default | Self::CommandLine => None,
        }
    }
}

/// Reads a file, and says what it comes to. A file with mistakes comes to nothing.
pub(crate) fn settings(path: &Path) -> Result<Vec<Setting>, ConfigError> {
    super::Config::load(path)?;
    Ok(of_text(&super::read_text(path)?, overrides::of_process()))
}

fn of_text(text: &str, set: &[overrides::Override]) -> Vec<Setting> {
    let (mut raw, _) = DeTable::parse_recoverable(text);
    // What these get wrong has been told.
    let _told = overrides::apply(raw.get_mut(), set, text.len());
    let mut filled = raw.clone();
    let _told = environment::fill(filled.get_mut(), &environment::of_process);
    let mut reader = Reader {
        text,
        settings: Vec::new(),
    };
    for section in SECTIONS {
        reader.section(section, raw.get_ref(), filled.get_ref());
    }
    reader.settings
}

struct Reader<'a> {
    text: &'a str,
    settings: Vec<Setting>,
}

impl Reader<'_> {
    fn section(&mut self, section: &Section, raw: &DeTable<'_>, filled: &DeTable<'_>) {
        let (raw, filled) = (raw.get(section.name), filled.get(section.name));
        if !section.several {
            // Without an endpoint nothing is traced, whatever the defaults would be.
            if raw.is_some() || section.name != "telemetry" {
                let (raw, filled) = (raw.and_then(as_table), filled.and_then(as_table));
                self.table(&format!("[{}]", section.name), None, section.keys, (raw, filled));
            }
            return;
        }
        let raw = raw.and_then(|value| value.get_ref().as_array()).into_iter().flatten();
        let filled = filled
            .and_then(|value| value.get_ref().as_array())
            .into_iter()
            .flatten();
        for (index, (raw, filled)) in raw.zip(filled).enumerate() {
            let tables = (as_table(raw), as_table(filled));
            self.table(&format!("[[{}]]", section.name), Some(index), section.keys, tables);
        }
    }

    /// A table as it is written, and with what the environment has.
    fn table(
        &mut self,
        name: &str,
        index: Option<usize>,
        keys: &[Key],
        (raw, filled): (Option<&DeTable<'_>>, Option<&DeTable<'_>>),
    ) {
        let mut below = Vec::new();
        for key in keys {
            let said = raw.and_then(|table| table.get(key.name));
            let value = filled.and_then(|table| table.get(key.name));
            if let (Holds::Table(keys), Some(said), Some(value)) = (key.holds, said, value) {
                below.push((key.name, keys, (as_table(said), as_table(value))));
                continue;
            }
            let (value, origin) = match (said, value, key.default) {
                (Some(said), Some(value), _) => (shown(value.get_ref(), key), self.origin(said)),
                (_, _, Some(default)) => (default.to_owned(), Origin::Default),
                _ => continue,
            };
            self.settings.push(Setting {
                table: name.to_owned(),
                index,
                key: key.name.to_owned(),
                value,
                origin,
            });
        }
        for (below_name, keys, tables) in below {
            let inner = name.trim_matches(['[', ']']);
            self.table(&format!("[{inner}.{below_name}]"), index, keys, tables);
        }
    }

    fn origin(&self, said: &Spanned<DeValue<'_>>) -> Origin {
        let start = said.span().start;
        if start > self.text.len() {
            return Origin::CommandLine;
        }
        let line = self.text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        if names_variables(said.get_ref()) {
            Origin::Environment(line)
        } else {
            Origin::File(line)
        }
    }
}

fn as_table<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    value.get_ref().as_table()
}

fn names_variables(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(text) => environment::has_variables(text),
        DeValue::Array(array) => array.iter().any(|value| names_variables(value.get_ref())),
        DeValue::Table(table) => table.iter().any(|(_, value)| names_variables(value.get_ref())),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => false,
    }
}

/// As the file would say it, without what may be a secret.
fn shown(value: &DeValue<'_>, key: &Key) -> String {
    match (key.secret, value) {
        (Secret::Yes, _) => quoted(HIDDEN),
        (Secret::Url, DeValue::String(text)) if text.contains("://") => quoted(&shown_url(text)),
        (Secret::Url | Secret::No, value) => written(value),
    }
}

/// Without what may be a secret, and with a sign that there is something more. A path of this machine is none.
fn shown_url(text: &str) -> String {
    if text.starts_with("sqlite://") {
        return text.to_owned();
    }
    let shown = SecretUrl::from(text).to_string();
    if text.trim_end_matches('/') == shown {
        shown
    } else {
        format!("{shown}/{HIDDEN}")
    }
}

/// Whether a parameter has the name of a secret. A policy can call nobody, and so needs none; one that is given something of that name is
/// not read out.
pub(crate) fn may_be_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "password", "token", "credential", "private_key", "api_key"]
        .iter()
        .any(|word| name.contains(word))
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(array) => {
            let items: Vec<String> = array.iter().map(|item| written(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(table) => {
            // Only parameters of policies have tables of names that nobody knows.
            let pair = |key: &str, value: &DeValue<'_>| {
                let value = if may_be_secret(key) {
                    quoted(HIDDEN)
                } else {
                    written(value)
                };
                format!("{} = {value}", toml_edit::Key::new(key))
            };
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| pair(key.get_ref(), value.get_ref()))
                .collect();
            if pairs.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", pairs.join(", "))
            }
        }
    }
}

/// All of it as a file that says the same, with where each came from behind it.
pub(crate) fn page(path: &Path, settings: &[Setting]) -> String {
    let (mut text, mut table) = (String::new(), None);
    let width = settings
        .iter()
        .map(|one| one.key.len() + one.value.len())
        .filter(|width| *width < 60)
        .max();
    for setting in settings {
        let of = Some((&setting.table, setting.index));
        if table != of {
            let gap = if table.is_some() { "\n" } else { "" };
            text.push_str(&format!("{gap}{}\n", setting.table));
            table = of;
        }
        let from = match &setting.origin {
            Origin::Default | Origin::CommandLine => setting.origin.word().to_owned(),
            Origin::File(line) => format!("{}:{line}", path.display()),
            Origin::Environment(line) => format!("environment, by {}:{line}", path.display()),
        };
        let pad = width
            .unwrap_or(0)
            .saturating_sub(setting.key.len() + setting.value.len());
        text.push_str(&format!(
            "{} = {}{}  # {from}\n",
            setting.key,
            setting.value,
            " ".repeat(pad)
        ));
    }
    text
}

/// The same for programs.
pub(crate) fn document(settings: &[Setting]) -> Value {
    let item = |setting: &Setting| {
        json!({
            "name": format!("{}.{}", setting.table.trim_matches(['[', ']']), setting.key),
            "index": setting.index,
            "value": setting.value,
            "source": setting.origin.word(),
            "line": setting.origin.line(),
        })
    };
    json!({ "items": settings.iter().map(item).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_says_where_it_came_from_and_no_secret() {
        let text = "[timing]\npoll = \"2s\"\nvalidate = \"${STEADFAST_NO_SUCH_VARIABLE:-30s}\"\n[[kubernetes]]\nname = \"prod\"\n\
                    history_server = \"http://me:p4ss@history:8082\"\nflink_auth = { user = \"me\", password_file = \"p\" }\n\
                    [[policy]]\nname = \"own\"\nparams = { webhook_token = \"s3cret\", auth = { api_key = \"s3cret\", of = [{ token = \"s3cret\" }] }, times = 2 }\n\
                    [[sink]]\nkind = \"webhook\"\nurl = \"https://hooks/T0/s3cret\"\nheaders = { Authorization = \"s3cret\" }\n";
        let set = [
            "timing.timeout=1s".parse().unwrap(),
            "kubernetes.prod.namespaces=[\"a\"]".parse().unwrap(),
        ];
        let page = page(Path::new("config.toml"), &of_text(text, &set));
        let lines: Vec<String> = page
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        for says in [
            "poll = \"2s\" # config.toml:2",
            "validate = \"30s\" # environment, by config.toml:3",
            "timeout = \"1s\" # --set",
            "retry_max = \"30s\" # default",
            "namespaces = [\"a\"] # --set",
            "[kubernetes.flink_auth]",
            "password_file = \"p\" # config.toml:7",
            "params = { auth = { api_key = \"***\", of = [{ token = \"***\" }] }, times = 2, webhook_token = \"***\" } # config.toml:10",
            "headers = \"***\" # config.toml:14",
        ] {
            assert!(lines.iter().any(|line| line == says), "{says}:\n{page}");
        }
        for (url, shown) in [
            ("sqlite:///var/lib/steadfast.db", "sqlite:///var/lib/steadfast.db"),
            ("postgres://me:p4ss@db/steadfast", "postgres://db/***"),
            ("http://{pod_ip}:{rest_port}/s3cret", "http://{pod_ip}:{rest_port}/***"),
            ("http://history:8082/", "http://history:8082"),
        ] {
            assert_eq!(shown_url(url), shown);
        }
        for secret in ["p4ss", "s3cret"] {
            assert!(!page.contains(secret), "{page}");
        }
        assert!(!page.contains("[telemetry]"), "{page}");
    }
}
