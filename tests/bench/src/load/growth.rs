//! How figures grow with the fleet: the exponent `b` of `figure = a * jobs^b`, by least squares of the logarithms.
//!
//! About 1 means that twice the jobs cost twice; 0 that they cost nothing more; 2 that something looks at all of them for each.

use serde::{Deserialize, Serialize};

use super::report::{Phase, Run};

/// How a figure of a phase grows.
#[derive(Debug, Deserialize, Serialize)]
pub struct Growth {
    pub engine: String,
    pub phase: String,
    pub figure: String,
    pub exponent: f64,
}

type Reading = fn(&Phase) -> f64;

/// What is expected to grow with the fleet, or not at all.
const FIGURES: [(&str, Reading); 5] = [
    ("cores", |phase| phase.cores),
    ("cpu_us_a_poll", |phase| phase.cpu_us_a_poll),
    ("resident_mib", |phase| phase.resident_mib),
    ("store_mib", |phase| phase.store_mib),
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    ("files", |phase| phase.files as f64),
];

/// The exponents of each engine's phases over the sizes of the fleet that were measured; none where there was one size.
pub fn growth(runs: &[Run]) -> Vec<Growth> {
    let mut all = Vec::new();
    let mut engines: Vec<&str> = runs.iter().map(|run| run.engine.as_str()).collect();
    engines.dedup();
    engines.sort_unstable();
    engines.dedup();
    for engine in engines {
        let of_engine: Vec<&Run> = runs.iter().filter(|run| run.engine == engine).collect();
        let phases = of_engine.iter().flat_map(|run| &run.phases);
        let mut names: Vec<&str> = Vec::new();
        for phase in phases {
            if !names.contains(&phase.name.as_str()) {
                names.push(&phase.name);
            }
        }
        for phase in names {
            for (figure, read) in FIGURES {
                let points = of_engine.iter().filter_map(|run| {
                    let measured = run.phases.iter().find(|measured| measured.name == phase)?;
                    point(run.jobs, read(measured))
                });
                if let Some(exponent) = slope(&points.collect::<Vec<_>>()) {
                    all.push(Growth {
                        engine: engine.to_owned(),
                        phase: phase.to_owned(),
                        figure: figure.to_owned(),
                        exponent,
                    });
                }
            }
        }
    }
    all
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn point(jobs: usize, figure: f64) -> Option<(f64, f64)> {
    (figure > 0.0).then(|| ((jobs as f64).ln(), figure.ln()))
}

/// Of the line that is nearest to the points.
#[expect(clippy::cast_precision_loss, reason = "a handful")]
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (points.len() > 1 && spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_doubles_with_the_fleet_has_the_exponent_one_and_one_that_stays_zero() {
        let of = |exponent: f64| {
            let points = [1_000, 3_000, 10_000]
                .map(|jobs: usize| point(jobs, 7.0 * f64::from(u32::try_from(jobs).unwrap()).powf(exponent)).unwrap());
            slope(&points).unwrap()
        };
        for exponent in [0.0, 1.0, 1.7] {
            assert!((of(exponent) - exponent).abs() < 1e-9, "{}", of(exponent));
        }
        assert_eq!(slope(&[point(10, 1.0).unwrap()]), None);
        assert_eq!(point(10, 0.0), None);
    }
}
