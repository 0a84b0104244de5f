//! What the page shows, as it comes: one stream for each viewer, which ends with the viewer's key.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Response, header};

use crate::{
    gateway::{Caller, EventStream, Refusal, Sent, View},
    server::{
        answer::{self, JSON, NO_STORE},
        body::{Content, Events},
        door::{Door, Visit},
        phase::{Phase, reached},
        rules::ServerRules,
    },
};

/// Opens the stream. It ends when the server stops, when the key is taken away, and for a viewer that does not read.
pub(in crate::server) async fn watch(
    visit: Visit<'_>,
    caller: Arc<Caller>,
) -> Result<Response<Content>, Refusal> {
    let door = visit.door;
    let known = Known {
        view: door.gateway.view(Arc::clone(&caller)).await?,
        rules: door.rules.clone(),
        caller,
    };
    let stopping = reached(door.phase.clone(), Phase::Draining);
    let events = Events::new(Box::new(known), door.rules.now().keep_alive);
    Ok(answer::events(events.until(stopping)))
}

/// One backend from near.
pub(in crate::server) async fn near(
    door: &Door,
    name: &str,
    caller: &Caller,
) -> Result<Response<Content>, Refusal> {
    let body = door.gateway.view_of(name, caller).await?;
    let mut response = answer::whole(200, JSON, body.into());
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// The view of a caller for as long as it has the rights with which it came.
struct Known {
    view: View,
    rules: ServerRules,
    caller: Arc<Caller>,
}

impl EventStream for Known {
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>> {
        match Pin::new(&mut self.view).poll_next(context) {
            Poll::Ready(Some(_)) if !self.rules.now().keyring.knows(&self.caller) => {
                Poll::Ready(None)
            }
            other => other,
        }
    }
}
