//! resources/read on `/mcp`: the backend is the one that lists the URI, or has a template for it.

use std::sync::Arc;

use bytes::Bytes;

use crate::gateway::{
    catalogue::Kind, facade::Gateway, inbound::Caller, member::Member, replies::Refusal,
    request::Request, transparent::finished, uri_template::could_be,
};

impl Gateway {
    pub(super) async fn read_resource(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let member = self.backend_of_resource(request).await?;
        let message = request.message.clone();
        let answer = self.forward(request, &member, message, true).await;
        Ok(finished(request, &member, answer))
    }

    /// The backend of the resource that the request names.
    pub(super) async fn backend_of_resource(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Arc<Member>, Refusal> {
        let uri = request.message.uri().ok_or_else(|| {
            let method = request.message.method().unwrap_or_default();
            Refusal::InvalidParams(
                format!("`{method}` came without `params.uri`, so nothing was done. Send a URI from resources/list.").into(),
            )
        })?;
        self.backend_of(request, &uri).await
    }

    /// The backend that offers this URI, or a template that is written so.
    pub(in crate::gateway) async fn backend_of(
        self: &Arc<Self>,
        request: &Request,
        uri: &str,
    ) -> Result<Arc<Member>, Refusal> {
        if let Some(member) = self.offering(&request.caller, uri) {
            return Ok(member);
        }
        self.freshen(&[Kind::Resources, Kind::Templates], &request.caller)
            .await;
        self.offering(&request.caller, uri)
            .ok_or_else(|| Refusal::UnknownResource(uri.into()))
    }

    /// The same among what is known.
    pub(in crate::gateway) fn offering(&self, caller: &Caller, uri: &str) -> Option<Arc<Member>> {
        let lists = |member: &Arc<Member>, kind, fits: &dyn Fn(&str) -> bool| {
            let listing = member.catalogue().listing(kind);
            listing.is_some_and(|listing| listing.entries.iter().any(|entry| fits(&entry.key)))
        };
        let listed = |member: &&Arc<Member>| {
            let listing = member.catalogue().listing(Kind::Resources);
            listing.is_some_and(|listing| listing.find(uri).is_some())
        };
        let written = |member: &&Arc<Member>| {
            lists(member, Kind::Templates, &|template| {
                template == uri || could_be(template, uri)
            })
        };
        let table = self.table();
        let mut members = table.members_for(caller);
        members
            .find(listed)
            .or_else(|| table.members_for(caller).find(written))
            .cloned()
    }
}
