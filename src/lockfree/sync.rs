//! The only door to atomics, locks and thread-locals: the real ones, or loom's under `cfg(loom)`.

#[cfg(not(loom))]
pub(super) use self::real::{Atomic, Mutex, OnceLock, Ordering, per_process, per_thread};

#[cfg(loom)]
pub(super) use self::model::{Atomic, Mutex, OnceLock, Ordering, per_process, per_thread};

#[cfg(not(loom))]
mod real {
    pub(in crate::lockfree) use atomic::{Atomic, Ordering};
    pub(in crate::lockfree) use std::sync::{Mutex, OnceLock};

    /// A static that is made before anyone looks.
    macro_rules! per_process {
        ($name:ident: $kind:ty = $value:expr) => {
            static $name: $kind = $value;
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
    pub(in crate::lockfree) use loom::sync::atomic::Ordering;

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

    /// Loom runs one thread at a time and never switches inside `init`, so the real cell cannot block here.
    /// It tells loom of no ordering, which makes the models stricter than the machine.
    pub(in crate::lockfree) use std::sync::OnceLock;

    macro_rules! per_process {
        ($name:ident: $kind:ty = $value:expr) => {
            loom::lazy_static! { static ref $name: $kind = $value; }
        };
    }

    macro_rules! per_thread {
        ($name:ident: $kind:ty = $value:expr) => {
            loom::thread_local! { static $name: $kind = $value }
        };
    }

    pub(in crate::lockfree) use {per_process, per_thread};
}
