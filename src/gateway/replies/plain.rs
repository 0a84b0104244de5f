//! The reply that carries an answer.

use bytes::Bytes;

use crate::gateway::inbound::Reply;

/// A JSON-RPC answer as a reply, opening no session.
pub(in crate::gateway) const fn answered(body: Bytes) -> Reply {
    Reply {
        status: 200,
        body,
        session: None,
        retry_after: None,
        timing: None,
    }
}
