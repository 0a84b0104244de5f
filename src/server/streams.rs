//! The event streams that are open: each under an id that cannot be guessed, and its caller's alone.

use std::sync::Arc;

use tokio::sync::mpsc;
use uuid::Uuid;

use super::client::Said;
use crate::gateway::{Caller, Refusal, Route};

/// Messages of one client that wait until those before them are taken.
const WAITING: usize = 8;

/// All that are open.
#[derive(Default)]
pub(super) struct Streams {
    open: papaya::HashMap<Box<str>, Stream>,
}

struct Stream {
    caller: Arc<Caller>,
    route: Route,
    said: mpsc::Sender<Said>,
}

/// A stream's place among the others; dropping it gives it up.
pub(super) struct Place {
    streams: Arc<Streams>,
    pub(super) id: Box<str>,
}

impl Streams {
    pub(super) fn count(&self) -> usize {
        self.open.len()
    }

    /// Enters a stream; what is posted for it comes out of the receiver.
    pub(super) fn enter(
        self: &Arc<Self>,
        caller: &Arc<Caller>,
        route: &Route,
    ) -> (Place, mpsc::Receiver<Said>) {
        let (said, hears) = mpsc::channel(WAITING);
        let id: Box<str> = Uuid::new_v4().simple().to_string().into();
        let stream = Stream {
            caller: Arc::clone(caller),
            route: route.clone(),
            said,
        };
        self.open.pin().insert(id.clone(), stream);
        let streams = Arc::clone(self);
        (Place { streams, id }, hears)
    }

    /// Where to put what is said for this stream. Another caller's does not exist for this one, nor does one that was opened
    /// with other rights.
    pub(super) fn find(
        &self,
        id: &str,
        caller: &Caller,
        route: &Route,
    ) -> Result<mpsc::Sender<Said>, Refusal> {
        let open = self.open.pin();
        let stream = open
            .get(id)
            .filter(|stream| *stream.caller == *caller && stream.route == *route);
        stream
            .map(|stream| stream.said.clone())
            .ok_or(Refusal::UnknownStream)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.streams.open.pin().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str, operator: bool) -> Arc<Caller> {
        Arc::new(Caller {
            name: name.into(),
            operator,
            ..Caller::default()
        })
    }

    #[test]
    fn a_stream_is_there_for_its_caller_on_its_route_until_its_place_is_given_up() {
        let streams = Arc::new(Streams::default());
        let route = Route::Backend("one".into());
        let (place, _hears) = streams.enter(&caller("ann", false), &route);
        let finds = |who: &Caller, route: &Route| streams.find(&place.id, who, route).is_ok();
        assert!(finds(&caller("ann", false), &route));
        assert!(!finds(&caller("ann", true), &route), "other rights");
        assert!(!finds(&caller("bob", false), &route));
        assert!(!finds(&caller("ann", false), &Route::Aggregate));
        let id = place.id.clone();
        drop(place);
        assert_eq!(streams.count(), 0);
        let gone = streams.find(&id, &caller("ann", false), &route);
        assert_eq!(gone.map(drop), Err(Refusal::UnknownStream));
    }
}
