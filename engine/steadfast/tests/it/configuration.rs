//! A bad configuration: line, rule, fix, exit code 2, and nothing is created.
//!
//! Long, since each mistake is a row of one table: a file, and what must be said of it.

use crate::command::{Ended, run, steadfast};

/// A file, and what must be said of it.
struct Bad {
    text: &'static str,
    line: usize,
    rule: &'static str,
    fix: &'static str,
}

const BAD: &[Bad] = &[
    Bad {
        text: "[[link]]\nname = \"g\"\nurl = \"javascript:alert(1)\"\n",
        line: 3,
        rule: "link.url does not begin with http:// or https://",
        fix: "https://grafana.example/",
    },
    Bad {
        text: "[[link]]\nname = \"g\"\nurl = \"https://g.example/{job}\"\n",
        line: 3,
        rule: "link.url has braces that are no placeholder",
        fix: "use {cluster}, {namespace}, {name}, {flink_job_id} and {deployment}",
    },
    Bad {
        text: "[[link]]\nname = \"g\"\nurl = \"https://me:word@g.example/\"\n",
        line: 3,
        rule: "link.url has a user or a password",
        fix: "remove what stands before the @",
    },
    Bad {
        text: "[[link]]\nname = \"g\"\nurl = \"https://{name}.example/\"\n",
        line: 3,
        rule: "link.url lets a job's name choose the host",
        fix: "use {cluster} alone",
    },
    Bad {
        text: "[[link]]\nname = \"g\"\nurl = \"https://g.example/\"\n[[link]]\nname = \"g\"\nurl = \"https://h.example/\"\n",
        line: 5,
        rule: "two [[link]] entries are named `g`",
        fix: "its own name",
    },
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
        rule: "`5` is a number without a unit",
        fix: "write a string such as \"5s\"",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nrollout = 20\n",
        line: 4,
        rule: "`20` is a number without a unit",
        fix: "write a string such as \"20%\"",
    },
    Bad {
        text: "[[policy]]\nname = \"p\"\nmodule = \"builtin:conservative\"\nmemory = 64\n",
        line: 4,
        rule: "`64` is a number without a unit",
        fix: "write a string such as \"64MiB\"",
    },
    Bad {
        text: "[server]\nlisten = 8080\n",
        line: 2,
        rule: "invalid type: integer `8080`, expected a string",
        fix: "write it in quotes: \"8080\"",
    },
    Bad {
        text: "[server]\ninsecure = \"true\"\n",
        line: 2,
        rule: "expected a boolean",
        fix: "write true or false, without quotes",
    },
    Bad {
        text: "[kubernetes]\nname = \"local\"\n",
        line: 1,
        rule: "[kubernetes] is one table, and there may be several",
        fix: "write [[kubernetes]]",
    },
    Bad {
        text: "[timing]\npoll = \"5s\"\n[job]\nname = \"a\"\n",
        line: 3,
        rule: "[job] is one table",
        fix: "write [[job]]",
    },
    Bad {
        text: "[policy]\nname = \"p\"\nmodule = \"builtin:conservative\"\n",
        line: 1,
        rule: "[policy] is one table",
        fix: "write [[policy]]",
    },
    Bad {
        text: "[[sink]]\nkind = \"slak\"\nurl = \"http://127.0.0.1:9\"\n",
        line: 2,
        rule: "sink.kind knows no `slak`",
        fix: "\"webhook\", \"alertmanager\", \"slack\", \"dingtalk\", \"wecom\", \"feishu\", \"email\", \"kubernetes-event\"",
    },
    Bad {
        text: "[[sink]]\nkind = \"slack\"\nurl = \"http://127.0.0.1:9\"\n",
        line: 2,
        rule: "a sink of kind `slack` has no name",
        fix: "add name",
    },
    Bad {
        text: "[[sink]]\nkind = \"wecom\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\ntoken_file = \"config.toml\"\n",
        line: 5,
        rule: "sink.token_file says nothing to a sink of kind `wecom`",
        fix: "known here: url_file, headers, ca_file, proxy, template, batch_wait",
    },
    Bad {
        text: "[[sink]]\nkind = \"alertmanager\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\ntemplate = \"x\"\n",
        line: 5,
        rule: "sink.template says nothing to a sink of kind `alertmanager`",
        fix: "remove the key",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\ntemplate = \"\"\"\n{{ title }}\n{{ job }}\"\"\"\n",
        line: 5,
        rule: "sink.template cannot be used: undefined value in its line 2",
        fix: "docs/sinks.md",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nselect = { states = [\"FAILD\"] }\n",
        line: 5,
        rule: "sink.select.states has a word that is no state",
        fix: "FAILED",
    },
    Bad {
        text: "[[sink]]\nkind = \"alertmanager\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nselect = { states = [\"FAILED\"] }\n",
        line: 5,
        rule: "sink.select.states is about transitions",
        fix: "remove it",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nselect = { team = [\"x\"] }\n",
        line: 5,
        rule: "unknown key `team`",
        fix: "namespace",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nheaders = { \"Host\" = \"x\" }\n",
        line: 5,
        rule: "sink.headers sets `host`",
        fix: "remove it",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nproxy = \"socks5://x\"\n",
        line: 5,
        rule: "sink.proxy `socks5://x` is not an HTTP address",
        fix: "http://",
    },
    Bad {
        text: "[[sink]]\nkind = \"alertmanager\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nlabels = { cluster = \"x\" }\n",
        line: 5,
        rule: "sink.labels sets `cluster`, which each alert has of its own",
        fix: "another name",
    },
    Bad {
        text: "[[sink]]\nkind = \"email\"\nname = \"s\"\nurl = \"smtps://mail\"\nto = \"a@b\"\n",
        line: 2,
        rule: "does not say who writes",
        fix: "add from",
    },
    Bad {
        text: "[[sink]]\nkind = \"email\"\nname = \"s\"\nurl = \"smtps://mail\"\nfrom = \"a@example.com\"\n",
        line: 2,
        rule: "does not say who is written to",
        fix: "add to",
    },
    Bad {
        text: "[[sink]]\nkind = \"email\"\nname = \"s\"\nurl = \"mail.example.com\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\n",
        line: 4,
        rule: "sink.url is not the address of a mail server",
        fix: "smtps://HOST:465",
    },
    Bad {
        text: "[[sink]]\nkind = \"email\"\nname = \"s\"\nurl = \"smtp://mail\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\nusername = \"ann\"\npassword_file = \"config.toml\"\ninsecure = true\n",
        line: 9,
        rule: "sends the password in plain text to another machine",
        fix: "remove insecure",
    },
    Bad {
        text: "[telemetry]\nsample = 0.5\n",
        line: 1,
        rule: "telemetry names no collector",
        fix: "endpoint = \"http://HOST:4318\"",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"collector:4318\"\n",
        line: 2,
        rule: "is not an HTTP address",
        fix: "begins with http:// or https://",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nsample = 50\n",
        line: 3,
        rule: "telemetry.sample is 50, which is no part of all",
        fix: "0.0, which is none, to 1.0, which is all",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nheaders = { Host = \"x\" }\n",
        line: 3,
        rule: "telemetry.headers sets `host`",
        fix: "remove it",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"webhook\"\nurl = \"http://h\"\nheaders = { authorization = \"Basic x\" }\ntoken_file = \"config.toml\"\n",
        line: 6,
        rule: "sink.token_file and `Authorization` in sink.headers are two ways to say who asks",
        fix: "keep one of them",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"alertmanager\"\nurl = \"http://ann:x@h\"\ntoken_file = \"config.toml\"\n",
        line: 5,
        rule: "sink.token_file and a user in sink.url are two ways to say who asks",
        fix: "keep one of them",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"slack\"\nurl = \"http://:x@h\"\nheaders = { Authorization = \"Basic x\" }\n",
        line: 5,
        rule: "`Authorization` in sink.headers and a user in sink.url are two ways to say who asks",
        fix: "keep one of them",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nheaders = { Authorization = \"Basic x\" }\ntoken_file = \"config.toml\"\n",
        line: 4,
        rule: "telemetry.token_file and `Authorization` in telemetry.headers are two ways to say who asks",
        fix: "keep one of them",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://ann:x@c:4318\"\ntoken_file = \"config.toml\"\n",
        line: 3,
        rule: "telemetry.token_file and a user in telemetry.endpoint are two ways to say who asks",
        fix: "keep one of them",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nheaders = { Content-Type = \"text/plain\" }\n",
        line: 3,
        rule: "telemetry.headers sets `content-type`, which each request has of its own",
        fix: "remove it",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"webhook\"\nurl = \"http://h\"\nheaders = { X-Team = \"a\", x-team = \"b\" }\n",
        line: 5,
        rule: "sink.headers sets `x-team` twice",
        fix: "keep one of them",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\ntoken_file = \"missing\"\n",
        line: 3,
        rule: "telemetry.token_file: there is no file",
        fix: "correct the path",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\ntimeout = \"1ms\"\n",
        line: 3,
        rule: "telemetry.timeout is 1ms, shorter than 10ms",
        fix: "write 10ms or more",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nresource = { \"service.name\" = \"x\" }\n",
        line: 3,
        rule: "telemetry.resource sets `service.name`",
        fix: "telemetry.service_name",
    },
    Bad {
        text: "[telemetry]\nendpoint = \"http://c:4318\"\nservice_name = \"\"\n",
        line: 3,
        rule: "telemetry.service_name is empty",
        fix: "leave it out for \"steadfast\"",
    },
    Bad {
        text: "[telemetry]\nendpont = \"http://c:4318\"\n",
        line: 2,
        rule: "unknown key `endpont`",
        fix: "write `endpoint`",
    },
    Bad {
        text: "[[telemetry]]\nendpoint = \"http://c:4318\"\n",
        line: 1,
        rule: "[[telemetry]] is one of several tables, and there is one",
        fix: "write [telemetry]",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"webhook\"\n",
        line: 3,
        rule: "a sink of kind `webhook` has no url",
        fix: "or url_file = ",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"slack\"\nurl = \"http://127.0.0.1:9\"\nurl_file = \"config.toml\"\n",
        line: 5,
        rule: "a sink has both url and url_file",
        fix: "remove one of them",
    },
    Bad {
        text: "[[sink]]\nkind = \"webhook\"\nurl_file = \"config.toml\"\n",
        line: 2,
        rule: "a sink with a url_file has no name",
        fix: "add name",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"slack\"\nurl_file = \"gone.url\"\n",
        line: 4,
        rule: "sink.url_file: there is no file",
        fix: "correct the path",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"wecom\"\nurl_file = \"config.toml\"\n",
        line: 4,
        rule: "config.toml holds is not an HTTP address",
        fix: "write one line there",
    },
    Bad {
        text: "[[sink]]\nname = \"s\"\nkind = \"wecom\"\nurl_file = \"https://hooks.example/x\"\n",
        line: 4,
        rule: "sink.url_file holds an address, and not the name of a file",
        fix: "write the address into a file",
    },
    Bad {
        text: "[[sink]]\nkind = \"email\"\nname = \"s\"\nurl_file = \"config.toml\"\nfrom = \"a@example.com\"\nto = \"b@example.com\"\n",
        line: 4,
        rule: "sink.url_file says nothing to a sink of kind `email`",
        fix: "remove the key",
    },
    Bad {
        text: "[[sink]]\nkind = \"kubernetes-event\"\nname = \"s\"\n",
        line: 2,
        rule: "does not say in which cluster",
        fix: "add kubernetes",
    },
    Bad {
        text: "[[sink]]\nkind = \"kubernetes-event\"\nname = \"s\"\nkubernetes = \"east\"\n",
        line: 4,
        rule: "no [[kubernetes]] entry is named `east`",
        fix: "write the name of one",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\n[[sink]]\nkind = \"kubernetes-event\"\nname = \"s\"\nkubernetes = \"local\"\nurl = \"http://x\"\n",
        line: 7,
        rule: "sink.url says nothing to a sink of kind `kubernetes-event`",
        fix: "known here: kubernetes",
    },
    Bad {
        text: "[[sink]]\nkind = \"slack\"\nname = \"s\"\nurl = \"http://127.0.0.1:9\"\nkubernetes = \"local\"\n",
        line: 5,
        rule: "sink.kubernetes says nothing to a sink of kind `slack`",
        fix: "remove the key",
    },
    Bad {
        text: "[[kubernetes]]\nname = \"local\"\njob_statuses = \"yes\"\n",
        line: 3,
        rule: "expected a boolean",
        fix: "write true or false",
    },
    Bad {
        text: "[sink]\nkind = \"webhook\"\n",
        line: 1,
        rule: "[sink] is one table",
        fix: "write [[sink]]",
    },
    Bad {
        text: "[policy.params]\nabsence_window = \"20s\"\n",
        line: 1,
        rule: "[policy.params] belongs to no [[policy]]",
        fix: "write [[policy]] and its keys above it",
    },
    Bad {
        text: "[[server]]\nlisten = \"127.0.0.1:0\"\n",
        line: 1,
        rule: "[[server]] is one of several tables, and there is one",
        fix: "write [server]",
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
        fix: "steadfast policy inspect",
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
    for said in ["other.toml", "steadfast config init"] {
        assert!(ended.err.contains(said), "{}", ended.err);
    }
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

const EXEC: &str = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Always}}";
const BROKEN: &str = "{client-certificate-data: Z2FyYmFnZQo=, client-key-data: Z2FyYmFnZQo=}";

/// A user of the kubeconfig, what stands below `[[kubernetes]]`, and the line and the words of the mistake.
const UNUSABLE: &[(&str, &str, usize, &str)] = &[
    (
        "{}",
        "flink_rest = \"service\"\nflink_ca_file = \"text\"\n",
        4,
        "flink_ca_file: ./text holds no certificates in PEM",
    ),
    (
        "{}",
        "flink_rest = \"pod\"\nflink_auth = { token_file = \"empty\" }\n",
        4,
        "flink_auth.token_file: ./empty is empty",
    ),
    (
        "{}",
        "kubeconfig = \"kube\"\nflink_auth = { token_file = \"text\" }\n",
        4,
        "flink_rest is \"proxy\" where nothing is said",
    ),
    (
        "{}",
        "kubeconfig = \"kube\"\n[[job]]\nname = \"a\"\nflink_auth = { token_file = \"text\" }\n",
        6,
        "reached directly",
    ),
    (
        "{}",
        "namespaces = [\"Bad_Name\"]\n",
        3,
        "cannot be the name of a Kubernetes namespace",
    ),
    ("{}", "namespaces = [\"*\"]\n", 3, "leave namespaces out"),
    (
        "{}",
        "[[job]]\nname = \"a\"\nnamespace = \"Bad_Name\"\n",
        5,
        "cannot be the name of a Kubernetes namespace",
    ),
    (
        "{}",
        "[[job]]\nname = \"My job\"\n",
        4,
        "job.name `My job` cannot be the name of a Deployment",
    ),
    (EXEC, "kubeconfig = \"kube\"\n", 3, "wants to talk to a person"),
    (
        BROKEN,
        "kubeconfig = \"kube\"\n",
        3,
        "its certificates or its key cannot be used",
    ),
];

/// A configuration beside files that it names: what `run` would refuse is refused, with its line, by both.
#[test]
fn files_and_names_that_an_engine_cannot_use_are_mistakes_of_the_file() {
    let kubeconfig = |user: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster:\n    server: http://127.0.0.1:9\n\
             users: [{{name: u, user: {user}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
        )
    };
    let cluster = "[[kubernetes]]\nname = \"local\"\n";
    for (user, text, line, rule) in UNUSABLE {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("kube", &kubeconfig(user));
        write("text", "no certificate");
        write("empty", "\n");
        write("config.toml", &format!("{cluster}{text}"));
        for command in ["run", "check"] {
            let ended = run(folder.path(), &[command]);
            assert_eq!(ended.code, Some(2), "{command} {text}: {}", ended.err);
            for wanted in [format!("config.toml:{line}: ").as_str(), rule, "help: "] {
                assert!(
                    ended.err.contains(wanted),
                    "{command} {text} lacks `{wanted}`:\n{}",
                    ended.err
                );
            }
        }
    }
}

#[test]
fn where_no_kubeconfig_leads_to_a_cluster_check_warns_and_run_shows_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"local\"\n";
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    let homeless = |command: &str| {
        let mut command = steadfast(folder.path(), &[command]);
        command
            .env_remove("KUBECONFIG")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env("HOME", folder.path());
        Ended::of(&mut command)
    };
    let checked = homeless("check");
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(
        checked
            .err
            .contains("warning: cluster local: no cluster: not inside one"),
        "{}",
        checked.err
    );
    let started = homeless("run");
    assert_eq!(started.code, Some(2), "{}", started.err);
    for wanted in ["config.toml:4: ", "no cluster: not inside one", "add kubeconfig"] {
        assert!(started.err.contains(wanted), "{}", started.err);
    }
}

#[test]
fn what_this_machine_lacks_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "kube",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster:\n    server: http://127.0.0.1:9\n\
         users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}}}]\n\
         contexts: [{name: c, context: {cluster: c, user: u}}]\n",
    );
    write("record.db", "not a database");
    write(
        "config.toml",
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite://record.db\"\n\
         [[kubernetes]]\nname = \"local\"\nkubeconfig = \"kube\"\n",
    );
    let ended = run(folder.path(), &["check"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for wanted in [
        "warning: cluster local: there is no program `no-such-plugin`",
        "warning: store: ./record.db is no Steadfast store",
    ] {
        assert!(ended.err.contains(wanted), "{wanted}: {}", ended.err);
    }
}

/// Whether an entry without a kubeconfig is reached through the API server depends on where the engine runs.
#[test]
fn access_that_the_way_from_here_cannot_carry_is_warned_of_and_run_shows_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "kube",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: c, cluster: {server: \"http://127.0.0.1:9\"}}]\n\
         users: [{name: u, user: {}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n",
    );
    write("secret", "secret");
    write(
        "config.toml",
        "[server]\nlisten = \"127.0.0.1:0\"\n[[kubernetes]]\nname = \"local\"\nflink_auth = { token_file = \"secret\" }\n",
    );
    let outside = |command: &str| {
        let mut command = steadfast(folder.path(), &[command]);
        command
            .env("KUBECONFIG", folder.path().join("kube"))
            .env_remove("KUBERNETES_SERVICE_HOST");
        Ended::of(&mut command)
    };
    let checked = outside("check");
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(
        checked
            .err
            .contains("warning: cluster local: from this machine its Flinks are reached through the API server"),
        "{}",
        checked.err
    );
    let started = outside("run");
    assert_eq!(started.code, Some(2), "{}", started.err);
    for wanted in ["config.toml:5: ", "passes no flink_auth", "set flink_rest to"] {
        assert!(started.err.contains(wanted), "{}", started.err);
    }
}
