//! Figures of many turns as one.

/// The middle value; zero of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// The median over all rounds of how two figures of the same round relate: what the machine does in a round meets both.
pub(super) fn median_ratio(mine: &[f64], theirs: &[f64]) -> f64 {
    median(
        mine.iter()
            .zip(theirs)
            .map(|(mine, theirs)| mine / theirs)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let ratio = median_ratio(&[15.0, 40.0, 33.0], &[10.0, 20.0, 30.0]);
        assert!((ratio - 1.5).abs() < 1e-9);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
