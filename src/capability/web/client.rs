//! One exchange with a provider: sent, followed where it is sent on to, and read until it is whole.

use std::{error::Error, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::{
    client::legacy::{self, Client},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{Instant, timeout_at};

use super::{PrivateNetworks, Resolve, WebFault, connect::Connector, redirect, resolve::System};

/// How often one call is sent on.
const REDIRECTS: usize = 5;
/// How long a connection waits for its next request.
const IDLE: std::time::Duration = std::time::Duration::from_secs(30);
/// How many connections to one host wait so.
const KEPT: usize = 32;

/// The client of all capabilities. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct Web(Arc<Client<Connector, Full<Bytes>>>);

/// Until when, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// When nobody waits for an answer any more.
    pub deadline: Instant,
    /// The longest body that is read, in bytes.
    pub most: usize,
}

/// A whole answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Who gave it, after all redirects.
    pub url: Uri,
}

impl Web {
    /// A client that calls what is public, and what else `networks` allows.
    #[must_use]
    pub fn new(networks: PrivateNetworks) -> Self {
        Self::with_resolver(networks, Box::new(System))
    }

    /// The same, with somebody else who knows the addresses of hosts.
    #[must_use]
    pub fn with_resolver(networks: PrivateNetworks, resolver: Box<dyn Resolve>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .build(Connector::new(networks, resolver));
        Self(Arc::new(client))
    }

    /// Sends `request` and reads its answer, whatever its status. Dropping the future ends the exchange.
    ///
    /// # Errors
    /// If there is no whole answer, or it is one that must not be followed or is too long.
    pub async fn exchange(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> Result<Reply, WebFault> {
        let since = Instant::now();
        let went = timeout_at(limits.deadline, self.go(request, limits.most)).await;
        let after = || since.elapsed();
        went.unwrap_or_else(|_| Err(WebFault::TimedOut { after: after() }))
    }

    async fn go(&self, mut request: Request<Bytes>, most: usize) -> Result<Reply, WebFault> {
        for _ in 0..=REDIRECTS {
            let sent = request.clone().map(Full::new);
            let response = self.0.request(sent).await.map_err(|error| fault(&error))?;
            let (head, body) = response.into_parts();
            match redirect::next(&request, head.status, &head.headers) {
                Some(next) => request = next.map_err(WebFault::Astray)?,
                None => {
                    return Ok(Reply {
                        status: head.status,
                        headers: head.headers,
                        body: whole(body, most).await?,
                        url: request.uri().clone(),
                    });
                }
            }
        }
        Err(WebFault::Astray(
            format!("it sends on more than {REDIRECTS} times").into(),
        ))
    }
}

fn fault(error: &legacy::Error) -> WebFault {
    let cause = error.source();
    if let Some(fault) = cause.and_then(|cause| cause.downcast_ref::<WebFault>()) {
        return fault.clone();
    }
    let mut reason = error.to_string();
    let mut next = cause;
    while let Some(cause) = next {
        reason = cause.to_string();
        next = cause.source();
    }
    if error.is_connect() {
        WebFault::Unreachable(reason.into())
    } else {
        WebFault::Lost(reason.into())
    }
}

async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, WebFault> {
    let too_long = || WebFault::TooLong { most };
    let told = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if told > most {
        return Err(too_long());
    }
    let mut read = BytesMut::with_capacity(told);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| WebFault::Lost(error.to_string().into()))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if read.len() + data.len() > most {
            return Err(too_long());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        net::SocketAddr,
        sync::{Mutex, PoisonError},
        time::Duration,
    };

    use super::*;
    use crate::capability::web::{
        Resolving,
        played::{Api, answer},
    };

    const LIMITS_MOST: usize = 1_000;

    fn limits() -> Limits {
        Limits {
            deadline: Instant::now() + Duration::from_secs(10),
            most: LIMITS_MOST,
        }
    }

    fn get(url: &str) -> Request<Bytes> {
        Request::get(url).body(Bytes::new()).unwrap()
    }

    fn only(networks: &[&str]) -> PrivateNetworks {
        let each = networks.iter().map(|network| network.parse().unwrap());
        PrivateNetworks::Only(each.collect())
    }

    #[tokio::test]
    async fn an_address_in_any_spelling_is_looked_at_before_anything_is_sent() {
        let api = Api::start(|_| Some(answer(200, &[], "never"))).await;
        let web = Web::new(PrivateNetworks::Refused);
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "localhost",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "0.0.0.0",
        ] {
            let url = format!("http://{host}:{}/", api.port());
            let fault = web.exchange(get(&url), limits()).await.unwrap_err();
            assert!(
                matches!(fault, WebFault::Forbidden { .. }),
                "{host}: {fault}"
            );
        }
        assert!(api.asked().is_empty());
    }

    /// Says another address each time.
    #[derive(Debug)]
    struct Fickle(Mutex<VecDeque<&'static str>>);

    impl Resolve for Fickle {
        fn resolve(&self, _: Box<str>, port: u16) -> Resolving {
            let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let address = said.pop_front().unwrap().parse().unwrap();
            Box::pin(async move { Ok(vec![SocketAddr::new(address, port)]) })
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_is_looked_at_again_for_each_connection() {
        let closing = [("connection", "close")];
        let api = Api::start(move |_| Some(answer(200, &closing, "seen"))).await;
        let said = VecDeque::from(["127.0.0.1", "10.0.0.1", "169.254.169.254"]);
        let web = Web::with_resolver(only(&["127.0.0.1/32"]), Box::new(Fickle(said.into())));
        let url = format!("http://rebound.example:{}/", api.port());
        let reply = web.exchange(get(&url), limits()).await.unwrap();
        assert_eq!(reply.body, "seen");
        for what in ["private", "of a cloud's metadata service"] {
            let fault = web.exchange(get(&url), limits()).await.unwrap_err();
            let host = "rebound.example".into();
            assert_eq!(fault, WebFault::Forbidden { host, what });
        }
        assert_eq!(api.asked().len(), 1);
    }

    #[tokio::test]
    async fn a_redirect_is_looked_at_like_any_address() {
        let to = [("location", "http://169.254.169.254/latest/meta-data")];
        let api = Api::start(move |_| Some(answer(302, &to, ""))).await;
        let web = Web::new(only(&["127.0.0.0/8"]));
        let fault = web
            .exchange(get(&api.url("/")), limits())
            .await
            .unwrap_err();
        assert!(matches!(fault, WebFault::Forbidden { .. }), "{fault}");
    }

    #[tokio::test]
    async fn redirects_are_followed_and_have_an_end() {
        let api = Api::start(|asked| {
            let (status, to) = match asked.path() {
                "/a" => (302, "/b"),
                "/b" => return Some(answer(200, &[], "there")),
                _ => (302, "/round"),
            };
            Some(answer(status, &[("location", to)], ""))
        })
        .await;
        let web = Web::new(PrivateNetworks::Allowed);
        let reply = web.exchange(get(&api.url("/a")), limits()).await.unwrap();
        assert_eq!((&*reply.body, reply.url.path()), (&b"there"[..], "/b"));
        let fault = web.exchange(get(&api.url("/round")), limits()).await;
        assert!(matches!(fault, Err(WebFault::Astray(_))), "{fault:?}");
        assert_eq!(api.asked().len(), 2 + 1 + REDIRECTS);
    }

    #[tokio::test]
    async fn an_answer_is_read_up_to_its_limit() {
        let api = Api::start(|asked| {
            let length = asked.path()[1..].parse().unwrap();
            Some(answer(200, &[], &"x".repeat(length)))
        })
        .await;
        let web = Web::new(PrivateNetworks::Allowed);
        let reply = web.exchange(get(&api.url("/1000")), limits()).await;
        assert_eq!(reply.unwrap().body.len(), LIMITS_MOST);
        let fault = web.exchange(get(&api.url("/1001")), limits()).await;
        assert_eq!(fault.unwrap_err(), WebFault::TooLong { most: LIMITS_MOST });
    }

    #[tokio::test]
    async fn an_answer_of_unknown_length_is_cut_off_at_the_limit() {
        let chunk = format!("12c\r\n{}\r\n", "x".repeat(300));
        let endless = format!(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
            chunk.repeat(9)
        );
        let api = Api::start(move |_| Some(endless.clone())).await;
        let web = Web::new(PrivateNetworks::Allowed);
        let fault = web.exchange(get(&api.url("/")), limits()).await;
        assert_eq!(fault.unwrap_err(), WebFault::TooLong { most: LIMITS_MOST });
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_until_the_deadline() {
        let api = Api::start(|_| None).await;
        let web = Web::new(PrivateNetworks::Allowed);
        let limits = Limits {
            deadline: Instant::now() + Duration::from_millis(30),
            most: LIMITS_MOST,
        };
        let fault = web.exchange(get(&api.url("/?key=hunter2")), limits).await;
        let fault = fault.unwrap_err();
        assert!(matches!(fault, WebFault::TimedOut { .. }), "{fault}");
    }

    #[tokio::test]
    async fn faults_tell_what_was_sent_from_what_was_not_and_show_no_query() {
        let web = Web::new(PrivateNetworks::Allowed);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let url = format!("http://127.0.0.1:{port}/?key=hunter2");
        let fault = web.exchange(get(&url), limits()).await.unwrap_err();
        assert!(matches!(fault, WebFault::Unreachable(_)), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
        let api = Api::start(|_| Some("HTTP/1.1 2".to_owned())).await;
        let fault = web.exchange(get(&api.url("/?key=hunter2")), limits()).await;
        let fault = fault.unwrap_err();
        assert!(matches!(fault, WebFault::Lost(_)), "{fault}");
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
}
