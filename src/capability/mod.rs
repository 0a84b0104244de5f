//! REST, GraphQL and JSON-RPC calls as tools: what a capability is, and how it is called.
//! All capabilities together are one backend to the floors above, so a call of one is a call like any other.

mod answer;
#[cfg(test)]
mod answer_tests;
mod attempt;
mod cache;
#[cfg(test)]
mod cached_tests;
mod check;
mod credential;
mod definition;
mod executor;
#[cfg(test)]
mod executor_tests;
#[cfg(test)]
mod failing_tests;
mod failure;
mod guards;
pub mod openapi;
mod pages;
mod ready;
mod refusal;
mod render;
#[cfg(test)]
mod samples;
mod served;
mod settings;
mod tokens;
#[cfg(test)]
mod tokens_tests;
mod web;

pub use definition::{
    Auth, AuthKind, Body, CachePolicy, Definition, Endpoint, Fault, GraphqlCall, Hints,
    JsonRpcCall, Key, KeyError, KeyPlace, Metadata, Name, Origin, Parts, Piece, Provider,
    QueryParam, ResponseFormat, ResponseSpec, RestCall, Schema, Service, Spread, Surroundings,
    Template, Transform, ValueTemplate,
};
pub use executor::{Calling, ExecuteFault, Executor, Outside};
pub use guards::{Guard, Guards};
pub use served::Served;
pub use settings::CapabilitySettings;
pub use web::{Limits, PrivateNetworks, Reply, Resolve, Resolving, Web, WebFault};
