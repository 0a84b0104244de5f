//! The one place that chooses the runtime; nothing else may assume which it is.

use std::{io, sync::mpsc, thread, time::Duration};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

use super::ended::Ended;

/// One single-threaded runtime per core: the thread that started the program runs the first, the others have threads of
/// their own.
///
/// A call that is served on one thread from its first byte to its last wakes no other thread: it makes the six system
/// calls that a proxy needs (wait, read and write, twice), where a work-stealing runtime makes ten and a half, 3.3 of them
/// to put threads to sleep and to wake them. With 16 connections that is a processor time per call of 1.7 times nginx's
/// against 2.2 times, all else the same (`cargo run --release -p perf -- compare` beside a build of either).
///
/// What it gives up: a connection stays on the core that it was given, so one large message delays the other connections
/// of that core, for as long as it takes to scan it, about a millisecond for each megabyte of what `max_body_size` and
/// `max_message_size` let in; and many callers of one child process wake the core of its pipes.
pub(super) struct Runtimes {
    first: Runtime,
    others: Vec<Worker>,
}

/// A runtime on a thread of its own.
struct Worker {
    handle: Handle,
    /// The thread ends when this is dropped.
    stop: oneshot::Sender<()>,
    /// Closed when the thread has ended.
    ended: mpsc::Receiver<()>,
}

impl Runtimes {
    /// Starts as many as there are cores for this process.
    pub(super) fn start() -> Result<Self, Ended> {
        Self::of(cores()).map_err(|error| failed(&error))
    }

    /// Starts one: for a single client, whose calls all begin and end on the same thread.
    pub(super) fn one() -> Result<Self, Ended> {
        Self::of(1).map_err(|error| failed(&error))
    }

    fn of(count: usize) -> io::Result<Self> {
        Ok(Self {
            first: single()?,
            others: (1..count).map(Worker::start).collect::<io::Result<_>>()?,
        })
    }

    /// All of them, the one of this thread first.
    pub(super) fn handles(&self) -> Vec<Handle> {
        let others = self.others.iter().map(|worker| &worker.handle);
        [self.first.handle()]
            .into_iter()
            .chain(others)
            .cloned()
            .collect()
    }

    /// Runs `future` on this thread, with everything that is spawned on the first runtime meanwhile.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.first.block_on(future)
    }

    /// Drops every task. A thread that is busy may keep the process from ending for as long as `patience`.
    pub(super) fn shutdown(self, patience: Duration) {
        let threads: Vec<_> = self
            .others
            .into_iter()
            .map(|Worker { stop, ended, .. }| {
                drop(stop);
                ended
            })
            .collect();
        self.first.shutdown_timeout(patience);
        for ended in threads {
            // Closed without a word when the thread has ended.
            let _ = ended.recv_timeout(patience);
        }
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = single()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (ending, ended) = mpsc::channel::<()>();
        thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                let _ending = ending;
                // Dropped without a word, which is what ends it.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            stop,
            ended,
        })
    }
}

fn failed(error: &io::Error) -> Ended {
    Ended::Failed(format!(
        "The worker threads cannot be started ({error}), so nothing can be served. Raise the limit of processes (see ulimit -u)."
    ))
}

fn single() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The cores that this process may use; one where that cannot be found out.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn each_runtime_has_one_thread_and_the_first_is_that_of_the_caller() {
        let runtimes = Runtimes::of(3).unwrap();
        let threads: Vec<_> = runtimes.block_on(async {
            let mut threads = Vec::new();
            for handle in runtimes.handles() {
                threads.push(
                    handle
                        .spawn(async { thread::current().id() })
                        .await
                        .unwrap(),
                );
            }
            threads
        });
        assert_eq!(threads[0], thread::current().id());
        assert_eq!(threads.iter().collect::<HashSet<_>>().len(), 3);
        runtimes.shutdown(PATIENCE);
    }

    #[test]
    fn a_task_that_panics_takes_nothing_else_with_it() {
        let runtimes = Runtimes::of(2).unwrap();
        runtimes.block_on(async {
            for handle in runtimes.handles() {
                let broken = handle.spawn(async { panic!("as it should") }).await;
                assert!(broken.is_err());
                assert_eq!(handle.spawn(async { 7 }).await.unwrap(), 7);
            }
        });
        runtimes.shutdown(PATIENCE);
    }

    #[test]
    fn a_shutdown_drops_the_tasks_of_every_runtime() {
        let runtimes = Runtimes::of(2).unwrap();
        let (held, watched) = mpsc::channel::<()>();
        for handle in runtimes.handles() {
            let held = held.clone();
            handle.spawn(async move {
                std::future::pending::<()>().await;
                drop(held);
            });
        }
        drop(held);
        runtimes.shutdown(PATIENCE);
        assert_eq!(
            watched.recv_timeout(PATIENCE),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
