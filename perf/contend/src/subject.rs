//! One thing that is measured: what each thread does, again and again.

/// What one thread does: so many calls. It is made on that thread and may keep what is the thread's own.
pub(crate) type Calls = Box<dyn FnMut(u32)>;

/// Something that is measured under a name of its own.
pub(crate) struct Subject {
    pub(crate) group: Group,
    pub(crate) name: &'static str,
    work: Box<dyn Fn() -> Calls + Sync>,
    beside: Option<Box<dyn Fn() + Sync>>,
    most_threads: usize,
}

/// Subjects whose calls do the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Call,
    Breaker,
    Refusal,
    Record,
    BesideReader,
    Snapshot,
}

impl Group {
    pub(crate) const ALL: [Self; 6] = [
        Self::Call,
        Self::Breaker,
        Self::Refusal,
        Self::Record,
        Self::BesideReader,
        Self::Snapshot,
    ];

    /// What one call of this group does.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Call => "a call: ask the breaker, report a success, record a latency",
            Self::Breaker => "the breaker: ask, report a success",
            Self::Refusal => "the breaker: ask, open or closed",
            Self::Record => "one latency",
            Self::BesideReader => {
                "one latency; in the second column another thread takes snapshots without pause"
            }
            Self::Snapshot => "p50, p95 and p99 of what 16 threads have recorded",
        }
    }
}

/// What all threads share lives until the end of the program.
pub(crate) fn shared<S>(state: S) -> &'static S {
    Box::leak(Box::new(state))
}

impl Subject {
    /// Every thread makes `call`s on the same `state`, each told its number.
    pub(crate) fn on<S: Sync + 'static>(
        group: Group,
        name: &'static str,
        state: &'static S,
        call: impl Fn(&S, u64) + Copy + Sync + 'static,
    ) -> Self {
        Self::own(group, name, move || {
            let mut number = 0_u64;
            Box::new(move |calls| {
                for _ in 0..calls {
                    number += 1;
                    call(state, number);
                }
            })
        })
    }

    /// Every thread has its own calls.
    pub(crate) fn own(
        group: Group,
        name: &'static str,
        work: impl Fn() -> Calls + Sync + 'static,
    ) -> Self {
        Self {
            group,
            name,
            work: Box::new(work),
            beside: None,
            most_threads: usize::MAX,
        }
    }

    /// A second thread does this instead, without pause and untimed.
    pub(crate) fn beside(mut self, act: impl Fn() + Sync + 'static) -> Self {
        self.beside = Some(Box::new(act));
        self
    }

    /// Measured on one thread only.
    #[cfg(feature = "rivals")]
    pub(crate) const fn alone(mut self) -> Self {
        self.most_threads = 1;
        self
    }

    /// On how many threads at most it is measured.
    pub(crate) const fn most_threads(&self) -> usize {
        self.most_threads
    }

    /// What a thread does, made on that thread.
    pub(crate) fn calls(&self) -> Calls {
        (self.work)()
    }

    /// What the second thread does instead, if it does something else.
    pub(crate) fn other(&self) -> Option<&(dyn Fn() + Sync)> {
        self.beside.as_deref()
    }
}
