//! tools/call on `/mcp`: a meta-tool, or a backend's tool by its public name or as `server:tool`.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;

use crate::gateway::{
    calls::Tool,
    catalogue::{Entry, Kind},
    facade::Gateway,
    member::Member,
    meta_tools::MetaTool,
    nearest::nearest,
    replies::Refusal,
    request::Request,
    tasks::without_task,
    transparent::finished_tool,
};

/// Where a public name leads.
type Target = (Arc<Member>, Box<str>, Option<Arc<Entry>>);

impl Gateway {
    pub(super) async fn call_tool(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        let name = request.message.name().ok_or_else(|| {
            Refusal::InvalidParams(
                "`tools/call` came without `params.name`, so nothing was called. Send the name of a tool from tools/list.".into(),
            )
        })?;
        if let Some(meta_tool) = MetaTool::named(&name) {
            return Ok(self.meta_tool_call(meta_tool, request).await);
        }
        let (member, own_name, entry) = self.target(request, &name).await?;
        request.caller.permit(member.name(), &own_name)?;
        let message = request.message.edit().name(&own_name).finish_message();
        let message = without_task(message);
        let tool = Tool {
            name: &own_name,
            entry: entry.as_ref(),
        };
        let answer = self.forward_tool(request, &member, message, tool).await;
        let answer = self.linked(request, &member, answer).await;
        Ok(finished_tool(request, &member, answer))
    }

    async fn target(self: &Arc<Self>, request: &Request, name: &str) -> Result<Target, Refusal> {
        if let Some(target) = self.listed(name) {
            return Ok(target);
        }
        let table = self.snapshot();
        if let Some((server, tool)) = name.split_once(':')
            && let Some(member) = table.find(server)
        {
            // If the list cannot be read, the call itself will say why.
            let entry = self
                .look_up_tool(request, member, tool, request.deadline)
                .await;
            return match entry {
                _ if !table.shows(server, tool) => Err(self.unknown_tool(request, name)),
                Ok(None) => Err(self.unknown_tool(request, name)),
                entry => Ok((Arc::clone(member), tool.into(), entry.unwrap_or_default())),
            };
        }
        self.freshen(&[Kind::Tools], &request.caller).await;
        self.listed(name)
            .ok_or_else(|| self.unknown_tool(request, name))
    }

    fn listed(&self, name: &str) -> Option<Target> {
        let directory = self.directory();
        let listed = directory.find(name)?;
        let entry = Arc::clone(&listed.entry);
        Some((Arc::clone(&listed.member), entry.key.clone(), Some(entry)))
    }

    fn unknown_tool(&self, request: &Request, name: &str) -> Refusal {
        let directory = self.directory();
        let meta = MetaTool::ALL.map(|tool| Cow::Borrowed(tool.name()));
        let public = directory
            .names()
            .filter(|(_, listed)| listed.is_for(&request.caller))
            .map(|(name, _)| Cow::Borrowed(name));
        let known: Vec<Cow<'_, str>> = meta.into_iter().chain(public).collect();
        Refusal::UnknownTool {
            name: name.into(),
            suggest: nearest(name, known.iter().map(AsRef::as_ref)).map(Into::into),
        }
    }
}
