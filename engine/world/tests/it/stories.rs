//! A story that cannot be played is refused with the line, the rule and the fix.

use steadfast_world::story::Story;

const HEAD: &str = "id = \"test\"\ntitle = \"A test\"\nsource = \"a test\"\n";

/// The mistakes of a story behind the usual head of three lines.
fn mistakes(rest: &str) -> Vec<(usize, String)> {
    let error = Story::parse("x.toml", &format!("{HEAD}{rest}")).unwrap_err();
    error
        .mistakes
        .into_iter()
        .map(|mistake| (mistake.line, mistake.rule))
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table: a row for each mistake")]
fn each_mistake_names_its_line_and_its_rule() {
    let target = "[[target]]\nname = \"a\"\n";
    for (rest, line, words) in [
        (
            format!("{target}[[step]]\nat = \"0s\"\nflinc = \"ok\"\n"),
            8,
            "unknown field `flinc`",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\nflink = \"dropped\"\n"),
            8,
            "choose ok, drop, refuse",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\nkubernetes = \"429:soon\"\n"),
            8,
            "429:20",
        ),
        (format!("{target}[[step]]\nat = \"soon\"\n"), 7, "not a time"),
        (
            format!("{target}[[step]]\nat = \"5s\"\nflink = \"ok\"\n"),
            6,
            "the first step is at",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\ntarget = \"b\"\nflink = \"ok\"\n"),
            6,
            "no [[target]] is called `b`",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\ncluster = \"local\"\n"),
            6,
            "narrow `kubernetes`",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\njobs = [{{ id = \"j\", state = \"LOST\" }}]\n"),
            6,
            "Flink has no state LOST",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\njobs = [{{ id = \"j\", written_state = \"FAILED\" }}]\n"),
            6,
            "`written_state` is no state of Flink's",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\narchive = [{{ id = \"j\", state = \"RUNNING\" }}]\n"),
            1,
            "needs: `archive` is used",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\nevery = \"5s\"\n"),
            6,
            "come together",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"3s\"\nstate = \"RUNNING\"\n"),
            8,
            "shorter than a poll",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\n"),
            8,
            "expects nothing",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\nstate = \"RUN\"\n"),
            11,
            "unknown variant `RUN`, expected one of `CREATED`, ",
        ),
        (
            format!(
                "{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\nstate = [\"FAILED\", \"RUN\"]\n"
            ),
            11,
            "unknown variant `RUN`, expected one of `CREATED`, ",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\ncondition = \"Foo\"\n"),
            11,
            "`Foo` is no condition; there are FlinkUnreachable, ",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\n[[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\nattempt = \"one\"\n"),
            11,
            "expected u32",
        ),
        (
            format!("{target}[[target]]\nname = \"a\"\ncluster = \"east\"\n[[step]]\nat = \"0s\"\n"),
            1,
            "say `deployment` where",
        ),
        (
            format!("{target}count = 2\ndeployment = \"b\"\n[[step]]\nat = \"0s\"\n"),
            4,
            "`deployment` is about one target",
        ),
        (
            format!("start = \"2026-03-29T00:30\"\n{target}[[step]]\nat = \"0s\"\n"),
            4,
            "the offset from UTC",
        ),
        (
            format!("{target}labels = {{ \"a b\" = \"c\" }}\n[[step]]\nat = \"0s\"\n"),
            4,
            "no name of a label",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\ndeployment = {{ labels = {{ team = \"-\" }} }}\n"),
            6,
            "no value of a label",
        ),
        (
            format!("{target}labels = {{ type = \"mine\" }}\n[[step]]\nat = \"0s\"\n"),
            4,
            "`type_label = false`",
        ),
        (
            format!("{target}mode = \"standalone\"\nlabels = {{ team = \"a\" }}\n[[step]]\nat = \"0s\"\n"),
            4,
            "a standalone target has none",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\njobs = [{{ id = \"j\", exception_at = \"1s\" }}]\n"),
            6,
            "time of a `root_exception`",
        ),
        (
            format!("{target}[[step]]\nat = \"0s\"\nintent = \"cancel\"\n"),
            1,
            "needs: `intent` is used and not listed; write `needs = [\"intent\"]`",
        ),
    ] {
        let found = mistakes(&rest);
        assert!(
            found.iter().any(|(at, rule)| *at == line && rule.contains(words)),
            "{rest}\n{found:?}"
        );
    }
}

#[test]
fn expectations_that_cannot_hold_together_are_a_mistake() {
    let story = "[[target]]\nname = \"a\"\n[[step]]\nat = \"0s\"\n\
                 [[expect]]\nfrom = \"1s\"\nuntil = \"30s\"\nstate = \"RUNNING\"\n\
                 [[expect]]\nfrom = \"20s\"\nuntil = \"60s\"\nstate = [\"FAILED\", \"LOST\"]\n";
    let found = mistakes(story);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].0 == 12 && found[0].1.contains("cannot hold together"),
        "{found:?}"
    );
}

#[test]
fn repeated_steps_and_counted_targets_are_made_single() {
    let story = "[[target]]\nname = \"a\"\ncount = 3\n[[step]]\nat = \"0s\"\n\
                 [[step]]\nat = \"10s\"\nevery = \"5s\"\nuntil = \"20s\"\nflink = \"drop\"\n\
                 [[step]]\nat = \"12s\"\nevery = \"5s\"\nuntil = \"20s\"\nflink = \"ok\"\n";
    let story = Story::parse("x.toml", &format!("{HEAD}{story}")).unwrap();
    let times: Vec<i64> = story.steps.iter().map(|(at, _)| at.as_millis() / 1000).collect();
    assert_eq!(times, [0, 10, 12, 15, 17, 20]);
    let names: Vec<&str> = story.select(Some("a")).map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["a-0", "a-1", "a-2"]);
}
