//! The fuzzer as a driver of `bolthole::fuzzing::store_files::store_files`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::store_files::store_files(data));
