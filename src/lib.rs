//! One endpoint in front of every tool an AI agent uses.
//!
//! Floors, from the top: a floor imports only floors below it, and `tests/floors.rs` holds this table.
//!
//! | floor | what it answers |
//! |---|---|
//! | `cli` | what a person types |
//! | `config` | what a person writes in a file |
//! | `server` | how bytes reach us |
//! | `gateway` | what we decide |
//! | `capability` | REST and GraphQL calls as tools |
//! | `backend` | how we call others |
//! | `failsafe` | the policy around a call, named and traced |
//! | `telemetry` | what is seen of a request: clock, request id, subscriber, secrets kept out |
//! | `protocol` | MCP as values, without I/O |
//! | `lockfree` | the hot path |

// The future of a connection holds all floors below it, which is deeper than what the compiler takes by itself.
#![recursion_limit = "256"]
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod backend;
pub mod capability;
pub mod cli;
pub mod config;
pub mod failsafe;
pub mod gateway;
pub mod lockfree;
pub mod protocol;
pub mod server;
pub mod telemetry;
