//! Which spans there are, and in which each thread is.
//!
//! A registry for any number of readers keeps typed extensions behind locks of their own and counts its readers in shared
//! words. Here one writer of lines reads spans, so a span is its members as text, and being in one is a pointer on a stack:
//! a request's line and its span take two thirds of the instructions that they take with such a registry (callgrind under
//! `perf load` on `/mcp/{backend}`).

use std::{
    cell::{Cell, RefCell},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{
    Metadata,
    span::{Attributes, Id, Record},
};
use tracing_core::span::Current;

use super::members::Members;
use crate::lockfree::Counter;

/// Spans begin and end on the thread of their connection: each thread has one of so many parts, whose lock it rarely shares.
const PARTS: usize = 16;
/// Bytes of most spans.
const FIELDS: usize = 256;

thread_local! {
    /// The spans in which the thread is, the innermost last.
    static INSIDE: RefCell<Vec<(u64, Arc<Span>)>> = const { RefCell::new(Vec::new()) };
    static PART: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The spans that have not ended.
#[derive(Debug, Default)]
pub(super) struct Spans {
    parts: [Mutex<Part>; PARTS],
    threads: Counter,
}

#[derive(Debug, Default)]
struct Part {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Slot {
    span: Arc<Span>,
    /// Handles that there are.
    held: usize,
}

/// One span. It is there as long as somebody is in it, in one within it, or has a handle.
#[derive(Debug)]
pub(super) struct Span {
    metadata: &'static Metadata<'static>,
    around: Option<Arc<Self>>,
    members: Mutex<Vec<u8>>,
}

impl Span {
    /// Writes the spans around it and then itself, each with a comma behind.
    pub(super) fn write(&self, line: &mut Vec<u8>) {
        if let Some(around) = &self.around {
            around.write(line);
        }
        line.push(b'{');
        line.extend_from_slice(&locked(&self.members));
        Members(line).plain("name", self.metadata.name());
        line.pop();
        line.extend_from_slice(b"},");
    }
}

impl Spans {
    pub(super) fn begin(&self, attributes: &Attributes<'_>) -> Id {
        let mut members = Vec::with_capacity(FIELDS);
        attributes.record(&mut Members(&mut members));
        let span = Arc::new(Span {
            metadata: attributes.metadata(),
            around: self.around(attributes.is_root(), attributes.parent()),
            members: Mutex::new(members),
        });
        let number = self.own_part();
        let mut part = locked(&self.parts[number]);
        let slot = Some(Slot { span, held: 1 });
        let place = match part.free.pop() {
            Some(place) => {
                part.slots[place] = slot;
                place
            }
            None => {
                part.slots.push(slot);
                part.slots.len() - 1
            }
        };
        Id::from_u64((place * PARTS + number) as u64 + 1)
    }

    /// The span that something new is in, which is that of the thread unless it says another or none.
    pub(super) fn around(&self, is_root: bool, parent: Option<&Id>) -> Option<Arc<Span>> {
        match parent {
            Some(parent) => self.find(parent),
            None if is_root => None,
            None => INSIDE.with_borrow(|inside| inside.last().map(|(_, span)| Arc::clone(span))),
        }
    }

    pub(super) fn record(&self, id: &Id, values: &Record<'_>) {
        if let Some(span) = self.find(id) {
            values.record(&mut Members(&mut locked(&span.members)));
        }
    }

    pub(super) fn enter(&self, id: &Id) {
        if let Some(span) = self.find(id) {
            INSIDE.with_borrow_mut(|inside| inside.push((id.into_u64(), span)));
        }
    }

    pub(super) fn exit(id: &Id) {
        let left = INSIDE.with_borrow_mut(|inside| {
            let place = inside.iter().rposition(|(it, _)| *it == id.into_u64())?;
            Some(inside.remove(place))
        });
        drop(left);
    }

    pub(super) fn current() -> Current {
        INSIDE.with_borrow(|inside| match inside.last() {
            Some((id, span)) => Current::new(Id::from_u64(*id), span.metadata),
            None => Current::none(),
        })
    }

    /// One more handle.
    pub(super) fn hold(&self, id: &Id) {
        self.with(id, |_, slot| {
            if let Some(slot) = slot {
                slot.held += 1;
            }
        });
    }

    /// One handle less; true if it was the last.
    pub(super) fn release(&self, id: &Id) -> bool {
        let ended = self.with(id, |free, slot| {
            let held = slot.as_mut()?;
            held.held -= 1;
            let ended = if held.held == 0 { slot.take() } else { None };
            if ended.is_some() {
                free.push(place(id).0);
            }
            ended
        });
        // Dropped without the lock.
        ended.is_some()
    }

    fn find(&self, id: &Id) -> Option<Arc<Span>> {
        self.with(id, |_, slot| {
            slot.as_ref().map(|slot| Arc::clone(&slot.span))
        })
    }

    fn with<T>(&self, id: &Id, act: impl FnOnce(&mut Vec<usize>, &mut Option<Slot>) -> T) -> T {
        let (place, number) = place(id);
        let mut part = locked(&self.parts[number]);
        let Part { slots, free } = &mut *part;
        match slots.get_mut(place) {
            Some(slot) => act(free, slot),
            None => act(free, &mut None),
        }
    }

    fn own_part(&self) -> usize {
        let known = PART.get();
        known.unwrap_or_else(|| {
            let number = self.threads.next() % PARTS as u64;
            let number = usize::try_from(number).unwrap_or_default();
            PART.set(Some(number));
            number
        })
    }
}

/// Its place in its part, and which part that is.
fn place(id: &Id) -> (usize, usize) {
    let number = usize::try_from(id.into_u64() - 1).unwrap_or(usize::MAX);
    (number / PARTS, number % PARTS)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
