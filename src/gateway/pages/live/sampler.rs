//! The task that looks: once a second while somebody watches, once in five seconds otherwise, once for all viewers.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Instant, sleep_until},
};

use super::{
    ask::Ask,
    bins::edges_us,
    calls::Calls,
    column::COLUMN_MS,
    look::Look,
    own::Own,
    picture::{About, Head, Picture},
    track::Track,
    view::{View, Viewer},
};
use crate::gateway::{Caller, ObjectiveReport, Refusal, facade::Gateway};

/// Those who may watch at once.
const MOST_VIEWERS: usize = 32;
/// How often somebody who watches is shown something, in milliseconds.
const WATCHED_MS: u64 = 1_000;
/// Backends that are looked at before others on this thread have their turn.
const AT_A_TIME: usize = 4;

pub(super) struct Sampler {
    gateway: Arc<Gateway>,
    tracks: BTreeMap<Arc<str>, Track>,
    calls: Calls,
    own: Own,
    viewers: Vec<Viewer>,
    /// When the last look was, on the clock.
    looked_ms: u64,
    /// The column of the last thorough look.
    thorough: u64,
}

impl Sampler {
    pub(super) fn new(gateway: Arc<Gateway>) -> Self {
        Self {
            looked_ms: gateway.clock.now().millis(),
            gateway,
            tracks: BTreeMap::new(),
            calls: Calls::default(),
            own: Own::default(),
            viewers: Vec::new(),
            thorough: 0,
        }
    }

    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        loop {
            let next = self.next_look();
            tokio::select! {
                ask = asked.recv() => match ask {
                    Some(ask) => self.answer(ask).await,
                    None => return,
                },
                () = sleep_until(next) => self.show().await,
            }
        }
    }

    /// Whole seconds of the wall, so that looks and columns begin together.
    fn next_look(&mut self) -> Instant {
        self.viewers.retain(|viewer| !viewer.is_gone());
        let every = match self.viewers.is_empty() {
            true => COLUMN_MS,
            false => WATCHED_MS,
        };
        Instant::now() + Duration::from_millis(every - self.at_ms() % every)
    }

    fn at_ms(&self) -> u64 {
        let clock = &self.gateway.clock;
        clock.epoch_ms(clock.now().millis())
    }

    async fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::View(caller, answer) => {
                let view = self.begin(caller).await;
                let _ = answer.send(view);
            }
            Ask::Tools(name, answer) => {
                let _ = answer.send(self.tools(&name));
            }
        }
    }

    /// The tools of one backend, as of now.
    fn tools(&mut self, name: &str) -> String {
        let look = Look {
            is_thorough: true,
            ..self.moment(self.looked_ms)
        };
        let track = self.tracks.get_mut(name);
        track.map_or_else(|| "{}".to_owned(), |track| track.tools_now(look))
    }

    /// One more watches. What it sees first is of now, and what the others have seen does not change by that.
    async fn begin(&mut self, caller: Arc<Caller>) -> Result<View, Refusal> {
        if self.viewers.len() >= MOST_VIEWERS {
            return Err(Refusal::TooManyViewers(MOST_VIEWERS));
        }
        self.show().await;
        let (viewer, view) = Viewer::new(caller);
        viewer.begin(&self.everything().await);
        self.viewers.push(viewer);
        Ok(view)
    }

    /// Looks, and shows what is new.
    async fn show(&mut self) {
        let (is_another, picture) = self.look().await;
        if self.viewers.is_empty() {
            return;
        }
        if is_another {
            let everything = self.everything().await;
            self.viewers.retain(|viewer| viewer.begin(&everything));
            return;
        }
        let whole: Bytes = picture.whole();
        self.viewers.retain(|viewer| viewer.show(&picture, &whole));
    }

    /// What is new, and whether other backends are there than before.
    async fn look(&mut self) -> (bool, Picture) {
        let gateway = Arc::clone(&self.gateway);
        let is_another = self.take_over(&gateway);
        let before_ms = self.looked_ms;
        let look = self.moment(before_ms);
        self.looked_ms = look.now_ms;
        self.thorough = look.at_ms / COLUMN_MS;
        self.own.look(&gateway, look);
        if look.is_thorough {
            self.hold_to(gateway.objectives());
        }
        let mut picture = Picture {
            head: self.head("frame"),
            ..Picture::default()
        };
        for (place, (name, track)) in self.tracks.iter_mut().enumerate() {
            let (moved, news) = track.look(look, &gateway.clock);
            if let Some(news) = news {
                picture.backends.push((Arc::clone(name), news.into()));
            }
            if moved {
                let calls = self.calls.look(track, look, &gateway.clock);
                let calls = calls.into_iter().map(|call| (call.backend, call.json));
                picture.calls.extend(calls);
            }
            if place % AT_A_TIME == AT_A_TIME - 1 {
                yield_now().await;
            }
        }
        (is_another, picture)
    }

    /// Gives each backend how its objectives stand.
    fn hold_to(&mut self, objectives: Vec<ObjectiveReport>) {
        self.tracks.values_mut().for_each(Track::begin_objectives);
        for objective in objectives {
            if let Some(track) = self.tracks.get_mut(&*objective.backend) {
                track.add_objective(objective);
            }
        }
    }

    fn moment(&self, before_ms: u64) -> Look {
        let now_ms = self.gateway.clock.now().millis();
        let at_ms = self.gateway.clock.epoch_ms(now_ms);
        Look {
            now_ms,
            at_ms,
            before_ms,
            is_thorough: at_ms / COLUMN_MS != self.thorough,
        }
    }

    /// Follows the table: what goes is forgotten, what comes begins, what takes another's place goes on with its past.
    fn take_over(&mut self, gateway: &Gateway) -> bool {
        let table = gateway.table();
        let is_known = |member: &Arc<crate::gateway::member::Member>| {
            let track = self.tracks.get(member.name());
            track.is_some_and(|track| Arc::ptr_eq(track.member(), member))
        };
        let members = table.members();
        if members.len() == self.tracks.len() && members.iter().all(is_known) {
            return false;
        }
        let mut earlier = std::mem::take(&mut self.tracks);
        for member in members {
            let name: Arc<str> = member.name().into();
            let track = match earlier.remove(&name) {
                Some(track) => track.succeeded_by(member),
                None => Track::new(member),
            };
            self.tracks.insert(name, track);
        }
        true
    }

    fn head(&self, kind: &'static str) -> Head {
        let at = self.at_ms();
        Head {
            kind,
            at,
            column_ms: COLUMN_MS,
            column: at.saturating_sub(500) / COLUMN_MS,
            sessions: self.gateway.sessions.count(),
            viewers: self.viewers.len(),
            own: self.own.shown(),
            about: None,
        }
    }

    async fn everything(&self) -> Picture {
        let clock = &self.gateway.clock;
        let mut head = self.head("hello");
        head.about = Some(About {
            version: env!("CARGO_PKG_VERSION"),
            started: clock.epoch_ms(0),
            edges_us: edges_us(),
        });
        let mut backends = Vec::with_capacity(self.tracks.len());
        for (place, (name, track)) in self.tracks.iter().enumerate() {
            backends.push((Arc::clone(name), track.whole(clock).into()));
            if place % AT_A_TIME == AT_A_TIME - 1 {
                yield_now().await;
            }
        }
        let calls = self.calls.all();
        let calls = calls.map(|call| (Arc::clone(&call.backend), Arc::clone(&call.json)));
        Picture {
            head,
            backends,
            calls: calls.collect(),
        }
    }
}
