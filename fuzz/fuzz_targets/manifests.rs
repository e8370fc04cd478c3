//! The fuzzer as a driver of `bolthole::fuzzing::manifests::manifests`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::manifests::manifests(data));
