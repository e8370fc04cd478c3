//! The fuzzer as a driver of `bolthole::fuzzing::signed_blocks::signed_blocks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::signed_blocks::signed_blocks(data));
