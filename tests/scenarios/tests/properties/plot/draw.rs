//! Draws plots.

mod hostile;

use proptest::prelude::*;

use super::{Ask, Deed, Found, Key, Kind, Operated, Place, Plot, Recovery, Setting, Teller, Turn, Where, Words};

/// Faults after which the way is broken, slow or odd. Waits stay well below the bound by which all must have settled.
const FLINK: &[&str] = &[
    "ok",
    "drop",
    "refuse",
    "401",
    "403",
    "404-proxy",
    "429",
    "429:20",
    "500",
    "502-html",
    "200-html",
    "503-leader",
    "garbage",
    "slow:2s",
    "slow:4s",
];
const KUBERNETES: &[&str] = &[
    "ok",
    "drop",
    "refuse",
    "401",
    "403",
    "429",
    "429:20",
    "500",
    "503",
    "html",
    "garbage",
    "slow:2s",
    "slow:4s",
    "410",
    "watch-silent",
    "watch-close",
    "list-fails",
    "get:403",
    "get:500",
    "get:drop",
    "bad-object",
    "operator:403",
    "operator:404",
];

pub fn plots() -> impl Strategy<Value = Plot> {
    let kinds = prop_oneof![
        4 => Just(Kind::Application),
        2 => Just(Kind::Session),
        1 => Just(Kind::Standalone),
    ];
    // Mostly right, and else up to ten minutes ahead or behind.
    let clocks = prop_oneof![3 => Just(0_i16), 2 => -600_i16..=600];
    let places = prop_oneof![5 => Just(Place::Local), 2 => Just(Place::East), 2 => Just(Place::Twin)];
    let settings = (kinds, clocks, places, found()).prop_map(|(kind, clock, place, (found, operated))| Setting {
        kind,
        clock,
        place,
        found,
        operated,
    });
    (
        prop::collection::vec(settings, 1..=4),
        prop::collection::vec(turns(), 0..=10),
        any::<u64>(),
    )
        .prop_map(|(targets, turns, seed)| Plot { targets, turns, seed })
}

/// How the engine comes to know of a target, and whether it has a resource of the operator's.
fn found() -> impl Strategy<Value = (Found, Operated)> {
    prop_oneof![
        4 => Just((Found::Config, Operated::No)),
        1 => Just((Found::Config, Operated::Deployed)),
        3 => Just((Found::Native, Operated::No)),
        3 => Just((Found::Operator, Operated::Deployed)),
        1 => Just((Found::Operator, Operated::AskedFor)),
    ]
}

fn turns() -> impl Strategy<Value = Turn> {
    // Mostly within a poll or two of each other: that is where what is known and what is true part.
    let after = prop_oneof![3 => 100_u32..6_000, 2 => 6_000_u32..30_000, 1 => 30_000_u32..90_000];
    (after, 0_usize..4, deeds()).prop_map(|(after, target, deed)| Turn { after, target, deed })
}

fn deeds() -> impl Strategy<Value = Deed> {
    let recovery = || prop_oneof![Just(Recovery::Lasts), Just(Recovery::None)];
    let words = prop_oneof![
        Just(Words::None),
        prop::sample::select(&["FINISHED", "FAILED", "CANCELED"][..]).prop_map(Words::Says),
    ];
    let tellers = prop_oneof![
        2 => Just(Teller::Log),
        1 => Just(Teller::Archive),
        1 => Just(Teller::History),
    ];
    prop_oneof![
        4 => prop::sample::select(FLINK).prop_map(Deed::Flink),
        4 => (prop::sample::select(KUBERNETES), wheres()).prop_map(|(fault, place)| Deed::Kubernetes(fault, place)),
        2 => (keys(), 5_u8..100).prop_map(|(key, lasts)| Deed::Lapse { key, lasts }),
        2 => Just(Deed::Darkness),
        2 => Just(Deed::Light),
        2 => Just(Deed::Replace),
        3 => (words, recovery(), tellers).prop_map(|(words, recovery, teller)| Deed::Delete { words, recovery, teller }),
        2 => Just(Deed::Restore),
        2 => prop::sample::select(&["OOMKilled", "Error"][..]).prop_map(Deed::Crash),
        1 => Just(Deed::Evict),
        3 => recovery().prop_map(Deed::Recover),
        6 => any::<u8>().prop_map(Deed::Move),
        3 => Just(Deed::LeaveOut),
        2 => (2_u8..20).prop_map(Deed::Foreign),
        1 => (2_u8..6).prop_map(Deed::TwoMasters),
        2 => Just(Deed::ScaleToZero),
        4 => Just(Deed::Label),
        9 => asks().prop_map(Deed::Operator),
        20 => hostile::writings().prop_map(Deed::Hostile),
        1 => Just(Deed::Submit),
        1 => Just(Deed::Drop),
        2 => prop::sample::select(&["start", "cancel", "savepoint", "none"][..]).prop_map(Deed::Intend),
        2 => host_clocks().prop_map(Deed::SetClock),
        1 => Just(Deed::Kill),
        1 => (2_u8..40).prop_map(Deed::Stop),
    ]
}

/// Right again, off by seconds, by up to a day.
fn host_clocks() -> impl Strategy<Value = i32> {
    prop_oneof![Just(0), -90..=90, -86_400..=86_400]
}

fn wheres() -> impl Strategy<Value = Where> {
    prop_oneof![2 => Just(Where::Everywhere), 1 => Just(Where::Local), 1 => Just(Where::East)]
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        2 => wheres().prop_map(Key::Kubernetes),
        2 => prop::sample::select(&["401", "403"][..]).prop_map(Key::Flink),
        1 => prop::sample::select(&["401", "403"][..]).prop_map(Key::Flinks),
    ]
}

fn asks() -> impl Strategy<Value = Ask> {
    let recovery = || prop_oneof![Just(Recovery::Lasts), Just(Recovery::None)];
    prop_oneof![
        2 => Just(Ask::Suspend),
        3 => Just(Ask::Run),
        1 => Just(Ask::Delete),
        3 => recovery().prop_map(Ask::CarryOut),
        3 => recovery().prop_map(Ask::SuspendAndCarryOut),
        1 => Just(Ask::DeleteAndCarryOut),
    ]
}
