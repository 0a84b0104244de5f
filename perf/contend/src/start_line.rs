//! Where threads wait for each other without going to sleep, so that all leave within nanoseconds.

use std::{
    hint,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// How often a thread looks before it lets another one have its core.
const PATIENCE: u32 = 2_000;

/// More meetings than there ever are.
const ALL: u32 = 1 << 30;

pub(crate) struct StartLine {
    threads: u32,
    arrived: AtomicU32,
}

impl StartLine {
    pub(crate) const fn new(threads: u32) -> Self {
        Self {
            threads,
            arrived: AtomicU32::new(0),
        }
    }

    /// Nobody waits for a thread that has ended, whether or not it came to every meeting.
    pub(crate) fn until_the_end(&self) -> impl Drop {
        Attendance(self)
    }

    /// Waits until every thread has come to the `meeting`th meeting, the first being 1.
    pub(crate) fn meet(&self, meeting: u32) {
        // AcqRel and Acquire: what each did before the meeting is done for all after it.
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut looks = 0_u32;
        while self.arrived.load(Ordering::Acquire) < meeting * self.threads {
            looks += 1;
            if looks.is_multiple_of(PATIENCE) {
                thread::yield_now();
            }
            hint::spin_loop();
        }
    }
}

struct Attendance<'a>(&'a StartLine);

impl Drop for Attendance<'_> {
    fn drop(&mut self) {
        // AcqRel: as in `meet`.
        self.0.arrived.fetch_add(ALL, Ordering::AcqRel);
    }
}
