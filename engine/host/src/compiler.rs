//! Compiling in a process of its own.
//!
//! How long a module takes to compile, and how much memory, cannot be told from its size: one function of a megabyte takes
//! seconds and a gigabyte. Nothing ends a compilation within a process, and what the compiler took the process keeps. So the
//! program starts itself again, with a limit on processor time and memory that the system enforces, and reads the machine code
//! that it prints.
//!
//! Rejected: *a limit on the size of functions alone*, since what is slow is not the size but the shape.

use std::io::{self, Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use steadfast_tasks::try_threads;
use wasmtime::Engine;

use crate::engine_pair;

/// The most that is read of a module or of machine code, in bytes.
const MOST: u64 = 1 << 30;
/// The signal that cannot be caught.
const KILLED: i32 = Signal::KILL.as_raw();
// What comes before machine code, and before the reason why there is none.
const COMPILED: u8 = b'+';
const REFUSED: u8 = b'-';

/// What the module is not to blame for: another time it may do.
const TO_SPARE: &str =
    "more processes and threads (RLIMIT_NPROC, `ulimit -u`; pids.max of its cgroup, TasksMax, --pids-limit)";

/// What compiling one module may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// How much processor time, on all threads together; whole seconds.
    pub processor: Duration,
    /// How much memory, in bytes.
    pub memory_bytes: u64,
    /// How long in all, on a machine that is too busy to give it the other.
    pub deadline: Duration,
}

impl Default for CompileLimits {
    /// A minute of processor time, ten in all, and 2 GiB: the runtime of a large language takes some tenths of the first and the
    /// last, and is to have them also where it gets a tenth of a processor.
    fn default() -> Self {
        Self {
            processor: Duration::from_secs(60),
            memory_bytes: 2 << 30,
            deadline: Duration::from_secs(600),
        }
    }
}

/// How a process is started that calls [`compile_for_parent`].
#[derive(Clone, Debug)]
pub struct CompilerProcess {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The limits that it sets itself, and how long it is waited for.
    pub limits: CompileLimits,
}

/// What has mimalloc map memory as it is needed.
const ON_DEMAND: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// Why a module was not compiled.
pub(crate) enum CompileFailure {
    /// The module is to blame: it does not validate.
    Refused(String),
    /// It took more than it may.
    Costly(String),
    /// The system did not let it be tried: nothing is said of the module.
    Lacking(String),
    /// The process could not be started.
    NotStarted(io::Error),
}

impl CompilerProcess {
    /// Compiles a component.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Vec<u8>, CompileFailure> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            // Its allocator would else map a gibibyte at once where the system lets it, which counts as taken.
            .env(ON_DEMAND.0, ON_DEMAND.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // What it prints as it is cut off would stand in our log as if it were ours.
        let mut child = command.stderr(Stdio::null()).spawn().map_err(not_started)?;
        let printed = self.printed(&mut child, component);
        let status = child.wait();
        let Some(printed) = printed.map_err(|error| lacking("no thread", &error))? else {
            // The system would have ended it for what it takes.
            return Err(CompileFailure::Lacking(format!(
                "it was given up after {:?}, in which the compiler got less than {:?} of processor time; try again when the machine \
                 is less busy",
                self.limits.deadline, self.limits.processor
            )));
        };
        match printed.split_first() {
            Some((&COMPILED, code)) if status.as_ref().is_ok_and(ExitStatus::success) => Ok(code.to_vec()),
            Some((&REFUSED, why)) => Err(CompileFailure::Refused(String::from_utf8_lossy(why).into_owned())),
            // No limit of ours ends it so: somebody else did, mostly the kernel where memory ran out.
            Some(_) | None if status.as_ref().is_ok_and(|status| status.signal() == Some(KILLED)) => {
                Err(CompileFailure::Lacking(format!(
                    "the compiler was killed (SIGKILL), as the kernel does where memory runs out; let it have more memory (memory.max of \
                     its cgroup, MemoryMax, a container's limit): it may take {} MiB",
                    self.limits.memory_bytes >> 20
                )))
            }
            // The limits end it by a signal. What ends otherwise has failed itself, as where it could not start a thread.
            Some(_) | None if status.as_ref().is_ok_and(|status| status.code().is_some()) => {
                let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                Err(CompileFailure::Lacking(format!(
                    "the compiler ended without a result ({ended}); let it have {TO_SPARE}"
                )))
            }
            Some(_) | None => Err(CompileFailure::Costly(self.cut_off(status))),
        }
    }

    /// What the process prints; `None` if it has not ended in time, and was ended. Fails if there is no thread to read it on.
    fn printed(&self, child: &mut Child, component: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let (mut input, output) = (child.stdin.take(), child.stdout.take());
        let (to, printed) = channel();
        std::thread::scope(|scope| {
            let writing = std::thread::Builder::new().spawn_scoped(scope, move || {
                // A process that has ended takes nothing more, and its end says why.
                drop(input.as_mut().map(|input| input.write_all(component)));
            });
            let reading = std::thread::Builder::new().spawn_scoped(scope, move || {
                let mut bytes = Vec::new();
                let read = output.map(|output| output.take(MOST).read_to_end(&mut bytes));
                drop(to.send(read.is_some_and(|read| read.is_ok()).then_some(bytes)));
            });
            if let Err(error) = writing.and(reading) {
                drop(child.kill());
                return Err(error);
            }
            let printed = printed.recv_timeout(self.limits.deadline);
            if printed.is_err() {
                // Both threads end with it.
                drop(child.kill());
            }
            Ok(printed.ok().map(Option::unwrap_or_default))
        })
    }

    fn cut_off(&self, status: io::Result<ExitStatus>) -> String {
        let CompileLimits {
            processor,
            memory_bytes,
            ..
        } = self.limits;
        let ended = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        format!(
            "the compiler may take {} s of processor time and {} MiB of memory, and was cut off ({ended})",
            processor.as_secs(),
            memory_bytes >> 20
        )
    }
}

fn not_started(error: io::Error) -> CompileFailure {
    use rustix::io::Errno;
    let lacks = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    if lacks
        .iter()
        .any(|lack| error.raw_os_error() == Some(lack.raw_os_error()))
    {
        lacking("no process", &error)
    } else {
        CompileFailure::NotStarted(error)
    }
}

fn lacking(what: &str, error: &io::Error) -> CompileFailure {
    CompileFailure::Lacking(format!(
        "{what} can be started to compile it in ({error}); let this process have {TO_SPARE}"
    ))
}

/// Compiles the component on the standard input for the process that started this one, within limits. What comes of it is
/// printed. Fails if nobody reads that.
pub fn compile_for_parent(limits: CompileLimits, mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    // Behind the first the kernel sends SIGXCPU, which says why; at the second SIGKILL, which may be anybody's.
    let seconds = limits.processor.as_secs();
    limit(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    limit(Resource::Data, limits.memory_bytes, limits.memory_bytes)?;
    end_with_parent();
    let mut component = Vec::new();
    input.by_ref().take(MOST).read_to_end(&mut component)?;
    let mut config = engine_pair::config_to_compile();
    // Its threads are started when they are needed, and a panic if they cannot be. The machine code is the same without them.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    config.parallel_compilation(try_threads(threads).is_ok());
    let compiled = Engine::new(&config).and_then(|engine| engine.precompile_component(&component));
    let (first, rest) = match compiled {
        Ok(code) => (COMPILED, code),
        Err(error) => (REFUSED, format!("{error:#}").into_bytes()),
    };
    output.write_all(&[first])?;
    output.write_all(&rest)?;
    output.flush()
}

/// Lowers a limit of this process, and how far it might raise it again.
fn limit(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let lower = Rlimit {
        current: Some(current.min(most)),
        maximum: Some(maximum.min(most)),
    };
    Ok(setrlimit(resource, lower)?)
}

/// Nobody reads what it prints once its parent is gone.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::debug!("the end of the parent will not end this process: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> CompilerProcess {
        CompilerProcess {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            limits: CompileLimits {
                deadline,
                ..CompileLimits::default()
            },
        }
    }

    const LONG: Duration = Duration::from_secs(600);

    fn outcome(script: &str, deadline: Duration) -> Result<Vec<u8>, String> {
        shell(script, deadline)
            .compile(b"component")
            .map_err(|failure| match failure {
                CompileFailure::Refused(why) => format!("refused: {why}"),
                CompileFailure::Costly(why) => format!("costly: {why}"),
                CompileFailure::Lacking(why) => format!("lacking: {why}"),
                CompileFailure::NotStarted(error) => format!("not started: {error}"),
            })
    }

    #[test]
    fn what_it_prints_is_the_outcome() {
        assert_eq!(outcome("printf +; cat", LONG).unwrap(), b"component");
        assert_eq!(
            outcome("printf %s '-no module'", LONG).unwrap_err(),
            "refused: no module"
        );
        let cut_off = outcome("printf +half; kill -XCPU $$", LONG).unwrap_err();
        assert!(
            cut_off.contains("60 s of processor time and 2048 MiB") && cut_off.contains("signal"),
            "{cut_off}"
        );
    }

    #[test]
    fn one_that_fails_by_itself_says_nothing_of_the_module() {
        for script in ["exit 101", "printf +half; exit 1"] {
            let failed = outcome(script, LONG).unwrap_err();
            assert!(
                failed.starts_with("lacking: the compiler ended without a result"),
                "{failed}"
            );
        }
        let again = not_started(io::Error::from_raw_os_error(rustix::io::Errno::AGAIN.raw_os_error()));
        assert!(matches!(again, CompileFailure::Lacking(why) if why.contains("RLIMIT_NPROC")));
    }

    /// As the kernel ends whom it takes the memory from.
    #[test]
    fn one_that_somebody_kills_says_nothing_of_the_module() {
        for script in ["kill -KILL $$", "printf +half; kill -KILL $$"] {
            let killed = outcome(script, LONG).unwrap_err();
            assert!(
                killed.starts_with("lacking: the compiler was killed") && killed.contains("2048 MiB"),
                "{killed}"
            );
        }
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let given_up = outcome("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert!(
            given_up.starts_with("lacking: it was given up after 50ms"),
            "{given_up}"
        );
    }

    #[test]
    fn one_that_cannot_be_started_says_so() {
        let nowhere = CompilerProcess {
            program: "/nowhere/at/all".into(),
            ..shell("", LONG)
        };
        assert!(matches!(nowhere.compile(b""), Err(CompileFailure::NotStarted(_))));
    }
}
