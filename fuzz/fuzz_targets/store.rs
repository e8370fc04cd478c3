//! The fuzzer as a driver of `bolthole::fuzzing::store::store`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::store::store(data));
