//! `bolthole compare`: what it writes, what it prints, how split runs are joined, and what it refuses.
#![cfg(feature = "daemon")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use bolthole::sim::scenario::ModeName;
use serde_json::Value;
use tempfile::TempDir;

fn compare(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bolthole")).arg("compare").args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// A comparison of small networks under some seeds, in a folder of its own.
fn small(folder: &TempDir, seeds: &str) -> (PathBuf, Value) {
    let out = folder.path().join(format!("of-{seeds}"));
    let path = out.to_str().expect("text");
    let size = ["--nodes", "40", "--lookups", "60", "--only", "central", "--only", "chord"];
    let (code, stdout, stderr) = compare(&[&size[..], &["--seeds", seeds, "--out", path, "--json"]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    (out, serde_json::from_str(&stdout).expect("exactly one JSON object"))
}

fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The report without what depends on the machine.
fn reproducible(report: &str) -> &str {
    report.split("## What the simulation cost").next().expect("a first part")
}

#[test]
fn it_prints_one_object_and_writes_tables_and_measurements() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, printed) = small(&folder, "1..2");
    let modes: Vec<&str> =
        printed["modes"].as_array().expect("modes").iter().filter_map(|m| m["mode"].as_str()).collect();
    assert_eq!(modes, ["central", "chord"], "in the order of the simulator's list");
    let central = &printed["modes"][0]["measures"];
    assert_eq!(central["base"]["success"]["value"], 1.0);
    assert_eq!(central["base"]["messages"]["trials"], 2);
    let left = central["busiest-one"]["success"]["value"].as_f64().expect("a share");
    assert!(left <= 0.2, "without the server nodes find what they published themselves, one in forty: {left}");
    let report = read(&out, "comparison.md");
    assert!(report.contains("40 nodes, 200 documents of one block, 60 lookups"), "{report}");
    assert!(
        report.contains("| `central` | + | what exists is found | 100 % of existing documents found | confirmed |")
    );
    assert!(report.contains("![What a lookup costs](messages.svg)"), "{report}");
    assert!(read(&out, "messages.svg").starts_with("<svg") && read(&out, "deaths.svg").starts_with("<svg"));
    let written: Value = serde_json::from_str(&read(&out, "comparison.json")).expect("JSON");
    assert_eq!(written["modes"][1]["trials"][0]["seed"], 1);
}

#[test]
fn every_overlay_of_the_simulator_is_compared_or_says_why_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let (code, stdout, stderr) =
        compare(&["--nodes", "40", "--lookups", "40", "--seeds", "5..5", "--json", "--out", path]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&stdout).expect("exactly one JSON object");
    let known: Vec<String> = ModeName::ALL.iter().map(ToString::to_string).collect();
    let modes: Vec<&str> =
        printed["modes"].as_array().expect("a list").iter().filter_map(|m| m["mode"].as_str()).collect();
    assert_eq!(modes, known);
    let usual = printed["variations"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str());
    for variation in usual {
        for mode in printed["modes"].as_array().expect("a list") {
            let (ran, refused) = (mode["measures"].get(variation), mode["refused"].get(variation));
            assert!(ran.is_some() != refused.is_some(), "{} under {variation}: {refused:?}", mode["mode"]);
            assert!(variation != "base" || mode["measures"]["base"]["success"]["value"].is_f64(), "{mode}");
        }
    }
    let report = read(folder.path(), "comparison.md");
    assert!(known.iter().all(|mode| report.contains(&format!("| `{mode}` |"))), "{report}");
}

#[test]
fn split_runs_joined_are_the_run_that_was_not_split() {
    let folder = tempfile::tempdir().expect("a folder");
    let (whole, of_whole) = small(&folder, "1..3");
    let parts = ["1..1", "2..3"].map(|seeds| small(&folder, seeds).0.join("comparison.json"));
    let [first, second] = parts.each_ref().map(|part| part.to_str().expect("text"));
    let joined = folder.path().join("joined");
    // In any order, and one of them twice.
    let files = ["--merge", second, "--merge", first, "--merge", second, "--json"];
    let (code, stdout, stderr) = compare(&[&files[..], &["--out", joined.to_str().expect("text")]].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    let report = read(&joined, "comparison.md");
    assert!(report.contains("Seeds 1–3"), "{report}");
    assert_eq!(reproducible(&report), reproducible(&read(&whole, "comparison.md")));
    let printed: Value = serde_json::from_str(&stdout).expect("exactly one JSON object");
    assert_eq!(printed["workload"], of_whole["workload"]);
    for mode in 0..2 {
        let base = |of: &Value| of["modes"][mode]["measures"]["base"]["latency_ms.mean"].clone();
        assert_eq!(base(&printed), base(&of_whole));
        assert_eq!(base(&printed)["trials"], 3);
    }
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_sentence_before_anything_is_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("written");
        folder.path().join(name).to_str().expect("text").to_owned()
    };
    let (nonsense, other) = (file("nonsense", "{}"), file("other.json", OTHER));
    let mine = small(&folder, "1..1").0.join("comparison.json");
    let mine = mine.to_str().expect("text");
    let out = folder.path().join("none");
    let out = out.to_str().expect("text");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--nodes", "0"], 2, "nodes must be at least 2, not 0"),
        (&["--nodes", "many"], 2, "many"),
        (&["--lookups", "0"], 2, "--lookups must be at least 1"),
        (&["--seeds", "3..1"], 2, "takes a range such as 1..10, not 3..1"),
        (&["--only", "napster"], 2, "there is no overlay napster"),
        (&["--nodes", "4000000000"], 1, "GiB of memory"),
        (&["--merge", "/nowhere.json"], 1, "cannot read /nowhere.json"),
        (&["--merge", &nonsense], 2, "is no comparison"),
        (&["--merge", mine, "--merge", &other], 2, "has another workload than"),
        (&["--merge", mine, "--seeds", "1..2"], 2, "cannot be used with"),
    ];
    for (arguments, expected, sentence) in cases {
        let (code, stdout, stderr) = compare(&[arguments, &["--out", out][..]].concat());
        assert_eq!((code, stdout.as_str()), (*expected, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(sentence), "{arguments:?}: {stderr}");
        assert!(!Path::new(out).exists(), "{arguments:?} leaves a folder behind");
    }
    let (code, _, stderr) = compare(&["--nodes", "40", "--out", "/dev/null/x"]);
    assert_eq!((code, stderr.contains("cannot make /dev/null/x")), (1, true), "{stderr}");
}

/// A comparison of twice as many nodes in which nothing was measured.
const OTHER: &str = r#"{"workload": {"version": "0.1.0", "nodes": 80, "documents_per_node": 5, "lookups": 60,
    "lookups_per_node_second": 0.1, "zipf": 0.8}, "modes": []}"#;
