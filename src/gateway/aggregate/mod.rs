//! `/mcp`: one endpoint for all backends. Tools are found by their public names, prompts as `backend/prompt`,
//! resources by their URI, or by one that names the backend where an earlier one has the same.

mod lists;
mod methods;
mod prompts;
mod resources;
mod tools;

pub(super) use resources::with_uri;
