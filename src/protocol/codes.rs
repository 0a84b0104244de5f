//! Error codes of JSON-RPC and MCP, each with its source.

/// Not JSON (JSON-RPC 2.0 section 5.1).
pub const PARSE_ERROR: i64 = -32700;
/// JSON, but no valid message (JSON-RPC 2.0 section 5.1).
pub const INVALID_REQUEST: i64 = -32600;
/// Unknown method (JSON-RPC 2.0 section 5.1).
pub const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters that the method does not take (JSON-RPC 2.0 section 5.1), and an unknown tool or prompt
/// (MCP 2025-11-25, server/tools and server/prompts, error handling).
pub const INVALID_PARAMS: i64 = -32602;
/// The server failed (JSON-RPC 2.0 section 5.1).
pub const INTERNAL_ERROR: i64 = -32603;
/// First of the codes that a server may define for itself (JSON-RPC 2.0 section 5.1).
pub const SERVER_ERROR: i64 = -32000;
/// A header does not say what the body says, or is missing (MCP 2026-07-28, basic, error codes).
pub const HEADER_MISMATCH: i64 = -32020;
/// The client has not declared a capability that the request needs (as above).
pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
/// A revision that is not spoken (as above).
pub const UNSUPPORTED_REVISION: i64 = -32022;
/// The user must open an address first (MCP 2025-11-25, client/elicitation; in no other revision).
pub const URL_ELICITATION_REQUIRED: i64 = -32042;
/// A resource that does not exist (MCP 2025-11-25, server/resources, error handling).
pub const RESOURCE_NOT_FOUND: i64 = -32002;
