//! A web API inside the test process: it says what the situation wants it to say, and remembers what it was asked.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

use super::wire::{Arrived, Wire};

/// What the API says to one request.
pub(crate) struct Says {
    status: u16,
    headers: String,
    body: String,
}

/// The API; it listens no longer when it is dropped.
pub(crate) struct Api {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    say: Say,
    arrived: Mutex<Vec<Arrived>>,
    closed: Mutex<bool>,
}

type Say = Box<dyn Fn(&Arrived) -> Option<Says> + Send + Sync>;

impl Says {
    /// A status with JSON.
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: "content-type: application/json\r\n".to_owned(),
            body: body.to_string(),
        }
    }

    /// A status with text.
    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: "content-type: text/plain\r\n".to_owned(),
            body: body.to_owned(),
        }
    }

    /// The same with another header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push_str(&format!("{name}: {value}\r\n"));
        self
    }
}

impl Api {
    /// An API that says to each request what `say` says, and nothing at all where that is nothing.
    pub(crate) fn start(say: impl Fn(&Arrived) -> Option<Says> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let api = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                say: Box::new(say),
                arrived: Mutex::default(),
                closed: Mutex::default(),
            }),
        };
        let shared = Arc::clone(&api.shared);
        thread::spawn(move || shared.listen(&listener));
        api
    }

    /// An API that always says the same.
    pub(crate) fn saying(status: u16, body: Value) -> Self {
        Self::start(move |_| Some(Says::json(status, body.clone())))
    }

    /// Its port on loopback.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The URL of one of its paths.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived.lock().unwrap().clone()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Arrived {
        self.arrived().pop().unwrap()
    }
}

impl Shared {
    fn listen(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if *self.closed.lock().unwrap() {
                return;
            }
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.converse(Wire::on(stream)));
        }
    }

    fn converse(&self, mut wire: Wire) {
        while let Some(arrived) = wire.receive() {
            self.arrived.lock().unwrap().push(arrived.clone());
            let Some(says) = (self.say)(&arrived) else {
                // Nobody else writes on this connection: it ends when the gateway gives up.
                let _ = wire.receive();
                return;
            };
            if wire.answer(says.status, &says.headers, &says.body).is_err() {
                return;
            }
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        *self.shared.closed.lock().unwrap() = true;
        let _ = TcpStream::connect(self.address);
    }
}
