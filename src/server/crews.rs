//! Who serves a new connection: of several runtimes the one that has the fewest open.

use std::sync::Arc;

use tokio::{net::TcpStream, runtime::Handle, sync::OwnedSemaphorePermit};
use tracing::debug;

use super::{connection, door::Door};

/// The runtimes that serve connections.
///
/// One listener hands them out, because a listener per runtime (`SO_REUSEPORT`) leaves it to a hash: of two runtimes,
/// sixteen connections come eight to eight in one case of five only, and a second gateway would start on a port that is
/// taken without a word.
pub(super) struct Crews(Vec<Crew>);

struct Crew {
    runtime: Handle,
    /// Shared by its connections: whoever asks how many there are counts the references.
    seat: Arc<()>,
}

/// What a connection holds as long as it is open.
struct Held {
    _place: OwnedSemaphorePermit,
    _seat: Arc<()>,
}

impl Crews {
    /// These runtimes, or the one that asks.
    pub(super) fn of(mut runtimes: Vec<Handle>) -> Self {
        if runtimes.is_empty() {
            runtimes.push(Handle::current());
        }
        let crew = |runtime| Crew {
            runtime,
            seat: Arc::default(),
        };
        Self(runtimes.into_iter().map(crew).collect())
    }

    /// Hands a connection to the runtime with the fewest.
    pub(super) fn give(&self, stream: TcpStream, door: Arc<Door>, place: OwnedSemaphorePermit) {
        let Some((runtime, seat)) = self.seat() else {
            return;
        };
        let held = Held {
            _place: place,
            _seat: seat,
        };
        // Taken off this runtime's poll set; its new one enters it into its own.
        match stream.into_std() {
            Ok(stream) => connection::open(stream, door, held, runtime),
            Err(error) => debug!(%error, "Connection gone before it was served"),
        }
    }

    fn seat(&self) -> Option<(&Handle, Arc<()>)> {
        let connections = |crew: &&Crew| Arc::strong_count(&crew.seat);
        let crew = self.0.iter().min_by_key(connections)?;
        Some((&crew.runtime, Arc::clone(&crew.seat)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_goes_where_the_fewest_are_open() {
        let crews = Crews::of(vec![Handle::current(), Handle::current()]);
        let seated = |seat: &Arc<()>| {
            crews
                .0
                .iter()
                .position(|crew| Arc::ptr_eq(&crew.seat, seat))
        };
        let mut taken: Vec<_> = (0..4).map(|_| crews.seat().unwrap().1).collect();
        let crew: Vec<_> = taken.iter().map(|seat| seated(seat).unwrap()).collect();
        assert_eq!(crew, [0, 1, 0, 1]);
        taken.retain(|seat| seated(seat) == Some(0));
        assert_eq!(seated(&crews.seat().unwrap().1), Some(1));
    }
}
