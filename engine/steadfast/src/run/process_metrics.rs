//! What the process takes, under the names that every process has in Prometheus; which build it is; and what the store takes.
//!
//! All is read when somebody asks. Where the system does not tell, as where there is no `/proc`, there is no sample.

use std::fmt;
use std::path::{Path, PathBuf};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use rustix::fs::statvfs;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// The most of a file of `/proc` that is read.
const MOST: usize = 64 << 10;

/// Makes them known to a registry. `store` is the store's URL.
pub(super) fn register(registry: &mut Registry, store: &str) {
    registry.register(
        "steadfast_build",
        "Which build runs",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
    registry.register_collector(Box::new(Process));
    if let Ok(file) = steadfast_store::file(store) {
        registry.register_collector(Box::new(StoreFiles(file.to_owned())));
    }
}

/// The files of the store.
#[derive(Debug)]
struct StoreFiles(PathBuf);

impl StoreFiles {
    /// What the store and its log take together; `None`: the store is not there.
    fn size(&self) -> Option<u64> {
        let of = |suffix: &str| {
            let mut path = self.0.clone().into_os_string();
            path.push(suffix);
            std::fs::metadata(Path::new(&path)).map(|file| file.len()).ok()
        };
        Some(of("")? + of("-wal").unwrap_or_default() + of("-shm").unwrap_or_default())
    }

    /// What its disk still takes of who is not root.
    fn free(&self) -> Option<u64> {
        let disk = statvfs(&self.0).ok()?;
        disk.f_bavail.checked_mul(disk.f_frsize)
    }
}

impl Collector for StoreFiles {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "What the files of the store take: the database and its write-ahead log.";
        gauge(
            &mut encoder,
            ("steadfast_store_size", help),
            Some(&Unit::Bytes),
            self.size(),
        )?;
        let help = "What the disk that the store is on has room for.";
        gauge(
            &mut encoder,
            ("steadfast_store_free", help),
            Some(&Unit::Bytes),
            self.free(),
        )
    }
}

/// The process.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (stat, encoder) = (Stat::read(), &mut encoder);
        if let Some(cpu) = stat.as_ref().map(Stat::cpu_seconds) {
            let help = "Processor time that the process has used.";
            let family = encoder.encode_descriptor("process_cpu", help, Some(&Unit::Seconds), MetricType::Counter)?;
            ConstCounter::new(cpu).encode(family)?;
        }
        let resident = stat
            .as_ref()
            .map(|stat| stat.resident_pages.saturating_mul(page_size() as u64));
        let help = "Memory of the process that is in use.";
        gauge(encoder, ("process_resident_memory", help), Some(&Unit::Bytes), resident)?;
        let help = "Addresses that the process has taken.";
        let reserved = stat.as_ref().map(|stat| stat.virtual_bytes);
        gauge(encoder, ("process_virtual_memory", help), Some(&Unit::Bytes), reserved)?;
        let help = "Threads of the process.";
        gauge(
            encoder,
            ("process_threads", help),
            None,
            stat.as_ref().map(|stat| stat.threads),
        )?;
        let help = "When the process started, since the Unix epoch.";
        let started = stat.as_ref().and_then(Stat::started_at);
        gauge(encoder, ("process_start_time", help), Some(&Unit::Seconds), started)?;
        let help = "Files that the process has open, connections among them.";
        gauge(encoder, ("process_open_fds", help), None, open_files())?;
        let help = "Files that the process may have open.";
        gauge(
            encoder,
            ("process_max_fds", help),
            None,
            getrlimit(Resource::Nofile).current,
        )
    }
}

/// Writes a gauge if its value is known.
fn gauge<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    unit: Option<&Unit>,
    value: Option<V>,
) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    encoder
        .encode_descriptor(name, help, unit, MetricType::Gauge)?
        .encode_gauge(&value)
}

/// One is of the look itself.
fn open_files() -> Option<usize> {
    let open = std::fs::read_dir("/proc/self/fd").ok()?;
    Some(open.count().saturating_sub(1))
}

/// What `/proc/self/stat` says.
#[derive(Debug, PartialEq)]
struct Stat {
    /// In ticks, of which a second has so many.
    cpu: u64,
    started: u64,
    threads: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&proc("/proc/self/stat")?)
    }

    /// The second field is the program's name, in which there may be spaces and brackets.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // As proc(5) counts them, from 1; the first of these is the third.
        let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
        Some(Self {
            cpu: field(14)?.checked_add(field(15)?)?,
            threads: field(20)?,
            started: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }

    fn cpu_seconds(&self) -> f64 {
        in_seconds(self.cpu)
    }

    /// Since the Unix epoch.
    fn started_at(&self) -> Option<f64> {
        let system = proc("/proc/stat")?;
        let booted: u64 = system
            .lines()
            .find_map(|line| line.strip_prefix("btime "))?
            .trim()
            .parse()
            .ok()?;
        let booted = booted as f64;
        Some(booted + in_seconds(self.started))
    }
}

fn in_seconds(ticks: u64) -> f64 {
    ticks as f64 / clock_ticks_per_second() as f64
}

/// A file of `/proc`, which is made as it is read and waits for nothing.
fn proc(path: &str) -> Option<String> {
    steadfast_files::read_text(Path::new(path), MOST).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let text =
            "7 (a) b) (c) S 1 7 7 0 -1 4194560 9 0 0 0 120 30 0 0 20 0 5 0 1000 40960 3 18446744073709551615 1 1 0";
        let wanted = Stat {
            cpu: 150,
            started: 1000,
            threads: 5,
            virtual_bytes: 40960,
            resident_pages: 3,
        };
        assert_eq!(Stat::parse(text), Some(wanted));
        assert_eq!(Stat::parse("7 (a) S 1"), None);
    }

    #[test]
    fn a_store_that_is_not_there_has_no_size() {
        let folder = tempfile::tempdir().unwrap();
        let files = StoreFiles(folder.path().join("steadfast.db"));
        assert_eq!((files.size(), files.free()), (None, None));
        std::fs::write(&files.0, [0; 10]).unwrap();
        std::fs::write(folder.path().join("steadfast.db-wal"), [0; 5]).unwrap();
        assert_eq!(files.size(), Some(15));
        assert!(files.free().is_some());
    }
}
