//! One comparison: the same load on every way in turn, round after round, so that whatever the machine does meets all of them.

use std::io;

use crate::load::{Lane, Target, Turn};

/// Every turn of one comparison, by way and round.
pub(crate) struct Comparison {
    pub(crate) title: &'static str,
    pub(crate) connections: usize,
    pub(crate) ways: Vec<Way>,
}

/// The turns of one way.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) turns: Vec<Turn>,
}

/// Compares the ways; the first is the direct one.
pub(crate) fn compare(
    title: &'static str,
    connections: usize,
    (rounds, requests): (usize, usize),
    targets: &[&Target<'_>],
) -> io::Result<Comparison> {
    let mut lanes = Vec::new();
    let mut ways = Vec::new();
    for target in targets {
        lanes.push(Lane::open(target, connections)?);
        ways.push(Way::new(target.name));
    }
    for _ in 0..rounds {
        for (way, lane) in ways.iter_mut().zip(&mut lanes) {
            way.turns.push(lane.turn(requests)?);
        }
    }
    Ok(Comparison {
        title,
        connections,
        ways,
    })
}

impl Way {
    const fn new(name: &'static str) -> Self {
        let turns = Vec::new();
        Self { name, turns }
    }

    /// The median over all rounds of one figure.
    pub(crate) fn median(&self, figure: impl Fn(&Turn) -> f64) -> f64 {
        median(self.turns.iter().map(figure).collect())
    }

    /// The least of one figure over all rounds: what is left when the machine disturbs nobody.
    pub(crate) fn least(&self, figure: impl Fn(&Turn) -> f64) -> f64 {
        self.turns.iter().map(figure).fold(f64::INFINITY, f64::min)
    }

    /// The median over all rounds of how one figure relates to that of another way in the same round.
    pub(crate) fn against(
        &self,
        other: &Self,
        figure: impl Fn(&Turn) -> f64,
        relate: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        let pairs = self.turns.iter().zip(&other.turns);
        median(
            pairs
                .map(|(mine, theirs)| relate(figure(mine), figure(theirs)))
                .collect(),
        )
    }
}

/// The middle value; zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(p50s: &[f64]) -> Way {
        let turns = p50s.iter().map(|p50_us| Turn {
            p50_us: *p50_us,
            p99_us: 0.0,
            cpu_us: 0.0,
            per_second: 0.0,
        });
        Way {
            name: "way",
            turns: turns.collect(),
        }
    }

    #[test]
    fn differences_and_ratios_are_taken_round_by_round() {
        let (direct, through) = (way(&[10.0, 20.0, 30.0]), way(&[15.0, 40.0, 31.0]));
        let p50 = |turn: &Turn| turn.p50_us;
        assert!((through.median(p50) - 31.0).abs() < 1e-9);
        assert!((through.least(p50) - 15.0).abs() < 1e-9);
        assert!((through.against(&direct, p50, |a, b| a - b) - 5.0).abs() < 1e-9);
        assert!((through.against(&direct, p50, |a, b| a / b) - 1.5).abs() < 1e-9);
    }
}
