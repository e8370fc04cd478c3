//! What the command line refuses before any node is asked: one sentence, the right exit code, nothing left behind.

mod cli_support;

use cli_support::{Home, entries};

/// Arguments, exit code, a part of the sentence.
type Case = (&'static [&'static str], i32, &'static str);

const URI: &str = "CHK@jqovBQudt6tnK3s7ZvYM8OyIF_yz8TvLmrnfyFr68kc,w5btZVPOLIq3Atii6XL3ugYZgvTpGplISv0cMCige3o,AQEA";

fn check(cases: &[Case]) {
    let home = Home::new();
    home.file("document", b"some text");
    for (arguments, code, part) in cases {
        let ran = home.run(arguments);
        assert_eq!(ran.code, *code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?} prints nothing on standard output");
        assert_eq!(entries(&home.path("")), ["document"], "{arguments:?} leaves something behind");
    }
}

#[test]
fn files_that_cannot_be_inserted_are_named() {
    check(&[
        (&["insert", "missing"], 1, "missing does not exist"),
        (&["insert", "."], 1, ". is a directory: publish it with `bolthole site publish`"),
        (&["demo", "missing"], 1, "missing does not exist"),
        (&["demo", "."], 1, ". is not a file"),
        (&["insert"], 2, "<FILE>"),
    ]);
}

#[test]
fn damaged_uris_are_refused_with_their_position() {
    let doubled = format!("{URI}{URI}");
    let home = Home::new();
    for (uri, part) in [
        ("CHK@abc", "cut short"),
        ("CHK@", "cut short"),
        ("XYZ@abc", "no kind of URI"),
        ("", "cut short"),
        (&doubled, "doubled"),
        (&URI[..94], "cut short"),
        ("USK@abc/site/1", "a letter, a digit"),
    ] {
        let ran = home.run(&["fetch", uri, "-o", "target"]);
        assert_eq!(ran.code, 2, "{uri}: {}", ran.stderr);
        assert!(ran.stderr.contains(part) && ran.stderr.contains("character"), "{uri}: {}", ran.stderr);
        assert!(!home.path("target").exists());
    }
}

#[test]
fn what_is_not_built_yet_is_refused_in_one_sentence() {
    const NOT_YET: &str = "not available yet";
    check(&[(&["node", "--mode", "pastry"], 2, NOT_YET)]);
}

#[test]
fn a_command_without_a_running_node_says_so() {
    check(&[
        (&["status"], 4, "no node is running"),
        (&["peers", "--data", "nowhere"], 4, "no node is running on nowhere"),
        (&["insert", "document"], 4, "no node is running"),
        (&["fetch", URI], 4, "no node is running"),
        (&["gateway", "--to", "chord"], 4, "no node is running"),
        (&["gateway", "--to", "chord", "--api", "127.0.0.1:1", "--token", "document"], 4, "nothing listens there"),
        (&["status", "--api", "127.0.0.1:1", "--token", "document"], 4, "nothing listens there"),
        (&["status", "--api", "nonsense"], 2, "no address"),
    ]);
}

#[test]
fn options_that_make_no_sense_are_wrong_usage() {
    check(&[
        (&["frobnicate"], 2, "frobnicate"),
        (&["demo", "--nodes", "4"], 2, "4"),
        (&["insert", "document", "--as", "frob:x"], 2, "write chk, ksk:WORD, ssk:NAME"),
        (&["insert", "document", "--redundancy", "-1"], 2, "redundancy"),
        (&["insert", "document", "--redundancy", "7"], 2, "redundancy"),
        (&["node", "--store-size", "much"], 2, "no size"),
        (&["node", "--listen", "here"], 2, "here"),
        (&["node", "--api", "0.0.0.0:0"], 2, "loopback only"),
        (&["node", "--join", "nonsense"], 2, "bolthole-node:"),
        (&["node", "--join", "bolthole-node:AAAA"], 2, "cut short"),
        (&["node", "--network", "missing"], 1, "missing"),
        (&["node", "--network", "document"], 1, "not a genesis"),
        (&["network", "new", ""], 2, "name"),
        (&["network", "new", "x", "--member", "nonsense"], 2, "node id"),
        (&["keys", "show", "--data", "nowhere"], 1, "nowhere"),
        (&["gateway"], 2, "--to"),
        (&["gateway", "--to", "pastry"], 2, "the overlays are central, chord"),
        (&["gateway", "--to", "freenet"], 2, "the overlay of the store itself"),
        (&["gateway", "--to", "classic"], 2, "simulator only"),
        (&["gateway", "--to", "chord", "--join", "nonsense"], 2, "--join: a node reference begins with"),
        (&["gateway", "--to", "chord", "--node", "nonsense"], 2, "--node: a node reference begins with"),
        (&["gateway", "--to", "chord", "--allow", "missing"], 2, "missing"),
        (&["gateway", "--to", "chord", "--allow", "document"], 2, "line 1: no routing key, and no URI"),
        (&["gateway", "--to", "chord", "--limit", "much"], 2, "no size"),
        (&["gateway", "--to", "chord", "--only", "both"], 2, "answer, insert"),
    ]);
}

#[test]
fn a_damaged_configuration_is_named_with_its_line() {
    let home = Home::new();
    std::fs::create_dir(home.path("node")).unwrap();
    for (text, line, part) in [
        ("# fine\nstor_size = \"1GiB\"\n", 2, "stor_size"),
        ("listen = 5", 1, "invalid type"),
        ("\n\njoin = [", 3, "config.toml"),
        ("store_size = \"much\"", 1, "no size"),
        ("mode = \"a\"\nmode = \"b\"", 2, "duplicate key"),
    ] {
        std::fs::write(home.path("node/config.toml"), text).unwrap();
        let ran = home.run(&["node", "--data", "node"]);
        assert_eq!(ran.code, 2, "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("line {line}:")) && ran.stderr.contains(part), "{text}: {}", ran.stderr);
        assert_eq!(entries(&home.path("node")), ["config.toml"], "nothing is made before the configuration is right");
    }
    std::fs::write(home.path("node/config.toml"), b"mode = \"freenet\"\n# \xff\n").unwrap();
    assert!(home.run(&["node", "--data", "node"]).stderr.contains("line 2:"));
}

#[test]
fn a_failure_is_one_json_object_too() {
    let ran = Home::new().run(&["status", "--json"]);
    assert_eq!((ran.code, ran.json()["exit"].as_i64()), (4, Some(4)));
    assert!(ran.json()["error"].as_str().unwrap().contains("no node is running"));
}

#[test]
fn a_document_and_a_json_object_do_not_share_standard_output() {
    let ran = Home::new().run(&["fetch", URI, "-o", "-", "--json"]);
    assert_eq!((ran.code, ran.json()["exit"].as_i64()), (2, Some(2)));
    assert!(ran.sentence().contains("-o FILE"), "{}", ran.stderr);
}

#[test]
fn the_printed_configuration_is_one_that_a_node_accepts() {
    let home = Home::new();
    std::fs::create_dir(home.path("node")).unwrap();
    let printed = home.run(&["node", "--print-config"]);
    assert_eq!(printed.code, 0);
    std::fs::write(home.path("node/config.toml"), &printed.stdout).unwrap();
    let ran = home.run(&["node", "--data", "node", "--mode", "pastry"]);
    assert!(ran.stderr.contains("pastry"), "only the mode is wrong: {}", ran.stderr);
}

#[test]
fn a_network_is_founded_once_and_its_file_names_it() {
    let home = Home::new();
    let founded = home.json(&["network", "new", "friends", "--data", "one"]);
    let other =
        home.json(&["network", "new", "friends", "--data", "two", "--member", founded["node"].as_str().unwrap()]);
    assert_ne!(founded["network"], other["network"]);
    assert!(home.path(founded["file"].as_str().unwrap()).is_file());
    let again = home.run(&["network", "new", "friends", "--data", "one"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("exists already"), "{}", again.stderr);
}

#[test]
fn subspaces_are_made_listed_and_shown() {
    let home = Home::new();
    let made = home.json(&["keys", "new", "diary", "--data", "node"]);
    assert!(made["request_uri"].as_str().unwrap().starts_with("SSK@"));
    assert!(home.path(made["insert_uri_path"].as_str().unwrap()).is_file());
    assert_eq!(home.json(&["keys", "show", "diary", "--data", "node"]), made);
    assert_eq!(home.json(&["keys", "list", "--data", "node"])["keys"][0], made);
    let again = home.run(&["keys", "new", "diary", "--data", "node"]);
    assert_eq!((again.code, again.stderr.contains("already")), (1, true));
    let missing = home.run(&["keys", "show", "other", "--data", "node"]);
    assert_eq!((missing.code, missing.stderr.contains("no subspace")), (1, true));
}

#[test]
fn a_passphrase_protects_what_is_kept() {
    let home = Home::new();
    let with = |passphrase: &str, arguments: &[&str]| {
        let output = home.command(arguments).env("BOLTHOLE_PASSPHRASE", passphrase).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(with("open sesame", &["keys", "new", "diary", "--data", "node"]).0, Some(0));
    assert_eq!(with("open sesame", &["keys", "show", "diary", "--data", "node"]).0, Some(0));
    let (code, sentence) = with("wrong", &["keys", "show", "diary", "--data", "node"]);
    assert_eq!((code, sentence.contains("the passphrase does not open")), (Some(1), true), "{sentence}");
    let (code, sentence) = with("", &["keys", "show", "diary", "--data", "node"]);
    assert_eq!((code, sentence.contains("BOLTHOLE_PASSPHRASE")), (Some(1), true), "{sentence}");
}
