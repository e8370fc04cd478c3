//! The fuzzer as a driver of `bolthole::fuzzing::cells::reassembly`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bolthole::fuzzing::cells::reassembly(data));
