//! `bolthole gateway` as its operator meets it: one command beside a running node, documents in both directions, and an end.

#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod cli_support;

use std::time::Duration;

use cli_support::{Home, entries};

#[test]
fn a_gateway_beside_a_node_carries_documents_both_ways_and_ends_when_told() {
    let home = Home::new();
    let ours = home.file("ours", b"a document of the store");
    let theirs = home.file("theirs", b"a document of the ring");
    let store = home.node("store", &["--store-size", "16MiB"]);
    let ring = home.node("ring", &["--mode", "chord", "--store-size", "16MiB"]);
    let other = home.node("other", &["--mode", "chord", "--store-size", "16MiB", "--join", ring.reference()]);
    let to = ["--to", "chord", "--join", ring.reference(), "--store-size", "16MiB"];
    let gateway = home.gateway("store", &to);
    assert_eq!(gateway.ready["mode"], "chord");
    assert!(gateway.ready["address"].as_str().is_some_and(|address| address.starts_with("127.")));
    assert!(gateway.ready["warning"].as_str().is_some_and(|warning| warning.contains("hides nobody")));
    let log = std::fs::read_to_string(&gateway.log).expect("the log is text");
    assert!(log.contains("a gateway hides nobody"), "it is said at the start: {log}");
    let is_known = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        home.json(&["status", "--data", other.data()])["gateways"] == 1
    });
    assert!(is_known, "a node of the ring hears of the gateway");
    let uri =
        home.json(&["insert", &ours, "--direct", "--data", store.data()])["uri"].as_str().expect("a URI").to_owned();
    let fetched = home.run(&["fetch", &uri, "--data", other.data()]);
    assert_eq!((fetched.code, &fetched.stdout[..]), (0, &b"a document of the store"[..]), "{}", fetched.stderr);
    let uri = home.json(&["insert", &theirs, "--data", ring.data()])["uri"].as_str().expect("a URI").to_owned();
    let arrived = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        home.run(&["fetch", &uri, "--direct", "--data", store.data()]).stdout == b"a document of the ring"
    });
    assert!(arrived, "the store has what was published in the ring");
    // A second one has no place beside the first.
    let second = home.run(&[&["gateway", "--data", store.data()], &to[..]].concat());
    assert_eq!(second.code, 1, "{}", second.stderr);
    assert_eq!(entries(&home.path("store/gateway-chord")), ["node", "overlay"]);
    assert!(gateway.stop() && other.stop() && ring.stop() && store.stop());
}

#[test]
fn a_gateway_refuses_nodes_that_it_cannot_lie_between() {
    let home = Home::new();
    let store = home.node("store", &["--store-size", "16MiB"]);
    for overlay in ["central", "swarm"] {
        let ran = home.run(&["gateway", "--to", overlay, "--data", store.data()]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.sentence().contains("name it with --join"), "{}", ran.sentence());
    }
    let ring = home.node("ring", &["--mode", "chord", "--store-size", "16MiB"]);
    let ran = home.run(&["gateway", "--to", "can", "--data", ring.data()]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.sentence().contains("one of chord, not of the store"), "{}", ran.sentence());
}
