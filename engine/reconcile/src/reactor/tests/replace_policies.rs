//! Other policies decide.

use steadfast_core::id::PolicyName;
use steadfast_core::shown::Shown;
use steadfast_core::state::ConditionType;

use super::*;
use crate::setup::{Role, Select, Share, Standing};
use crate::shadows::Compared;
use crate::turn::Show;

fn policy(name: &str) -> PolicySetup {
    PolicySetup::deciding(name, Box::new(Believer))
}

/// Lets other policies decide, as the driver does. Returns what was committed for it.
fn replace(rig: &mut Rig, policies: Vec<PolicySetup>) -> Vec<Change> {
    let turn = rig.reactor.replace_policies(Policies::new(policies));
    rig.commit(turn)
}

fn remember(rig: &mut Rig, name: &str) {
    let before = record(rig, name);
    let after = JobRecord {
        memory: vec![7],
        ..before.clone()
    };
    let turn = Turn::of(Change::update(before, after, vec![]));
    rig.commit(turn);
    rig.reactor.queue.remove(&JobKey::application(target(name).id));
}

fn record<'a>(rig: &'a Rig, name: &str) -> &'a JobRecord {
    &rig.reactor.records()[&JobKey::application(target(name).id)]
}

#[test]
fn jobs_of_another_policy_lose_its_memory_and_those_of_the_same_keep_it() {
    let mut rig = Rig::new(&["clicks", "orders"]);
    remember(&mut rig, "clicks");
    remember(&mut rig, "orders");
    let one = PolicySetup {
        select: Select {
            name: vec!["clicks".into()],
            ..Select::all()
        },
        ..policy("another")
    };
    let changes = replace(&mut rig, vec![one, policy("believe")]);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].events, [Event::updated(&changes[0].record)]);
    let clicks = record(&rig, "clicks");
    assert_eq!((clicks.policy.as_str(), clicks.memory.as_slice()), ("another", &[][..]));
    let orders = record(&rig, "orders");
    assert_eq!(
        (orders.policy.as_str(), orders.memory.as_slice()),
        ("believe", &[7][..])
    );
}

#[test]
fn a_policy_that_is_not_as_configured_is_told_of_its_jobs_alone_until_it_is() {
    let standing = |rig: &Rig, name: &str| {
        let record = record(rig, name);
        let stands = |kind| record.condition(kind).map(|condition| condition.message.clone());
        (
            record.confidence,
            stands(ConditionType::PolicyOutdated),
            stands(ConditionType::PolicyFailing),
        )
    };
    let of_clicks = |policy: PolicySetup| PolicySetup {
        select: Select {
            name: vec!["clicks".into()],
            ..Select::all()
        },
        ..policy
    };
    let mut rig = Rig::new(&["clicks", "orders"]);
    rig.settle();
    let well = standing(&rig, "orders");
    let outdated = PolicySetup {
        standing: Standing::Outdated("its file is gone".into()),
        ..policy("own")
    };
    replace(&mut rig, vec![of_clicks(outdated), policy("believe")]);
    rig.settle();
    let told = standing(&rig, "clicks");
    assert_eq!(told.0, well.0);
    assert_eq!(
        told.1.as_deref(),
        Some("the last good module of policy `own` decides: its file is gone")
    );
    assert_eq!(standing(&rig, "orders"), well);

    let unusable = PolicySetup::unusable("own", "its file is gone".into());
    replace(&mut rig, vec![of_clicks(unusable), policy("believe")]);
    rig.settle();
    let told = standing(&rig, "clicks");
    assert_eq!(told.0, Confidence::Stale);
    assert_eq!(
        told.2.as_deref(),
        Some("error: the policy cannot be used: its file is gone")
    );
    assert_eq!(standing(&rig, "orders"), well);

    replace(&mut rig, vec![policy("believe")]);
    rig.settle();
    assert_eq!(standing(&rig, "clicks"), well);
}

#[test]
fn every_job_is_judged_anew() {
    let mut rig = Rig::new(&["clicks", "orders"]);
    assert!(!rig.reactor.queue.has_ready());
    replace(&mut rig, vec![policy("believe")]);
    assert_eq!(rig.reactor.turn(rig.now).judged(), 2);
}

/// Counts its decisions in its memory, and says the count.
struct Counts;

impl Decide for Counts {
    fn decide(&mut self, snapshot: &Snapshot) -> Result<Decision, PolicyFailure> {
        let memory = [&snapshot.record.memory[..], &[0]].concat();
        Ok(Decision {
            reason: Reason::new(memory.len().to_string(), "decisions"),
            memory,
            ..Believer.decide(snapshot)?
        })
    }
}

#[test]
fn a_shadow_that_stays_keeps_its_records_and_another_module_begins_anew() {
    let mut rig = Rig::new(&["orders"]);
    let shadow = |digest: &str, percent| {
        let mut shadow = PolicySetup {
            role: Role::Shadow,
            rollout: Share::percent(percent).unwrap(),
            ..PolicySetup::deciding("shadow", Box::new(Counts))
        };
        shadow.identity.sha256 = digest.into();
        shadow
    };
    let (key, name) = (JobKey::application(target("orders").id), PolicyName::new("shadow"));
    let count = |rig: &mut Rig| {
        let before = Arc::new(record(rig, "orders").clone());
        let snapshot = rig.reactor.snapshot(&before, rig.now).unwrap();
        rig.reactor.compare(Compared {
            before: Arc::clone(&before),
            snapshot,
            shown: Shown::kept(&before),
            committed: before,
        });
        rig.reactor.ask_shadows(rig.now);
        rig.reactor.told.drain(..).find_map(|show| match show {
            Show::Shadow(_, _, verdict) => Some(verdict.shown.reason.code),
            Show::Changed(..)
            | Show::Forgotten(_)
            | Show::Repaired(_)
            | Show::Dropped(_)
            | Show::Watch(..)
            | Show::Policies(_)
            | Show::Worked(..)
            | Show::Suspended(..) => None,
        })
    };
    replace(&mut rig, vec![policy("believe"), shadow("one", 100)]);
    assert_eq!(count(&mut rig).as_deref(), Some("1"));
    for (next, continues, expected) in [
        (shadow("one", 100), true, Some("2")),
        (shadow("two", 100), false, Some("1")),
        (shadow("two", 0), false, None),
        (shadow("two", 100), true, Some("1")),
    ] {
        let policies = Policies::new(vec![policy("believe"), next]);
        assert_eq!(policies.continues(&rig.reactor.policies, &name, &key), continues);
        let turn = rig.reactor.replace_policies(policies);
        rig.commit(turn);
        assert_eq!(count(&mut rig).as_deref(), expected);
    }
}

#[test]
fn snapshots_are_taken_from_every_policys_jobs() {
    let names: Vec<String> = (0..40).map(|n| format!("job-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["rare"]).collect();
    let mut rig = Rig::new(&names);
    let rare = PolicySetup {
        select: Select {
            name: vec!["rare".into()],
            ..Select::all()
        },
        ..policy("rare")
    };
    replace(&mut rig, vec![rare, policy("believe")]);
    let taken = rig.reactor.snapshots(10, rig.now);
    let of = |name: &str| taken.iter().filter(|s| s.record.policy.as_str() == name).count();
    assert_eq!((of("rare"), of("believe")), (1, 5));
    assert_eq!(rig.reactor.snapshots(1_000, rig.now).len(), 41);
}

/// Nothing can decide for `own`, and `clicks` silences that; then another policy decides `clicks`.
#[test]
fn what_only_a_job_of_another_policy_silences_by_now_is_told() {
    use steadfast_core::alert::AlertStatus;
    use steadfast_core::planner::ALERT_AFTER;
    use steadfast_core::record::Silence;

    let unusable = || PolicySetup::unusable("own", "its file is gone".into());
    let mut rig = Rig::under(vec![unusable()], &["clicks", "orders"]);
    let silence = Silence {
        alert: "PolicyFailing".to_owned(),
        since: rig.now,
        until: rig.now.after(Duration::from_secs(3600)),
        by: None,
        comment: None,
    };
    let clicks = JobKey::application(target("clicks").id);
    let turn = rig.reactor.silence(&clicks, silence, None).unwrap();
    rig.commit(turn);
    rig.reactor.enqueue(&JobKey::application(target("orders").id));
    let told = |changes: &[Change]| -> Vec<_> {
        let of = |change: &Change| {
            let name = change.record.key.target.name.to_string();
            let alerts = change.events.iter().filter_map(move |event| match event {
                Event::Alert(alert) => Some((name.clone(), alert.status, alert.silenced)),
                Event::Transition(_) | Event::Update(_) | Event::Called(_) | Event::Forgotten => None,
            });
            alerts.collect::<Vec<_>>()
        };
        changes.iter().flat_map(of).collect()
    };
    let end = rig.now.after(ALERT_AFTER * 3);
    let mut begun = Vec::new();
    while rig.now < end {
        let next = rig.reactor.next_turn(rig.now);
        rig.now = next.map_or(end, |next| next.clamp(rig.now, end));
        begun.extend(told(&rig.settle()));
    }
    assert!(
        matches!(begun.as_slice(), [(_, AlertStatus::Firing, true)]),
        "{begun:?}"
    );
    for name in ["clicks", "orders"] {
        assert_eq!(record(&rig, name).alerts.len(), 1, "{:?}", record(&rig, name));
    }
    let of_clicks = PolicySetup {
        select: Select {
            name: vec!["clicks".into()],
            ..Select::all()
        },
        ..policy("another")
    };
    let changes = replace(&mut rig, vec![of_clicks, unusable()]);
    assert_eq!(told(&changes), [("orders".to_owned(), AlertStatus::Firing, false)]);
    assert_eq!(
        told(&rig.settle()),
        [("clicks".to_owned(), AlertStatus::Resolved, true)]
    );
}
