//! The fuzzer as a driver of `bolthole::fuzzing::uris::uris`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::uris::uris(data));
