//! MCP as values: messages scanned in place, revisions, error codes, and the framing of lines and events.
//! Nothing here reads, writes, waits or knows tokio.
