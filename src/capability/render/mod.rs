//! What a definition and the arguments of one call make together: a request that can be sent.
//! Nothing that a caller says leaves the place that the definition gives it.

mod body;
mod fault;
mod query;
mod request;
mod secrets;
mod text;
mod values;

pub(super) use fault::RenderFault;
pub(super) use request::{Rendered, rendered};
pub(super) use secrets::secrets;
pub(super) use values::Values;
