use std::collections::BTreeSet;
use std::path::Path;

use steadfast_core::timing::Timing;

use super::*;

/// The mistakes of a text, as `line: rule / fix`.
fn mistakes(text: &str) -> Vec<String> {
    let error = Config::parse(Path::new("config.toml"), text).unwrap_err();
    let ConfigError::Mistakes { report, mistakes, .. } = error else {
        panic!("{error}")
    };
    mistakes
        .iter()
        .map(|mistake| {
            let line = text[..mistake.place.start].matches('\n').count() + 1;
            let head = format!(
                "config.toml:{line}: {}",
                mistake.rule.split_whitespace().next().unwrap_or_default()
            );
            assert!(report.contains(&head), "the report lacks `{head}`:\n{report}");
            assert!(!mistake.fix.is_empty());
            format!("{line}: {} / {}", mistake.rule, mistake.fix)
        })
        .collect()
}

fn only_mistake(text: &str) -> String {
    let mut mistakes = mistakes(text);
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    mistakes.remove(0)
}

/// Files are named that an operator has and this test has not; a built-in policy cannot be signed either.
fn names_a_file(line: &str) -> bool {
    let keys = [
        "kubeconfig",
        "token_file",
        "tokens_file",
        "url_file",
        "cert_file",
        "key_file",
        "client_scopes",
        "sha256",
        "public_key",
        "signature",
        "username",
        "password_file",
        "secret_file",
        "ca_file",
        "flink_auth",
        "flink_ca_file",
    ];
    // Whose keys all are files, or about one.
    line.contains("[server.tls]") || keys.iter().any(|key| line.contains(&format!("{key} =")))
}

#[test]
fn an_intent_stands_for_fifteen_validations_unless_the_file_says_how_long() {
    let stands = |timing: &str| {
        let text = format!("[timing]\n{timing}");
        let config = Config::parse(Path::new("config.toml"), &text).unwrap();
        config.timing.intent_timeout.as_secs()
    };
    assert_eq!(stands(""), 15 * 60);
    assert_eq!(stands("validate = \"2m\""), 30 * 60);
    assert_eq!(stands("validate = \"1s\""), 60);
    assert_eq!(stands("validate = \"1s\"\nintent_timeout = \"20s\""), 20);
}

#[test]
fn the_operators_file_shows_every_key_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let shown = Config::load(&path).unwrap();
    let empty = Config::parse(&path, "").unwrap();
    assert_eq!(
        (shown.timing, &shown.store, &shown.server),
        (Timing::default(), &empty.store, &empty.server)
    );
    assert_eq!(shown.policies[0].module, empty.policies[0].module);
    assert_eq!(
        (shown.policies[0].deadline, shown.policies[0].memory),
        (empty.policies[0].deadline, empty.policies[0].memory)
    );
    // With every example uncommented it still reads, so that none names a key that does not exist.
    let uncommented: String = text
        .lines()
        .filter(|line| !names_a_file(line))
        .map(|line| match line.strip_prefix("# ") {
            Some(example) if example.starts_with('[') || example.contains(" = ") => format!("{example}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let all = Config::parse(&path, &uncommented).unwrap();
    assert_eq!((all.clusters.len(), all.jobs.len(), all.sinks.len()), (1, 1, 5));
    assert_eq!((all.registries.len(), all.links.len()), (1, 1));
    let telemetry = all.telemetry.unwrap();
    let usual = Config::parse(&path, "[telemetry]\nendpoint = \"http://c\"\n").unwrap();
    let usual = usual.telemetry.unwrap();
    assert_eq!(
        (telemetry.sample, &telemetry.service_name, telemetry.collector.timeout),
        (usual.sample, &usual.service_name, usual.collector.timeout)
    );
    assert_eq!(empty.telemetry, None);
}

#[test]
fn an_unknown_key_is_shown_with_its_line() {
    let mistake = only_mistake("[timing]\npoll = \"5s\"\npol = \"5s\"\n");
    assert!(mistake.starts_with("3: unknown key `pol`"), "{mistake}");
}

#[test]
fn a_wrong_type_and_a_wrong_duration_are_shown_with_their_lines() {
    assert!(only_mistake("[timing]\npoll = 5\n").starts_with("2: `5` is a number without a unit"));
    assert!(only_mistake("[timing]\n\npoll = \"5 parsecs\"\n").starts_with("3: `5 parsecs` is not a duration"));
    assert!(only_mistake("[timing]\npoll = \"5ms\"\n").starts_with("2: poll is 5ms, shorter than 10ms"));
}

#[test]
fn a_pace_that_no_decision_may_have_is_no_pace_of_the_configuration() {
    for key in ["poll", "validate", "terminal_poll"] {
        let mistake = only_mistake(&format!("[timing]\n{key} = \"2d\"\n"));
        assert!(
            mistake.starts_with(&format!("2: {key} is 172800s, longer than a day")),
            "{mistake}"
        );
        Config::parse(Path::new("steadfast.toml"), &format!("[timing]\n{key} = \"1d\"\n")).unwrap();
    }
}

#[test]
fn jobs_have_series_of_their_own_if_that_is_asked_for() {
    let series = |text: &str| Config::parse(Path::new("config.toml"), text).unwrap().series;
    assert_eq!(
        (series(""), series("[metrics]\nper_job = false")),
        (JobSeries::None, JobSeries::None)
    );
    assert_eq!(series("[metrics]\nper_job = true"), JobSeries::Each);
    let meant = only_mistake("[metrics]\nper_jobs = true\n");
    assert!(meant.starts_with("2: ") && meant.contains("per_job"), "{meant}");
    let kind = only_mistake("[metrics]\nper_job = \"yes\"\n");
    assert!(kind.starts_with("2: "), "{kind}");
}

#[test]
fn a_missing_file_is_named() {
    let mistake = only_mistake("[[kubernetes]]\nname = \"local\"\nkubeconfig = \"nowhere/kubeconfig\"\n");
    assert!(
        mistake.starts_with("3: kubernetes.kubeconfig: there is no file") && mistake.contains("nowhere/kubeconfig"),
        "{mistake}"
    );
    let mistake = only_mistake("[[policy]]\nname = \"mine\"\nmodule = \"mine.wasm\"\n");
    assert!(mistake.starts_with("3: policy.module: there is no file"), "{mistake}");
}

#[test]
fn two_jobs_with_one_name_are_refused() {
    let job = "[[job]]\nname = \"orders\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:8081\"\n";
    assert!(only_mistake(&format!("{job}{job}")).starts_with("6: two [[job]] entries are named `orders`"));
}

#[test]
fn listening_beyond_loopback_needs_a_word_on_who_may_call() {
    let mistake = only_mistake("[server]\nlisten = \"0.0.0.0:8080\"\n");
    assert!(
        mistake.starts_with("2: server.listen `0.0.0.0:8080` is reachable") && mistake.contains("token_file"),
        "{mistake}"
    );
    let open = Config::parse(Path::new("c"), "[server]\nlisten = \"0.0.0.0:8080\"\ninsecure = true\n").unwrap();
    assert_eq!(open.server.token_file, None);
}

#[test]
fn all_mistakes_are_found_at_once() {
    let text = "\
[timing]
retry_initial = \"40s\"
[[kubernetes]]
name = \"local\"
discover = [\"natve\"]
flink_rest = \"http://{pod}:8081\"
[[job]]
name = \"a/b\"
kubernetes = \"other\"
mode = \"aplication\"
flink_job_id = \"short\"
[[policy]]
name = \"p\"
module = \"builtin:nothing\"
[[sink]]
kind = \"mail\"
url = \"ftp://x\"
";
    let lines: Vec<String> = mistakes(text)
        .iter()
        .map(|mistake| mistake.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(lines, ["2", "5", "6", "8", "9", "10", "11", "14", "16", "17"]);
}

#[test]
fn a_standalone_job_has_no_cluster_and_needs_an_address() {
    assert!(only_mistake("[[job]]\nname = \"orders\"\nmode = \"standalone\"\n").contains("has no flink_rest"));
    let mistake = only_mistake("[[job]]\nname = \"orders\"\n");
    assert!(mistake.contains("does not say in which cluster it runs"), "{mistake}");
}

#[test]
fn a_store_that_cannot_be_used_is_refused() {
    assert!(only_mistake("[store]\nurl = \"postgres://db/x\"\n").starts_with("2: store.url is a PostgreSQL address"));
    assert!(
        only_mistake("[store]\nurl = \"steadfast.db\"\n")
            .starts_with("2: store.url `steadfast.db` has no known scheme")
    );
}

#[test]
fn a_policy_must_decide() {
    let mistake = only_mistake("[[policy]]\nname = \"p\"\nmodule = \"builtin:naive\"\nshadow = true\n");
    assert!(mistake.contains("so none decides"), "{mistake}");
}

#[test]
fn a_rollout_is_a_whole_percent_and_everything_if_left_out() {
    let with = |rollout: &str| format!("[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\n{rollout}");
    let share = |rollout: &str| {
        Config::parse(Path::new("config.toml"), &with(rollout))
            .unwrap()
            .policies[0]
            .rollout
            .to_string()
    };
    assert_eq!(share(""), "100%");
    assert_eq!(share("rollout = \"0%\""), "0%");
    assert_eq!(share("rollout = \"20%\""), "20%");
    for wrong in ["20", "101%", "-1%", "+1%", "2.5%", "%", "256%", " 20%"] {
        let mistake = only_mistake(&with(&format!("rollout = \"{wrong}\"")));
        assert!(
            mistake.starts_with(&format!("4: policy.rollout `{wrong}` is not a share")),
            "{mistake}"
        );
    }
}

#[test]
fn mistakes_of_types_and_keys_are_found_at_once_too() {
    let text = "\
[timing]
pol = \"5s\"
timeout = 5
[[job]]
name = 7
flinkrest = \"auto\"
[[kubernetes]]
namespaces = [\"a\", 1]
[bogus]
";
    let found = mistakes(text);
    let lines: BTreeSet<&str> = found.iter().filter_map(|mistake| mistake.split(':').next()).collect();
    assert_eq!(lines, BTreeSet::from(["2", "3", "5", "6", "7", "8", "9"]), "{found:#?}");
    let missing = found.iter().filter(|mistake| mistake.contains("missing key"));
    assert_eq!(
        missing.collect::<Vec<_>>().len(),
        1,
        "only the cluster lacks a name: {found:#?}"
    );
}

#[test]
fn the_key_that_was_meant_is_suggested() {
    assert!(only_mistake("[timing]\npol = \"5s\"\n").contains("/ write `poll`, or remove"));
    assert!(only_mistake("[timing]\nzzz = \"5s\"\n").contains("/ remove the key; known here: poll, timeout"));
}

#[test]
fn broken_syntax_is_shown_with_its_line() {
    assert!(mistakes("[timing]\npoll = \"5s\n")[0].starts_with("2: "));
}

#[test]
fn what_flinks_are_shown_takes_one_of_two_forms_and_a_direct_way() {
    let with = |auth: &str| {
        let text = format!("[[kubernetes]]\nname = \"local\"\nflink_auth = {auth}\n");
        only_mistake(&text)
    };
    for (auth, rule) in [
        ("{}", "3: flink_auth is empty"),
        ("{ user = \"me\" }", "3: flink_auth.user has no password"),
        (
            "{ password_file = \"x\" }",
            "3: flink_auth.password_file does not say whose",
        ),
        (
            "{ user = \"me\", token_file = \"x\" }",
            "3: flink_auth names a user and a token",
        ),
        (
            "{ user = \"m:e\", password_file = \"x\" }",
            "3: flink_auth.user has a colon",
        ),
        (
            "{ token_file = \"nowhere\" }",
            "3: flink_auth.token_file: there is no file",
        ),
    ] {
        let mistake = with(auth);
        assert!(mistake.starts_with(rule), "{mistake}");
    }
    let proxied = "[[kubernetes]]\nname = \"local\"\nflink_rest = \"proxy\"\nflink_ca_file = \"Cargo.toml\"\n";
    assert!(
        only_mistake(proxied).starts_with("4: flink_auth and flink_ca_file are for Flinks that are reached directly")
    );
    let unknown = only_mistake("[[kubernetes]]\nname = \"local\"\nflink_auth = { password = \"x\" }\n");
    assert!(unknown.starts_with("3: unknown key"), "{unknown}");
}

/// A report draws the lines around a mistake, and what draws them gives up beyond 65,535 columns.
#[test]
fn a_mistake_in_an_endless_line_is_told_without_the_line() {
    for filling in ["x", "\t"] {
        let text = format!("poll{}= 1 = 2\n", filling.repeat(70_000));
        let told = only_mistake(&text);
        assert!(told.starts_with("1: "), "{}", &told[..80]);
    }
}

#[test]
fn a_name_that_a_url_would_take_for_another_place_is_refused() {
    let job = |name: &str, more: &str| {
        format!("[[job]]\nname = \"{name}\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:1\"\n{more}")
    };
    for name in [".", ".."] {
        let mistake = only_mistake(&job(name, ""));
        assert!(
            mistake.starts_with("2: job.name `.") && mistake.contains("one or two dots"),
            "{mistake}"
        );
        let mistake = only_mistake(&job("a", &format!("deployment = \"{name}\"\n")));
        assert!(mistake.starts_with("5: job.deployment `."), "{mistake}");
        let mistake = only_mistake(&format!("[[kubernetes]]\nname = \"{name}\"\n"));
        assert!(mistake.starts_with("2: kubernetes.name `."), "{mistake}");
        let mistake = only_mistake(&format!("[[kubernetes]]\nname = \"k\"\nnamespaces = [\"{name}\"]\n"));
        assert!(mistake.starts_with("3: kubernetes.namespaces `."), "{mistake}");
        let cluster = "[[kubernetes]]\nname = \"k\"\n[[job]]\nname = \"a\"\n";
        let mistake = only_mistake(&format!("{cluster}namespace = \"{name}\"\n"));
        assert!(mistake.starts_with("5: job.namespace `."), "{mistake}");
    }
    for name in ["...", "a.b", ".hidden"] {
        assert!(
            Config::parse(Path::new("config.toml"), &job(name, "")).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn an_address_of_a_flink_must_lead_to_it() {
    let standalone = |rest: &str| format!("[[job]]\nname = \"a\"\nmode = \"standalone\"\nflink_rest = \"{rest}\"\n");
    for swallows in ["http://flink:8081/?x=1", "http://flink:8081/#f", "http://flink:8081?"] {
        let mistake = only_mistake(&standalone(swallows));
        assert!(
            mistake.starts_with("4: flink_rest `http://flink:8081") && mistake.contains("would swallow the paths"),
            "{mistake}"
        );
    }
    for place in ["{pod_ip}", "{namespace}"] {
        let mistake = only_mistake(&standalone(&format!("http://{place}:8081")));
        assert!(
            mistake.starts_with("4: job `a` is standalone") && mistake.contains(place),
            "{mistake}"
        );
    }
    Config::parse(Path::new("config.toml"), &standalone("http://{name}:{rest_port}")).unwrap();
}

#[test]
fn no_cluster_is_called_what_stands_for_none() {
    let mistake = only_mistake("[[kubernetes]]\nname = \"-\"\n");
    assert!(
        mistake.starts_with("2: kubernetes.name `-` stands for no cluster"),
        "{mistake}"
    );
}

#[test]
fn a_parameter_that_is_no_number_is_not_told_as_none() {
    let policy = "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\n[policy.params]\n";
    for value in ["nan", "-inf", "[1.0, inf]", "{ a = nan }"] {
        let mistake = only_mistake(&format!("{policy}fleet_unknown_share = {value}\n"));
        assert!(
            mistake.starts_with("2: policy `p`: params.fleet_unknown_share is no finite number"),
            "{mistake}"
        );
    }
}
