//! How often somebody may do something, counted in a table that has an end.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many at once, and a further one with each interval. Of each caller it keeps one moment: that at which all of what it spent
/// is there again.
#[derive(Debug)]
pub(super) struct Throttle<K> {
    at_once: u32,
    each: Duration,
    most: usize,
    whole_again: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// For no more than `most` callers at a time. Where there are more, whoever has spent least is counted anew.
    pub(super) fn new(at_once: u32, each: Duration, most: usize) -> Self {
        Self {
            at_once,
            each,
            most,
            whole_again: Mutex::default(),
        }
    }

    /// Takes one. Fails with the time until there is one again.
    pub(super) fn take(&self, caller: K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut table = self.whole_again.lock().unwrap_or_else(PoisonError::into_inner);
        let whole_again = table.get(&caller).map_or(now, |at| (*at).max(now));
        let spent = whole_again - now;
        let room = self.each * self.at_once.saturating_sub(1);
        if spent > room {
            return Err(spent - room);
        }
        if table.len() >= self.most && !table.contains_key(&caller) {
            table.retain(|_, at| *at > now);
            let least = table
                .iter()
                .min_by_key(|(_, at)| **at)
                .map(|(caller, _)| caller.clone());
            if table.len() >= self.most
                && let Some(least) = least
            {
                table.remove(&least);
            }
        }
        table.insert(caller, whole_again + self.each);
        Ok(())
    }

    /// Gives one back that was taken.
    pub(super) fn give_back(&self, caller: &K) {
        let now = Instant::now();
        let mut table = self.whole_again.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(whole_again) = table.get_mut(caller) else {
            return;
        };
        match whole_again.checked_sub(self.each).filter(|at| *at > now) {
            Some(at) => *whole_again = at,
            None => drop(table.remove(caller)),
        }
    }
}

/// Who is counted by an address: one of IPv6 is one of the 2^64 that its network gives away together.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_one_more_with_each_interval() {
        let throttle = Throttle::new(3, EACH, 10);
        assert!((0..3).all(|_| throttle.take("a").is_ok()));
        assert_eq!(throttle.take("a"), Err(EACH));
        assert!(throttle.take("b").is_ok(), "each for itself");
        tokio::time::advance(EACH).await;
        assert!(throttle.take("a").is_ok() && throttle.take("a").is_err());
        tokio::time::advance(EACH * 3).await;
        assert!((0..3).all(|_| throttle.take("a").is_ok()) && throttle.take("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_back_can_be_taken_again_and_no_more_than_that() {
        let throttle = Throttle::new(2, EACH, 10);
        assert!((0..2).all(|_| throttle.take("a").is_ok()) && throttle.take("a").is_err());
        throttle.give_back(&"a");
        assert!(throttle.take("a").is_ok() && throttle.take("a").is_err());
        (0..5).for_each(|_| throttle.give_back(&"a"));
        assert!((0..2).all(|_| throttle.take("a").is_ok()) && throttle.take("a").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_costs_no_more_than_the_table_and_frees_nobody_who_has_spent_most() {
        let throttle = Throttle::new(2, EACH, 100);
        assert!(throttle.take(0).is_ok() && throttle.take(0).is_ok() && throttle.take(0).is_err());
        assert!((1..10_000).all(|caller| throttle.take(caller).is_ok()));
        assert_eq!(throttle.whole_again.lock().unwrap().len(), 100);
        assert!(throttle.take(0).is_err());
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:ffff::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }
}
