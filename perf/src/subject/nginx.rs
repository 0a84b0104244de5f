//! nginx as a plain proxy to the same servers: what a hop costs that looks at nothing.

use std::{
    ffi::OsStr,
    fmt::Write,
    fs::{self, File},
    io,
    net::SocketAddr,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::place::{free, wait_for};
use crate::{account::Account, process::Process};

/// Where Debian puts it, which is not on everybody's path.
const PROGRAMS: [&str; 2] = ["nginx", "/usr/sbin/nginx"];

/// A server behind the proxy, by the path under which it is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
}

/// A running nginx with its folder.
pub(crate) struct Nginx {
    process: Process,
    _folder: TempDir,
    /// Where it writes no log.
    pub(crate) quiet: SocketAddr,
    /// Where it writes a line for each request.
    pub(crate) logged: SocketAddr,
}

impl Nginx {
    /// Starts it, if it is installed.
    pub(crate) fn start(relays: &[Relay]) -> io::Result<Option<Self>> {
        let Some(program) = installed() else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .prefix("mcp-gateway-perf-")
            .tempdir()?;
        let (quiet, logged) = (free()?, free()?);
        let place = folder.path().display().to_string();
        let config = folder.path().join("nginx.conf");
        fs::write(&config, configuration(&place, [quiet, logged], relays))?;
        let errors = File::create(folder.path().join("errors"))?;
        let command = [program, "-p", &place, "-e", "stderr", "-c"].map(OsStr::new);
        let command = [command.as_slice(), &[config.as_os_str()]].concat();
        let mut process = Process::kept(&command, errors.into())?;
        wait_for(&mut process, quiet).map_err(|error| {
            let said = fs::read_to_string(folder.path().join("errors")).unwrap_or_default();
            io::Error::other(format!("nginx does not serve: {error}: {said}"))
        })?;
        Ok(Some(Self {
            process,
            _folder: folder,
            quiet,
            logged,
        }))
    }

    /// What it costs, with its workers.
    pub(crate) const fn account(&self) -> Account {
        self.process.account()
    }
}

fn installed() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|program| {
        let mut command = Command::new(program);
        command
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

/// Kept connections on both sides, and buffers that hold every body that is sent here, so that no file is written.
fn configuration(folder: &str, [quiet, logged]: [SocketAddr; 2], relays: &[Relay]) -> String {
    let (mut upstreams, mut locations) = (String::new(), String::new());
    for Relay { name, port } in relays {
        // Writing to a string cannot fail.
        let _ = writeln!(
            upstreams,
            "upstream {name} {{ server 127.0.0.1:{port}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 1h; }}"
        );
        let _ = writeln!(
            locations,
            "location = /mcp/{name} {{ proxy_pass http://{name}/mcp; }}"
        );
    }
    format!(
        "daemon off;
pid {folder}/pid;
worker_processes 2;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 10m;
  client_body_buffer_size 128k;
  proxy_http_version 1.1;
  proxy_set_header Connection \"\";
  proxy_buffer_size 8k;
  proxy_buffers 32 16k;
  proxy_busy_buffers_size 256k;
  proxy_max_temp_file_size 0;
  {upstreams}
  server {{ listen {quiet}; access_log off; {locations} }}
  server {{ listen {logged}; access_log {folder}/access; {locations} }}
}}
"
    )
}
