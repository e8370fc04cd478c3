//! The documentation holds together: links lead to files, and a promise names a test that exists.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_link_in_the_documentation_leads_to_a_file() {
    for page in pages() {
        for link in links(&read(&page)) {
            let target = page.parent().expect("a page is in a folder").join(&link);
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
        }
    }
}

#[test]
fn every_promise_of_the_threat_model_names_a_test_that_exists() {
    let text = read(&root().join("docs/threat-model.md"));
    let sections = text.split("\n## ").skip_while(|section| !section.starts_with("Promises\n"));
    // Figures are held against experiments, not tests.
    let lines = sections.filter(|section| !section.starts_with("Figures\n")).flat_map(str::lines);
    let rows: Vec<&str> = lines.filter(|line| line.starts_with("| ") && !line.contains("| test |")).collect();
    assert!(rows.len() > 10, "{} promises", rows.len());
    for row in rows {
        let named = row.rsplit('|').nth(1).expect("a table has cells");
        let tests: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("not file::test: {test}"));
            assert!(read(&root().join(file)).contains(&format!("fn {name}(")), "{test} does not exist");
        }
    }
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let text = read(&root().join("README.md"));
    let commands: Vec<&str> = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert_eq!(commands[..2], ["cargo run --release -- demo", "cargo test --workspace"]);
}

/// The relative targets of the links of a page, without what follows `#`.
fn links(text: &str) -> Vec<String> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://")).filter_map(|target| target.split('#').next());
    files.filter(|file| !file.is_empty()).map(str::to_owned).collect()
}

/// Every Markdown page at the top and under `docs`.
fn pages() -> Vec<PathBuf> {
    let folders = [root(), root().join("docs")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a readable folder"));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let pages: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    assert!(pages.len() > 5, "{pages:?}");
    pages
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
