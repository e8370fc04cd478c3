//! The fuzzer as a driver of `bolthole::fuzzing::references::references`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::references::references(data));
