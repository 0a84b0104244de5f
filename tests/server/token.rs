//! The token that the built binary makes for itself: told where it lies, readable by its owner alone, and enough.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what a test stands on may fail only loudly"
)]

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::wire::{Wire, ping};

/// The binary with `bearer_token: auto`, its address, and the line in which it tells where the token lies.
async fn start(home: &Path) -> (Child, String, String) {
    let config = home.join("gateway.yaml");
    let text = "server: {port: 0}\nauth: {enabled: true, bearer_token: auto}\n";
    fs::write(&config, text).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-gateway"))
        .arg("-c")
        .arg(&config)
        .env("XDG_STATE_HOME", home)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (mut address, mut told) = (None, None);
    while address.is_none() || told.is_none() {
        let line = lines
            .next_line()
            .await
            .unwrap()
            .expect("it goes on talking");
        let listens = line
            .split_once("http://")
            .and_then(|(_, rest)| rest.split_once("/mcp"));
        address = address.or_else(|| listens.map(|(address, _)| address.to_owned()));
        told = told.or_else(|| line.contains("token").then_some(line));
    }
    (child, address.unwrap(), told.unwrap())
}

#[tokio::test]
async fn a_token_made_at_start_is_told_by_its_file_and_opens_the_door() {
    let home = tempfile::tempdir().unwrap();
    let (_gateway, address, told) = start(home.path()).await;
    let file = home.path().join("mcp-gateway/token-0");
    assert!(told.contains(&file.display().to_string()), "{told}");
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    let token = fs::read_to_string(&file).unwrap();
    let token = token.trim();
    assert!(!told.contains(token), "the token itself is not told");
    let with = format!("Authorization: Bearer {token}\r\n");
    for (header, status) in [("", 401), (with.as_str(), 200)] {
        let mut wire = Wire::connect(&address).await;
        wire.send(&ping("/mcp", header)).await;
        assert_eq!(wire.answer().await.status, status);
    }
}
