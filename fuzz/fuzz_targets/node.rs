//! The fuzzer as a driver of `bolthole::fuzzing::node::node`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::node::node(data));
