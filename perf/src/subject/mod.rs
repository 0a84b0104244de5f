//! What is measured: the gateway, and nginx as the yardstick of what a proxy costs.

mod gateway;
mod nginx;
mod place;
mod session;

pub(crate) use gateway::{Backend, Gateway, Shows, build};
pub(crate) use nginx::{Nginx, Relay};
pub(crate) use session::open_session;
