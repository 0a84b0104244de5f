//! Which hosts and origins are ours: the wall against DNS rebinding and against other people's web pages.
//!
//! A page in a browser can be made to send requests to a loopback port, and a name it controls can be made to
//! resolve there. The browser then says the page's own name in `Host` and in `Origin`, and that gives it away
//! (MCP, Streamable HTTP, security warning).

use std::net::IpAddr;

use http::{
    HeaderMap, Request, Uri, Version, header,
    uri::{Authority, Scheme},
};

use super::settings::ServerSettings;
use crate::gateway::Refusal;

/// The hosts and origins that may be named.
#[derive(Debug)]
pub(super) struct Guard {
    bound: IpAddr,
    public: Option<Uri>,
}

impl Guard {
    pub(super) fn new(settings: &ServerSettings) -> Self {
        Self {
            bound: settings.host.to_canonical(),
            public: settings.public_url.clone(),
        }
    }

    /// The name under which clients reach the gateway, where a proxy stands before it.
    pub(super) const fn public(&self) -> Option<&Uri> {
        self.public.as_ref()
    }

    /// Refuses a request that was not meant for this gateway, or that a foreign page sent.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        self.check_host(request)?;
        for origin in request.headers().get_all(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or("unreadable");
            if !self.is_own_origin(origin) {
                return Err(Refusal::ForeignOrigin(origin.into()));
            }
        }
        Ok(())
    }

    fn check_host<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let target = request.uri().authority().map(Authority::as_str);
        let named = host_header(request.headers())?;
        if target.is_none() && named.is_none() && request.version() >= Version::HTTP_11 {
            return Err(Refusal::InvalidRequest(
                "The request names no host, so nothing was done. Send a `Host` header with the address of this gateway.".into(),
            ));
        }
        for authority in [target, named].into_iter().flatten() {
            if !split(authority).is_some_and(|(host, _)| self.is_own_host(host)) {
                return Err(Refusal::ForeignHost(authority.into()));
            }
        }
        Ok(())
    }

    /// Bound to every address of the machine, each address is ours; a name is ours only if it is configured, since
    /// only a name can be rebound.
    fn is_own_host(&self, host: &str) -> bool {
        let public = self.public.as_ref().and_then(Uri::host).map(bare);
        is_loopback(host)
            || public.is_some_and(|public| public.eq_ignore_ascii_case(host))
            || address(host).is_some_and(|ip| ip == self.bound || self.bound.is_unspecified())
    }

    fn is_own_origin(&self, origin: &str) -> bool {
        let Some((scheme, authority)) = origin.split_once("://") else {
            return false;
        };
        let Some((host, port)) = split(authority) else {
            return false;
        };
        let http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        (http && is_loopback(host)) || self.is_public(scheme, host, port)
    }

    fn is_public(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let Some(public) = &self.public else {
            return false;
        };
        let own_scheme = public.scheme().unwrap_or(&Scheme::HTTPS).as_str();
        let usual = |port: Option<u16>| port.or(Some(if own_scheme == "https" { 443 } else { 80 }));
        own_scheme.eq_ignore_ascii_case(scheme)
            && public
                .host()
                .is_some_and(|own| bare(own).eq_ignore_ascii_case(host))
            && usual(public.port_u16()) == usual(port)
    }
}

fn host_header(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut all = headers.get_all(header::HOST).iter();
    let first = all.next();
    if all.next().is_some() {
        return Err(Refusal::InvalidRequest(
            "The request names two hosts, so nothing was done. Send one `Host` header.".into(),
        ));
    }
    Ok(first.map(|host| host.to_str().unwrap_or("unreadable")))
}

/// `host`, `host:port`, `[v6]` or `[v6]:port` as host (without brackets) and port.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, rest) = match authority.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok()?)
        }
        None if rest.is_empty() => None,
        _ => return None,
    };
    (!host.is_empty()).then_some((host, port))
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|ip| ip.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use http::Request;

    use super::*;

    fn guard(host: [u8; 4], public: Option<&'static str>) -> Guard {
        Guard::new(&ServerSettings {
            host: IpAddr::V4(Ipv4Addr::from(host)),
            public_url: public.map(Uri::from_static),
            ..ServerSettings::default()
        })
    }

    fn ask(guard: &Guard, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = Request::builder().uri("/mcp");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(()).unwrap())
    }

    #[test]
    fn loopback_names_and_addresses_are_ours_on_any_port() {
        let guard = guard([127, 0, 0, 1], None);
        for host in [
            "localhost",
            "LocalHost:1",
            "127.0.0.1:39400",
            "127.8.0.1",
            "[::1]:80",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(ask(&guard, &[("host", host)]), Ok(()), "{host}");
        }
    }

    #[test]
    fn every_other_host_is_foreign() {
        let guard = guard([127, 0, 0, 1], None);
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:39400",
            "10.0.0.1",
            "[::2]",
            "",
            "localhost:http",
            "localhost@evil.example",
            "user@localhost",
            "[::1",
            "::1",
            "localhost:99999",
            "0.0.0.0",
        ] {
            assert_eq!(
                ask(&guard, &[("host", host)]),
                Err(Refusal::ForeignHost(host.into())),
                "{host}"
            );
        }
    }

    #[test]
    fn a_request_names_its_host_once() {
        let guard = guard([127, 0, 0, 1], None);
        assert!(matches!(ask(&guard, &[]), Err(Refusal::InvalidRequest(_))));
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert!(matches!(
            ask(&guard, &twice),
            Err(Refusal::InvalidRequest(_))
        ));
    }

    #[test]
    fn a_target_in_absolute_form_does_not_hide_a_foreign_host() {
        let guard = guard([127, 0, 0, 1], None);
        let head = |uri: &str, host: &str| {
            let request = Request::builder()
                .uri(uri)
                .header("host", host)
                .body(())
                .unwrap();
            guard.check(&request)
        };
        assert!(head("http://localhost/mcp", "localhost").is_ok());
        assert!(head("http://localhost/mcp", "evil.example").is_err());
        assert!(head("http://evil.example/mcp", "localhost").is_err());
    }

    #[test]
    fn the_bound_address_is_ours_and_bound_to_all_every_address_is_but_no_name() {
        let one = guard([192, 168, 1, 5], None);
        assert_eq!(ask(&one, &[("host", "192.168.1.5:39400")]), Ok(()));
        assert!(ask(&one, &[("host", "192.168.1.6:39400")]).is_err());
        let all = guard([0, 0, 0, 0], None);
        assert_eq!(ask(&all, &[("host", "192.168.1.6:39400")]), Ok(()));
        assert!(ask(&all, &[("host", "gateway:39400")]).is_err());
    }

    #[test]
    fn origins_are_loopback_or_the_public_one_exactly() {
        let guard = guard([127, 0, 0, 1], Some("https://mcp.example"));
        let origin = |origin| ask(&guard, &[("host", "mcp.example"), ("origin", origin)]);
        for own in [
            "http://localhost:5173",
            "https://127.0.0.1",
            "http://[::1]:1",
            "https://mcp.example",
            "https://MCP.example:443",
        ] {
            assert_eq!(origin(own), Ok(()), "{own}");
        }
        for foreign in [
            "null",
            "https://evil.example",
            "http://mcp.example",
            "https://mcp.example:8443",
            "file://localhost",
            "http://localhost.evil.example",
            "http://localhost/..evil",
            "",
        ] {
            assert_eq!(
                origin(foreign),
                Err(Refusal::ForeignOrigin(foreign.into())),
                "{foreign}"
            );
        }
    }

    #[test]
    fn one_foreign_origin_among_two_is_enough_to_refuse() {
        let guard = guard([127, 0, 0, 1], None);
        let two = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "https://evil.example"),
        ];
        assert!(ask(&guard, &two).is_err());
    }
}
