//! The mock server over stdio: a line in, a line out.

use std::{
    io::{self, BufRead, Write},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use quanta::Clock;

use super::{
    Fault,
    fault::Deed,
    mcp::{Answer, Mcp},
};

/// What decides about lines.
struct Desk {
    mcp: Mcp,
    fault: Fault,
    calls: u64,
}

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Now(String),
    Later(String),
    Never,
    End,
}

/// Answers every line of standard input until it ends.
pub(super) fn run(mcp: Mcp, fault: Fault) -> io::Result<()> {
    let delay = fault.delay();
    let mut desk = Desk {
        mcp,
        fault,
        calls: 0,
    };
    let (later, due) = channel();
    let clock = Clock::new();
    thread::spawn(move || write_when_due(&due));
    for line in io::stdin().lock().split(b'\n') {
        match desk.reply(&line?) {
            Reply::Now(answer) => write(answer)?,
            Reply::Later(answer) => postpone(&later, (&clock, delay), answer)?,
            Reply::Never => {}
            Reply::End => return Ok(()),
        }
    }
    Ok(())
}

/// An answer and the time at which it is due, in nanoseconds.
type Due = (u64, String);

fn postpone(
    later: &Sender<Due>,
    (clock, delay): (&Clock, Duration),
    answer: String,
) -> io::Result<()> {
    let delay_ns = u64::try_from(delay.as_nanos()).map_err(io::Error::other)?;
    let due_ns = clock.delta_as_nanos(0, clock.raw()) + delay_ns;
    later.send((due_ns, answer)).map_err(io::Error::other)
}

/// All answers wait equally long, so that they are due in the order in which they come.
fn write_when_due(due: &Receiver<Due>) -> io::Result<()> {
    let clock = Clock::new();
    for (due_ns, answer) in due {
        let now_ns = clock.delta_as_nanos(0, clock.raw());
        thread::sleep(Duration::from_nanos(due_ns.saturating_sub(now_ns)));
        write(answer)?;
    }
    Ok(())
}

fn write(mut answer: String) -> io::Result<()> {
    answer.push('\n');
    let mut output = io::stdout().lock();
    output.write_all(answer.as_bytes())?;
    output.flush()
}

impl Desk {
    fn reply(&mut self, line: &[u8]) -> Reply {
        if line.trim_ascii().is_empty() {
            return Reply::Never;
        }
        match self.mcp.answer(line) {
            Answer::Nothing => Reply::Never,
            Answer::Opening(text) | Answer::Other(text) => Reply::Now(text),
            Answer::Called { id, text } => self.called(&id, text),
        }
    }

    fn called(&mut self, id: &str, text: String) -> Reply {
        self.calls += 1;
        let answer = match self.fault.deed(self.calls) {
            Deed::Answer => text,
            Deed::Status(status) => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32603,"message":"status {status}, as asked for"}}}}"#
            ),
            Deed::Hang => return Reply::Never,
            Deed::HangUp => return Reply::End,
            Deed::Malformed => half(&text).to_owned(),
        };
        if self.fault.delay().is_zero() {
            Reply::Now(answer)
        } else {
            Reply::Later(answer)
        }
    }
}

/// What is left of an answer that is cut.
pub(super) fn half(text: &str) -> &str {
    text.get(..text.len() / 2).unwrap_or("{")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &[u8] = br#"{"id":"a","method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}"#;

    fn desk(fault: Fault) -> Desk {
        Desk {
            mcp: Mcp::new(1),
            fault: Fault { every: 1, ..fault },
            calls: 0,
        }
    }

    #[test]
    fn a_line_is_answered_with_a_line_and_a_notification_with_none() {
        let mut desk = desk(Fault::default());
        let Reply::Now(answer) = desk.reply(CALL) else {
            panic!("there was no answer");
        };
        assert!(answer.starts_with(r#"{"jsonrpc":"2.0","id":"a","result":"#));
        assert_eq!(desk.reply(br#"{"method":"n"}"#), Reply::Never);
        assert_eq!(desk.reply(b"\r"), Reply::Never);
    }

    #[test]
    fn every_fault_shows() {
        let reply = |fault: Fault| desk(fault).reply(CALL);
        let hang = Fault {
            hang: true,
            ..Fault::default()
        };
        let hang_up = Fault {
            hang_up: true,
            ..Fault::default()
        };
        let status = Fault {
            status: Some(503),
            ..Fault::default()
        };
        let slow = Fault {
            delay: 5,
            ..Fault::default()
        };
        assert_eq!(reply(hang), Reply::Never);
        assert_eq!(reply(hang_up), Reply::End);
        assert!(matches!(reply(status), Reply::Now(error) if error.contains("503")));
        assert!(matches!(reply(slow), Reply::Later(_)));
    }
}
