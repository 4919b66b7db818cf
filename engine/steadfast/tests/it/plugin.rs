//! Other names by which the program is called: by a shell that completes, and by kubectl.

use std::path::Path;

use crate::command::{Ended, run, steadfast};
use crate::commands::{Fake, JOBS};

#[test]
fn a_shell_is_told_which_jobs_there_are() {
    let engine = Fake::start();
    let asked = |words: &[&str]| {
        let mut command = steadfast(Path::new("."), &[&["--"], words].concat());
        command
            .env("STEADFAST_COMPLETE", "bash")
            .env("STEADFAST_SERVER", &engine.server);
        command
            .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
            .env("_CLAP_IFS", "\n");
        Ended::of(&mut command)
    };
    let jobs = asked(&["steadfast", "explain", "prod/"]);
    assert_eq!(
        (jobs.code, jobs.out.as_str()),
        (Some(0), "prod/pay/orders\nprod/shop/orders"),
        "{}",
        jobs.err
    );
    let commands = asked(&["steadfast", "hist"]);
    assert_eq!(commands.out, "history", "{}", commands.err);
}

/// kubectl's own protocol: staging/src/k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go.
#[test]
fn by_the_name_of_a_plugins_completion_it_answers_as_kubectl_reads_it() {
    let engine = Fake::start();
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl_complete-steadfast");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_steadfast"), &plugin).unwrap();
    std::fs::create_dir(folder.path().join("modules")).unwrap();
    let said = |words: &[&str]| {
        let mut command = std::process::Command::new(&plugin);
        command
            .args(words)
            .current_dir(folder.path())
            .env("STEADFAST_SERVER", &engine.server)
            .env_remove("STEADFAST_TOKEN_FILE");
        let ended = Ended::of(&mut command);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{words:?}");
        ended.out
    };
    assert_eq!(said(&["explain", "prod/"]), "prod/pay/orders\nprod/shop/orders\n:4\n");
    assert_eq!(
        said(&["explain", ""])
            .lines()
            .filter(|line| JOBS.contains(line))
            .count(),
        3
    );
    let commands = said(&["hist"]);
    assert!(
        commands.starts_with("history\tShow what was written about a job") && commands.ends_with("\n:4\n"),
        "{commands}"
    );
    assert!(said(&["status", "--sev"]).starts_with("--severity\t"));
    assert_eq!(said(&["status", "--severity", "unc"]).lines().last(), Some(":4"));
    // No blank behind a folder, and the shell's own offer where there is none from here.
    assert_eq!(said(&["check", "mod"]), "modules/\n:6\n");
    assert_eq!(said(&["status", "--search", "x"]), ":0\n");
}

#[test]
fn by_the_name_of_a_plugin_it_is_one_of_kubectls() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-steadfast");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_steadfast"), &plugin).unwrap();
    let said = std::process::Command::new(&plugin)
        .args(["explain", "--help"])
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("Usage: kubectl steadfast explain [OPTIONS] <JOB>"),
        "{said}"
    );
    let own = run(folder.path(), &["explain", "--help"]).out;
    assert!(own.contains("Usage: steadfast explain [OPTIONS] <JOB>"), "{own}");
}
