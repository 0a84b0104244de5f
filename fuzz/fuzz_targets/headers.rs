//! Header values and the responses of backends, on any bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mcp_gateway_fuzz::headers(bytes));
