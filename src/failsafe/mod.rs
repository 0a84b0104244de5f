//! The policy around a call, named and traced: breaker, health, retry, limits, and what an outcome means.
