//! What each tool of the scripted stdio backend does.

use std::{
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{
    frame::{self, Asked, Frame},
    offer,
    scripted_stdio::Script,
};

/// Answers one `tools/call`, or does not, as the tool's name says.
pub(crate) fn call(script: &Script, frame: &Frame) {
    let Some(asked) = frame.asked() else {
        return script.send(&frame::error(frame.id(), -32602, "no params"));
    };
    let id = frame.id();
    match asked.name.as_str() {
        "hang" => {}
        "exit_now" => exit(&asked),
        "exit_once" | "safe_exit_once" => exit_once(script, id, &asked),
        "big_line" => big_line(script, id, asked.number("bytes", 1 << 20)),
        "half_frame" => half_frame(script, id),
        "invalid_utf8" => invalid_utf8(script, id),
        "noise" => noise(script, id),
        "progress" => {
            progress(script, &asked);
            script.send(&frame::said(id, "done"));
        }
        "ask_after" => {
            script.send(&frame::said(id, "answered first"));
            let _ = script.ask("\"after\"", "roots/list", &Value::Null);
        }
        "progress_only" => progress(script, &asked),
        "fail" => script.send(&frame::result(
            id,
            r#"{"content":[{"type":"text","text":"it failed"}],"isError":true}"#,
        )),
        "refuse" => {
            let code = asked.argument("code").as_i64().unwrap_or(-32602);
            let message = asked.argument("message");
            let message = message.as_str().unwrap_or("refused by script");
            script.send(&frame::error(id, code, message));
        }
        "verbatim" => script.send(&frame::result(id, offer::VERBATIM)),
        "mirror" => mirror(script, id, &asked),
        _ => script.send(&spoken(script, id, &asked)),
    }
}

/// The tools that answer with one text.
fn spoken(script: &Script, id: &str, asked: &Asked) -> String {
    match asked.name.as_str() {
        "echo" => frame::said(id, asked.argument("message").as_str().unwrap_or_default()),
        "whoami" => frame::said(id, &std::process::id().to_string()),
        "sleep" => {
            thread::sleep(Duration::from_millis(asked.number("ms", 10)));
            frame::said(id, "slept")
        }
        "nested" => nested(id, asked.number("depth", 100_000)),
        "same_id" => {
            let answer = script.ask(id, "ping", &Value::Null);
            frame::said(id, &answer.recv().unwrap_or_default())
        }
        "ask" => {
            thread::sleep(Duration::from_millis(asked.number("ms", 0)));
            let (theirs, method) = (asked.argument("id"), asked.argument("method"));
            let method = method.as_str().unwrap_or_default();
            let theirs = theirs.to_string();
            let answer = script.ask(&theirs, method, &asked.argument("params"));
            // Where it does not wait, the answer comes before any is there.
            if asked.argument("waits") == false {
                return frame::said(id, "did not wait");
            }
            frame::said(id, &answer.recv().unwrap_or_default())
        }
        "grandchild" => frame::said(id, &grandchild().to_string()),
        "chatter" => {
            (0..asked.number("lines", 100)).for_each(|n| eprintln!("chatter line {n} of many"));
            frame::said(id, "chattered")
        }
        "stray" => {
            script.send(&frame::said("987654321", "an answer to nobody"));
            script.send(&frame::said("\"nobody\"", "an answer to nobody"));
            frame::said(id, "after the strays")
        }
        "reveal" => {
            script.reveal();
            script.send(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
            frame::said(id, "revealed")
        }
        other => frame::error(id, -32602, &format!("Unknown tool: {other}")),
    }
}

fn exit(asked: &Asked) -> ! {
    eprintln!("scripted backend: first line before the end");
    eprintln!("scripted backend: the disk is full");
    std::process::exit(i32::try_from(asked.number("code", 3)).unwrap_or(3))
}

fn exit_once(script: &Script, id: &str, asked: &Asked) {
    if script.times_called(&asked.name) <= 1 {
        exit(asked);
    }
    script.send(&frame::said(id, "alive the second time"));
}

fn big_line(script: &Script, id: &str, bytes: u64) {
    let start =
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":""#);
    let chunk = [b'x'; 1 << 16];
    let chunks = bytes.div_ceil(chunk.len() as u64);
    let text = (0..chunks).map(|_| &chunk[..]);
    let pieces = std::iter::once(start.as_bytes())
        .chain(text)
        .chain([&b"\"}]}}\n"[..]]);
    script.send_pieces(pieces);
}

fn half_frame(script: &Script, id: &str) {
    script.send_raw(format!(r#"{{"jsonrpc":"2.0","id":{id},"resu"#).as_bytes());
    std::process::exit(0)
}

fn invalid_utf8(script: &Script, id: &str) {
    let line = frame::said(id, "@");
    let broken: Vec<u8> = line
        .bytes()
        .map(|byte| if byte == b'@' { 0xff } else { byte })
        .chain([b'\n'])
        .collect();
    script.send_raw(&broken);
}

fn noise(script: &Script, id: &str) {
    for line in [
        "Server listening!",
        "",
        "  ",
        "[1,2",
        "null",
        "42",
        "\u{feff}{}",
    ] {
        script.send(line);
    }
    script.send(&frame::said(id, "after the noise"));
}

fn progress(script: &Script, asked: &Asked) {
    let token = asked.progress_token.as_deref().unwrap_or("null");
    for step in 1..=asked.number("steps", 3) {
        script.send(&format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"total":3,"x-kept":1e400}}}}"#
        ));
    }
}

/// Answers with the arguments exactly as they arrived.
fn mirror(script: &Script, id: &str, asked: &Asked) {
    script.send(&frame::result(
        id,
        &format!(
            r#"{{"content":[],"structuredContent":{}}}"#,
            asked.arguments
        ),
    ));
}

fn nested(id: &str, depth: u64) -> String {
    let depth = usize::try_from(depth).unwrap_or(0);
    frame::result(
        id,
        &format!(
            r#"{{"content":[],"structuredContent":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        ),
    )
}

/// Starts a child of its own that would live for ten minutes, and says its process id.
fn grandchild() -> u32 {
    let child = Command::new("sleep")
        .arg("600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.map_or(0, |child| child.id())
}
