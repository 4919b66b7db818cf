//! Random plots: what befalls a few Flink clusters, one turn after the other. Any list of turns is a plot, so that a
//! failing one can be made smaller by leaving turns out.

mod draw;
pub mod hostile;

pub use draw::plots;
pub use hostile::Hostile;

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
    /// In which Kubernetes cluster it is.
    pub place: Place,
    /// How the engine comes to know of it.
    pub found: Found,
    /// Whether it has a resource of the operator's.
    pub operated: Operated,
}

/// In which Kubernetes cluster a target is. One that is standalone is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Local,
    East,
    /// In the east, under the name of one that is in the local cluster, if there is one.
    Twin,
}

/// How the engine comes to know of a target. One that is standalone is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The configuration names it.
    Config,
    /// By the labels of Flink's native integration.
    Native,
    /// By its FlinkDeployment.
    Operator,
}

/// Whether a target has a FlinkDeployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operated {
    No,
    /// It has, and the operator has carried it out.
    Deployed,
    /// An application has, and its Deployment is not there yet.
    AskedFor,
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
    Kubernetes(&'static str, Where),
    /// A credential is refused for so many seconds, unless something else becomes of the way before.
    Lapse { key: Key, lasts: u8 },
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
    /// Somebody takes the label `type` from Deployment and pods, or puts it back.
    Label,
    /// Something happens to the FlinkDeployment, or to a FlinkSessionJob of a session cluster: of this target, or of the next
    /// that has one.
    Operator(Ask),
    /// Somebody outside writes an odd text or number.
    Hostile(Hostile),
    /// A session cluster gets another job.
    Submit,
    /// A session cluster no longer lists its first job.
    Drop,
    /// Somebody posts an intent.
    Intend(&'static str),
    /// The clock of the engine's host is set, so many seconds ahead of the truth.
    SetClock(i32),
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
    /// In a HistoryServer, which only the first target has; in the archive elsewhere.
    History,
}

/// Whether Flink's recovery data lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    Lasts,
    None,
}

/// Which API servers a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Everywhere,
    Local,
    East,
}

/// What a credential opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// API servers, which refuse it with 401.
    Kubernetes(Where),
    /// One Flink, which refuses it so.
    Flink(&'static str),
    /// All Flinks.
    Flinks(&'static str),
}

/// What happens to a resource of the operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It asks for a suspended job.
    Suspend,
    /// It asks for the job to run; one that was deleted is made again.
    Run,
    /// It is deleted, as far as its finalizer lets it.
    Delete,
    /// The operator does what it asks for; Flink's recovery data lasts or not.
    CarryOut(Recovery),
    /// It asks for a suspended job, and the operator does so at once.
    SuspendAndCarryOut(Recovery),
    /// It is deleted, and the operator does its part at once.
    DeleteAndCarryOut,
}
