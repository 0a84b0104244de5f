//! The mock server over Streamable HTTP: one thread, one poll, no wait but for the next event or the next delayed answer.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, Write},
    net::TcpListener,
    time::Duration,
};

use quanta::Clock;

use super::{
    AnswerKind, Fault,
    fault::Deed,
    mcp::{Answer, Mcp},
    sessions::{Named, Sessions},
    stdio::half,
};
use crate::{
    http::{Link, Message, Open, header},
    poll::Poll,
    process::end_with_standard_input,
};

/// The key of the listener; connections have those above.
const LISTENER: u64 = 0;

/// A mock server that listens.
pub(crate) struct Server {
    listener: TcpListener,
    poll: Poll,
    links: HashMap<u64, Link>,
    last_key: u64,
    /// Answers that wait for their time, which is in nanoseconds of `clock`; all wait equally long.
    later: VecDeque<(u64, u64, Vec<u8>)>,
    clock: Clock,
    desk: Desk,
}

/// What decides about answers.
struct Desk {
    mcp: Mcp,
    sessions: Sessions,
    kind: AnswerKind,
    fault: Fault,
    calls: u64,
}

/// What becomes of a connection that has sent a request.
#[derive(Debug)]
enum Reply {
    Now(Vec<u8>),
    Later(Vec<u8>),
    Never,
    Close,
}

impl Server {
    /// Listens on a free port and prints it.
    pub(crate) fn new(mcp: Mcp, kind: AnswerKind, fault: Fault) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
        let poll = Poll::new()?;
        poll.watch(&listener, LISTENER)?;
        Ok(Self {
            listener,
            poll,
            links: HashMap::new(),
            last_key: LISTENER,
            later: VecDeque::new(),
            clock: Clock::new(),
            desk: Desk {
                mcp,
                sessions: Sessions::new(),
                kind,
                fault,
                calls: 0,
            },
        })
    }

    /// Serves until standard input ends.
    pub(crate) fn run(mut self) -> io::Result<()> {
        end_with_standard_input();
        let mut ringing = Vec::new();
        loop {
            let timeout = self.next_delay();
            ringing.extend(self.poll.wait(timeout)?);
            for key in ringing.drain(..) {
                if key == LISTENER {
                    self.accept()?;
                } else if !self.serve(key).unwrap_or(false) {
                    self.links.remove(&key);
                }
            }
            self.send_due();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let link = Link::new(stream)?;
                    self.last_key += 1;
                    self.poll.watch(&link, self.last_key)?;
                    self.links.insert(self.last_key, link);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers what has come on one connection; whether it stays.
    fn serve(&mut self, key: u64) -> io::Result<bool> {
        let Some(link) = self.links.get_mut(&key) else {
            return Ok(false);
        };
        link.flush()?;
        let open = link.fill()?;
        while let Some(request) = link.message()? {
            let (reply, length) = (self.desk.reply(&request), request.length);
            link.consume(length);
            match reply {
                Reply::Now(answer) => link.send(&answer)?,
                Reply::Later(answer) => {
                    let due = now_ns(&self.clock) + nanoseconds(self.desk.fault.delay());
                    self.later.push_back((due, key, answer));
                }
                Reply::Never => {}
                Reply::Close => return Ok(false),
            }
        }
        Ok(open == Open::Yes)
    }

    fn next_delay(&self) -> Option<Duration> {
        let (due, _, _) = self.later.front()?;
        Some(Duration::from_nanos(
            due.saturating_sub(now_ns(&self.clock)),
        ))
    }

    fn send_due(&mut self) {
        while let Some((due, key, _)) = self.later.front()
            && *due <= now_ns(&self.clock)
        {
            let key = *key;
            let answer = self.later.pop_front().map(|(_, _, answer)| answer);
            let link = self.links.get_mut(&key);
            if let (Some(link), Some(answer)) = (link, answer)
                && link.send(&answer).is_err()
            {
                self.links.remove(&key);
            }
        }
    }
}

impl Desk {
    fn reply(&mut self, request: &Message<'_>) -> Reply {
        if request.head.starts_with(b"DELETE") {
            return Reply::Now(self.end(request));
        }
        if !request.head.starts_with(b"POST") {
            return Reply::Now(status("405 Method Not Allowed"));
        }
        if header(request.head, "content-type") == Some("application/x-protobuf") {
            // Spans (OpenTelemetry, OTLP over HTTP): it takes them all, and looks at none.
            return Reply::Now(status("200 OK"));
        }
        let session = self.sessions.named(header(request.head, "mcp-session-id"));
        if session == Named::Unknown {
            return Reply::Now(status("404 Not Found"));
        }
        let answer = self.mcp.answer(&request.body);
        match (answer, session) {
            (Answer::Opening(text), _) => {
                let session = format!("Mcp-Session-Id: {}\r\n", self.sessions.open());
                Reply::Now(self.written(&text, &session))
            }
            (_, Named::None) => Reply::Now(status("400 Bad Request")),
            (Answer::Nothing, _) => Reply::Now(status("202 Accepted")),
            (Answer::Other(text), _) => Reply::Now(self.written(&text, "")),
            (Answer::Called { text, .. }, _) => self.called(&text),
        }
    }

    fn end(&mut self, request: &Message<'_>) -> Vec<u8> {
        match self.sessions.named(header(request.head, "mcp-session-id")) {
            Named::Open(number) => {
                self.sessions.end(number);
                status("204 No Content")
            }
            Named::Unknown => status("404 Not Found"),
            Named::None => status("400 Bad Request"),
        }
    }

    fn called(&mut self, text: &str) -> Reply {
        self.calls += 1;
        let answer = match self.fault.deed(self.calls) {
            Deed::Answer => self.written(text, ""),
            Deed::Status(code) => status(&format!("{code} As Asked For")),
            Deed::Hang => return Reply::Never,
            Deed::HangUp => return Reply::Close,
            Deed::Malformed => self.written(half(text), ""),
        };
        if self.fault.delay().is_zero() {
            Reply::Now(answer)
        } else {
            Reply::Later(answer)
        }
    }

    /// An answer with its framing; `further` are headers of whole lines.
    fn written(&self, text: &str, further: &str) -> Vec<u8> {
        match self.kind {
            AnswerKind::Json => {
                let length = text.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{further}Content-Length: {length}\r\n\r\n"
                );
                [&head, text].concat().into_bytes()
            }
            AnswerKind::Sse => {
                let (before, after) = ("event: message\ndata: ", "\n\n");
                let size = before.len() + text.len() + after.len();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n{further}Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n"
                );
                [&head, before, text, after, "\r\n0\r\n\r\n"]
                    .concat()
                    .into_bytes()
            }
        }
    }
}

/// An answer of a status alone.
fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn now_ns(clock: &Clock) -> u64 {
    clock.delta_as_nanos(0, clock.raw())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::first;

    const INITIALIZE: &str = r#"{"id":0,"method":"initialize"}"#;
    const CALL: &str =
        r#"{"id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}"#;

    fn desk(kind: AnswerKind, fault: Fault) -> Desk {
        Desk {
            mcp: Mcp::new(1),
            sessions: Sessions::new(),
            kind,
            fault,
            calls: 0,
        }
    }

    /// Status, session and body of the answer to a request.
    fn ask(desk: &mut Desk, method: &str, session: &str, body: &str) -> (u16, String, String) {
        let length = body.len();
        let request = format!(
            "{method} /mcp HTTP/1.1\r\nMcp-Session-Id: {session}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let request = if session.is_empty() {
            request.replace("Mcp-Session-Id: \r\n", "")
        } else {
            request
        };
        let Reply::Now(answer) = desk.reply(&first(request.as_bytes()).unwrap().unwrap()) else {
            panic!("there was no answer");
        };
        let answer = first(&answer).unwrap().unwrap();
        let session = header(answer.head, "mcp-session-id").unwrap_or_default();
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        (answer.status(), session.to_owned(), body)
    }

    #[test]
    fn a_session_opens_serves_and_ends() {
        for kind in [AnswerKind::Json, AnswerKind::Sse] {
            let mut desk = desk(
                kind,
                Fault {
                    every: 1,
                    ..Fault::default()
                },
            );
            assert_eq!(ask(&mut desk, "POST", "", CALL).0, 400);
            let (_, session, _) = ask(&mut desk, "POST", "", INITIALIZE);
            let (status, _, body) = ask(&mut desk, "POST", &session, CALL);
            assert_eq!(status, 200);
            assert!(body.contains(
                r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hi"}]}}"#
            ));
            assert_eq!(
                body.starts_with("event: message\ndata: {"),
                kind == AnswerKind::Sse
            );
            assert_eq!(ask(&mut desk, "POST", &session, r#"{"method":"n"}"#).0, 202);
            assert_eq!(ask(&mut desk, "GET", &session, "").0, 405);
            assert_eq!(ask(&mut desk, "DELETE", &session, "").0, 204);
            assert_eq!(ask(&mut desk, "POST", &session, CALL).0, 404);
        }
    }

    #[test]
    fn faults_meet_calls_alone() {
        let fault = Fault {
            status: Some(503),
            every: 2,
            ..Fault::default()
        };
        let mut desk = desk(AnswerKind::Json, fault);
        let (_, session, _) = ask(&mut desk, "POST", "", INITIALIZE);
        let statuses = [(); 4].map(|()| ask(&mut desk, "POST", &session, CALL).0);
        assert_eq!(statuses, [200, 503, 200, 503]);
    }
}
