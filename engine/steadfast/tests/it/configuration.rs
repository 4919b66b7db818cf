//! A bad configuration: line, rule, fix, exit code 2, and nothing is created.

use crate::command::run;

/// A file, and what must be said of it.
struct Bad {
    text: &'static str,
    line: usize,
    rule: &'static str,
    fix: &'static str,
}

const BAD: &[Bad] = &[
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"https://example.com/mine.wasm\"\n",
        line: 3,
        rule: "policy.module `https://example.com/mine.wasm` has the scheme `https`",
        fix: "oci://HOST/REPOSITORY",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"oci://registry.example.com/orders:v1\"\n",
        line: 3,
        rule: "policy.module is named by the tag `v1`, which may name other bytes tomorrow",
        fix: "add sha256 or public_key",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nsha256 = \"abc\"\n",
        line: 4,
        rule: "policy.sha256: `abc` is not a sha256",
        fix: "sha256sum MODULE",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nsha256 = \
               \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
        line: 4,
        rule: "builtin:conservative is not the module that was pinned",
        fix: "find out who changed the module",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\npublic_key = []\n",
        line: 4,
        rule: "a built-in policy is part of this program",
        fix: "remove public_key",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"oci://registry.example.com/orders:v1\"\npublic_key = []\n",
        line: 4,
        rule: "policy.public_key is an empty list",
        fix: "name a key",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"oci://registry.example.com/orders:v1\"\npublic_key = 1\n",
        line: 4,
        rule: "neither a string nor a list of strings",
        fix: "correct the line",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nsignature = \"config.toml\"\n",
        line: 4,
        rule: "policy.signature is of no use without a key",
        fix: "add public_key",
    },
    Bad {
        text: "[[registry]]\nhost = \"https://registry.example.com\"\n",
        line: 2,
        rule: "registry.host `https://registry.example.com` is not HOST or HOST:PORT",
        fix: "registry.example.com",
    },
    Bad {
        text: "[[registry]]\nhost = \"r\"\n[[registry]]\nhost = \"r\"\n",
        line: 4,
        rule: "two [[registry]] entries are for `r`",
        fix: "keep one",
    },
    Bad {
        text: "[[registry]]\nhost = \"r\"\nusername = \"ann\"\n",
        line: 3,
        rule: "registry.username has no password",
        fix: "add password_file",
    },
    Bad {
        text: "[[registry]]\nhost = \"r\"\npassword_file = \"config.toml\"\n",
        line: 3,
        rule: "registry.password_file does not say whose password",
        fix: "add username",
    },
    Bad {
        text: "[[registry]]\nhost = \"r\"\ninsecure = true\nca_file = \"config.toml\"\n",
        line: 4,
        rule: "registry.ca_file vouches for certificates",
        fix: "remove one of the two",
    },
    Bad {
        text: "[timing]\npol = \"5s\"\n",
        line: 2,
        rule: "unknown key `pol`",
        fix: "write `poll`",
    },
    Bad {
        text: "[store]\nurl = \"sqlite://record.db\"\n[timing]\npoll = 5\n",
        line: 4,
        rule: "invalid type: integer `5`, expected a string",
        fix: "write the value in the type that is expected",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\nkubeconfig = \"nowhere\"\n",
        line: 3,
        rule: "there is no file",
        fix: "correct the path",
    },
    Bad {
        text: "[[job]]\nname = \"a\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:1\"\n\
               [[job]]\nname = \"a\"\nmode = \"standalone\"\nflink_rest = \"http://127.0.0.1:1\"\n",
        line: 6,
        rule: "two [[job]] entries are named `a`",
        fix: "give each its own name",
    },
    Bad {
        text: "[server]\nlisten = \"0.0.0.0:0\"\n",
        line: 2,
        rule: "server.listen `0.0.0.0:0` is reachable from other machines",
        fix: "token_file",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\n\nparams = { absence_confirmations = 0 }\n",
        line: 5,
        rule: "absence_confirmations is 0",
        fix: "steadfast policies",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nrollout = \"120%\"\n",
        line: 4,
        rule: "policy.rollout `120%` is not a share of all jobs",
        fix: "such as \"20%\"",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\narchive = [\"file:///ha\", \"hdfs:///archive\"]\n",
        line: 3,
        rule: "archive `hdfs:///archive` has the scheme `hdfs`, which this version cannot read",
        fix: "history_server",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\njob_result_store = \"/ha/job-result-store\"\n",
        line: 3,
        rule: "job_result_store `/ha/job-result-store` is not a URL",
        fix: "write file:// and an absolute path",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\nhistory_server = \"history:8082\"\n",
        line: 3,
        rule: "history_server `history:8082` is not an HTTP address",
        fix: "http://history:8082",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\nlast_words = 'ended: (?P<state>.*)'\n",
        line: 3,
        rule: "last_words has no group named `job`",
        fix: "(?P<job>[0-9a-f]{32})",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\nlast_words = '(?P<job>'\n",
        line: 3,
        rule: "last_words is no regular expression",
        fix: "correct the pattern",
    },
];

#[test]
fn each_mistake_is_reported_with_line_rule_and_fix_and_nothing_is_created() {
    for command in ["run", "check"] {
        for bad in BAD {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("config.toml"), bad.text).unwrap();
            let ended = run(folder.path(), &[command, "--config", "config.toml"]);
            assert_eq!(ended.code, Some(2), "{command}: {}", ended.err);
            for wanted in [&format!("config.toml:{}: ", bad.line), bad.rule, "help: ", bad.fix] {
                assert!(ended.err.contains(wanted), "{command} lacks `{wanted}`:\n{}", ended.err);
            }
            assert_eq!(ended.out, "");
            let left: Vec<_> = std::fs::read_dir(folder.path())
                .unwrap()
                .map(|f| f.unwrap().file_name())
                .collect();
            assert_eq!(left, ["config.toml"], "{command} created something");
        }
    }
}

#[test]
fn a_report_reads_well() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[server]\nlisten = \"0.0.0.0:8080\"\n[timing]\npoll = \"5ms\"\n";
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    insta::assert_snapshot!(run(folder.path(), &["check"]).err);
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["check", "--config", "other.toml"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("other.toml"), "{}", ended.err);
}

#[test]
fn a_good_one_is_called_good() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), "").unwrap();
    let ended = run(folder.path(), &["check"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    assert!(
        ended.err.contains("there is nothing to watch") && ended.err.contains("has no mistakes"),
        "{}",
        ended.err
    );
}
