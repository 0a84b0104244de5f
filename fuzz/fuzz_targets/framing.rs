//! The framing of events and lines, on any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mcp_gateway_fuzz::framing(bytes));
