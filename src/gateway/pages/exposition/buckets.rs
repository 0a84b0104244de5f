//! The classic histogram: a latency counts in the first bucket that holds it.

/// Upper bounds in microseconds, from what the gateway adds to what a slow tool takes, with their names in seconds.
///
/// The names are written as OpenMetrics wants numbers, in every form of the page: a bucket is the same series whichever
/// form it was read in.
pub(super) const BOUNDS: [(u64, &str); 20] = [
    (10, "1e-05"),
    (25, "2.5e-05"),
    (50, "5e-05"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1.0"),
    (2_500_000, "2.5"),
    (5_000_000, "5.0"),
    (10_000_000, "10.0"),
    (30_000_000, "30.0"),
];

/// The name of the bucket that holds everything.
pub(super) const EVERYTHING: &str = "+Inf";

/// How many samples there are, by the first bound that holds them. They are added in the order of their latency.
#[derive(Default)]
pub(super) struct Buckets {
    counts: [u64; BOUNDS.len()],
    place: usize,
    /// All samples, also those beyond the last bound.
    pub(super) total: u64,
}

impl Buckets {
    /// Adds samples that are at most so long, and no shorter than those before.
    pub(super) fn add(&mut self, us: u64, samples: u64) {
        while BOUNDS.get(self.place).is_some_and(|(bound, _)| *bound < us) {
            self.place += 1;
        }
        if let Some(count) = self.counts.get_mut(self.place) {
            *count += samples;
        }
        self.total += samples;
    }

    /// How many samples are at most as long as each bound, and in the end all of them.
    pub(super) fn cumulated(&self) -> impl Iterator<Item = u64> {
        let below = self.counts.iter().scan(0, |below, count| {
            *below += *count;
            Some(*below)
        });
        below.chain([self.total])
    }
}

/// The range of each bucket in microseconds, longer than the first number and up to the second; the last holds the rest.
pub(super) fn ranges() -> impl Iterator<Item = (u64, u64)> {
    let uppers = BOUNDS.iter().map(|(bound, _)| *bound).chain([u64::MAX]);
    let lowers = [0]
        .into_iter()
        .chain(BOUNDS.iter().map(|(bound, _)| *bound));
    lowers.zip(uppers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_bounds_are_the_bounds_in_seconds() {
        for (bound, name) in BOUNDS {
            let named: f64 = name.parse().unwrap();
            assert!(
                (named - super::super::family::seconds(bound)).abs() < 1e-12,
                "{name}"
            );
        }
    }

    #[test]
    fn the_ranges_leave_nothing_out() {
        let ranges: Vec<_> = ranges().collect();
        assert_eq!(ranges.len(), BOUNDS.len() + 1);
        assert_eq!((ranges[0], ranges[20]), ((0, 10), (30_000_000, u64::MAX)));
        assert!(ranges.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }
}
