//! Random plots: what befalls a few Flink clusters, one turn after the other. Any list of turns is a plot, so that a
//! failing one can be made smaller by leaving turns out.

use proptest::prelude::*;

/// A plot before it is told.
#[derive(Clone, Debug)]
pub struct Plot {
    /// The targets, each a Flink cluster.
    pub targets: Vec<Setting>,
    /// What happens, in order.
    pub turns: Vec<Turn>,
    /// What every jitter of the engine is drawn from.
    pub seed: u64,
}

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// How it is deployed.
    pub kind: Kind,
    /// How far the clock of its JobManager is ahead of all others, in seconds.
    pub clock: i16,
}

/// How a target is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Application,
    Session,
    Standalone,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// How long after the turn before, in milliseconds.
    pub after: u32,
    /// To which target, where it is about one; counted round.
    pub target: usize,
    pub deed: Deed,
}

/// What happens. What cannot happen to a target as it stands does not.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// The way to its Flink breaks, or heals.
    Flink(&'static str),
    /// The way to Kubernetes breaks, or heals.
    Kubernetes(&'static str),
    /// Both ways fall silent at once.
    Darkness,
    /// Both heal.
    Light,
    /// Another Deployment takes the place of this one; nothing answers there yet.
    Replace,
    /// The Deployment is deleted, the last words of its JobManager with it.
    Delete {
        words: Words,
        recovery: Recovery,
        teller: Teller,
    },
    /// It is there again, under another UID, and runs a new job.
    Restore,
    /// The JobManager's container ends and begins again.
    Crash(&'static str),
    /// Its pod is evicted; another takes its place.
    Evict,
    /// The JobManager answers again: with the same job if its HA data lasted, with a new one otherwise.
    Recover(Recovery),
    /// A job moves on to one of the states that Flink allows.
    Move(u8),
    /// The JobMaster of its first job answers its JobManager no more, or again: lists leave the job out.
    LeaveOut,
    /// For so many seconds another Flink answers, which lists another job.
    Foreign(u8),
    /// Two JobManagers answer by turns, so many times, each with a run of its own.
    TwoMasters(u8),
    /// The Deployment is scaled to zero.
    ScaleToZero,
    /// A session cluster gets another job.
    Submit,
    /// A session cluster no longer lists its first job.
    Drop,
    /// Somebody posts an intent.
    Intend(&'static str),
    /// The engine is killed and starts again.
    Kill,
    /// It is stopped for so many seconds.
    Stop(u8),
}

/// Whether a JobManager says how its job ended before it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    None,
    Says(&'static str),
}

/// Where the words of a job's end are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Teller {
    /// In the JobManager's log, as long as its pod is there.
    Log,
    /// In the archive.
    Archive,
}

/// Whether Flink's recovery data lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    Lasts,
    None,
}

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
    "bad-object",
];

pub fn plots() -> impl Strategy<Value = Plot> {
    let kinds = prop_oneof![
        4 => Just(Kind::Application),
        2 => Just(Kind::Session),
        1 => Just(Kind::Standalone),
    ];
    // Mostly right, and else up to ten minutes ahead or behind.
    let clocks = prop_oneof![3 => Just(0_i16), 2 => -600_i16..=600];
    let settings = (kinds, clocks).prop_map(|(kind, clock)| Setting { kind, clock });
    (
        prop::collection::vec(settings, 1..=4),
        prop::collection::vec(turns(), 0..=10),
        any::<u64>(),
    )
        .prop_map(|(targets, turns, seed)| Plot { targets, turns, seed })
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
    let tellers = prop_oneof![2 => Just(Teller::Log), 1 => Just(Teller::Archive)];
    prop_oneof![
        4 => prop::sample::select(FLINK).prop_map(Deed::Flink),
        4 => prop::sample::select(KUBERNETES).prop_map(Deed::Kubernetes),
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
        1 => Just(Deed::Submit),
        1 => Just(Deed::Drop),
        2 => prop::sample::select(&["start", "cancel", "savepoint", "none"][..]).prop_map(Deed::Intend),
        1 => Just(Deed::Kill),
        1 => (2_u8..40).prop_map(Deed::Stop),
    ]
}
