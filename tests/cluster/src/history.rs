//! What the journal says of one job, held against itself and against what was shown.

use std::fmt;

use anyhow::{Result, ensure};

use crate::record::{Record, Transition};

/// A step of an expected history.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// Exactly one state, one of these.
    One(&'a [&'a str]),
    /// At least one state, each one of these.
    Some(&'a [&'a str]),
    /// Any number of states, each one of these.
    Any(&'a [&'a str]),
}

/// What may come before the first RUNNING, whenever the engine began to look.
pub const BEFORE: Step<'static> = Step::Any(&["UNKNOWN", "STARTING", "CREATED", "INITIALIZING", "RECONCILING"]);

/// The journal of one job.
#[derive(Clone, Debug)]
pub struct History {
    job: String,
    rows: Vec<Transition>,
}

impl History {
    /// Takes the rows of `GET .../transitions`.
    #[must_use]
    pub fn new(job: &str, rows: Vec<Transition>) -> Self {
        Self {
            job: job.to_owned(),
            rows,
        }
    }

    /// The rows, oldest first.
    #[must_use]
    pub fn rows(&self) -> &[Transition] {
        &self.rows
    }

    /// The states in order, each change of state once.
    #[must_use]
    pub fn states(&self) -> Vec<&str> {
        let first = self.rows.first().map(|row| row.from.as_str());
        let mut states: Vec<&str> = first
            .into_iter()
            .chain(self.rows.iter().map(|row| row.to.as_str()))
            .collect();
        states.dedup();
        states
    }

    /// Each row begins where the one before ended, no sequence number and no row stands twice.
    pub fn assert_chained(&self) -> Result<()> {
        for (before, row) in self.rows.iter().zip(self.rows.iter().skip(1)) {
            ensure!(
                before.sequence < row.sequence,
                "{self}: sequence {} does not rise",
                row.sequence
            );
            ensure!(
                before.to == row.from,
                "{self}: #{} begins at {}",
                row.sequence,
                row.from
            );
            let same = (
                &before.to,
                before.attempt,
                &before.confidence,
                &before.code,
                &before.message,
            ) == (&row.to, row.attempt, &row.confidence, &row.code, &row.message);
            ensure!(!same, "{self}: #{} is recorded twice", row.sequence);
        }
        Ok(())
    }

    /// Everything that was shown stands in the journal, in the order in which it was shown.
    pub fn assert_accounts_for<'a>(&self, shown: impl IntoIterator<Item = &'a Record>) -> Result<()> {
        let first = self.rows.first().map(|row| (row.from.as_str(), 0));
        let journalled = self.rows.iter().map(|row| (row.to.as_str(), row.attempt));
        let mut journal = first.into_iter().chain(journalled).peekable();
        for record in shown {
            let is_shown = |&(state, attempt): &(&str, u64)| {
                state == record.state && (attempt == record.attempt || record.state == "UNKNOWN")
            };
            while journal.next_if(|row| !is_shown(row)).is_some() {}
            ensure!(
                journal.peek().is_some(),
                "{self}: shown, but not in the journal: {}",
                record.line()
            );
        }
        Ok(())
    }

    /// The rows read earlier still stand, unchanged: nothing that was visible is lost.
    pub fn assert_continues(&self, earlier: &[Transition]) -> Result<()> {
        for row in earlier {
            ensure!(self.rows.contains(row), "{self}: lost or changed: {}", row.line());
        }
        Ok(())
    }

    /// None of these states was ever entered.
    pub fn assert_never(&self, states: &[&str]) -> Result<()> {
        for row in &self.rows {
            ensure!(
                !states.contains(&row.to.as_str()),
                "{self}: never allowed: {}",
                row.line()
            );
        }
        Ok(())
    }

    /// The states run through these steps, to the end.
    pub fn assert_runs(&self, steps: &[Step<'_>]) -> Result<()> {
        let states = self.states();
        let mut left = states.iter().copied().peekable();
        for step in steps {
            let (allowed, least, most) = match step {
                Step::One(allowed) => (allowed, 1, 1),
                Step::Some(allowed) => (allowed, 1, usize::MAX),
                Step::Any(allowed) => (allowed, 0, usize::MAX),
            };
            let mut taken = 0;
            while taken < most && left.next_if(|state| allowed.contains(state)).is_some() {
                taken += 1;
            }
            ensure!(taken >= least, "{self}: expected {step:?}, found {:?}", left.peek());
        }
        ensure!(left.peek().is_none(), "{self}: too much, from {:?} on", left.peek());
        Ok(())
    }

    /// The last row that entered this state.
    #[must_use]
    pub fn last(&self, state: &str) -> Option<&Transition> {
        self.rows.iter().rev().find(|row| row.to == state && row.from != state)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.job, self.states().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sequence: u64, from: &str, to: &str, attempt: u64) -> Transition {
        let text = |s: &str| s.to_owned();
        Transition {
            sequence,
            at: String::new(),
            from: text(from),
            to: text(to),
            confidence: text("confirmed"),
            code: text("Flink"),
            message: String::new(),
            attempt,
        }
    }

    fn restarted() -> History {
        let rows = vec![
            row(1, "UNKNOWN", "STARTING", 1),
            row(2, "STARTING", "RUNNING", 1),
            row(5, "RUNNING", "RESTARTING", 1),
            row(6, "RESTARTING", "RUNNING", 2),
        ];
        History::new("orders", rows)
    }

    #[test]
    fn a_whole_history_passes() {
        let history = restarted();
        history.assert_chained().unwrap();
        history.assert_never(&["FAILED"]).unwrap();
        history
            .assert_runs(&[
                BEFORE,
                Step::One(&["RUNNING"]),
                Step::Some(&["RESTARTING", "INITIALIZING"]),
                Step::One(&["RUNNING"]),
            ])
            .unwrap();
    }

    #[test]
    fn a_lost_row_breaks_the_chain() {
        let mut history = restarted();
        let earlier = history.rows.clone();
        history.rows.remove(2);
        history.assert_chained().unwrap_err();
        history.assert_continues(&earlier).unwrap_err();
    }

    #[test]
    fn a_doubled_row_is_found() {
        let mut history = restarted();
        history.rows.push(row(7, "RUNNING", "RUNNING", 2));
        history.assert_chained().unwrap_err();
    }

    #[test]
    fn a_missing_or_an_extra_state_is_found() {
        let history = restarted();
        history.assert_runs(&[BEFORE, Step::One(&["RUNNING"])]).unwrap_err();
        history
            .assert_runs(&[BEFORE, Step::One(&["RUNNING"]), Step::Some(&["CANCELED"])])
            .unwrap_err();
    }
}
