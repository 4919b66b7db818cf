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
fn each_mistake_is_told_with_line_rule_and_fix_and_nothing_is_created() {
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
