//! The layers hold: every import in the sources is one that the table in `docs/architecture.md` allows.
//!
//! The table is the rule; this test only reads it. `source` turns Rust text into the paths it names, `table` reads the
//! rule, `rule` compares them and is tried first on invented trees that break each clause, so that silence means
//! something. It reads text, not types: a path built by a macro of another crate is not seen.

#[path = "architecture/rule.rs"]
mod rule;
#[path = "architecture/source.rs"]
mod source;
#[path = "architecture/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use source::Source;
use table::Table;

#[test]
fn every_import_is_one_that_the_table_allows() {
    expect_none(&rule::imports(&crate_sources("src"), &the_table()));
}

#[test]
fn the_files_of_crypto_import_each_other_without_a_circle() {
    expect_none(&rule::inside_folders(&crate_sources("crypto/src")));
}

#[test]
fn the_table_names_exactly_the_modules_that_exist() {
    expect_none(&rule::inventory(&crate_sources("src"), &the_table()));
}

#[test]
fn pure_modules_name_no_socket_file_clock_thread_or_hidden_randomness() {
    expect_none(&rule::purity(&crate_sources("src"), &the_table()));
    expect_none(&rule::purity_of(&crate_sources("crypto/src"), |_| true));
}

#[test]
fn only_modules_behind_the_feature_daemon_lift_the_bans_of_clippy() {
    expect_none(&rule::lifted_bans(&crate_sources("src"), &the_table()));
    expect_none(&rule::lifted_bans_of(&crate_sources("crypto/src"), |_| true));
}

#[test]
fn every_file_opens_with_a_definition() {
    let folders = ["src", "crypto/src", "crypto/tests", "tests", "benches", "fuzz/fuzz_targets"];
    expect_none(&folders.iter().flat_map(|folder| rule::headers(&texts(folder))).collect::<Vec<_>>());
}

#[test]
fn every_cited_paragraph_of_the_protocol_exists() {
    let protocol = read(&root().join("docs/protocol.md"));
    let folders = ["src", "crypto/src", "tests", "benches"];
    expect_none(&folders.iter().flat_map(|folder| rule::citations(&texts(folder), &protocol)).collect::<Vec<_>>());
}

fn the_table() -> Table {
    Table::parse(&read(&root().join("docs/architecture.md"))).expect("docs/architecture.md holds the import table")
}

/// The sources of one crate by module path; the root file has the empty path.
fn crate_sources(folder: &str) -> Vec<Source> {
    let sources: Vec<Source> = texts(folder).iter().map(|(path, text)| Source::parse(path, text)).collect();
    assert!(!sources.is_empty(), "{folder} holds no sources");
    sources
}

/// Every Rust file under a folder of the repository, by its path inside that folder. An absent folder has none.
fn texts(folder: &str) -> BTreeMap<PathBuf, String> {
    let base = root().join(folder);
    let mut found = BTreeMap::new();
    let mut open = vec![base.clone()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&base).expect("found under the folder").to_path_buf();
                found.insert(inside, read(&path));
            }
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn expect_none(violations: &[String]) {
    assert!(violations.is_empty(), "{} violations:\n{}", violations.len(), violations.join("\n"));
}
