//! `[retention]`: how long the store keeps what is over.

use std::time::Duration;

use steadfast_core::timing::Timing;
use steadfast_reconcile::{KeepJournal, Keeping};
use toml::Spanned;

use super::{Checker, file};
use crate::config::values::Kept;

/// So many entries are kept at least: fewer, and a client that reads page by page would be told of a gap again and again.
const FEWEST: u64 = 1000;

impl Checker<'_> {
    pub(super) fn retention(&mut self, retention: &file::Retention) -> Keeping {
        let default = Keeping::default();
        let journal = retention.journal.as_ref();
        let ended_jobs = retention.ended_jobs.as_ref();
        Keeping {
            journal: journal.map_or(default.journal, |kept| self.journal(kept)),
            ended_jobs: ended_jobs.map_or(default.ended_jobs, |kept| self.ended(kept)),
        }
    }

    fn journal(&mut self, kept: &Spanned<Kept>) -> KeepJournal {
        match *kept.get_ref() {
            Kept::Forever => KeepJournal::Forever,
            Kept::For(age) => KeepJournal::For(self.age(kept, "retention.journal", age)),
            Kept::Newest(count) => {
                if count < FEWEST {
                    self.refuse(
                        kept.span(),
                        format!("retention.journal keeps {count} entries, fewer than {FEWEST}"),
                        format!("write {FEWEST} or more, an age such as \"90d\", or \"off\""),
                    );
                }
                KeepJournal::Newest(count)
            }
        }
    }

    fn ended(&mut self, kept: &Spanned<Kept>) -> Option<Duration> {
        match *kept.get_ref() {
            Kept::Forever => None,
            Kept::For(age) => Some(self.age(kept, "retention.ended_jobs", age)),
            Kept::Newest(_) => {
                self.refuse(
                    kept.span(),
                    "retention.ended_jobs is a number, and a job goes by how long ago it ended",
                    "write an age such as \"30d\", or \"off\"",
                );
                None
            }
        }
    }

    fn age(&mut self, kept: &Spanned<Kept>, key: &str, age: Duration) -> Duration {
        if age < *Timing::PACES.start() {
            self.refuse(
                kept.span(),
                format!("{key} is {age:?}, shorter than 10ms"),
                "write 10ms or more, or \"off\" to keep everything",
            );
        }
        age
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, ConfigError};

    fn keeping(text: &str) -> Result<Keeping, ConfigError> {
        Config::parse(Path::new("config.toml"), &format!("[retention]\n{text}\n")).map(|config| config.keeping)
    }

    #[test]
    fn what_is_over_is_kept_as_long_as_the_file_says() {
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(keeping("").unwrap(), Keeping::default());
        for (text, journal, ended_jobs) in [
            ("journal = \"off\"", KeepJournal::Forever, None),
            ("ended_jobs = \"30d\"", KeepJournal::For(day * 90), Some(day * 30)),
            (
                "journal = 1000000\nended_jobs = \"off\"",
                KeepJournal::Newest(1_000_000),
                None,
            ),
            ("journal = \"7d\"", KeepJournal::For(day * 7), None),
        ] {
            assert_eq!(keeping(text).unwrap(), Keeping { journal, ended_jobs }, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_what_can() {
        for (text, says) in [
            ("journal = 10", "fewer than 1000"),
            ("journal = -1", "\"90d\""),
            ("journal = \"for ever\"", "\"off\""),
            ("journal = \"1ms\"", "shorter than 10ms"),
            ("ended_jobs = 5", "how long ago it ended"),
            ("ended_job = \"5d\"", "ended_job"),
        ] {
            let refused = keeping(text).unwrap_err().to_string();
            let refused = format!("{refused} {:?}", keeping(text).unwrap_err());
            assert!(refused.contains(says), "{text}: {refused}");
        }
    }
}
