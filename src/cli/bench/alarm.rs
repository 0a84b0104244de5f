//! A moment to be woken at, to the microsecond: the runtime's own timers are of whole milliseconds.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::{Interest, unix::AsyncFd};

/// An alarm clock for one task.
#[derive(Debug)]
pub(super) struct Alarm(AsyncFd<OwnedFd>);

impl Alarm {
    #[expect(
        deprecated,
        reason = "what takes its place can only be called where `unsafe` may be written, and an owned descriptor stays open as long as it is watched"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        AsyncFd::with_interest(timer, Interest::READABLE).map(Self)
    }

    /// Waits that long; a wait of nothing is over at once.
    pub(super) async fn sleep(&self, time: Duration) -> io::Result<()> {
        if time.is_zero() {
            return Ok(());
        }
        let alarm = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(time).map_err(io::Error::other)?,
        };
        timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &alarm)?;
        let rung = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut [0; 8])?);
        self.0.async_io(Interest::READABLE, rung).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Clock;

    #[tokio::test]
    async fn it_rings_after_its_time_and_not_before() {
        let (clock, alarm) = (Clock::new(), Alarm::new().unwrap());
        for time in [Duration::from_micros(300), Duration::from_millis(2)] {
            let before = clock.now();
            alarm.sleep(time).await.unwrap();
            assert!(clock.now().since(before) >= time);
        }
        alarm.sleep(Duration::ZERO).await.unwrap();
    }
}
