//! The only door to atomics, locks and thread-locals: the real ones, or loom's under `cfg(loom)`.

#[cfg(not(loom))]
pub(super) use self::real::{Atomic, Mutex, OnceLock, Ordering, fence, per_process, per_thread};

#[cfg(loom)]
pub(super) use self::model::{Atomic, Mutex, OnceLock, Ordering, fence, per_process, per_thread};

#[cfg(not(loom))]
mod real {
    pub(in crate::lockfree) use atomic::{Atomic, Ordering, fence};
    pub(in crate::lockfree) use std::sync::{Mutex, OnceLock};

    /// A function that gives the one value of the process.
    macro_rules! per_process {
        ($name:ident: $kind:ty = $value:expr) => {
            fn $name() -> &'static $kind {
                static ONE: $kind = $value;
                &ONE
            }
        };
    }

    /// A thread-local that is made at its first use on each thread.
    macro_rules! per_thread {
        ($name:ident: $kind:ty = $value:expr) => {
            std::thread_local! { static $name: $kind = const { $value } }
        };
    }

    pub(in crate::lockfree) use {per_process, per_thread};
}

#[cfg(loom)]
mod model {
    use std::marker::PhantomData;

    use bytemuck::Pod;
    pub(in crate::lockfree) use loom::sync::Mutex;
    use loom::sync::atomic::AtomicBool;
    pub(in crate::lockfree) use loom::sync::atomic::{Ordering, fence};

    /// The face of `atomic::Atomic` on loom's `AtomicU64`.
    #[derive(Debug)]
    pub(in crate::lockfree) struct Atomic<T> {
        bits: loom::sync::atomic::AtomicU64,
        kind: PhantomData<T>,
    }

    impl<T: Pod + Default> Default for Atomic<T> {
        fn default() -> Self {
            Self::new(T::default())
        }
    }

    impl<T: Pod> Atomic<T> {
        pub(in crate::lockfree) fn new(value: T) -> Self {
            Self {
                bits: loom::sync::atomic::AtomicU64::new(bytemuck::cast(value)),
                kind: PhantomData,
            }
        }

        pub(in crate::lockfree) fn load(&self, order: Ordering) -> T {
            bytemuck::cast(self.bits.load(order))
        }

        pub(in crate::lockfree) fn store(&self, value: T, order: Ordering) {
            self.bits.store(bytemuck::cast(value), order);
        }

        pub(in crate::lockfree) fn swap(&self, value: T, order: Ordering) -> T {
            bytemuck::cast(self.bits.swap(bytemuck::cast(value), order))
        }

        pub(in crate::lockfree) fn compare_exchange_weak(
            &self,
            current: T,
            new: T,
            success: Ordering,
            failure: Ordering,
        ) -> Result<T, T> {
            self.bits
                .compare_exchange(
                    bytemuck::cast(current),
                    bytemuck::cast(new),
                    success,
                    failure,
                )
                .map(bytemuck::cast)
                .map_err(bytemuck::cast)
        }
    }

    impl Atomic<u64> {
        pub(in crate::lockfree) fn fetch_add(&self, value: u64, order: Ordering) -> u64 {
            self.bits.fetch_add(value, order)
        }

        pub(in crate::lockfree) fn fetch_sub(&self, value: u64, order: Ordering) -> u64 {
            self.bits.fetch_sub(value, order)
        }

        pub(in crate::lockfree) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
            self.bits.fetch_max(value, order)
        }
    }

    /// The face of `std::sync::OnceLock`, and its ordering: who gets the value sees what `init` wrote.
    #[derive(Debug)]
    pub(in crate::lockfree) struct OnceLock<T> {
        // Loom runs one thread at a time and never switches inside `init`, so the real cell does not block.
        value: std::sync::OnceLock<T>,
        made: AtomicBool,
        making: Mutex<()>,
    }

    impl<T> OnceLock<T> {
        pub(in crate::lockfree) fn new() -> Self {
            Self {
                value: std::sync::OnceLock::new(),
                made: AtomicBool::new(false),
                making: Mutex::new(()),
            }
        }

        pub(in crate::lockfree) fn get(&self) -> Option<&T> {
            // Acquire: pairs with the release in `get_or_init`.
            self.made
                .load(Ordering::Acquire)
                .then(|| self.value.get())?
        }

        pub(in crate::lockfree) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
            // Acquire: pairs with the release below.
            if self.made.load(Ordering::Acquire) {
                return self.value.get_or_init(init);
            }
            let _making = self.making.lock();
            let value = self.value.get_or_init(init);
            // Release: who sees `made` sees the value; who does not takes the lock.
            self.made.store(true, Ordering::Release);
            value
        }
    }

    /// One value per run of a model. It is leaked, because loom drops its statics before the locals of the last thread.
    macro_rules! per_process {
        ($name:ident: $kind:ty = $value:expr) => {
            fn $name() -> &'static $kind {
                loom::lazy_static! { static ref ONE: &'static $kind = Box::leak(Box::new($value)); }
                *ONE
            }
        };
    }

    macro_rules! per_thread {
        ($name:ident: $kind:ty = $value:expr) => {
            loom::thread_local! { static $name: $kind = $value }
        };
    }

    pub(in crate::lockfree) use {per_process, per_thread};
}
