//! Thousands of targets: how evenly they are polled, in an outage and after it too.

use std::collections::BinaryHeap;

use super::*;

const TARGETS: usize = 4_000;
/// Polls a second of a fleet that answers.
const STEADY: usize = TARGETS / 5;
const TIMEOUT: Duration = Duration::from_secs(3);

/// A fleet in virtual time. Polls in the dark end with the timeout, all others at once.
struct Fleet {
    polls: PollScheduler,
    now: Timestamp,
    silent: BinaryHeap<std::cmp::Reverse<(Timestamp, TargetId, Timestamp)>>,
    /// The most that were in flight.
    most: usize,
}

/// When polls began, and whose they were.
type Begun = Vec<(Timestamp, TargetId)>;

impl Fleet {
    fn found_together() -> Self {
        let mut polls = scheduler();
        for n in 0..TARGETS {
            polls.add(id(&format!("job-{n:05}")), at(0));
        }
        Self {
            polls,
            now: at(0),
            silent: BinaryHeap::new(),
            most: 0,
        }
    }

    fn live(&mut self, span: Duration, answers: impl Fn(&TargetId) -> bool) -> Begun {
        let end = self.now.after(span);
        let mut begun = Begun::new();
        loop {
            let ends = self.silent.peek().map(|std::cmp::Reverse((at, ..))| *at);
            let next = self.polls.next_due().into_iter().chain(ends).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = next.max(self.now);
            while let Some(std::cmp::Reverse((due, ..))) = self.silent.peek()
                && *due <= self.now
                && let Some(std::cmp::Reverse((_, id, began))) = self.silent.pop()
            {
                self.polls.failed(&id, began, &silence(), self.now);
            }
            for id in self.polls.begin_due(self.now) {
                if answers(&id) {
                    self.polls.answered(&id, self.now, self.now);
                } else {
                    let ends = self.now.after(TIMEOUT);
                    self.silent.push(std::cmp::Reverse((ends, id.clone(), self.now)));
                }
                begun.push((self.now, id));
            }
            self.most = self.most.max(self.silent.len());
        }
        self.now = end;
        begun
    }
}

/// The most polls that began in any second that begins with one of its tenths.
fn busiest(begun: &Begun) -> usize {
    let mut tenths: BTreeMap<i64, usize> = BTreeMap::new();
    for (at, _) in begun {
        *tenths.entry(at.as_millis() / 100).or_default() += 1;
    }
    let second = |from: i64| tenths.range(from..from + 10).map(|(_, polls)| polls).sum();
    tenths.keys().map(|from| second(*from)).max().unwrap_or(0)
}

#[test]
fn a_fleet_that_was_found_together_is_polled_evenly() {
    let mut fleet = Fleet::found_together();
    let first = fleet.live(POLL, |_| true);
    let found: BTreeSet<&TargetId> = first.iter().map(|(_, id)| id).collect();
    assert_eq!(found.len(), TARGETS, "each is polled within the first interval");
    assert!(busiest(&first) * 10 <= STEADY * 13, "{}", busiest(&first));
    let steady = fleet.live(POLL * 12, |_| true);
    assert!(busiest(&steady) * 10 <= STEADY * 13, "{}", busiest(&steady));
    assert!(steady.len().abs_diff(TARGETS * 12) <= TARGETS / 100, "{}", steady.len());
}

#[test]
fn what_drove_a_fleet_together_is_over_two_intervals_later() {
    let mut fleet = Fleet::found_together();
    fleet.live(POLL * 2, |_| true);
    for n in 0..TARGETS {
        fleet.polls.poll_soon(&id(&format!("job-{n:05}")), fleet.now);
    }
    let together = fleet.live(POLL, |_| true);
    assert!(busiest(&together) <= STEADY * 3, "{}", busiest(&together));
    fleet.live(POLL, |_| true);
    let steady = fleet.live(POLL * 4, |_| true);
    assert!(busiest(&steady) * 10 <= STEADY * 13, "{}", busiest(&steady));
}

#[test]
fn a_fleet_heals_within_an_interval_and_what_is_in_flight_and_is_no_herd() {
    for outage in [5, 60, 300] {
        let mut fleet = Fleet::found_together();
        fleet.live(POLL * 3, |_| true);
        let dark = fleet.live(Duration::from_secs(outage), |_| false);
        assert!(busiest(&dark) <= STEADY * 3, "{}", busiest(&dark));
        assert!(fleet.most <= ANSWERING_LIMIT + FAILING_LIMIT, "{}", fleet.most);
        let healed = fleet.live(POLL + TIMEOUT, |_| true);
        let seen: BTreeSet<&TargetId> = healed.iter().map(|(_, id)| id).collect();
        assert_eq!(seen.len(), TARGETS, "after {outage} s");
        assert!(busiest(&healed) <= STEADY * 3, "after {outage} s: {}", busiest(&healed));
    }
}

#[test]
fn one_in_ten_that_hangs_makes_nobody_else_late() {
    let mut fleet = Fleet::found_together();
    fleet.live(POLL * 3, |_| true);
    let hangs = |id: &TargetId| id.name.ends_with('7');
    let begun = fleet.live(POLL * 24, |id| !hangs(id));
    let mut by_id: BTreeMap<&TargetId, Vec<Timestamp>> = BTreeMap::new();
    for (at, id) in begun.iter().filter(|(_, id)| !hangs(id)) {
        by_id.entry(id).or_default().push(*at);
    }
    let gaps = by_id.values().flat_map(|begun| begun.windows(2));
    let longest = gaps.map(|pair| pair[1].since(pair[0])).max();
    assert!(longest <= Some(POLL), "{longest:?}");
    assert_eq!(by_id.len(), TARGETS * 9 / 10);
}
