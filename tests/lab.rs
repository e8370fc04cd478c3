//! `bolthole lab`: what it writes, what it prints, and what it refuses.
#![cfg(feature = "daemon")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn lab(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bolthole")).arg("lab").args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn a_quick_run_writes_table_measurements_and_plots_and_prints_one_object() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("new").join("folder");
    let path = out.to_str().expect("text");
    let arguments = ["freenet", "--quick", "--only", "classic-links", "--out", path, "--json"];
    let (code, stdout, stderr) = lab(&arguments);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&stdout).expect("exactly one JSON object");
    assert_eq!(printed["lines"], 3);
    assert_eq!(printed["experiments"][0]["command"], "bolthole lab freenet --only classic-links --quick");
    assert!(read(&out, "report.md").contains("| 1,000 nodes, links: exponent of the power law | 1.5 |"));
    assert!(read(&out, "classic-links-links.svg").starts_with("<svg"));
    let first = read(&out, "report.json");
    // Again, on another number of threads, and drawn again from what was measured.
    assert_eq!(lab(&[&arguments[..], &["--threads", "1"]].concat()).0, 0);
    assert_eq!(read(&out, "report.json"), first, "the same seeds give the same report");
    let (merged, earlier) = (folder.path().join("merged"), out.join("report.json"));
    let (merged_path, earlier) = (merged.to_str().expect("text"), earlier.to_str().expect("text"));
    assert_eq!(lab(&["freenet", "--merge", earlier, "--merge", earlier, "--out", merged_path]).0, 0);
    assert_eq!(read(&merged, "report.json"), first);
    assert_eq!(read(&merged, "report.md"), read(&out, "report.md"));
}

#[test]
fn what_cannot_be_run_is_refused_in_one_sentence_before_anything_is_measured() {
    let cases: &[(&[&str], i32, &str)] = &[
        (&["first-spy", "--nodes", "1000", "--colluders", "0.1"], 1, "first-spy is not available yet"),
        (&["all"], 1, "not available yet"),
        (&["nonsense"], 2, "no experiment or attack nonsense"),
        (&["freenet", "--only", "nonsense"], 2, "no experiment nonsense"),
        (&["freenet", "--quick", "--seeds", "7..9", "--only", "classic-links"], 2, "no trial"),
        (&["freenet", "--seeds", "many"], 2, "takes a range"),
        (&["freenet", "--merge", "/nowhere.json"], 1, "cannot read /nowhere.json"),
        (&["freenet", "--quick", "--only", "classic-links", "--out", "/dev/null/x"], 1, "cannot make /dev/null/x"),
    ];
    for (arguments, expected, sentence) in cases {
        let (code, stdout, stderr) = lab(arguments);
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(sentence), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_list_names_every_experiment() {
    let (code, stdout, _) = lab(&["freenet", "--list", "--json"]);
    let listed: Value = serde_json::from_str(&stdout).expect("one JSON object");
    let names: Vec<&str> =
        listed["experiments"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    let known: Vec<&str> = bolthole::lab::FREENET.iter().map(|one| one.name).collect();
    assert_eq!((code, names), (0, known));
}
