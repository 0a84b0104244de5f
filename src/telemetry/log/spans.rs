//! Which spans there are, and in which each thread is.
//!
//! A registry for any number of readers keeps typed extensions behind locks of their own and counts its readers in shared
//! words. Here one writer of lines reads spans, so a span is its members as text, and being in one is a pointer on a stack:
//! a request's line and its span take two thirds of the instructions that they take with such a registry (callgrind under
//! `perf load` on `/mcp/{backend}`).

use std::{cell::RefCell, sync::Arc};

use arc_swap::ArcSwapOption;
use sharded_slab::Slab;
use tracing::{
    Metadata,
    span::{Attributes, Id, Record},
};
use tracing_core::span::Current;

use super::members::Members;
use crate::lockfree::Gauge;

/// Bytes of most spans.
const FIELDS: usize = 256;

thread_local! {
    /// The spans in which the thread is, the innermost last.
    static INSIDE: RefCell<Vec<(u64, Arc<Span>)>> = const { RefCell::new(Vec::new()) };
}

/// The spans that have not ended.
#[derive(Debug, Default)]
pub(super) struct Spans(Slab<Slot>);

#[derive(Debug)]
struct Slot {
    span: Arc<Span>,
    /// Handles that there are.
    held: Gauge,
}

/// One span. It is there as long as somebody is in it, in one within it, or has a handle.
#[derive(Debug)]
pub(super) struct Span {
    metadata: &'static Metadata<'static>,
    around: Option<Arc<Self>>,
    members: Vec<u8>,
    /// Those that were recorded after it had begun.
    later: ArcSwapOption<Vec<u8>>,
}

impl Span {
    /// Writes the spans around it and then itself, each with a comma behind.
    pub(super) fn write(&self, line: &mut Vec<u8>) {
        if let Some(around) = &self.around {
            around.write(line);
        }
        line.push(b'{');
        line.extend_from_slice(&self.members);
        if let Some(later) = &*self.later.load() {
            line.extend_from_slice(later);
        }
        Members(line).plain("name", self.metadata.name());
        line.pop();
        line.extend_from_slice(b"},");
    }

    fn add(&self, values: &Record<'_>) {
        self.later.rcu(|earlier| {
            let mut later = earlier.as_deref().cloned().unwrap_or_default();
            values.record(&mut Members(&mut later));
            Some(Arc::new(later))
        });
    }
}

impl Spans {
    pub(super) fn begin(&self, attributes: &Attributes<'_>) -> Id {
        let mut members = Vec::with_capacity(FIELDS);
        attributes.record(&mut Members(&mut members));
        let slot = Slot {
            span: Arc::new(Span {
                metadata: attributes.metadata(),
                around: self.around(attributes.is_root(), attributes.parent()),
                members,
                later: ArcSwapOption::empty(),
            }),
            held: Gauge::new(),
        };
        slot.held.raise();
        // One that finds no room, among hundreds of millions, is not told of.
        let place = self.0.insert(slot).unwrap_or(NOWHERE);
        Id::from_u64(place as u64 + 1)
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
            span.add(values);
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
        if let Some(slot) = self.0.get(place(id)) {
            slot.held.raise();
        }
    }

    /// One handle less; true if it was the last.
    pub(super) fn release(&self, id: &Id) -> bool {
        let slot = self.0.get(place(id));
        slot.is_some_and(|slot| slot.held.lower_to_zero()) && self.0.remove(place(id))
    }

    fn find(&self, id: &Id) -> Option<Arc<Span>> {
        self.0.get(place(id)).map(|slot| Arc::clone(&slot.span))
    }
}

/// No place of the slab.
const NOWHERE: usize = usize::MAX - 1;

fn place(id: &Id) -> usize {
    usize::try_from(id.into_u64() - 1).unwrap_or(NOWHERE)
}
