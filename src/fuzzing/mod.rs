//! Bodies of the fuzz targets: each takes arbitrary bytes and asserts what must hold whatever they are.
//!
//! Guarantees: a body is pure and deterministic, so an input that fails once fails always; wherever there is a simpler
//! way to the same answer, the body takes that too and compares (the naive model). Leaves out the fuzzer itself: the
//! shells in `fuzz/` and the replay in `tests/corpus.rs` are drivers like any other. `docs/fuzzing.md` says how to run.

pub mod cells;
pub mod choices;
pub mod manifests;
pub mod messages;
pub mod node;
pub mod onions;
mod peers;
pub mod references;
pub mod signed_blocks;
pub mod store;
#[cfg(feature = "files")]
pub mod store_files;
pub mod uris;

/// What a target does with an input: nothing, or it panics.
pub type Body = fn(&[u8]);

/// Every target: the name that its shell in `fuzz/fuzz_targets` and its folder in `fuzz/corpus` bear, and its body.
pub const TARGETS: &[(&str, Body)] = &[
    ("cells", cells::reassembly),
    ("manifests", manifests::manifests),
    ("messages", messages::messages),
    ("node", node::node),
    ("onions", onions::onions),
    ("references", references::references),
    ("signed_blocks", signed_blocks::signed_blocks),
    ("store", store::store),
    #[cfg(feature = "files")]
    ("store_files", store_files::store_files),
    ("uris", uris::uris),
];
