//! The one task that owns a child's pipes and its pending calls.
//!
//! Callers hand it orders and wait for their answer; because nobody else touches the map of pending calls, there is no lock.
//! It reads, writes and takes orders in one `select`, so a child that does not read cannot keep us from reading it.
//! Requests are bounded by the backend's queue. While more than [`HIGH_WATER`] bytes wait to be written, requests are held
//! back until their caller goes away, and whatever has no answer is dropped.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
    future::pending,
    sync::Arc,
    time::Duration,
};

use bytes::{Buf, BufMut, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::order::{Asked, Order, Orders};
use crate::{
    backend::{
        CallError, EventSender,
        transport::{Outlet, bound::Bound, listening, wire},
    },
    protocol::{Kind, LineDecoder, Malformed, Message},
};

/// Bytes waiting for the child beyond which no further message is queued for it.
const HIGH_WATER: usize = 1 << 20;
/// What is read from the child at once, in bytes.
const CHUNK: usize = 64 << 10;
/// After so much at once from the child, in bytes, other tasks have their turn: the runtime counts what a task reads, not
/// how long it works on it, and a child can say nothing a million times a second.
const TURN: usize = 16 << 10;
/// How long a child that takes no more input may take to end: it is known then why its calls fail. They fail without that later.
const DEATH: Duration = Duration::from_millis(500);

/// Why the pump stopped.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::backend::transport) enum Ended {
    /// Nobody gives orders any more.
    Dismissed,
    /// The child closed its stdout, or takes no more input and has nothing left to answer.
    ByChild,
}

struct Pending {
    asked: Asked,
    /// How many bytes had been queued for the child before this request.
    starts_at: u64,
}

impl Pending {
    /// A subscription, which stays open, is none.
    fn is_call(&self) -> bool {
        self.asked.message.method() != Some("subscriptions/listen")
    }
}

/// The state of the task.
pub(in crate::backend::transport) struct Pump {
    orders: Orders,
    outlet: Outlet,
    replies: mpsc::WeakUnboundedSender<Order>,
    bound: Arc<Bound>,
    lines: LineDecoder,
    outgoing: BytesMut,
    written: u64,
    pending: HashMap<u64, Pending>,
    /// Requests for which there is no room yet, oldest first.
    held: BTreeMap<u64, Asked>,
    /// The subscription that was acknowledged last: what is said in an earlier one is said in it too.
    subscription: u64,
    /// When calls that were not sent fail to a child that takes no more input.
    unsent_fail: Option<Instant>,
    /// Whether it has said anything on stdout that is no message.
    chatters: bool,
}

impl Pump {
    pub(in crate::backend::transport) fn new(
        orders: Orders,
        (outlet, replies): (Outlet, mpsc::WeakUnboundedSender<Order>),
        bound: Arc<Bound>,
    ) -> Self {
        Self {
            orders,
            outlet,
            replies,
            lines: bound.lines(),
            bound,
            outgoing: BytesMut::new(),
            written: 0,
            pending: HashMap::new(),
            held: BTreeMap::new(),
            subscription: 0,
            unsent_fail: None,
            chatters: false,
        }
    }

    /// Runs until the child ends or nobody gives orders any more. Pending calls stay for [`Pump::fail_all`].
    pub(in crate::backend::transport) async fn run(
        &mut self,
        stdout: &mut (impl AsyncRead + Unpin),
        stdin: &mut (impl AsyncWrite + Unpin),
    ) -> Ended {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        loop {
            tokio::select! {
                order = self.orders.taken.recv() => match order {
                    Some(Order::Stop) | None => return Ended::Dismissed,
                    Some(order) => self.take(order),
                },
                read = stdout.read_buf(&mut chunk) => match read {
                    Ok(count @ 1..) => {
                        self.hear(&mut chunk);
                        if count >= TURN {
                            yield_now().await;
                        }
                    }
                    Ok(0) | Err(_) => return Ended::ByChild,
                },
                sent = stdin.write_buf(&mut self.outgoing), if !self.outgoing.is_empty() => match sent {
                    Ok(count) => self.wrote(count),
                    Err(_) => self.deafen(),
                },
                () = at(self.unsent_fail) => self.give_up_unsent(),
            }
            if self.is_deaf() && self.unsent_fail.is_none() && self.pending.is_empty() {
                return Ended::ByChild;
            }
        }
    }

    /// Ends every call with what happened to the child: `reason` for those it may have read, `unsent` for those it surely
    /// has not.
    pub(in crate::backend::transport) fn fail_all(mut self, reason: &str, unsent: &CallError) {
        self.orders.taken.close();
        self.outlet.over();
        while let Ok(order) = self.orders.taken.try_recv() {
            if let Order::Request { asked, .. } = order {
                let _ = asked.answer.send(Err(unsent.clone()));
            }
        }
        self.fail_unsent(unsent);
        let reason: Box<str> = self.lines.finish().map_or_else(
            || reason.into(),
            |unfinished| format!("{unfinished}; {reason}").into(),
        );
        for pending in self.pending.into_values() {
            let _ = pending.asked.answer.send(Err(CallError::Lost {
                reason: reason.clone(),
            }));
        }
    }

    /// Ends the calls of which not one byte was written.
    fn fail_unsent(&mut self, unsent: &CallError) {
        let written = self.written;
        let waiting = self
            .pending
            .extract_if(|_, pending| pending.starts_at >= written)
            .map(|(_, pending)| pending.asked);
        for asked in waiting.chain(std::mem::take(&mut self.held).into_values()) {
            let _ = asked.answer.send(Err(unsent.clone()));
        }
    }

    fn wrote(&mut self, count: usize) {
        self.written += count as u64;
        while self.has_room()
            && let Some((serial, asked)) = self.held.pop_first()
        {
            self.ask(serial, asked);
        }
    }

    /// The child has closed its stdin, or died: nothing more is asked of it, and what it still says is read to its end.
    fn deafen(&mut self) {
        self.orders.deaf.set(1);
        self.outgoing.clear();
        self.unsent_fail = Some(Instant::now() + DEATH);
    }

    /// It lives on without its stdin.
    fn give_up_unsent(&mut self) {
        self.unsent_fail = None;
        self.fail_unsent(&self.orders.other_end.deaf());
    }

    fn is_deaf(&self) -> bool {
        self.orders.deaf.value() != 0
    }

    fn has_room(&self) -> bool {
        self.outgoing.len() < HIGH_WATER
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Request { asked, .. } if asked.answer.is_closed() => {}
            Order::Request { asked, .. } if self.is_deaf() && self.unsent_fail.is_none() => {
                let _ = asked.answer.send(Err(self.orders.other_end.deaf()));
            }
            Order::Request { serial, asked } if self.has_room() && !self.is_deaf() => {
                self.ask(serial, asked);
            }
            Order::Request { serial, asked } => {
                self.held.insert(serial, asked);
            }
            Order::Notify(message) => self.say_if_room(message.bytes()),
            Order::Stop => {}
            Order::Missed { what, id } => self.missed(&what, id.as_deref()),
            Order::Cancel { serial } => {
                if self.held.remove(&serial).is_none() && self.pending.remove(&serial).is_some() {
                    self.say(wire::cancelled(serial).bytes());
                }
            }
        }
    }

    fn ask(&mut self, serial: u64, asked: Asked) {
        let starts_at = self.written + self.outgoing.len() as u64;
        self.say(&wire::outgoing(&asked.message, &serial.to_string()).finish());
        self.pending.insert(serial, Pending { asked, starts_at });
    }

    /// Queues a message that nobody waits for.
    fn say_if_room(&mut self, message: &[u8]) {
        if self.has_room() {
            self.say(message);
        } else {
            tracing::debug!("A message was dropped: the backend does not take what it is sent");
        }
    }

    /// Queues one message as a line. A line break inside it can only be white space between JSON tokens.
    fn say(&mut self, message: &[u8]) {
        if self.is_deaf() {
            return;
        }
        self.outgoing.reserve(message.len() + 1);
        let mut rest = message;
        while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
            self.outgoing.put_slice(&rest[..at]);
            self.outgoing.put_u8(b' ');
            rest.advance(at + 1);
        }
        self.outgoing.put_slice(rest);
        self.outgoing.put_u8(b'\n');
    }

    fn hear(&mut self, chunk: &mut BytesMut) {
        self.lines.push(chunk);
        chunk.clear();
        while let Some(line) = self.lines.next() {
            match line {
                Ok(line) => match Message::parse(line.clone()) {
                    Ok(message) => self.dispatch(message),
                    // Many servers print a greeting on stdout, or their log, as text or as JSON.
                    Err(malformed) if is_chatter(&line, &malformed) => self.note_chatter(),
                    Err(malformed) => {
                        let what = malformed.fault().to_string();
                        if !self.garbled(&what, malformed.id()) {
                            tracing::debug!(what, "The backend wrote a line that is no message");
                        }
                    }
                },
                Err(too_long) => self.missed(&too_long, too_long.id.as_deref()),
            }
        }
    }

    /// Said once: a child that logs on stdout does so all the time.
    fn note_chatter(&mut self) {
        if !std::mem::replace(&mut self.chatters, true) {
            tracing::debug!(
                "the backend says things that are no JSON-RPC messages; they are skipped"
            );
        }
    }

    fn dispatch(&mut self, message: Message) {
        match message.kind() {
            Kind::Response => {
                let Some(pending) =
                    serial(message.id()).and_then(|serial| self.pending.remove(&serial))
                else {
                    tracing::debug!("The backend answered a call that nobody waits for");
                    return;
                };
                let _ = pending.asked.answer.send(Ok(message));
            }
            Kind::Request => self.asked(message),
            Kind::Notification => self.notice(message),
        }
    }

    /// A request belongs to the call in flight, if there is one alone whose client can be told of it. Nobody can say to which
    /// of several: then it belongs to none of them, so that none takes it along when it ends. The child is one client's own.
    fn asked(&mut self, request: Message) {
        let events = self.only_hearer();
        let replies = self.replies.clone();
        let reply = move |answer| {
            if let Some(orders) = replies.upgrade() {
                let _ = orders.send(Order::Notify(answer));
            }
        };
        if let Some(answer) = self.outlet.ask(events.as_ref(), request, reply) {
            self.say_if_room(answer.bytes());
        }
    }

    /// Progress belongs to the call whose token it bears; a log line belongs to the only call in flight, if it is one;
    /// everything else is for all who listen to this backend, or for its one client.
    fn notice(&mut self, message: Message) {
        let token = (message.method() == Some("notifications/progress"))
            .then(|| message.progress_token())
            .flatten();
        if let Some(token) = token {
            let Some(pending) = serial(Some(token)).and_then(|serial| self.pending.get(&serial))
            else {
                return;
            };
            let asked = &pending.asked;
            wire::forward(asked.events.as_ref(), &asked.message, &message);
            return;
        }
        if message.method() == Some("notifications/message")
            && let Some(events) = self
                .only_call()
                .and_then(|serial| self.pending.get(&serial)?.asked.events.as_ref())
            && events.put(message.clone())
        {
            return;
        }
        if let Some(subscription) = serial(listening::subscription_of(&message).as_deref())
            && self.is_told(subscription, &message)
        {
            return;
        }
        if let Some(notice) = listening::untagged(message) {
            self.outlet.say_during(self.hearers(), notice);
        }
    }

    /// Whether a message of a subscription is said in the next one too, or says that this is the next.
    fn is_told(&mut self, subscription: u64, message: &Message) -> bool {
        if message.method() != Some(listening::ACKNOWLEDGED) {
            return subscription < self.subscription;
        }
        self.subscription = self.subscription.max(subscription);
        let pending = self.pending.get(&subscription);
        if let Some(events) = pending.and_then(|pending| pending.asked.events.as_ref()) {
            let _ = events.put(message.clone());
        }
        true
    }

    fn only_hearer(&self) -> Option<EventSender> {
        let mut hearers = self.hearers();
        let (only, more) = (hearers.next(), hearers.next());
        only.filter(|_| more.is_none()).cloned()
    }

    /// Where the clients of the calls in flight hear of them.
    fn hearers(&self) -> impl Iterator<Item = &EventSender> {
        let calls = self.pending.values().filter(|pending| pending.is_call());
        calls.filter_map(|pending| pending.asked.events.as_ref())
    }

    /// The call in flight, if there is one alone.
    fn only_call(&self) -> Option<u64> {
        let mut calls = self.pending.iter().filter(|(_, pending)| pending.is_call());
        let (only, more) = (calls.next(), calls.next());
        only.filter(|_| more.is_none()).map(|(serial, _)| *serial)
    }

    /// Something that is too long to be heard: the call it belongs to is told, or everybody who reads the log.
    fn missed(&mut self, what: &impl Display, id: Option<&[u8]>) {
        if !self.garbled(&wire::too_long(what), id) {
            self.bound.lost(what);
        }
    }

    /// Something that is no message: the call it belongs to fails, if that can be told; a backend with one call in flight
    /// can only have meant that one. Whether there is such a call.
    fn garbled(&mut self, what: &str, id: Option<&[u8]>) -> bool {
        let Some(pending) = serial(id)
            .or_else(|| self.only_call())
            .and_then(|serial| self.pending.remove(&serial))
        else {
            return false;
        };
        let _ = pending.asked.answer.send(Err(CallError::protocol(what)));
        true
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

fn serial(id: Option<&[u8]>) -> Option<u64> {
    std::str::from_utf8(id?).ok()?.parse().ok()
}

/// Whether a line that is no message was not meant as one either.
fn is_chatter(line: &[u8], malformed: &Malformed) -> bool {
    let is_object = line.trim_ascii_start().starts_with(b"{");
    !is_object || (!malformed.is_parse_error() && malformed.id().is_none())
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split},
        sync::broadcast,
        task::JoinHandle,
    };

    use super::*;
    use crate::backend::transport::stdio::{child::Child, other_end::OtherEnd};

    const MAX: usize = 1000;

    fn bound() -> Arc<Bound> {
        Arc::new(Bound::new("played", MAX))
    }

    fn unread() -> CallError {
        CallError::Unreachable {
            reason: "it died unread".into(),
            permanent: false,
            retry_after: None,
        }
    }

    /// The child's side of the pipes, played by the test.
    struct Played {
        child: Arc<Child>,
        hears: Lines<BufReader<ReadHalf<DuplexStream>>>,
        says: WriteHalf<DuplexStream>,
        notices: broadcast::Receiver<Message>,
        pump: JoinHandle<Ended>,
    }

    fn play() -> Played {
        let (ours, theirs) = duplex(1 << 16);
        let (child, orders) = Child::new(OtherEnd::Process);
        let (notices, listener) = broadcast::channel(8);
        let outlet = (Outlet::Everybody(notices), child.replies());
        let pump = tokio::spawn(async move {
            let (mut stdout, mut stdin) = split(ours);
            let mut pump = Pump::new(orders, outlet, bound());
            let ended = pump.run(&mut stdout, &mut stdin).await;
            pump.fail_all("the child died of old age", &unread());
            ended
        });
        let (hears, says) = split(theirs);
        let hears = BufReader::new(hears).lines();
        Played {
            child: Arc::new(child),
            hears,
            says,
            notices: listener,
            pump,
        }
    }

    impl Played {
        fn call(&self, id: &str, params: &str) -> JoinHandle<Result<Message, CallError>> {
            let (child, message) = (
                Arc::clone(&self.child),
                Message::request(id.as_bytes(), "tools/call", Some(params.as_bytes())),
            );
            tokio::spawn(async move { child.request(&message, None).await })
        }

        async fn hear(&mut self) -> String {
            self.hears.next_line().await.unwrap().unwrap()
        }

        async fn say(&mut self, line: &[u8]) {
            self.says.write_all(line).await.unwrap();
            self.says.write_all(b"\n").await.unwrap();
        }
    }

    #[tokio::test]
    async fn answers_find_their_callers_in_any_order() {
        let mut played = play();
        let first = played.call("7", r#"{"name":"a"}"#);
        let one = played.hear().await;
        let second = played.call("7", r#"{"name":"b"}"#);
        let two = played.hear().await;
        assert!(one.contains(r#""name":"a""#) && two.contains(r#""name":"b""#));
        let id = |line: &str| {
            Message::parse(line.to_owned().into())
                .unwrap()
                .id()
                .map(<[u8]>::to_vec)
                .unwrap()
        };
        let answer = |line: &str, text: &str| Message::response(&id(line), text.as_bytes());
        played.say(answer(&two, r#""for b""#).bytes()).await;
        played.say(answer(&one, r#""for a""#).bytes()).await;
        assert_eq!(
            second.await.unwrap().unwrap().result().unwrap(),
            r#""for b""#
        );
        assert_eq!(
            first.await.unwrap().unwrap().result().unwrap(),
            r#""for a""#
        );
    }

    #[tokio::test]
    async fn a_request_of_the_child_with_a_pending_id_answers_no_call() {
        let mut played = play();
        let call = played.call("1", "{}");
        let heard = played.hear().await;
        let serial = Message::parse(heard.into())
            .unwrap()
            .id()
            .map(<[u8]>::to_vec)
            .unwrap();
        played
            .say(Message::request(&serial, "ping", None).bytes())
            .await;
        assert_eq!(
            played.hear().await.as_bytes(),
            Message::response(&serial, b"{}").bytes()
        );
        played
            .say(Message::request(&serial, "sampling/createMessage", None).bytes())
            .await;
        assert!(played.hear().await.contains("-32601"));
        assert!(!call.is_finished());
        played.say(Message::response(&serial, b"{}").bytes()).await;
        assert!(call.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_message_that_breaks_off_is_told_to_who_waits_for_it() {
        let mut played = play();
        let call = played.call("1", "{}");
        played.hear().await;
        played.says.write_all(br#"{"jsonrpc":"#).await.unwrap();
        played.says.shutdown().await.unwrap();
        let reason = "the output ended inside a message, 11 bytes after its start; the child died of old age";
        assert_eq!(
            call.await.unwrap().unwrap_err(),
            CallError::Lost {
                reason: reason.into()
            }
        );
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_is_told_to_the_child() {
        let mut played = play();
        let call = played.call("1", "{}");
        let heard = played.hear().await;
        let serial = Message::parse(heard.into())
            .unwrap()
            .id()
            .map(<[u8]>::to_vec)
            .unwrap();
        call.abort();
        let told = Message::parse(played.hear().await.into()).unwrap();
        assert_eq!(told.method(), Some("notifications/cancelled"));
        assert_eq!(told.cancelled_id(), Some(&*serial));
    }

    #[tokio::test]
    async fn the_end_of_the_child_fails_every_pending_call_at_once() {
        let mut played = play();
        let calls = [played.call("1", "{}"), played.call("2", "{}")];
        played.hear().await;
        played.hear().await;
        drop((played.says, played.hears));
        for call in calls {
            let reason = "the child died of old age".into();
            assert_eq!(call.await.unwrap().unwrap_err(), CallError::Lost { reason });
        }
        assert_eq!(played.pump.await.unwrap(), Ended::ByChild);
        assert!(!played.child.is_alive());
    }

    #[tokio::test]
    async fn an_overlong_line_fails_the_only_call_and_nothing_else() {
        let mut played = play();
        let call = played.call("1", "{}");
        played.hear().await;
        played.say(&[b'x'; MAX * 3]).await;
        assert!(matches!(
            call.await.unwrap(),
            Err(CallError::Protocol { .. })
        ));
        played
            .say(Message::notification("notifications/tools/list_changed", None).bytes())
            .await;
        let notice = played.notices.recv().await.unwrap();
        assert_eq!(notice.method(), Some("notifications/tools/list_changed"));
    }

    #[tokio::test]
    async fn line_breaks_between_tokens_do_not_break_the_framing() {
        let mut played = play();
        let _call = played.call("1", "{\r\n  \"name\": \"a\\n\"\n}");
        assert!(played.hear().await.ends_with(r#"{    "name": "a\n" }}"#));
    }

    #[tokio::test]
    async fn a_child_that_does_not_read_can_be_stopped_and_holds_no_call_that_was_given_up() {
        let mut played = play();
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(HIGH_WATER));
        let mut read_in_part = played.call("1", &long);
        let mut first = [0];
        played.hears.get_mut().read_exact(&mut first).await.unwrap();
        let given_up = played.call("2", &long);
        let waits = played.call("3", "{}");
        given_up.abort();
        assert!(given_up.await.unwrap_err().is_cancelled());
        played.child.stop();
        assert_eq!(played.pump.await.unwrap(), Ended::Dismissed);
        let lost = (&mut read_in_part).await.unwrap().unwrap_err();
        assert!(matches!(lost, CallError::Lost { .. }));
        assert_eq!(waits.await.unwrap().unwrap_err(), unread());
    }

    #[tokio::test]
    async fn requests_that_were_held_back_are_sent_in_order_once_the_child_reads() {
        let mut played = play();
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(HIGH_WATER));
        let _calls = ["1", "2", "3"].map(|id| played.call(id, &long));
        for serial in 1_000_000_001..=1_000_000_003_u64 {
            let heard = Message::parse(played.hear().await.into()).unwrap();
            assert_eq!(heard.id(), Some(serial.to_string().as_bytes()));
        }
    }

    #[tokio::test]
    async fn a_child_that_asks_without_listening_is_not_answered_without_bound() {
        let (child, orders) = Child::new(OtherEnd::Process);
        let (notices, _) = broadcast::channel(1);
        let outlet = (Outlet::Everybody(notices), child.replies());
        let mut pump = Pump::new(orders, outlet, bound());
        let ping = Message::request(b"1", "ping", None);
        for _ in 0..HIGH_WATER / 10 {
            pump.dispatch(ping.clone());
        }
        assert!(pump.outgoing.len() < HIGH_WATER + MAX);
    }

    #[tokio::test]
    async fn a_child_that_closed_its_stdin_answers_what_it_has_read_and_is_replaced() {
        let (child, orders) = Child::new(OtherEnd::Process);
        let (notices, _) = broadcast::channel(1);
        let outlet = (Outlet::Everybody(notices), child.replies());
        let (mut stdout, mut says) = duplex(1 << 16);
        let (mut stdin, hears) = duplex(1 << 16);
        let pump = tokio::spawn(async move {
            let mut pump = Pump::new(orders, outlet, bound());
            let ended = pump.run(&mut stdout, &mut stdin).await;
            pump.fail_all("the child died of old age", &unread());
            ended
        });
        let child = Arc::new(child);
        let call = || {
            let child = Arc::clone(&child);
            let message = Message::request(b"1", "tools/call", None);
            tokio::spawn(async move { child.request(&message, None).await })
        };
        let read = call();
        let mut hears = BufReader::new(hears).lines();
        hears.next_line().await.unwrap();
        drop(hears);
        assert_eq!(call().await.unwrap().unwrap_err(), OtherEnd::Process.deaf());
        assert!(!child.is_alive());
        let answer = Message::response(b"1000000001", b"{}");
        says.write_all(answer.bytes()).await.unwrap();
        says.write_all(b"\n").await.unwrap();
        assert!(read.await.unwrap().is_ok());
        assert_eq!(pump.await.unwrap(), Ended::ByChild);
    }

    #[tokio::test]
    async fn what_a_child_logs_as_json_on_its_stdout_fails_no_call() {
        let mut played = play();
        let call = played.call("1", "{}");
        played.hear().await;
        played.say(br#"{"level":30,"msg":"listening"}"#).await;
        played
            .say(Message::response(b"1000000001", b"{}").bytes())
            .await;
        assert!(call.await.unwrap().is_ok());
    }
}
