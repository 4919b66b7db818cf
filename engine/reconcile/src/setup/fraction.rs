//! A part of all.

/// From 0, which is nothing, to 1, which is all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fraction(f64);

impl Fraction {
    /// `None` for what is no part of all.
    pub fn new(part: f64) -> Option<Self> {
        (0.0..=1.0).contains(&part).then_some(Self(part))
    }

    /// Whether one that is drawn evenly from 0 (included) to 1 (excluded) lies in it.
    pub fn covers(self, drawn: f64) -> bool {
        drawn < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_all_are_parts_and_what_is_beyond_is_none() {
        for part in [-0.1, 1.000_1, f64::NAN, f64::INFINITY] {
            assert_eq!(Fraction::new(part), None, "{part}");
        }
        let covers = |part: f64| [0.0, 0.3, 0.999].map(|drawn| Fraction::new(part).unwrap().covers(drawn));
        assert_eq!(covers(0.0), [false; 3]);
        assert_eq!(covers(0.5), [true, true, false]);
        assert_eq!(covers(1.0), [true; 3]);
    }
}
