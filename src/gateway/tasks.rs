//! Tasks of revision 2025-11-25 (basic/utilities/tasks): where their requests go, and whose tasks are listed.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use serde_json::value::to_raw_value;

use super::{
    facade::Gateway,
    member::Member,
    replies::Refusal,
    request::{Request, Speaks},
    transparent::finished,
};
use crate::protocol::{Era, Message, RawObject};

/// What the methods begin with.
pub(super) const METHODS: &str = "tasks/";
const LIST: &str = "tasks/list";

impl Gateway {
    /// A request about tasks at one backend. Those of the other era are other ones, and cannot be made into these.
    pub(super) async fn about_tasks(
        self: &Arc<Self>,
        member: &Arc<Member>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        if matches!(request.speaker, Speaks::Legacy) {
            match member.backend().server_info(request.deadline).await {
                Ok(info) if info.era == Era::Modern => return Err(other_tasks(request, member)),
                Ok(_) => {}
                Err(error) => return Ok(finished(request, member, Err(error))),
            }
            if request.message.method() == Some(LIST) && !self.is_alone(request, member).await {
                return Err(tasks_of_others(member));
            }
        }
        let message = request.message.clone();
        let answer = self.forward(request, member, message, false).await;
        Ok(finished(request, member, answer))
    }

    /// Whether the client has a session of the backend for itself.
    async fn is_alone(self: &Arc<Self>, request: &Request, member: &Arc<Member>) -> bool {
        request.can_be_asked() && Box::pin(self.own_line(request, member)).await.is_some()
    }
}

fn other_tasks(request: &Request, member: &Member) -> Refusal {
    let (method, name) = (request.message.method().unwrap_or_default(), member.name());
    Refusal::NoTasks(
        format!("Backend {name:?} speaks a revision whose tasks are other ones than those of {method:?}, so nothing was sent. Call its tools without `task`.").into(),
    )
}

fn tasks_of_others(member: &Member) -> Refusal {
    let name = member.name();
    Refusal::NoTasks(
        format!("Backend {name:?} would list the tasks of all clients that share this session with it, so nothing was sent. Ask for each task by its id, with tasks/get.").into(),
    )
}

/// What a backend says of itself, without that it lists tasks: to a client that shares a session with others.
pub(super) fn without_list(initialized: &Bytes) -> Option<Vec<u8>> {
    let mut whole = RawObject::parse(initialized)?;
    let mut capabilities: RawObject<'_> = whole.read("capabilities")?;
    let mut tasks: RawObject<'_> = capabilities.read("tasks")?;
    tasks.member("list")?;
    tasks.0.retain(|(name, _)| name != "list");
    let tasks = to_raw_value(&tasks).ok()?;
    capabilities.replace("tasks", &tasks);
    let capabilities = to_raw_value(&capabilities).ok()?;
    whole.replace("capabilities", &capabilities);
    serde_json::to_vec(&whole).ok()
}

/// A call as it goes on from `/mcp`, which has no tasks: what asks for one is ignored (as above, capability negotiation).
pub(super) fn without_task(call: Message) -> Message {
    let params = call.params().unwrap_or_default();
    if memchr::memmem::find(&params, b"\"task\"").is_none() {
        return call;
    }
    let mut params = RawObject::parse(&params).unwrap_or_default();
    let all = params.0.len();
    params.0.retain(|(name, _)| *name != Cow::Borrowed("task"));
    match (call.id(), call.method(), serde_json::to_vec(&params)) {
        (Some(id), Some(method), Ok(plain)) if params.0.len() < all => {
            Message::request(id, method, Some(&plain))
        }
        _ => call,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_asks_for_no_task_and_keeps_all_else() {
        let call = |params: &str| Message::request(b"1", "tools/call", Some(params.as_bytes()));
        let plain = |params| without_task(call(params)).params().unwrap();
        assert_eq!(
            plain(r#"{"name":"a","task":{"ttl":1},"arguments":{"task":1e400}}"#),
            r#"{"name":"a","arguments":{"task":1e400}}"#
        );
        let arguments = r#"{"name":"task", "arguments":{"task":1e400}}"#;
        assert_eq!(plain(arguments), arguments);
    }

    #[test]
    fn only_the_list_is_taken_from_what_a_backend_can() {
        let without = |text: &'static str| without_list(&Bytes::from_static(text.as_bytes()));
        let result = r#"{"capabilities":{"tasks":{"list":{},"cancel":{}},"tools":{}},"x":1.0}"#;
        assert_eq!(
            without(result).unwrap(),
            br#"{"capabilities":{"tasks":{"cancel":{}},"tools":{}},"x":1.0}"#
        );
        assert!(without(r#"{"capabilities":{"tasks":{"cancel":{}}}}"#).is_none());
    }
}
