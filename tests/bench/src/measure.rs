//! What the operating system and the clock say of this process.

use std::time::Duration;

/// Clock ticks a second in `/proc` (`sysconf(_SC_CLK_TCK)`), 100 on every Linux that Rust targets.
const TICKS: f64 = 100.0;

/// CPU time of a process so far, user and system, by its id, from `/proc/ID/stat`.
pub fn cpu_of(process: &str) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| {
        fields
            .get(n)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or_default()
    };
    Ok(Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS))
}

/// Resident memory of this process in KiB.
pub fn resident_kib() -> anyhow::Result<u64> {
    resident_kib_of("self")
}

/// The same of a process, by its id, from `/proc/ID/status`.
pub fn resident_kib_of(process: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// How many parts of its address space this process has mapped; compiled modules and instances are among them.
pub fn mappings() -> anyhow::Result<usize> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().count())
}

/// How many files and connections this process has open.
pub fn open_files() -> anyhow::Result<usize> {
    open_files_of("self")
}

/// The same of a process, by its id.
pub fn open_files_of(process: &str) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// The value that a share of the sorted samples does not exceed.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((last as f64) * share).round() as usize;
    samples.get(index).copied().unwrap_or(f64::NAN)
}

/// Prints figures, a line each.
pub(crate) fn print_rows(rows: &[(&str, String)]) {
    for (what, figure) in rows {
        #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
        {
            println!("{what:42} {figure}");
        }
    }
}
