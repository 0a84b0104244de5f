//! All that stands for a comparison: the mock servers, nginx, the gateways, and the ways through them.

use std::io;

use super::{
    loads::{Door, Load, MANY},
    options::Named,
    rounds::Way,
};
use crate::{
    account::Account,
    http::post,
    load::{Ask, Check, Lane},
    process::Process,
    subject::{Backend, Gateway, Nginx, Relay, open_session},
};

/// Everything that runs.
pub(super) struct Stage {
    servers: Vec<Server>,
    pub(super) nginx: Option<Nginx>,
    pub(super) gateways: Vec<Subject>,
}

/// One mock server.
struct Server {
    name: &'static str,
    process: Process,
    port: u16,
}

/// One build of the gateway, run twice.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) quiet: Gateway,
    /// One that logs a line for each call.
    logged: Gateway,
}

/// The words in which ways are called.
pub(super) const DIRECT: &str = "direct";
pub(super) const NGINX: &str = "nginx";

impl Stage {
    /// Starts everything.
    pub(super) fn set(gateways: &[Named]) -> io::Result<Self> {
        let many = MANY.to_string();
        let servers = vec![
            Server::start("json", &["--tools", "10"])?,
            Server::start("sse", &["--tools", "10", "--answer", "sse"])?,
            Server::start("many", &["--tools", &many])?,
        ];
        let relays: Vec<Relay> = servers.iter().map(Server::relay).collect();
        let backends: Vec<Backend> = servers.iter().map(Server::backend).collect();
        let start = |named: &Named| {
            Ok(Subject {
                name: named.name.clone(),
                quiet: Gateway::serve(&named.path, "warn", &backends)?,
                logged: Gateway::serve(&named.path, "info", &backends)?,
            })
        };
        Ok(Self {
            nginx: Nginx::start(&relays)?,
            gateways: gateways.iter().map(start).collect::<io::Result<_>>()?,
            servers,
        })
    }

    /// The ways that a load takes: direct, through nginx where it is installed, through each gateway.
    pub(super) fn ways(&self, load: Load) -> io::Result<Vec<Way>> {
        let server = self
            .servers
            .iter()
            .find(|server| server.name == load.backend());
        let server = server.ok_or(io::ErrorKind::NotFound)?;
        let direct = ([127, 0, 0, 1], server.port).into();
        let mut ways = vec![way(
            load,
            DIRECT,
            (direct, "/mcp"),
            server.process.account(),
        )?];
        let path = format!("/mcp/{}", server.name);
        if let Some(nginx) = &self.nginx {
            let address = if load.is_logged() {
                nginx.logged
            } else {
                nginx.quiet
            };
            ways.push(way(load, NGINX, (address, &path), nginx.account())?);
        }
        for subject in &self.gateways {
            let gateway = if load.is_logged() {
                &subject.logged
            } else {
                &subject.quiet
            };
            let path = match load.door() {
                Door::Transparent => &path,
                Door::Aggregate => "/mcp",
            };
            ways.push(way(
                load,
                &subject.name,
                (gateway.address, path),
                gateway.account(),
            )?);
        }
        Ok(ways)
    }
}

impl Server {
    fn start(name: &'static str, arguments: &[&str]) -> io::Result<Self> {
        let (process, port) = Process::upstream(arguments)?;
        Ok(Self {
            name,
            process,
            port,
        })
    }

    const fn relay(&self) -> Relay {
        let Self { name, port, .. } = *self;
        Relay { name, port }
    }

    fn backend(&self) -> Backend {
        Backend::http(self.name, self.port)
    }
}

fn way(
    load: Load,
    name: &str,
    (address, path): (std::net::SocketAddr, &str),
    account: Account,
) -> io::Result<Way> {
    let session = open_session(address, path)?;
    let through_gateway = name != DIRECT && name != NGINX;
    let body = if through_gateway {
        load.gateway_request()
    } else {
        load.request()
    };
    let ask = Ask::new(post(path, address, &session, &body))?;
    Ok(Way {
        name: name.to_owned(),
        lane: Lane::open(address, load.connections(), ask, Check::new(load.content()))?,
        account,
        turns: Vec::new(),
    })
}
