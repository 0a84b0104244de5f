//! What was measured: medians for each subject, alone and on two threads.

use std::collections::BTreeMap;

use crate::{
    crew::{Crew, Load},
    subject::{Group, Subject},
};

/// A batch that took so many times the median was disturbed by something that no counter shows.
const JUMP: f64 = 2.0;
/// Fewer undisturbed batches say nothing about a round.
const FEWEST: usize = 5;

/// How often all subjects are measured in turn, and with how many batches each time.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    pub(crate) batches: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    group: Group,
    name: &'static str,
    threads: usize,
}

/// One figure and what it rests on.
#[derive(Clone, Default)]
pub(crate) struct Figure {
    /// Nanoseconds per call on the slowest thread: in each round the median of the batches that were kept; none where they
    /// were too few.
    rounds: Vec<Option<f64>>,
    pub(crate) kept: usize,
    pub(crate) dropped: usize,
}

pub(crate) struct Figures(BTreeMap<Key, Figure>);

impl Figures {
    /// Measures all subjects in turns, so that what changes on the machine changes for all of them.
    pub(crate) fn measure(crew: &Crew, subjects: &[Subject], effort: Effort) -> Self {
        let runs: Vec<_> = subjects
            .iter()
            .flat_map(|subject| {
                let most = crew.size().min(subject.most_threads());
                (1..=most).map(move |threads| (subject, threads))
            })
            .map(|(subject, threads)| (subject, threads, crew.fitting(subject, threads)))
            .collect();
        let mut figures = BTreeMap::<Key, Figure>::new();
        for _ in 0..effort.rounds {
            for (subject, threads, calls) in &runs {
                let load = Load {
                    calls: *calls,
                    batches: effort.batches,
                };
                let key = Key {
                    group: subject.group,
                    name: subject.name,
                    threads: *threads,
                };
                let batches = crew.batches(subject, *threads, load);
                figures.entry(key).or_default().add(&batches);
            }
        }
        Self(figures)
    }

    /// What a subject took on so many threads; none if that was not measured.
    pub(crate) fn of(&self, group: Group, name: &'static str, threads: usize) -> Option<&Figure> {
        let key = Key {
            group,
            name,
            threads,
        };
        self.0.get(&key)
    }
}

impl Figure {
    fn add(&mut self, batches: &[Option<f64>]) {
        let undisturbed: Vec<f64> = batches.iter().copied().flatten().collect();
        let limit = median(undisturbed.clone()).unwrap_or(0.0) * JUMP;
        let kept = undisturbed.into_iter().filter(|nanos| *nanos <= limit);
        let kept: Vec<f64> = kept.collect();
        self.kept += kept.len();
        self.dropped += batches.len() - kept.len();
        let enough = kept.len() >= FEWEST;
        self.rounds.push(median(kept).filter(|_| enough));
    }

    /// Nanoseconds per call on the slowest thread: the median of all rounds.
    pub(crate) fn nanos(&self) -> Option<f64> {
        median(self.rounds.iter().copied().flatten().collect())
    }

    /// This by the other, round by round: what slows a whole round slows both. The median of all rounds.
    pub(crate) fn by(&self, other: &Self) -> Option<f64> {
        let rounds = self.rounds.iter().zip(&other.rounds);
        let ratios = rounds.filter_map(|(this, other)| Some((*this)? / (*other)?));
        median(ratios.collect())
    }
}

fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}
