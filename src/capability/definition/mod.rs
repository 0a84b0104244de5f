//! What a capability is, as values that cannot be wrong once they are built: read from a file or made of an OpenAPI
//! document, and then only looked at.

mod auth;
mod cache;
mod capability;
mod endpoint;
mod fault;
mod key;
mod metadata;
mod name;
mod placeholders;
mod provider;
mod response;
mod schema;
mod template;
mod value_template;

pub use auth::{Auth, AuthKind, KeyPlace};
pub use cache::CachePolicy;
pub use capability::{Definition, Parts};
pub use endpoint::{Endpoint, Origin};
pub use fault::Fault;
pub use key::{Key, KeyError, Surroundings};
pub use metadata::{Hints, Metadata};
pub use name::Name;
pub use provider::{
    Body, GraphqlCall, JsonRpcCall, Provider, QueryParam, RestCall, Service, Spread,
};
pub use response::{ResponseFormat, ResponseSpec, Transform};
pub use schema::Schema;
pub use template::{Piece, Template};
pub use value_template::ValueTemplate;
