//! `config.toml`.

use std::path::Path;
use std::time::Duration;

use steadfast::config::{Config, ConfigError};
use steadfast_core::timing::Timing;

use crate::{Target, hold, seeds};

pub(super) const TARGET: Target = Target {
    name: "config",
    words: &[
        "[store]",
        "[server]",
        "[timing]",
        "[recording]",
        "[retention]",
        "[metrics]",
        "[[kubernetes]]",
        "[[job]]",
        "[[policy]]",
        "[policy.params]",
        "[[registry]]",
        "[[sink]]",
        "url",
        "listen",
        "token_file",
        "insecure",
        "poll",
        "validate",
        "retry_max",
        "max_size",
        "journal",
        "ended_jobs",
        "name",
        "kubeconfig",
        "namespaces",
        "discover",
        "flink_rest",
        "flink_auth",
        "archive",
        "history_server",
        "last_words",
        "module",
        "select",
        "rollout",
        "deadline",
        "memory",
        "host",
        "kind",
        "max_age",
        "true",
        "false",
        "\"5s\"",
        "\"1h 30m\"",
        "\"0KiB\"",
        "\"99999999999GiB\"",
        "\"webhook\"",
        "\"\"\"",
        "'''",
        " = ",
        "#",
        "{",
        "}",
        "[",
        "]",
        "oci://",
        "builtin:",
        "{namespace}",
        "s3cret-canary",
    ],
    seeds,
    check,
};

fn seeds() -> Vec<Vec<u8>> {
    let whole = String::from_utf8(seeds::file("config.toml")).unwrap();
    let uncommented = whole.replace("\n# ", "\n");
    let mut all = vec![whole.into_bytes(), uncommented.clone().into_bytes()];
    // Each section by itself is tried more often than the whole.
    all.extend(uncommented.split("\n\n").map(|section| section.as_bytes().to_vec()));
    let secrets = [
        "[[sink]]\nkind = \"webhook\"\nurl = \"https://example.org/hook?token=s3cret-canary\"\nmax_age = 5\n",
        "[[sink]]\nkind = \"webhook\"\nurl = \"ftp://user:s3cret-canary@example.org/\"\n",
        "[[kubernetes]]\nname = \"local\"\nhistory_server = \"http://user:s3cret-canary@history\"\npoll = 3\n",
        "[[job]]\nname = \"a\"\nmode = \"standalone\"\nflink_rest = \"http://user:s3cret-canary@[flink\"\n",
        "[[job]]\nname = \"a\"\nflink_rest = \"http://flink/s3cret-canary\"\nflink_job_id = \"7\"\n",
    ];
    all.extend(secrets.map(|text| text.as_bytes().to_vec()));
    all
}

fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if names_a_device(text) {
        return;
    }
    // Nothing that the text names is there.
    let path = Path::new("/nonexistent/steadfast/config.toml");
    let checked = Config::parse(path, text);
    match &checked {
        Ok(config) => kept_to_the_rules(config),
        Err(ConfigError::Unreadable { .. }) => panic!("the text was read"),
        Err(
            error @ ConfigError::Mistakes {
                report,
                listed,
                mistakes,
            },
        ) => {
            assert!(!mistakes.is_empty() && listed.len() == mistakes.len());
            for mistake in mistakes {
                assert!(
                    mistake.place.start <= mistake.place.end && mistake.place.end <= text.len(),
                    "{mistake:?}"
                );
                assert!(!mistake.rule.is_empty() && !mistake.fix.is_empty());
            }
            if hides_the_canary(text) {
                hold::secret(&error.to_string());
                hold::secret(report);
                listed.iter().for_each(|told| hold::secret(told));
            }
        }
    }
    let again = Config::parse(path, text);
    assert_eq!(checked.ok(), again.ok(), "the same text is the same configuration");
}

/// Checking a configuration looks whether its files are there; a device is not to be read here.
fn names_a_device(text: &str) -> bool {
    ["/dev", "/proc", "/sys"].iter().any(|folder| text.contains(folder))
}

/// Whether the secret stands where secrets stand and nowhere else: within the text of an address, on a line of its own.
fn hides_the_canary(text: &str) -> bool {
    const SECRET: [&str; 3] = ["url", "history_server", "flink_rest"];
    let is_hidden = |line: &str| {
        line.split_once('=').is_some_and(|(key, value)| {
            let address = value.trim().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let is_address = |text: &str| {
                let before = text.split(hold::CANARY).next().unwrap_or_default();
                before.starts_with("http") && before.contains("://") && !text.contains(['"', '\\'])
            };
            SECRET.contains(&key.trim()) && address.is_some_and(is_address)
        })
    };
    !text.contains("\"\"\"")
        && !text.contains("'''")
        && text.lines().filter(|line| line.contains(hold::CANARY)).all(is_hidden)
}

/// What was accepted keeps to what the rules say.
fn kept_to_the_rules(config: &Config) {
    let Timing {
        poll,
        timeout,
        validate,
        retry_initial,
        retry_max,
        startup_grace,
        terminal_poll,
        intent_timeout,
    } = config.timing;
    for pace in [poll, validate, terminal_poll] {
        assert!(Timing::PACES.contains(&pace), "{pace:?}");
    }
    for span in [timeout, retry_initial, retry_max, intent_timeout] {
        assert!(span >= Duration::from_millis(10), "{span:?}");
    }
    assert!(retry_initial <= retry_max && startup_grace < Duration::MAX);
    assert!(
        config.policies.iter().any(|policy| !policy.shadow),
        "at least one decides"
    );
    let unique = |mut names: Vec<&str>| {
        names.sort_unstable();
        names.windows(2).all(|two| two[0] != two[1])
    };
    assert!(unique(
        config.clusters.iter().map(|cluster| cluster.name.as_str()).collect()
    ));
    assert!(unique(
        config.policies.iter().map(|policy| policy.name.as_str()).collect()
    ));
    assert!(unique(config.sinks.iter().map(|sink| sink.name.as_str()).collect()));
    for name in config
        .clusters
        .iter()
        .map(|cluster| &cluster.name)
        .chain(config.jobs.iter().map(|job| &job.name))
    {
        assert!(!name.is_empty() && !name.contains('/'), "{name:?}");
    }
}
