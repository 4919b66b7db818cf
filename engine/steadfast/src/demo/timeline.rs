//! The story as it is seen from three sides: the world, Steadfast's record, and a naive watcher.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use steadfast_core::id::{ClusterName, JobKey, Namespace, TargetId};
use steadfast_core::projection::JobView;

use crate::cli::printer::{self, PrintError};
use crate::run::Running;

/// What has been printed so far.
pub(super) struct Timeline {
    scenes: std::iter::Peekable<std::slice::Iter<'static, (u64, &'static str)>>,
    cluster: ClusterName,
    recorded: BTreeMap<JobKey, String>,
    naive: BTreeMap<JobKey, String>,
}

impl Timeline {
    pub(super) fn new(scenes: &'static [(u64, &'static str)], cluster: &str) -> Self {
        Self {
            scenes: scenes.iter().peekable(),
            cluster: ClusterName::new(cluster),
            recorded: BTreeMap::new(),
            naive: BTreeMap::new(),
        }
    }

    /// Prints what has changed since the last look.
    pub(super) fn look(&mut self, now: Duration, running: &Running) -> Result<(), PrintError> {
        while let Some((at, what)) = self.scenes.next_if(|(at, _)| Duration::from_secs(*at) <= now) {
            print_line(Duration::from_secs(*at), "world", what)?;
        }
        for view in running.projection.page(None, usize::MAX, |_| true) {
            let key = view.record.key.clone();
            let word = word(&view);
            if self.recorded.get(&key) != Some(&word) {
                print_line(
                    now,
                    "steadfast",
                    &format!("{}: {word} ({})", key.target.name, view.record.reason.message),
                )?;
                self.recorded.insert(key.clone(), word);
            }
            if let Some(state) = naive(running, &key)
                && self.naive.get(&key) != Some(&state)
            {
                print_line(now, "naive", &format!("{}: {state}", key.target.name))?;
                self.naive.insert(key, state);
            }
        }
        Ok(())
    }

    /// Each job at the end: the truth, the record, and what the naive watcher says.
    pub(super) fn summary(&self, truth: &[(&str, &str)], running: &Running) -> String {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .set_header(["JOB", "IN TRUTH", "STEADFAST", "NAIVE WATCHER"]);
        for (name, truth) in truth {
            let key = JobKey::application(TargetId::new(&self.cluster, &Namespace::new("default"), name));
            let recorded = running
                .projection
                .get(&key)
                .map_or_else(|| "-".to_owned(), |view| word(&view));
            let naive = naive(running, &key).unwrap_or_else(|| "-".to_owned());
            table.add_row([(*name).to_owned(), (*truth).to_owned(), recorded, naive]);
        }
        format!("\n{table}\n")
    }
}

fn word(view: &JobView) -> String {
    format!("{}, {}", view.record.state, view.record.confidence)
}

fn naive(running: &Running, key: &JobKey) -> Option<String> {
    let shadows = running.shadows.of(key);
    let (_, view) = shadows.iter().find(|(policy, _)| policy.as_str() == "naive")?;
    Some(view.shown.state.to_string())
}

fn print_line(at: Duration, who: &str, what: &str) -> Result<(), PrintError> {
    printer::data(&format!("{:>5.1}s  {who:<9}  {what}\n", at.as_secs_f64()))
}
