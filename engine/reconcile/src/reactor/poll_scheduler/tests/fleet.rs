//! Thousands of targets: how evenly they are polled, in an outage and after it too.

use std::collections::{BTreeSet, BinaryHeap};

use steadfast_core::id::ClusterName;

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
        Self::of(jobs("-", TARGETS))
    }

    fn of(targets: impl IntoIterator<Item = TargetId>) -> Self {
        let mut polls = scheduler();
        for target in targets {
            polls.add(target, at(0));
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

/// So many targets of a cluster.
fn jobs(cluster: &str, count: usize) -> impl Iterator<Item = TargetId> {
    (0..count).map(move |n| in_cluster(cluster, &format!("job-{n:05}")))
}

fn in_cluster(cluster: &str, name: &str) -> TargetId {
    TargetId {
        name: name.into(),
        cluster: ClusterName::new(cluster),
        ..id("-")
    }
}

/// The longest that one of these was not polled for.
fn longest_gap(begun: &Begun, of: impl Fn(&TargetId) -> bool) -> Duration {
    let mut by_id: BTreeMap<&TargetId, Vec<Timestamp>> = BTreeMap::new();
    for (at, id) in begun.iter().filter(|(_, id)| of(id)) {
        by_id.entry(id).or_default().push(*at);
    }
    let gaps = by_id.values().flat_map(|begun| begun.windows(2));
    gaps.map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
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
        // One cluster alone has half of each lane.
        let places = [Lane::Answering, Lane::Returning, Lane::Failing].map(Lane::places);
        assert!(fleet.most <= places.iter().sum::<usize>() / 2, "{}", fleet.most);
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
    assert!(longest_gap(&begun, |id| !hangs(id)) <= POLL);
    let healthy: BTreeSet<_> = begun.iter().map(|(_, id)| id).filter(|id| !hangs(id)).collect();
    assert_eq!(healthy.len(), TARGETS * 9 / 10);
}

#[test]
fn those_that_return_make_nobody_late_beside_thousands_that_hang() {
    let mut fleet = Fleet::of(jobs("a", 20_000));
    let hangs = |id: &TargetId| id.name.ends_with(['3', '5', '7', '9']);
    fleet.live(POLL * 12, |id| !hangs(id));
    let mut begun = Begun::new();
    // Three jobs a second restart: each return speaks for those that hang.
    for n in 0..180 {
        let restarting = format!("job-{:05}", n * 110);
        begun.extend(fleet.live(Duration::from_millis(333), |id| !hangs(id) && *id.name != *restarting));
    }
    let steady = |id: &TargetId| !hangs(id) && !id.name.ends_with("0");
    let longest = longest_gap(&begun, steady);
    assert!(longest <= POLL, "{longest:?}");
}

#[test]
fn a_small_cluster_heals_within_two_polls_beside_one_that_hangs() {
    let heals = in_cluster("b", "only");
    for after in [10, 60, 600] {
        let mut fleet = Fleet::of(jobs("a", 9_000).chain([heals.clone()]));
        fleet.live(POLL * 3, |_| true);
        fleet.live(Duration::from_secs(after), |_| false);
        let begun = fleet.live(POLL * 2, |id| id.cluster == heals.cluster);
        let of_it: Vec<_> = begun.iter().filter(|(_, id)| *id == heals).collect();
        assert!(of_it.len() >= 2, "after {after} s: {of_it:?}");
    }
}

#[test]
fn a_job_that_restarts_is_seen_again_within_two_polls_beside_thousands_that_have_hung_for_long() {
    let (first, last) = (in_cluster("a", "job-00000"), in_cluster("a", "job-08999"));
    let mut fleet = Fleet::of(jobs("a", 9_000));
    let is_theirs = |id: &TargetId| *id == first || *id == last;
    fleet.live(Duration::from_secs(600), |id| is_theirs(id));
    fleet.live(POLL * 2, |_| false);
    let begun = fleet.live(POLL * 2 + TIMEOUT, |id| is_theirs(id));
    for id in [first, last] {
        assert!(begun.iter().any(|(_, polled)| *polled == id), "{id:?}");
    }
}

#[test]
fn a_large_cluster_that_falls_silent_makes_no_other_late() {
    let mut fleet = Fleet::of(jobs("a", 9_000).chain(jobs("b", 1_000)));
    fleet.live(POLL * 3, |_| true);
    let begun = fleet.live(Duration::from_secs(120), |id| id.cluster.as_str() == "b");
    let longest = longest_gap(&begun, |id| id.cluster.as_str() == "b");
    assert!(longest <= POLL, "{longest:?}");
}

#[test]
fn the_pace_that_policies_ask_for_is_kept() {
    let backoff = Backoff {
        initial: Duration::from_millis(800),
        max: Duration::from_secs(30),
    };
    let mut fleet = Fleet::of([]);
    fleet.polls = PollScheduler::new(Duration::from_secs(60), backoff, StdRng::seed_from_u64(7));
    let asked = Duration::from_secs(6);
    for target in jobs("a", 5_000) {
        fleet.polls.add(target.clone(), fleet.now);
        fleet.polls.set_interval(&target, asked, Attention::Active, fleet.now);
    }
    fleet.live(asked * 2, |_| true);
    let begun = fleet.live(asked * 10, |_| true);
    let longest = longest_gap(&begun, |_| true);
    assert!(longest <= asked, "{longest:?}");
}

#[test]
fn ended_jobs_whose_flinks_are_gone_keep_nobody_from_being_the_canary() {
    let (mut polls, mut now) = (scheduler(), at(0));
    let ended: Vec<TargetId> = jobs("-", 15).collect();
    polls.add(id("lives"), now);
    for (n, target) in ended.iter().enumerate() {
        now = at(i64::try_from(n).unwrap() * 4_000);
        polls.add(target.clone(), now);
        polls.set_interval(target, POLL * 12, Attention::Active, now);
    }
    live(&mut polls, &mut now, Duration::from_secs(600), |_| Err(silence()));
    let begun = live(&mut polls, &mut now, POLL * 12, |_| Err(silence()));
    let of_it = &begun[&id("lives")];
    let gaps = of_it.windows(2).map(|pair| pair[1].since(pair[0]));
    assert!(gaps.clone().all(|gap| gap <= POLL), "{:?}", gaps.collect::<Vec<_>>());
}

/// docs/sizing.md quotes it.
#[test]
fn a_hundred_thousand_are_polled_as_evenly_as_a_thousand() {
    let mut fleet = Fleet::of(jobs("a", 100_000));
    let first = fleet.live(POLL, |_| true);
    let found: BTreeSet<&TargetId> = first.iter().map(|(_, id)| id).collect();
    assert_eq!(found.len(), 100_000, "each is polled within the first interval");
    let steady = fleet.live(POLL, |_| true);
    assert!(busiest(&steady) * 10 <= 20_000 * 13, "{}", busiest(&steady));
    fleet.live(POLL * 6, |_| false);
    assert!(fleet.most <= Lane::Answering.places(), "{}", fleet.most);
    let healed = fleet.live(POLL * 2, |_| true);
    let seen: BTreeSet<&TargetId> = healed.iter().map(|(_, id)| id).collect();
    assert_eq!(seen.len(), 100_000);
    assert!(busiest(&healed) <= 20_000 * 3, "{}", busiest(&healed));
}
