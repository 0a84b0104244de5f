//! Why the gateway cannot listen, each with its cure; and the check that no open door faces the network.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, TcpListener},
};

use super::settings::ServerSettings;

/// Why the gateway cannot listen. Its `Display` is one line that says what to do.
#[derive(Debug)]
pub enum BindError {
    /// The address is open to others and no key is asked for.
    Exposed(IpAddr),
    /// Authentication is on but there is no key that anybody could send.
    NoKey,
    /// Another program listens there.
    PortTaken(SocketAddr),
    /// The system does not let this user listen there.
    NotAllowed(SocketAddr),
    /// This machine has no such address.
    NoSuchAddress(SocketAddr),
    /// Another failure of the socket.
    Socket {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The token could not be made or written.
    Token(io::Error),
}

/// Binds the address of `settings`, unless that would leave an open door to the network.
pub(super) fn listen(settings: &ServerSettings) -> Result<TcpListener, BindError> {
    settings.check()?;
    let address = SocketAddr::new(settings.host, settings.port);
    let listener = TcpListener::bind(address).map_err(|error| BindError::of(address, error))?;
    listener
        .set_nonblocking(true)
        .map_err(|error| BindError::of(address, error))?;
    Ok(listener)
}

impl ServerSettings {
    /// Whether these settings leave no open door to the network, and no door that nobody can pass. Binds nothing.
    ///
    /// # Errors
    /// [`BindError::Exposed`] or [`BindError::NoKey`].
    pub fn check(&self) -> Result<(), BindError> {
        if !self.auth.enabled {
            let loopback = self.host.to_canonical().is_loopback();
            return if loopback {
                Ok(())
            } else {
                Err(BindError::Exposed(self.host))
            };
        }
        let some_key = self.auth.bearer_token.is_some() || !self.auth.api_keys.is_empty();
        if some_key {
            Ok(())
        } else {
            Err(BindError::NoKey)
        }
    }
}

impl BindError {
    pub(super) fn of(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::AddrInUse => Self::PortTaken(address),
            ErrorKind::PermissionDenied => Self::NotAllowed(address),
            ErrorKind::AddrNotAvailable => Self::NoSuchAddress(address),
            _ => Self::Socket { address, source },
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exposed(host) => write!(
                f,
                "{host} can be reached by others and `auth.enabled` is false: whoever finds the port could use every tool. \
                 Set `auth.enabled: true` with `auth.bearer_token: auto`, or listen on 127.0.0.1."
            ),
            Self::NoKey => f.write_str(
                "`auth.enabled` is true and there is no key: every request would be refused. \
                 Set `auth.bearer_token: auto`, or add a key to `auth.api_keys`.",
            ),
            Self::PortTaken(address) => write!(
                f,
                "{address} is taken: another program listens there, perhaps another mcp-gateway. \
                 Stop it, or choose another port with --port or `server.port`."
            ),
            Self::NotAllowed(address) => write!(
                f,
                "This user may not listen on {address}: ports below 1024 are usually kept for the system. \
                 Choose another port with --port or `server.port`."
            ),
            Self::NoSuchAddress(address) => write!(
                f,
                "This machine has no address {}, so nothing can listen there. \
                 Set --host or `server.host` to one it has, such as 127.0.0.1.",
                address.ip()
            ),
            Self::Socket { address, source } => write!(
                f,
                "Listening on {address} failed: {source}. The gateway is not running. \
                 Try another address with --host and --port."
            ),
            Self::Token(source) => write!(
                f,
                "The token of `auth.bearer_token: auto` could not be written: {source}. Without it nobody could get in. \
                 Make $XDG_STATE_HOME (or ~/.local/state) writable, or set a token of your own."
            ),
        }
    }
}

impl Error for BindError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Socket { source, .. } | Self::Token(source) => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{server::settings::BearerToken, telemetry::Secret};

    fn settings(host: [u8; 4], port: u16) -> ServerSettings {
        ServerSettings {
            host: IpAddr::V4(Ipv4Addr::from(host)),
            port,
            ..ServerSettings::default()
        }
    }

    #[test]
    fn an_address_that_others_reach_needs_a_key() {
        let mut open = settings([0, 0, 0, 0], 0);
        let refused = listen(&open).unwrap_err();
        assert!(matches!(refused, BindError::Exposed(_)));
        assert!(
            refused.to_string().contains("auth.enabled: true"),
            "{refused}"
        );
        open.auth.enabled = true;
        assert!(matches!(listen(&open), Err(BindError::NoKey)));
        open.auth.bearer_token = Some(BearerToken::Given(Secret::new("x")));
        assert!(listen(&open).is_ok());
    }

    #[test]
    fn a_taken_port_is_named() {
        let first = listen(&settings([127, 0, 0, 1], 0)).unwrap();
        let port = first.local_addr().unwrap().port();
        let refused = listen(&settings([127, 0, 0, 1], port)).unwrap_err();
        assert!(matches!(refused, BindError::PortTaken(_)));
        let text = refused.to_string();
        assert!(
            text.contains(&format!("127.0.0.1:{port}")) && text.contains("--port"),
            "{text}"
        );
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let mut other = settings([192, 0, 2, 1], 0);
        other.auth.enabled = true;
        other.auth.bearer_token = Some(BearerToken::Auto);
        assert!(matches!(listen(&other), Err(BindError::NoSuchAddress(_))));
    }
}
