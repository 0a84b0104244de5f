//! All that stands for a comparison: the mock servers, nginx, the gateways, and the ways through them.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr},
};

use super::{
    loads::{Door, Load, MANY, STDIO},
    options::Named,
    rounds::Way,
};
use crate::{
    account::Account,
    http::post,
    load::{Ask, Check, Lane, Pipes, Road},
    process::Process,
    subject::{Backend, Gateway, Nginx, Relay, Shows, open_session},
};

/// Everything that runs.
pub(super) struct Stage {
    servers: Vec<Server>,
    /// Takes spans.
    _collector: Server,
    pub(super) nginx: Option<Nginx>,
    pub(super) gateways: Vec<Subject>,
}

/// One mock server.
struct Server {
    name: &'static str,
    process: Process,
    port: u16,
}

/// One build of the gateway, run three times.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) quiet: Gateway,
    /// One that logs a line for each call.
    logged: Gateway,
    /// One that shows all that it can.
    observed: Gateway,
}

/// How the server is started that is reached through pipes.
const STDIO_SERVER: [&str; 4] = ["upstream", "--stdio", "--tools", "10"];

/// The words in which ways are called.
pub(super) const DIRECT: &str = "direct";
pub(super) const NGINX: &str = "nginx";
/// What follows the name of a gateway that shows all that it can.
pub(super) const OBSERVED: &str = ", all on";

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
        let mut backends: Vec<Backend> = servers.iter().map(Server::backend).collect();
        backends.push(Backend::stdio(STDIO, &env::current_exe()?, &STDIO_SERVER));
        let collector = Server::start("collector", &[])?;
        let start = |named: &Named| {
            let serve = |shows| Gateway::serve(&named.path, shows, &backends);
            Ok(Subject {
                name: named.name.clone(),
                quiet: serve(Shows::Warnings)?,
                logged: serve(Shows::Lines)?,
                observed: serve(Shows::Everything {
                    collector: collector.port,
                })?,
            })
        };
        Ok(Self {
            nginx: Nginx::start(&relays)?,
            gateways: gateways.iter().map(start).collect::<io::Result<_>>()?,
            servers,
            _collector: collector,
        })
    }

    /// The ways that a load takes: direct, through nginx where it is installed, through each gateway.
    pub(super) fn ways(&self, load: Load) -> io::Result<Vec<Way>> {
        let path = format!("/mcp/{}", load.backend());
        let mut ways = if load.backend() == STDIO {
            vec![pipes(load)?]
        } else {
            self.yardsticks(load, &path)?
        };
        let path = match load.door() {
            Door::Transparent => &path,
            Door::Aggregate => "/mcp",
        };
        for (name, gateway) in self.gateways.iter().flat_map(|subject| subject.under(load)) {
            let whose = (&*name, gateway.account());
            let body = load.gateway_request();
            ways.push(sockets(load, whose, (gateway.address, path), &body)?);
        }
        Ok(ways)
    }

    fn yardsticks(&self, load: Load, path: &str) -> io::Result<Vec<Way>> {
        let server = self
            .servers
            .iter()
            .find(|server| server.name == load.backend());
        let server = server.ok_or(io::ErrorKind::NotFound)?;
        let direct = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port));
        let (body, account) = (load.request(), server.process.account());
        let mut ways = vec![sockets(load, (DIRECT, account), (direct, "/mcp"), &body)?];
        if let Some(nginx) = &self.nginx {
            let address = if load.is_logged() {
                nginx.logged
            } else {
                nginx.quiet
            };
            ways.push(sockets(
                load,
                (NGINX, nginx.account()),
                (address, path),
                &body,
            )?);
        }
        Ok(ways)
    }
}

impl Subject {
    /// Those of its runs that take a load, and how they are called.
    fn under(&self, load: Load) -> Vec<(String, &Gateway)> {
        let name = self.name.clone();
        if load.is_observed() {
            let observed = format!("{name}{OBSERVED}");
            return vec![(name, &self.quiet), (observed, &self.observed)];
        }
        let is_logged = load.is_logged();
        vec![(name, if is_logged { &self.logged } else { &self.quiet })]
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

fn sockets(
    load: Load,
    (name, account): (&str, Account),
    (address, path): (SocketAddr, &str),
    body: &str,
) -> io::Result<Way> {
    let session = open_session(address, path)?;
    let ask = Ask::new(post(path, address, &session, body))?;
    let lane = Lane::open(address, load.connections(), ask, Check::new(load.content()))?;
    Ok(Way {
        name: name.to_owned(),
        road: Road::Sockets(lane),
        account,
        _process: None,
        turns: Vec::new(),
    })
}

fn pipes(load: Load) -> io::Result<Way> {
    let (process, ends) = Process::upstream_over_pipes(&STDIO_SERVER)?;
    let ask = Ask::new(format!("{}\n", load.request()).into_bytes())?;
    let pipes = Pipes::new(ends, load.connections(), ask, Check::new(load.content()));
    Ok(Way {
        name: DIRECT.to_owned(),
        road: Road::Pipes(pipes),
        account: process.account(),
        _process: Some(process),
        turns: Vec::new(),
    })
}
