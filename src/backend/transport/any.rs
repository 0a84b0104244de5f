//! One face for all transports.

use std::{borrow::Cow, sync::Arc};

use tokio::time::Instant;

use super::{
    Outlet, ServerInfo, http::HttpTransport, provided::ProvidedTransport, stdio::StdioTransport,
    watched::Watched, wire,
};
use crate::{
    backend::{BackendSettings, CallError, EventSender, ParamHeader, Speaker, TransportSettings},
    protocol::{Edit, Era, Message},
    telemetry::{Carried, RequestId, Trace},
};

/// One attempt to have a request answered.
#[derive(Clone, Copy, Debug)]
pub(in crate::backend) struct Delivery<'a> {
    pub(in crate::backend) message: &'a Message,
    pub(in crate::backend) speaker: Speaker<'a>,
    pub(in crate::backend) param_headers: &'a [ParamHeader],
    /// Whose call it is.
    pub(in crate::backend) caller: &'a str,
    pub(in crate::backend) request_id: RequestId,
    /// The part of the trace that the attempt is in.
    pub(in crate::backend) trace: &'a Trace,
    /// What the backend is told of the trace.
    pub(in crate::backend) carried: Option<&'a Carried>,
    pub(in crate::backend) events: Option<&'a EventSender>,
    /// When the caller stops waiting: until then a child may be started or a session opened for it.
    pub(in crate::backend) deadline: Instant,
    /// The breaker tries out whether the backend is back: what is broken is repaired first.
    pub(in crate::backend) probe: bool,
}

impl<'a> Delivery<'a> {
    /// The message as a server of this era reads it, with what it is told of the trace.
    pub(super) fn in_era(&self, era: Era) -> Cow<'a, Message> {
        let message = self.spoken_in(era);
        match self.carried {
            None => message,
            Some(carried) => Cow::Owned(carried.put_into(&message)),
        }
    }

    /// The same without what it is told of the trace, where [`Delivery::led`] can put that in as the message is written.
    pub(super) fn before_lead(&self, era: Era) -> Cow<'a, Message> {
        let message = self.spoken_in(era);
        match self.carried {
            Some(carried) if !carried.can_lead(&message) => Cow::Owned(carried.put_into(&message)),
            _ => message,
        }
    }

    /// Puts in what it is told of the trace, where that is not in it yet.
    pub(super) fn led<'m>(&self, edit: Edit<'m>) -> Edit<'m> {
        match self.carried {
            Some(carried) => carried.lead(edit),
            None => edit,
        }
    }

    fn spoken_in(&self, era: Era) -> Cow<'a, Message> {
        match (era, self.speaker) {
            (Era::Legacy, Speaker::Legacy(_)) | (Era::Modern, Speaker::Modern) => {
                Cow::Borrowed(self.message)
            }
            (Era::Legacy, Speaker::Modern) => Cow::Owned(self.message.without_sender()),
            (Era::Modern, Speaker::Legacy(client)) => {
                Cow::Owned(self.message.with_sender(&wire::introduced(client)))
            }
        }
    }
}

/// A child process, an HTTP endpoint, or a part of this program.
#[derive(Clone, Debug)]
pub(in crate::backend) enum Transport {
    Stdio(StdioTransport),
    Http(HttpTransport),
    Provided(ProvidedTransport),
}

impl Transport {
    pub(in crate::backend) fn new(settings: &Arc<BackendSettings>, outlet: Outlet) -> Self {
        let backend = Arc::clone(settings);
        match &settings.transport {
            TransportSettings::Stdio(stdio) => {
                Self::Stdio(StdioTransport::new(backend, stdio.clone(), outlet))
            }
            TransportSettings::Http(http) => Self::Http(HttpTransport::new(backend, http, outlet)),
            TransportSettings::Provided(provider) => {
                Self::Provided(ProvidedTransport::new(Arc::clone(provider)))
            }
        }
    }

    /// The transport's name in `gateway_list_servers` and `/health`.
    pub(in crate::backend) fn name(&self) -> &'static str {
        match self {
            Self::Stdio(_) => "stdio",
            Self::Http(http) => http.name(),
            Self::Provided(provided) => provided.name(),
        }
    }

    /// Sends a request and waits for its answer. Dropping the future tells the backend that nobody waits any more.
    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        match self {
            Self::Stdio(stdio) => stdio.request(delivery).await,
            Self::Http(http) => http.request(delivery).await,
            Self::Provided(provided) => provided.request(delivery).await,
        }
    }

    /// Starts the child or opens the session that `delivery` needs, so that this does not count as the backend's time.
    pub(in crate::backend) async fn connect(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<(), CallError> {
        match self {
            Self::Stdio(stdio) => stdio.connect(delivery).await,
            Self::Http(http) => http.connect(delivery).await,
            Self::Provided(_) => Ok(()),
        }
    }

    pub(in crate::backend) async fn notify(&self, message: &Message) -> Result<(), CallError> {
        match self {
            Self::Stdio(stdio) => stdio.notify(message).await,
            Self::Http(http) => http.notify(message).await,
            Self::Provided(_) => Ok(()),
        }
    }

    /// What the backend said of itself, after connecting to it if need be.
    pub(in crate::backend) async fn info(&self) -> Result<Arc<ServerInfo>, CallError> {
        match self {
            Self::Stdio(stdio) => stdio.info().await,
            Self::Http(http) => http.info().await,
            Self::Provided(provided) => Ok(provided.info()),
        }
    }

    /// What a backend that speaks to modern clients says of itself.
    pub(in crate::backend) async fn modern_info(
        &self,
        deadline: Instant,
    ) -> Result<Option<Arc<ServerInfo>>, CallError> {
        match self {
            Self::Stdio(stdio) => {
                let info = stdio.info().await?;
                Ok((info.era == Era::Modern).then_some(info))
            }
            Self::Http(http) => http.modern_info(deadline).await,
            Self::Provided(_) => Ok(None),
        }
    }

    /// Whether everything comes on one stream.
    pub(in crate::backend) fn is_piped(&self) -> bool {
        match self {
            Self::Stdio(_) => true,
            Self::Http(http) => http.is_stream(),
            Self::Provided(_) => false,
        }
    }

    /// Whether it is known as modern, over HTTP.
    pub(in crate::backend) fn reads_headers(&self) -> bool {
        match self {
            Self::Stdio(_) | Self::Provided(_) => false,
            Self::Http(http) => http.is_modern(),
        }
    }

    /// Of a modern backend: tells changes of this resource from now on.
    pub(in crate::backend) async fn watch(&self, uri: &str) -> bool {
        match self.watched() {
            Some(watched) => watched.add(uri).await,
            None => false,
        }
    }

    /// The opposite.
    pub(in crate::backend) fn unwatch(&self, uri: &str) {
        if let Some(watched) = self.watched() {
            watched.remove(uri);
        }
    }

    fn watched(&self) -> Option<&Watched> {
        match self {
            Self::Stdio(stdio) => Some(stdio.watched()),
            Self::Http(http) => Some(http.watched()),
            Self::Provided(_) => None,
        }
    }

    /// Whether a child runs or a session is open.
    pub(in crate::backend) fn is_running(&self) -> bool {
        match self {
            Self::Stdio(stdio) => stdio.is_running(),
            Self::Http(http) => http.is_running(),
            Self::Provided(provided) => provided.is_running(),
        }
    }

    /// How often a child was started or a session opened again.
    pub(in crate::backend) fn restarts(&self) -> u64 {
        match self {
            Self::Stdio(stdio) => stdio.restarts(),
            Self::Http(http) => http.restarts(),
            Self::Provided(_) => 0,
        }
    }

    /// Why no start is tried until somebody mends something.
    pub(in crate::backend) fn permanent(&self) -> Option<Box<str>> {
        match self {
            Self::Stdio(stdio) => stdio.permanent(),
            Self::Http(_) | Self::Provided(_) => None,
        }
    }

    /// Ends the child or the session until the next call; returns when that is done or at `deadline`.
    pub(in crate::backend) async fn rest(&self, deadline: Instant) {
        match self {
            Self::Stdio(stdio) => stdio.rest(deadline).await,
            Self::Http(http) => http.rest(deadline).await,
            Self::Provided(_) => {}
        }
    }

    /// The same, and starts nothing until [`Transport::forgive`].
    pub(in crate::backend) async fn stop(&self, deadline: Instant) {
        match self {
            Self::Stdio(stdio) => stdio.gate().shut(),
            Self::Http(http) => http.gate().shut(),
            Self::Provided(provided) => provided.set_stopped(true),
        }
        self.rest(deadline).await;
    }

    /// Forgets a stop and earlier failures to start.
    pub(in crate::backend) fn forgive(&self) {
        match self {
            Self::Stdio(stdio) => stdio.forgive(),
            Self::Http(http) => http.gate().open(),
            Self::Provided(provided) => provided.set_stopped(false),
        }
    }
}
