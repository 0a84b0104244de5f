//! The lock-free core under loom.
