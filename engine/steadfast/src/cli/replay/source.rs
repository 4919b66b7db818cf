//! Where recorded snapshots come from.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use steadfast_core::duration::parse_duration;
use steadfast_core::id::JobKey;
use steadfast_core::journal::{Recordings, Sequence};
use steadfast_core::recording::Recorded;
use steadfast_core::time::{Clock as _, Timestamp};

use super::super::{Failure, named_store, printer};
use crate::config::Config;
use crate::run::SystemClock;

/// How many snapshots are in memory at a time.
const PAGE: u32 = 500;

/// The store that has them.
#[derive(Debug, Args)]
pub(in crate::cli) struct Kept {
    /// The configuration that names the store.
    #[arg(long, default_value = "config.toml", value_name = "FILE")]
    pub(in crate::cli) config: PathBuf,
    /// The store itself, such as `sqlite://copy.db`, instead of the configuration's.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

/// Which snapshots.
#[derive(Debug, Args)]
pub(in crate::cli) struct Source {
    #[command(flatten)]
    pub(in crate::cli) kept: Kept,
    /// Only what was decided since: so long ago (`24h`), or a moment (`2026-01-31T12:00:00Z`) [default: everything].
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
}

impl Source {
    /// Nothing of what is asked for was read yet.
    pub(in crate::cli) fn extent(&self) -> Extent {
        Extent {
            since: self.since,
            ..Extent::default()
        }
    }

    /// Hands over all of them, in the order in which they were decided, page by page. Those that do not read are named on
    /// standard error; returns how many they are.
    pub(in crate::cli) async fn read(&self, take: impl FnMut(&[Recorded])) -> Result<usize, Failure> {
        self.kept
            .read(self.since.unwrap_or(Timestamp::from_millis(0)), take)
            .await
    }
}

impl Kept {
    /// Hands over those that were decided since, as [`Source::read`] does.
    pub(in crate::cli) async fn read(
        &self,
        since: Timestamp,
        mut take: impl FnMut(&[Recorded]),
    ) -> Result<usize, Failure> {
        let recordings = self.open().await?;
        let (mut after, mut unreadable) = (Sequence::default(), 0);
        loop {
            let page = recordings.recorded(after, since, PAGE).await;
            let page = page.map_err(anyhow::Error::new)?;
            let Some(last) = page.last() else {
                return Ok(unreadable);
            };
            after = last;
            unreadable += page.unreadable.len();
            for (place, why) in page.unreadable {
                printer::note(&format!("snapshot {} does not read and is passed over: {why}", place.0));
            }
            let recorded: Vec<Recorded> = page.read.into_iter().map(|(_, recorded)| recorded).collect();
            take(&recorded);
        }
    }

    async fn open(&self) -> Result<Arc<dyn Recordings>, Failure> {
        let is_named = self.store.is_some();
        let url = match &self.store {
            Some(url) => {
                named_store::with_slashes("--store", url).map_err(Failure::Usage)?;
                url.clone()
            }
            None => Config::load(&self.config)?.store,
        };
        let opened = tokio::task::spawn_blocking(move || steadfast_store::open_recordings(&url)).await;
        let recordings = opened.map_err(anyhow::Error::new)?;
        recordings.map_err(|error| {
            Failure::Usage(if is_named {
                named_store::in_option("--store", error)
            } else {
                error.into()
            })
        })
    }
}

/// How many snapshots that read there were, of which jobs, and from when to when.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Extent {
    pub(super) snapshots: usize,
    pub(super) jobs: BTreeSet<JobKey>,
    pub(super) between: Option<(Timestamp, Timestamp)>,
    /// Only those of then and later were asked for.
    pub(super) since: Option<Timestamp>,
}

impl Extent {
    /// Counts one.
    pub(in crate::cli) fn take(&mut self, at: Timestamp, job: &JobKey) {
        self.snapshots += 1;
        if !self.jobs.contains(job) {
            self.jobs.insert(job.clone());
        }
        let (first, last) = self.between.unwrap_or((at, at));
        self.between = Some((first.min(at), last.max(at)));
    }
}

/// So long ago, or a moment.
pub(in crate::cli) fn since(text: &str) -> Result<Timestamp, String> {
    parse_duration(text)
        .map(|ago| SystemClock.now().before(ago))
        .or_else(|| Timestamp::parse(text))
        .ok_or_else(|| "write how long ago, such as 30m, 24h or 7d, or a moment such as 2026-01-31T12:00:00Z".into())
}
