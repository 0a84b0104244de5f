//! An API on loopback that a test plays.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the API was asked.
#[derive(Clone, Debug)]
pub(in crate::capability) struct Asked {
    pub(in crate::capability) head: String,
    pub(in crate::capability) body: String,
}

/// It answers as long as the test runs.
pub(in crate::capability) struct Api {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Asked {
    pub(in crate::capability) fn method(&self) -> &str {
        self.head.split(' ').next().unwrap()
    }

    /// The path with its query.
    pub(in crate::capability) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(in crate::capability) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(in crate::capability) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Api {
    /// Answers each request with what `say` says, as it goes over the wire; `None` is no answer at all, and one that is cut
    /// short ends with its connection.
    pub(in crate::capability) async fn start(
        say: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (say, kept) = (Arc::new(say), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (say, kept) = (Arc::clone(&say), Arc::clone(&kept));
                tokio::spawn(async move { serve(stream, &*say, &kept).await });
            }
        });
        Self { port, asked }
    }

    pub(in crate::capability) const fn port(&self) -> u16 {
        self.port
    }

    pub(in crate::capability) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(in crate::capability) fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A whole answer.
pub(in crate::capability) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!(
        "HTTP/1.1 {status} Said\r\n{lines}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A whole answer in JSON.
pub(in crate::capability) fn json(status: u16, body: &str) -> String {
    answer(status, &[("content-type", "application/json")], body)
}

async fn serve(
    mut stream: TcpStream,
    say: &(dyn Fn(&Asked) -> Option<String> + Send + Sync),
    kept: &Mutex<Vec<Asked>>,
) {
    while let Some(asked) = read(&mut stream).await {
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked.clone());
        match say(&asked) {
            Some(said) => {
                let is_whole = said.contains("\r\n\r\n");
                if stream.write_all(said.as_bytes()).await.is_err() || !is_whole {
                    return;
                }
            }
            None => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await.ok()? {
            0 => return None,
            length => bytes.extend_from_slice(&piece[..length]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut asked = Asked {
        head,
        body: String::new(),
    };
    let length: usize = asked
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = bytes[end..].to_vec();
    while body.len() < length {
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await.ok()? {
            0 => return None,
            read => body.extend_from_slice(&piece[..read]),
        }
    }
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
