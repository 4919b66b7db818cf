//! What the engine may rely on, whatever the policy: what `describe` says, what is refused, and what a decision has
//! where its policy says nothing.

use serde::{Deserialize, Serialize};
use steadfast_policy::testing::{self, Says};
use steadfast_policy::*;

#[derive(Debug, PartialEq, Parameters)]
struct Params {
    /// How often,
    /// at least.
    #[default(3)]
    times: u32,
    /// Which way.
    #[default(-1)]
    direction: i64,
    /// Which share.
    #[default(0.5)]
    share: f64,
    /// Whose.
    #[default("a \"b\"".into())]
    owner: String,
    /// Whether at all.
    #[default(false)]
    r#do: bool,
    #[flatten]
    other: Other,
}

#[derive(Debug, PartialEq, Parameters)]
struct Other {
    /// How long.
    #[default(Millis::from_secs(90))]
    pause: Millis,
}

rules! {
    enum Rule {
        Kept = "kept" { says: "It stays.", because: "Nothing is known.", changed_by: "Anything." }
        Told = "told" { says: "It is told.", because: "It is.", changed_by: "Another word." }
    }
}

/// Counts its decisions, and tells nothing else.
struct Counting;

#[derive(Default, Serialize, Deserialize)]
struct Count {
    decisions: u32,
    name: String,
}

impl Policy for Counting {
    type Params = Params;
    type Memory = Count;
    type Rule = Rule;
    const NAME: &'static str = "counting";
    const VERSION: &'static str = "1";
    const SUMMARY: &'static str = "Counts.";

    fn new(params: Params) -> Result<Self, String> {
        if params.times == 0 {
            Err("`times` is 0: use 1 or more".into())
        } else {
            Ok(Self)
        }
    }

    fn decide(&self, snapshot: &Snapshot, memory: &mut Count) -> Verdict<Rule> {
        memory.decisions += 1;
        memory.name.clone_from(&snapshot.job.name);
        match snapshot.flink().present() {
            Some(job) => Verdict::confirmed(job.state, Rule::Told),
            None => Verdict::keep(snapshot, Rule::Kept).also(&format!("decision {}", memory.decisions)),
        }
    }
}

#[test]
fn parameters_are_described_as_they_would_be_written() {
    let described = Instance::<Counting>::describe();
    let told: Vec<[&str; 4]> = described
        .parameters
        .iter()
        .map(|p| [&p.name, &p.kind, &p.default, &p.help].map(String::as_str))
        .collect();
    let expected = [
        ["times", "integer", "3", "How often, at least."],
        ["direction", "integer", "-1", "Which way."],
        ["share", "number", "0.5", "Which share."],
        ["owner", "string", r#""a \"b\"""#, "Whose."],
        ["do", "boolean", "false", "Whether at all."],
        ["pause", "duration", "\"90s\"", "How long."],
    ];
    assert_eq!(told, expected);
    assert_eq!(
        described
            .rules
            .iter()
            .map(|rule| rule.name.as_str())
            .collect::<Vec<_>>(),
        ["kept", "told"]
    );
}

#[test]
fn every_default_is_read_back_as_itself() {
    let defaults: Vec<String> = Params::described()
        .iter()
        .map(|p| format!("\"{}\": {}", p.name, p.default))
        .collect();
    assert_eq!(
        Params::read(&format!("{{{}}}", defaults.join(", "))),
        Ok(Params::default())
    );
}

#[test]
fn what_is_named_replaces_its_default_and_nothing_else() {
    let params = Params::read(r#"{"do": true, "pause": "2h", "owner": "\u00e9"}"#).unwrap();
    let owner = "é".to_owned();
    let other = Other {
        pause: Millis::from_mins(120),
    };
    assert_eq!(
        params,
        Params {
            r#do: true,
            owner,
            other,
            ..Params::default()
        }
    );
}

#[test]
fn a_refusal_names_the_parameter_the_rule_and_the_fix() {
    for (params, told) in [
        (
            r#"{"times": -1}"#,
            "`times` is -1: not a whole number from 0 to 4294967295; write for example `times = 3`",
        ),
        (r#"{"times": 1.5}"#, "`times` is 1.5: not a whole number"),
        (r#"{"times": "3"}"#, "`times` is \"3\": not a whole number"),
        (r#"{"direction": null}"#, "`direction` is null: not a whole number"),
        (
            r#"{"share": "half"}"#,
            "`share` is \"half\": not a number; write for example `share = 0.5`",
        ),
        (r#"{"owner": 1}"#, "`owner` is 1: not a text in quotes"),
        (r#"{"do": "yes"}"#, "`do` is \"yes\": neither true nor false"),
        (r#"{"pause": "90"}"#, "`pause` is \"90\": not a duration"),
        (r#"{"pauze": "90s"}"#, "`do` and `pause`; did you mean `pause`?"),
        (
            r#"{"zzz": 1}"#,
            "`zzz` is no parameter; there are `times`, `direction`, `share`, `owner`, `do` and `pause`",
        ),
        (r#"{"times": 0}"#, "`times` is 0: use 1 or more"),
        ("[]", "the parameters are no table of names"),
        ("", "the parameters are no table of names"),
    ] {
        let refused = Instance::<Counting>::configure(params).err().unwrap();
        assert!(refused.contains(told), "{params}: {refused}");
    }
}

#[test]
fn a_memory_comes_back_and_one_that_cannot_be_read_is_begun_anew() {
    let policy = testing::policy::<Counting>("{}");
    let snapshot = testing::job("orders")
        .on_record(JobState::Running, Confidence::Stale)
        .snapshot();
    let first = policy.decide(&snapshot, &[]).unwrap();
    assert!(first.reason.message.ends_with("decision 1"));
    let second = policy.decide(&snapshot, &first.memory).unwrap();
    assert!(second.reason.message.ends_with("decision 2"));
    // The second says that a text follows which is not there.
    for unreadable in [&[0xff; 40][..], &[2, 0xff, 0xff, 0x03]] {
        assert_eq!(policy.decide(&snapshot, unreadable).unwrap(), first);
    }
}

#[test]
fn what_a_verdict_does_not_say_has_a_default() {
    let policy = testing::policy::<Counting>("{}");
    let mut orders = testing::job("orders").running();
    let told = orders.decide(&policy);
    assert_eq!(
        (
            told.rule.as_str(),
            told.reason.code.as_str(),
            told.reason.message.as_str()
        ),
        ("told", "Told", "It is told.")
    );
    told.awake().conditions(&[]).alerts(&[]).wants(&[]);
    assert_eq!((told.watch.poll_after, told.watch.validate_after), (5000, 60_000));
    let ended = orders.flink_reports(JobState::Finished).decide(&policy);
    assert_eq!(ended.watch.poll_after, 60_000, "an end is looked at more slowly");
    let kept = orders.flink(Says::Absent).decide(&policy);
    kept.is(JobState::Finished, Confidence::Stale);
    assert_eq!(kept.reason.message, "It is told.; decision 3");
}

#[test]
fn whatever_a_policy_says_fits_the_contract() {
    let snapshot = testing::job("orders").snapshot();
    struct Wordy;
    impl Policy for Wordy {
        type Params = ();
        type Memory = ();
        type Rule = Rule;
        const NAME: &'static str = "wordy";
        const VERSION: &'static str = "1";
        const SUMMARY: &'static str = "Never ends.";
        fn new(_params: ()) -> Result<Self, String> {
            Ok(Self)
        }
        fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
            let long = "aé".repeat(3000);
            let verdict = Verdict::keep(snapshot, Rule::Kept)
                .because(&long, long.clone())
                .poll_after(Millis::new(0))
                .validate_after(Millis::from_mins(10_000))
                .condition(ConditionType::AccessDenied, long.clone());
            (0..40).fold(verdict, |verdict, n| {
                verdict
                    .alert(&format!("Alert{n}{long}"), long.clone())
                    .want(WantedSource::Events)
            })
        }
    }
    let decision = testing::policy::<Wordy>("{}").decide(&snapshot, &[]).unwrap();
    let messages = decision.conditions.iter().map(|it| &it.message);
    for text in messages
        .chain(decision.alerts.iter().map(|it| &it.message))
        .chain([&decision.reason.message])
    {
        assert!(
            (4090..=4096).contains(&text.len()) && text.ends_with('…'),
            "{}",
            text.len()
        );
    }
    for name in decision.alerts.iter().map(|it| &it.name).chain([&decision.reason.code]) {
        assert!((120..=128).contains(&name.len()) && name.ends_with('…'), "{name}");
    }
    assert_eq!(
        (decision.conditions.len(), decision.alerts.len(), decision.wanted.len()),
        (1, 32, 32)
    );
    // A tenth of `[timing] poll`, and a day.
    assert_eq!(
        (decision.watch.poll_after, decision.watch.validate_after),
        (500, 86_400_000)
    );
    assert_eq!(
        Instance::<Wordy>::configure(r#"{"a": 1}"#).err().unwrap(),
        "`a` is no parameter; this policy has none"
    );
}

#[test]
fn each_slot_is_seen_as_it_was_answered() {
    let mut orders = testing::job("orders");
    assert_eq!(orders.snapshot.events(), Seen::Never);
    orders.at("10s").events(Says::Absent);
    assert!(orders.snapshot.events().is_absent() && !orders.snapshot.events().is_unanswered());
    orders.at("20s").events(Says::Unknown(FaultKind::Forbidden));
    let Seen::Unknown { fault, looks } = orders.snapshot.events() else {
        panic!("{:?}", orders.snapshot.events())
    };
    assert!(fault.is_denied() && looks.failures == 1);
    orders.at("25s");
    let looks = orders.snapshot.events().looks().unwrap();
    assert_eq!(looks.silent_for(&orders.snapshot), Some(Millis::from_secs(5)));
    assert_eq!(looks.known_age(&orders.snapshot), Some(Millis::from_secs(15)));
    assert!(
        !orders.snapshot.events().is_absent(),
        "an error is no absence, whatever was known before"
    );
    assert_eq!(orders.snapshot.events().asked_since(orders.snapshot.now), Seen::Never);
}

#[test]
fn a_want_is_due_once_a_pace() {
    struct Curious;
    impl Policy for Curious {
        type Params = ();
        type Memory = ();
        type Rule = Rule;
        const NAME: &'static str = "curious";
        const VERSION: &'static str = "1";
        const SUMMARY: &'static str = "Asks.";
        fn new(_params: ()) -> Result<Self, String> {
            Ok(Self)
        }
        fn decide(&self, snapshot: &Snapshot, _memory: &mut ()) -> Verdict<Rule> {
            let verdict = Verdict::keep(snapshot, Rule::Kept).want(WantedSource::Archive);
            verdict
                .want_each(WantedSource::Events, snapshot.validate())
                .want_after(WantedSource::HaData, 7)
        }
    }
    let policy = testing::policy::<Curious>("{}");
    let mut orders = testing::job("orders");
    let due = |orders: &mut testing::World| {
        let wanted = orders.decide(&policy).wanted.clone();
        wanted
            .iter()
            .map(|want| want.observed_after - testing::START)
            .collect::<Vec<_>>()
    };
    assert_eq!(due(&mut orders), [-1, -1, 7 - testing::START], "at once");
    orders
        .at("1s")
        .archive(Says::Absent)
        .events(Says::Unknown(FaultKind::Timeout));
    assert_eq!(due(&mut orders), [6000, 61_000, 7 - testing::START]);
}

#[test]
fn the_record_follows_evidence_and_decisions() {
    let policy = testing::policy::<Counting>("{}");
    let mut orders = testing::job("orders").running();
    let attempt = |orders: &testing::World| orders.snapshot.job.incarnation.attempt;
    assert_eq!(attempt(&orders), 1);
    let restarted = FlinkJob {
        started_at: testing::START + 9000,
        ..testing::flink_job(JobState::Running)
    };
    orders.at("10s").flink(Says::Present(restarted));
    assert_eq!(attempt(&orders), 2, "another start-time is another run");
    orders.flink_unknown(FaultKind::Timeout);
    assert_eq!(attempt(&orders), 2, "a silence is none");
    orders.deployment(Says::Present(Deployment {
        uid: "u2".into(),
        ..testing::deployment()
    }));
    assert_eq!(attempt(&orders), 3);
    orders.at("20s").decide(&policy);
    assert_eq!(orders.snapshot.job.since, testing::START, "the state has not changed");
    orders.at("30s").flink_reports(JobState::Failed).decide(&policy);
    assert_eq!(orders.snapshot.job.since, testing::START + 30_000);
}
