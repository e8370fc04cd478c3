//! The committed corpora, replayed on the stable toolchain: what once failed stays mended, what is valid stays valid.
//!
//! A file named `seed-…` is written by `seeds` from the code itself, so that each target starts from inputs that reach
//! its depths; the test says so when a format has moved on. Any other file is an input that once failed or that the
//! fuzzer found worth keeping. `docs/fuzzing.md` says how both come about.
#![cfg(feature = "daemon")]

#[path = "corpus/seeds.rs"]
mod seeds;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use bolthole::fuzzing::TARGETS;

#[test]
fn every_input_of_every_corpus_passes() {
    for (target, body) in TARGETS {
        let corpus = corpus(target);
        assert!(!corpus.is_empty(), "fuzz/corpus/{target} is empty");
        for (name, input) in corpus {
            println!("fuzz/corpus/{target}/{name}");
            body(&input);
        }
    }
}

#[test]
fn every_target_has_its_shell_and_every_shell_its_target() {
    let mut shells: Vec<String> = files("fuzz_targets").into_keys().collect();
    let mut bodies: Vec<String> = TARGETS.iter().map(|(target, _)| format!("{target}.rs")).collect();
    shells.sort();
    bodies.sort();
    assert_eq!(shells, bodies);
    let manifest = String::from_utf8(files("")["Cargo.toml"].clone()).expect("a manifest is text");
    for (target, body) in TARGETS {
        assert!(manifest.contains(&format!("name = \"{target}\"")), "fuzz/Cargo.toml lacks {target}");
        body(&[]);
    }
}

#[test]
fn the_seeds_are_what_the_code_writes_today() {
    for (target, _) in TARGETS {
        let mut committed = corpus(target);
        committed.retain(|name, _| name.starts_with("seed-"));
        assert_eq!(committed, named(target), "seeds of {target}: see docs/fuzzing.md on how to write them anew");
    }
}

/// Run with `cargo test --test corpus -- --ignored` after a format has changed on purpose.
#[test]
#[ignore = "writes into the source tree"]
fn write_the_seeds_anew() {
    for (target, _) in TARGETS {
        let folder = folder(&format!("corpus/{target}"));
        fs::create_dir_all(&folder).expect("the source tree can be written");
        for stale in corpus(target).keys().filter(|name| name.starts_with("seed-")) {
            fs::remove_file(folder.join(stale)).expect("the source tree can be written");
        }
        for (name, input) in named(target) {
            fs::write(folder.join(name), input).expect("the source tree can be written");
        }
    }
}

fn named(target: &str) -> BTreeMap<String, Vec<u8>> {
    seeds::of(target).into_iter().map(|(name, input)| (format!("seed-{name}"), input)).collect()
}

fn corpus(target: &str) -> BTreeMap<String, Vec<u8>> {
    files(&format!("corpus/{target}"))
}

/// The files of a folder under `fuzz/`, by name.
fn files(inside: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder(inside)).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("a readable folder").path()).filter(|path| path.is_file());
    let named = |path: PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        (name, fs::read(&path).expect("a readable file"))
    };
    paths.map(named).collect()
}

fn folder(inside: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(inside)
}
