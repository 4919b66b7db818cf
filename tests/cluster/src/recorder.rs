//! Looks at an engine's record four times a second, for as long as the story lasts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::engine::Api;
use crate::record::Record;
use crate::timeline::Timeline;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What one look showed.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// When the answer was complete, on the story's clock.
    pub at: Duration,
    /// Every record, by the job's name.
    pub records: BTreeMap<String, Record>,
}

/// The looks at one engine; an engine that does not answer leaves a gap, never an empty look.
#[derive(Debug)]
pub struct Recorder {
    who: &'static str,
    timeline: Timeline,
    looks: Arc<Mutex<Vec<Look>>>,
    latest: watch::Receiver<Look>,
    task: JoinHandle<()>,
}

impl Recorder {
    /// Begins to look; changes of a record are told as `who`'s.
    #[must_use]
    pub fn start(who: &'static str, api: Api, timeline: &Timeline) -> Self {
        let looks = Arc::new(Mutex::new(Vec::new()));
        let (newest, latest) = watch::channel(Look::default());
        let task = tokio::spawn(look_on(who, api, timeline.clone(), Arc::clone(&looks), newest));
        Self {
            who,
            timeline: timeline.clone(),
            looks,
            latest,
            task,
        }
    }

    /// Waits until a look shows the job as `wanted`; returns when it began to be so, on the story's clock.
    pub async fn wait(
        &self,
        job: &str,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Duration> {
        let mut latest = self.latest.clone();
        let shown = latest.wait_for(|look| look.records.get(job).is_some_and(&wanted));
        let Ok(seen) = tokio::time::timeout(limit, shown).await else {
            let latest = self.latest.borrow();
            let last = latest.records.get(job);
            let last = last.map_or_else(|| "not listed".to_owned(), Record::line);
            bail!(
                "{}: {job} did not become {what} within {limit:?}; it is {last}",
                self.who
            );
        };
        drop(seen.context("the recorder ended")?);
        // The wait may have been asked for late: what it is about began with the first of the looks that agree.
        let looks = self.looks(job, Duration::ZERO);
        let agreeing = looks.iter().rev().take_while(|(_, record)| wanted(record));
        Ok(agreeing.last().context("no look")?.0)
    }

    /// Every look from `from` until now that lists the job.
    #[must_use]
    pub fn looks(&self, job: &str, from: Duration) -> Vec<(Duration, Record)> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let since = looks.iter().filter(|look| look.at >= from);
        since
            .filter_map(|look| look.records.get(job).map(|record| (look.at, record.clone())))
            .collect()
    }

    /// The names of the jobs that were ever listed.
    #[must_use]
    pub fn jobs(&self) -> BTreeSet<String> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.iter().flat_map(|look| look.records.keys().cloned()).collect()
    }

    /// The engine's name in the timeline.
    #[must_use]
    pub fn who(&self) -> &'static str {
        self.who
    }

    /// The story's clock.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look_on(
    who: &'static str,
    api: Api,
    timeline: Timeline,
    looks: Arc<Mutex<Vec<Look>>>,
    newest: watch::Sender<Look>,
) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut answered = true;
    loop {
        ticks.tick().await;
        let records = match api.jobs().await {
            Ok(records) => records,
            Err(error) => {
                if std::mem::replace(&mut answered, false) {
                    timeline.tell(who, format!("no answer: {error:#}"));
                }
                continue;
            }
        };
        answered = true;
        let records = records
            .into_iter()
            .map(|record| (record.name.clone(), record))
            .collect();
        let look = Look {
            at: timeline.now(),
            records,
        };
        for (name, record) in &look.records {
            if newest
                .borrow()
                .records
                .get(name)
                .is_none_or(|before| before.line() != record.line())
            {
                timeline.tell(who, record.line());
            }
        }
        looks.lock().unwrap_or_else(PoisonError::into_inner).push(look.clone());
        newest.send_replace(look);
    }
}
