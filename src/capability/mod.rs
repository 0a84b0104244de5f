//! REST, GraphQL and JSON-RPC calls as tools: what a capability is, and how its provider is called.
//! All capabilities together are one backend to the floors above, so a call of one is a call like any other.

mod context;
mod definition;
mod web;

pub use context::Context;
pub use definition::{
    Auth, AuthKind, Body, CachePolicy, Definition, Endpoint, Fault, GraphqlCall, Hints,
    JsonRpcCall, Key, KeyError, KeyPlace, Metadata, Name, Origin, Parts, Piece, Provider,
    QueryParam, ResponseFormat, ResponseSpec, RestCall, Schema, Service, Spread, Surroundings,
    Template, Transform, ValueTemplate,
};
pub use web::{Limits, PrivateNetworks, Reply, Resolve, Resolving, Web, WebFault};
