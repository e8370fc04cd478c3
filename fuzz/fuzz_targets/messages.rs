//! The fuzzer as a driver of `bolthole::fuzzing::messages::messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::messages::messages(data));
