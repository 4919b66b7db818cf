//! What somebody outside wrote of a cluster, as a story says it.

use std::fmt::Write;

use steadfast_simulate::BEGINNING;

use super::Tale;
use super::cluster::{Cluster, Job, There};
use crate::properties::plot::hostile::{CALENDAR, Hostile, Odd, PIECES, Text};

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text that a story would read otherwise than it was written, if there is one.
pub fn misread() -> Option<String> {
    let texts = PIECES.iter().flat_map(|piece| {
        let text = |letters, times| Text { letters, piece, times };
        [text(0, 0), text(0, 1), text(1, 2), text(1_023, 2), text(0, 300)].map(Text::written)
    });
    let is_misread = |text: &String| {
        let read: Result<toml::Table, _> = toml::from_str(&format!("a = [{{ b = {}, c = 1 }}]", quoted(text)));
        let read = read.ok();
        let inner = read
            .as_ref()
            .and_then(|table| table.get("a")?.get(0)?.get("b")?.as_str());
        inner != Some(text)
    };
    texts.into_iter().find(is_misread)
}

fn written(text: Text) -> String {
    quoted(&text.written())
}

/// A moment as a story has it, in milliseconds.
fn of_story(since_epoch: i64) -> i64 {
    since_epoch.saturating_sub(BEGINNING.as_millis())
}

/// What stands there of a cluster, in the place of what it would say or beside it.
#[derive(Default)]
pub struct Writings {
    event: Option<(Text, Text)>,
    pod: Option<Text>,
    ended: Option<(Text, i32)>,
    restarts: Option<u32>,
    task_manager: Option<(Text, Text)>,
    error: Option<Text>,
    standing: Option<(Text, Text)>,
    another_id: Option<Text>,
    archived: Option<(Text, i64)>,
}

impl Writings {
    fn take(&mut self, hostile: Hostile) {
        match hostile {
            Hostile::Event(reason, message) => self.event = Some((reason, message)),
            Hostile::Pod(reason) => self.pod = Some(reason),
            Hostile::Ended(reason, code) => self.ended = Some((reason, code)),
            Hostile::Restarts(count) => self.restarts = Some(count),
            Hostile::TaskManager(reason, message) => self.task_manager = Some((reason, message)),
            Hostile::Error(error) => self.error = Some(error),
            Hostile::Standing(lifecycle, status) => self.standing = Some((lifecycle, status)),
            Hostile::AnotherId(id) => self.another_id = Some(id),
            Hostile::Archived(cause, end) => self.archived = Some((cause, end)),
            Hostile::Row(..) => {}
        }
    }

    /// Only what can be read is left.
    pub fn heal(&mut self) {
        self.restarts = self.restarts.filter(|count| i32::try_from(*count).is_ok());
    }

    /// Why the JobManager's pod is as it is, and why its container ended, if that is not to be what the cluster says.
    pub fn of_pod(&self, terminated: Option<&str>) -> String {
        let mut says = String::new();
        let ended = self.ended.map(|(reason, code)| (written(reason), code));
        if let Some((reason, code)) = ended.or_else(|| Some((quoted(terminated?), 1))) {
            let _ = write!(says, ", terminated = {reason}, exit_code = {code}");
        }
        if let Some(reason) = self.pod {
            let _ = write!(says, ", reason = {}", written(reason));
        }
        says
    }

    /// How often a container that runs began again.
    pub fn restarts(&self, truly: u32) -> u32 {
        self.restarts.unwrap_or(truly)
    }

    /// Events, and a TaskManager's pod.
    pub fn beside(&self) -> String {
        let mut says = String::new();
        if let Some((reason, message)) = self.event {
            let (reason, message) = (written(reason), written(message));
            let _ = writeln!(says, "events = [{{ reason = {reason}, message = {message} }}]");
        }
        if let Some((reason, message)) = self.task_manager {
            let (reason, message) = (written(reason), written(message));
            let _ = writeln!(
                says,
                "task_managers = [{{ phase = \"Pending\", ready = false, waiting = {reason}, message = {message} }}]"
            );
        }
        says
    }

    /// What the operator says: of a resource that is carried out, in which case an error changes nothing; and how it
    /// stands, where that decides nothing.
    pub fn of_resource(&self, lifecycle: &str, is_carried_out: bool) -> String {
        let (mut says, mut lifecycle) = (String::new(), quoted(lifecycle));
        if let (Some((said, status)), "\"STABLE\"") = (self.standing, lifecycle.as_str()) {
            lifecycle = written(said);
            let _ = write!(says, "status = {}, ", written(status));
        }
        if is_carried_out {
            says += &self
                .error
                .map_or_else(String::new, |error| format!("error = {}, ", written(error)));
        }
        format!("{says}lifecycle = {lifecycle}")
    }

    /// The operator's error of a FlinkSessionJob.
    pub fn of_session_job(&self) -> String {
        let error = self.error.map(|error| format!(", error = {}", written(error)));
        error.unwrap_or_default()
    }

    /// What another Flink calls its cluster.
    pub fn another_id(&self) -> Option<String> {
        self.another_id.map(Text::written)
    }

    /// What is told of an end, beside how it was.
    pub fn of_end(&self) -> String {
        self.archived.map_or_else(String::new, |(cause, end)| {
            format!(", root_exception = {}, end = \"{}ms\"", written(cause), of_story(end))
        })
    }
}

/// What stands in the row of a job in the place of what is so.
#[derive(Clone, Copy, Default)]
pub struct OddRow {
    name: Option<Text>,
    exception: Option<Text>,
    tasks: Option<Tasks>,
    checkpoints: Option<(u32, u32, u32)>,
    start: Option<i64>,
    end: Option<i64>,
    state: Option<Text>,
}

#[derive(Clone, Copy)]
enum Tasks {
    Said { running: u32, created: u32, total: u32 },
    TooMany,
}

/// When Flink says that a job failed so: at a moment that follows from the text, so that no other world is drawn.
fn failed_at(trace: Text) -> Option<i64> {
    [None, Some(i64::MIN), Some(i64::MAX), Some(-1)]
        .get(usize::from(trace.letters) % 4)
        .copied()
        .flatten()
}

impl OddRow {
    fn take(&mut self, odd: Odd) {
        match odd {
            Odd::Name(name) => self.name = Some(name),
            Odd::Exception(trace) => self.exception = Some(trace),
            Odd::Tasks {
                running,
                created,
                total,
            } => {
                self.tasks = Some(Tasks::Said {
                    running,
                    created,
                    total,
                });
            }
            Odd::TooManyTasks => self.tasks = Some(Tasks::TooMany),
            Odd::Checkpoints {
                completed,
                failed,
                savepoints,
            } => self.checkpoints = Some((completed, failed, savepoints)),
            Odd::Start(at) => self.start = Some(at),
            Odd::End(at) => self.end = Some(at),
            Odd::State(text) => self.state = Some(text),
        }
    }

    /// Whether nobody can read the row.
    pub fn is_unreadable(&self) -> bool {
        self.state.is_some()
            || matches!(self.tasks, Some(Tasks::TooMany))
            || self.start.is_some_and(|start| !CALENDAR.contains(&start))
    }

    /// Only what can be read is left.
    pub fn heal(&mut self) {
        self.state = None;
        self.tasks = self.tasks.filter(|tasks| matches!(tasks, Tasks::Said { .. }));
        self.start = self.start.filter(|start| CALENDAR.contains(start));
    }

    /// When the job started, as the story has it.
    pub fn start(&self, truly: i64) -> i64 {
        self.start.map_or(truly, of_story)
    }

    /// The rest of the row.
    pub fn says(&self) -> String {
        let mut says = String::new();
        let texts = [
            ("name", self.name),
            ("root_exception", self.exception),
            ("written_state", self.state),
        ];
        for (key, text) in texts.into_iter().filter_map(|(key, text)| Some((key, text?))) {
            let _ = write!(says, ", {key} = {}", written(text));
        }
        if let Some(at) = self.exception.and_then(failed_at) {
            let _ = write!(says, ", exception_at = \"{at}ms\"");
        }
        let tasks = self.tasks.map(|tasks| match tasks {
            Tasks::Said {
                running,
                created,
                total,
            } => format!("running = {running}, created = {created}, total = {total}"),
            Tasks::TooMany => format!("running = {0}, created = {0}", u32::MAX),
        });
        if let Some(tasks) = tasks {
            let _ = write!(says, ", tasks = {{ {tasks} }}");
        }
        if let Some((completed, failed, savepoints)) = self.checkpoints {
            let counters = format!("completed = {completed}, failed = {failed}, savepoints = {savepoints}");
            let _ = write!(says, ", checkpoints = {{ {counters} }}");
        }
        if let Some(end) = self.end {
            let _ = write!(says, ", end = \"{}ms\"", of_story(end));
        }
        says
    }
}

impl Cluster {
    /// Takes what somebody wrote; says whether there is anything that shows it.
    fn is_written(&mut self, hostile: Hostile) -> bool {
        match hostile {
            Hostile::Row(choice, odd) => {
                let count = self.jobs.len().max(1);
                let is_up = self.there == There::Up;
                let job = self.jobs.get_mut(usize::from(choice) % count).filter(|_| is_up);
                job.map(|job: &mut Job| job.odd.take(odd)).is_some()
            }
            Hostile::Event(..)
            | Hostile::Pod(_)
            | Hostile::Ended(..)
            | Hostile::Restarts(_)
            | Hostile::TaskManager(..)
            | Hostile::Error(_)
            | Hostile::Standing(..)
            | Hostile::AnotherId(_)
            | Hostile::Archived(..) => {
                self.writings.take(hostile);
                self.in_kubernetes()
            }
        }
    }
}

impl Tale {
    /// Somebody outside writes something odd.
    pub fn hostile(&mut self, place: usize, hostile: Hostile) {
        if self.clusters[place].is_written(hostile) {
            self.show(place);
        }
    }
}
