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
        (&["guard-churn", "--nodes", "1000", "--colluders", "0.1"], 1, "guard-churn is not available yet"),
        (&["directory-sybil"], 1, "directory-sybil is not available yet"),
        (&["cost"], 1, "cost is not available yet"),
        (&["first-spy", "--colluders", "0.9"], 2, "at most 0.5"),
        (&["first-spy", "--nodes", "10"], 2, "50"),
        (&["first-spy", "--nodes", "60", "--out", "/dev/null/x"], 1, "cannot make /dev/null/x"),
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

#[test]
fn an_attack_prints_its_headline_goal_and_control_and_writes_a_report_with_plots() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("attack");
    let path = out.to_str().expect("text");
    let (code, stdout, stderr) =
        lab(&["first-spy", "--nodes", "60", "--colluders", "0.1", "--seed", "2", "--out", path, "--json"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let printed: Value = serde_json::from_str(&stdout).expect("exactly one JSON object");
    assert_eq!((&printed["attack"], &printed["nodes"], &printed["seed"]), (&"first-spy".into(), &60.into(), &2.into()));
    for field in
        ["colluders", "samples", "recall", "precision", "auc", "tpr_at_fpr", "entropy_loss_bits", "upper95", "goal"]
    {
        assert!(printed[field].is_number(), "{field}: {}", printed[field]);
    }
    assert!(printed["met"].is_boolean());
    assert!(printed["control"]["value"].as_f64() >= printed["control"]["level"].as_f64());
    assert_eq!(printed["control"]["reached"], true);
    assert!(read(&out, "report.md").contains("| first-spy: "));
    assert!(read(&out, "first-spy-success.svg").starts_with("<svg"));
    assert_eq!(
        serde_json::from_str::<Value>(&read(&out, "report.json")).expect("JSON")[0]["recall"],
        printed["recall"]
    );
}
