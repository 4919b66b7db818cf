//! The places of connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::Limits;
use super::conduct::Conduct;

/// Which places a connection may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One of those for everybody.
    Common,
    /// One that is kept: its first request must show why.
    Kept,
}

/// All places. A clone shares them.
#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Mutex<Taken>>, Limits);

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by: BTreeMap<u64, (Place, Arc<Conduct>)>,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    number: u64,
    pub(super) place: Place,
    pub(super) conduct: Arc<Conduct>,
}

impl Seats {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::default(), limits)
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection: a free one, that of the one which has been idle longest, or one of those that are kept.
    pub(super) fn take(&self) -> Option<Seat> {
        let mut taken = self.lock();
        let count = |taken: &Taken, place| taken.by.values().filter(|(of, _)| *of == place).count();
        let place = if count(&taken, Place::Common) < self.1.connections {
            Place::Common
        } else if let Some(idle) = taken.idlest() {
            // It goes at once, whatever its client is about to send: that comes again over another connection.
            if let Some((_, conduct)) = taken.by.remove(&idle) {
                conduct.make_room();
            }
            Place::Common
        } else if count(&taken, Place::Kept) < self.1.kept {
            Place::Kept
        } else {
            return None;
        };
        let (number, conduct) = (taken.next, Arc::new(Conduct::new()));
        taken.next += 1;
        taken.by.insert(number, (place, Arc::clone(&conduct)));
        drop(taken);
        Some(Seat {
            seats: self.clone(),
            number,
            place,
            conduct,
        })
    }
}

impl Taken {
    /// The one for everybody whose client has asked for nothing for longest.
    fn idlest(&self) -> Option<u64> {
        let common = self.by.iter().filter(|(_, (place, _))| *place == Place::Common);
        let idle = common.filter_map(|(number, (_, conduct))| Some((conduct.idle_since()?, *number)));
        idle.min().map(|(_, number): (Instant, u64)| number)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().by.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize, kept: usize) -> Seats {
        Seats::new(Limits {
            connections,
            kept,
            ..Limits::of(8)
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_one_that_is_idle_longest_makes_room() {
        let seats = seats(2, 0);
        let first = seats.take().unwrap();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let second = seats.take().unwrap();
        let _under_way = first.conduct.begin();
        let third = seats.take().unwrap();
        assert!(second.conduct.is_to_go() && !first.conduct.is_to_go() && !third.conduct.is_to_go());
    }

    #[tokio::test]
    async fn what_is_kept_is_given_when_nobody_is_idle() {
        let seats = seats(1, 1);
        let busy = seats.take().unwrap();
        let under_way = busy.conduct.begin();
        let kept = seats.take().unwrap();
        assert_eq!((busy.place, kept.place), (Place::Common, Place::Kept));
        assert!(seats.take().is_none());
        drop(kept);
        assert_eq!(seats.take().unwrap().place, Place::Kept);
        drop(under_way);
        assert_eq!(seats.take().unwrap().place, Place::Common);
    }
}
