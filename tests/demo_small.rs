//! The demo ends with bytes compared, as it promises, and cleans up whatever happens.
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod cli_support;

use std::process::Stdio;
use std::time::Duration;

use cli_support::{Home, entries, signal, wait};

#[test]
fn the_demo_loses_the_inserter_and_gives_the_document_back() {
    let home = Home::new();
    let file = home.file("document", &(0..100_000_u32).flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>());
    let shown = home.json(&["demo", &file, "--nodes", "5", "--seed", "3"]);
    assert_eq!(shown["ok"], true);
    assert_eq!((shown["bytes"].as_u64(), shown["nodes"].as_u64()), (Some(400_000), Some(5)));
    assert_eq!((shown["served_locally"].as_u64(), shown["onion"].as_bool()), (Some(0), Some(true)));
    assert_eq!(shown["packet_sizes"].as_array().unwrap().len(), 1, "one length for every packet that carries cells");
    for field in ["uri", "blocks", "insert_seconds", "fetch_seconds", "hops"] {
        assert!(!shown[field].is_null(), "{field}");
    }
    for kind in ["handshake", "ack", "probe", "close"] {
        assert!(shown["other_packets"][kind].is_object(), "{kind}");
    }
    assert_eq!(entries(&home.path("")), ["document"], "everything is cleaned up");
}

#[test]
fn the_demo_tells_its_story_and_takes_an_empty_document() {
    let home = Home::new();
    let file = home.file("document", b"");
    let ran = home.run(&["demo", &file, "--nodes", "5"]);
    let story = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for part in ["5 nodes joined", "inserted 0 B", "stopped node", "fetched 0 B", "equal", "ok"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    assert_eq!(story.lines().last(), Some("ok"));
}

#[test]
fn an_interrupted_demo_cleans_up() {
    let home = Home::new();
    let mut child =
        home.command(&["demo", "--nodes", "8"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    assert!(!entries(&home.path("")).is_empty(), "it is at work");
    signal(child.id(), "-INT");
    assert_eq!(wait(&mut child, Duration::from_secs(15)), Some(130));
    assert_eq!(entries(&home.path("")), Vec::<String>::new());
}
