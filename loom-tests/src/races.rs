//! Do threads that race end as if they had taken turns? Every outcome under loom against every sequential order.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use crate::explore::check;

/// What threads share, how they begin, and the moves that each can make.
pub trait Game: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// A thread's side: the way to what is shared, and what it alone holds.
    type Hand: Send + 'static;
    /// One call of the public API, which takes effect at one moment.
    type Move: Copy + Debug + Send + Sync + 'static;
    /// What a move answers.
    type Told: Clone + Debug + PartialEq + Send + 'static;
    /// What is seen once all threads rest.
    type End: Clone + Debug + PartialEq + Send + 'static;

    /// Sets the table: one hand for each script.
    fn deal(&self, scripts: &[Script<Self>]) -> Vec<Self::Hand>;
    /// Makes one move.
    fn play(hand: &mut Self::Hand, step: Self::Move) -> Self::Told;
    /// Looks at what is left, and takes the hands back.
    fn end(&self, hands: Vec<Self::Hand>) -> Self::End;
}

/// The moves of one thread, in its order.
pub type Script<G> = Vec<<G as Game>::Move>;

/// How one run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<G: Game> {
    /// What each thread was told, move by move.
    pub told: Vec<Vec<G::Told>>,
    /// What was left.
    pub end: G::End,
}

#[derive(Clone, Debug)]
struct Outcomes<G: Game> {
    different: Vec<Outcome<G>>,
    runs: usize,
}

/// Plays the scripts on a thread each, in every interleaving or in every one with at most so many preemptions, and on a
/// single thread in every order. Both must lead to the very same outcomes, told answers included: an outcome that no order
/// explains is a race, and an order that is never seen is a hole in the exploration. Returns outcomes and interleavings.
///
/// # Panics
/// If the two differ.
pub fn race<G: Game>(
    game: &G,
    scripts: &[Script<G>],
    preemptions: Option<usize>,
) -> (Vec<Outcome<G>>, usize) {
    let raced = together(game, scripts, preemptions);
    let ordered = in_turns(game, scripts);
    for outcome in &raced.different {
        assert!(
            ordered.contains(outcome),
            "no order explains it: {game:?} {scripts:?} {outcome:?}"
        );
    }
    for outcome in &ordered {
        assert!(
            raced.different.contains(outcome),
            "never seen: {game:?} {scripts:?} {outcome:?}"
        );
    }
    (raced.different, raced.runs)
}

fn together<G: Game>(game: &G, scripts: &[Script<G>], preemptions: Option<usize>) -> Outcomes<G> {
    let (game, scripts) = (game.clone(), scripts.to_vec());
    collect(preemptions, move || {
        let turn: &AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        let mut sides = game.deal(&scripts).into_iter().zip(scripts.clone());
        let mine = sides.next();
        let others: Vec<_> = sides
            .map(|(hand, script)| thread::spawn(move || played::<G>(turn, hand, &script)))
            .collect();
        let mine = mine.map(|(hand, script)| played::<G>(turn, hand, &script));
        let theirs = others.into_iter().filter_map(|other| other.join().ok());
        let (told, hands) = mine.into_iter().chain(theirs).unzip();
        let end = game.end(hands);
        Outcome { told, end }
    })
}

fn played<G: Game>(
    turn: &AtomicU64,
    mut hand: G::Hand,
    script: &[G::Move],
) -> (Vec<G::Told>, G::Hand) {
    let step = |step: &G::Move| {
        // Relaxed: it orders nothing but the runs. Loom weighs a store only against the last access to a cell, so a load of
        // the storing thread hides the other thread's load before it, and the other is never run second. Taking a
        // turn is a write of both, which makes loom try either of them first.
        turn.fetch_add(1, Ordering::Relaxed);
        G::play(&mut hand, *step)
    };
    let told = script.iter().map(step).collect();
    (told, hand)
}

fn in_turns<G: Game>(game: &G, scripts: &[Script<G>]) -> Vec<Outcome<G>> {
    let mut different = Vec::new();
    let lengths: Vec<usize> = scripts.iter().map(Vec::len).collect();
    for order in orders(&lengths) {
        let (game, scripts) = (game.clone(), scripts.to_vec());
        let one = collect(None, move || {
            let mut hands = game.deal(&scripts);
            let mut told = vec![Vec::new(); scripts.len()];
            for &player in &order {
                let step = scripts[player][told[player].len()];
                told[player].push(G::play(&mut hands[player], step));
            }
            let end = game.end(hands);
            Outcome { told, end }
        });
        for outcome in one.different {
            keep(&mut different, outcome);
        }
    }
    different
}

fn collect<G: Game>(
    preemptions: Option<usize>,
    run: impl Fn() -> Outcome<G> + Send + Sync + 'static,
) -> Outcomes<G> {
    let (different, runs) = (Vec::new(), 0);
    let all = Arc::new(Mutex::new(Outcomes { different, runs }));
    let seen = Arc::clone(&all);
    check(preemptions, move || {
        let outcome = run();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.runs += 1;
        keep(&mut seen.different, outcome);
    });
    let all = all.lock().unwrap_or_else(PoisonError::into_inner);
    all.clone()
}

fn keep<G: Game>(different: &mut Vec<Outcome<G>>, outcome: Outcome<G>) {
    if !different.contains(&outcome) {
        different.push(outcome);
    }
}

/// Every choice of so many, in no order, each as often as one likes.
#[must_use]
pub fn choices<T: Clone>(count: usize, of: &[T]) -> Vec<Vec<T>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in of.iter().enumerate() {
        for mut rest in choices(count - 1, &of[at..]) {
            rest.insert(0, first.clone());
            all.push(rest);
        }
    }
    all
}

/// Every order in which players with so many moves left can take turns.
fn orders(left: &[usize]) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for player in (0..left.len()).filter(|player| left[*player] > 0) {
        let mut rest = left.to_vec();
        rest[player] -= 1;
        for mut order in orders(&rest) {
            order.insert(0, player);
            all.push(order);
        }
    }
    if all.is_empty() {
        all.push(Vec::new());
    }
    all
}
