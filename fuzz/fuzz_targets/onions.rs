//! The fuzzer as a driver of `bolthole::fuzzing::onions::onions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::onions::onions(data));
