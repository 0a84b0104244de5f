//! `/mcp`: one endpoint for all backends. Tools are found by their public names, prompts as `backend/prompt`,
//! resources by their URI.

mod lists;
mod methods;
mod prompts;
mod resources;
mod tools;
