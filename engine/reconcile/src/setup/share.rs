//! The share of all jobs that a policy is rolled out to.

use std::fmt;

use sha2::{Digest, Sha256};
use steadfast_core::id::TargetId;

/// A share of all jobs, in whole percent.
///
/// Where a job stands depends on its target id alone, so that it is the same on every machine and in every run, for
/// every policy, and for all jobs of a session cluster: the first eight bytes of the sha256 of
/// `cluster/namespace/name`, read as a big-endian number, are a fraction of 2^64, and a share covers the jobs whose
/// fraction lies below it. A share that grows therefore keeps every job it had, and one that shrinks gains none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u8);

impl Share {
    /// 100 %: every job.
    pub const ALL: Self = Self(100);

    /// That many percent; `None` above 100.
    pub const fn percent(percent: u8) -> Option<Self> {
        if percent <= 100 { Some(Self(percent)) } else { None }
    }

    /// Whether the target's jobs lie in it.
    pub fn covers(self, target: &TargetId) -> bool {
        hundredth(target) < self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// In which hundredth of all jobs a target stands: 0 to 99.
fn hundredth(target: &TargetId) -> u8 {
    let digest = Sha256::digest(target.to_string().as_bytes());
    let first = digest.first_chunk().copied().unwrap_or_default();
    let fraction = u128::from(u64::from_be_bytes(first));
    u8::try_from((fraction * 100) >> 64).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use steadfast_core::id::{ClusterName, Namespace};

    use super::*;

    fn target(n: usize) -> TargetId {
        TargetId::new(
            &ClusterName::new("local"),
            &Namespace::new("default"),
            &format!("job-{n}"),
        )
    }

    #[test]
    fn a_share_that_grows_keeps_every_job_it_had() {
        for n in 0..1_000 {
            let first = (0..=100).find(|percent| Share(*percent).covers(&target(n)));
            let first = first.expect("every job lies in the whole");
            assert!(
                (first..=100).all(|percent| Share(percent).covers(&target(n))),
                "job {n}"
            );
        }
    }

    #[test]
    fn nothing_and_all_are_exact_and_what_lies_between_is_about_fair() {
        let in_share = |percent| (0..10_000).filter(|n| Share(percent).covers(&target(*n))).count();
        assert_eq!((in_share(0), in_share(100)), (0, 10_000));
        for percent in [1, 5, 20, 50, 80] {
            // Five standard deviations of a fair draw: a hash that favours some names lies far outside.
            let expected = 10_000.0 * f64::from(percent) / 100.0;
            let deviation = (expected * (1.0 - f64::from(percent) / 100.0)).sqrt();
            let found = f64::from(u32::try_from(in_share(percent)).unwrap());
            assert!((found - expected).abs() < 5.0 * deviation, "{percent}%: {found}");
        }
    }

    #[test]
    fn where_a_job_stands_never_changes() {
        for (name, expected) in GOLDEN {
            let key = steadfast_core::id::JobKey::parse(name).unwrap();
            assert_eq!(hundredth(&key.target), *expected, "{name}");
        }
    }

    /// Worked out beside this code, with a sha256 of another library.
    const GOLDEN: &[(&str, u8)] = &[
        ("local/default/orders", 53),
        ("local/default/payments", 25),
        ("prod/shop/clicks", 73),
        ("-/-/orders", 60),
        ("local/default/s/ffffffffa021a4190000000000000000", 1),
    ];

    #[test]
    fn more_than_everything_is_no_share() {
        assert_eq!(Share::percent(101), None);
        assert_eq!(Share::percent(100), Some(Share::ALL));
        assert_eq!(Share(20).to_string(), "20%");
    }
}
