//! Nodes started by hand, as in the README: insert at one, fetch at another, and everything that can go wrong between.
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod cli_support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use cli_support::{Home, entries, signal, wait};

/// The same URI with another character at `offset` of the part after the mark.
fn changed(uri: &str, part: usize) -> String {
    let (mark, rest) = uri.split_once('@').expect("a URI has a mark");
    let mut parts: Vec<String> = rest.split(',').map(str::to_owned).collect();
    let other = if parts[part].starts_with('A') { "B" } else { "A" };
    parts[part].replace_range(..1, other);
    format!("{mark}@{}", parts.join(","))
}

#[test]
fn what_one_node_inserts_another_fetches() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let long: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    for (name, content) in [("empty", &b""[..]), ("five", b"hello"), ("long", &long)] {
        let file = home.file(name, content);
        let inserted = home.json(&["insert", "--direct", &file, "--data", first.data(), "--mime", "text/plain"]);
        assert_eq!(inserted["bytes"], content.len());
        assert_eq!((inserted["stored_at_least"].as_u64(), inserted["direct"].as_bool()), (Some(1), Some(true)));
        let uri = inserted["uri"].as_str().unwrap();
        let target = home.text("target");
        let fetched = home.json(&["fetch", "--direct", uri, "--data", second.data(), "-o", &target]);
        assert_eq!(fs::read(&target).unwrap(), content, "{name}");
        assert_eq!(
            (fetched["bytes"].as_u64(), fetched["mime"].as_str()),
            (Some(content.len() as u64), Some("text/plain"))
        );
        assert_eq!(
            home.run(&["fetch", "--direct", uri, "--data", second.data()]).stdout,
            content,
            "{name} on standard output"
        );
    }
    let left = entries(&home.path(""));
    assert!(!left.iter().any(|name| name.contains(".part")), "nothing is left behind: {left:?}");
    assert!(first.stop() && second.stop(), "both end by themselves");
}

#[test]
fn five_nodes_by_hand_lose_two_and_still_give_the_document_back() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let join = ["--join", first.reference()];
    // Two of them share one address and are told apart by port.
    let ports = [&join[..], &["--listen", "127.0.0.1:0"]].concat();
    let second = home.node("second", &join);
    let third = home.node("third", &ports);
    let fourth = home.node("fourth", &ports);
    let fifth = home.node("fifth", &[&join[..], &["--bandwidth", "20MB", "--store-size", "64MiB"]].concat());
    let content = vec![9; 200_000];
    let file = home.file("document", &content);
    let inserted = home.json(&["insert", &file, "--data", fifth.data()]);
    assert!(inserted["stored_at_least"].as_u64().unwrap() >= 3, "{inserted}");
    assert_eq!(inserted["direct"], false, "four other nodes are enough for pre-routing");
    let uri = inserted["uri"].as_str().unwrap();
    assert!(fifth.stop() && first.stop());
    let late = home.node("late", &["--join", third.reference()]);
    for node in [&late, &second, &third, &fourth] {
        assert_eq!(home.run(&["fetch", "--direct", uri, "--data", node.data()]).stdout, content);
    }
}

#[test]
fn an_open_network_is_founded_joined_for_work_and_used() {
    let home = Home::new();
    let (data, file) = (home.text("first"), home.text("first/town.genesis"));
    let founded = home.json(&["network", "new", "town", "--profile", "open", "--data", &data]);
    assert_eq!(founded["file"].as_str(), Some(file.as_str()));
    let open = ["--profile", "open"];
    let first = home.node("first", &[&open[..], &["--network", &file]].concat());
    let join = [&open[..], &["--join", first.reference()]].concat();
    let (second, third) = (home.node("second", &join), home.node("third", &join));
    assert_eq!(second.ready["network"], founded["network"]);
    assert!(second.ready["location"].is_string() && second.ready["location"] != third.ready["location"]);
    let page = home.file("page.html", b"<p>hello");
    let inserted = home.json(&["insert", "--direct", &page, "--data", second.data()]);
    assert_eq!(inserted["stored_at_least"], 2, "{inserted}");
    let (uri, target) = (inserted["uri"].as_str().expect("a URI"), home.text("target"));
    let fetched = home.json(&["fetch", "--direct", uri, "--data", third.data(), "-o", &target]);
    assert_eq!(fetched["mime"], "text/html", "by the ending of the name");
    assert_eq!(fs::read(&target).expect("written"), b"<p>hello");
}

#[test]
fn standard_input_words_and_subspaces_name_documents() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let insert = |content: &[u8], kind: &str| {
        let mut command = home.command(&["insert", "--direct", "-", "--as", kind, "--data", first.data(), "--json"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(content).unwrap();
        child.wait_with_output().unwrap()
    };
    let uri = |output: &std::process::Output| {
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        value["uri"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(uri(&insert(b"a word", "ksk:a word")), "KSK@a%20word");
    assert_eq!(home.run(&["fetch", "--direct", "KSK@a%20word", "--data", second.data()]).stdout, b"a word");
    let taken = insert(b"another", "ksk:a word");
    assert_eq!(taken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&taken.stderr).contains("stands under this name"));
    assert_eq!(
        home.run(&["fetch", "--direct", "KSK@a%20word", "--data", second.data()]).stdout,
        b"a word",
        "it was not changed"
    );

    let none = insert(b"page", "ssk:page");
    assert_eq!(none.status.code(), Some(2), "{}", String::from_utf8_lossy(&none.stderr));
    home.json(&["keys", "new", "diary", "--data", first.data()]);
    let named = uri(&insert(b"page", "ssk:diary/page"));
    assert!(named.starts_with("SSK@") && named.ends_with("/page"), "{named}");
    assert_eq!(home.run(&["fetch", "--direct", &named, "--data", second.data()]).stdout, b"page");
}

#[test]
fn what_is_sealed_to_readers_opens_at_their_nodes_and_nowhere_else() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let key = home.json(&["keys", "new", "letters", "--data", second.data()]);
    let reader = key["recipient"].as_str().expect("the name of a reader");
    let file = home.file("letter", b"for your eyes only");
    for kind in ["chk", "ksk:a letter"] {
        let sealed = ["insert", "--direct", &file, "--to", reader, "--as", kind, "--data", first.data()];
        let uri = home.json(&sealed)["uri"].as_str().expect("a URI").to_owned();
        assert_eq!(home.run(&["fetch", "--direct", &uri, "--data", second.data()]).stdout, b"for your eyes only");
        let refused = home.run(&["fetch", "--direct", &uri, "--data", first.data()]);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains("sealed to readers"), "{}", refused.stderr);
        assert!(refused.stdout.is_empty());
    }
    let bad = home.run(&["insert", "--direct", &file, "--to", "somebody", "--data", first.data()]);
    assert!(bad.code == 2 && bad.stderr.contains("names no reader"), "{}", bad.stderr);
}

#[test]
fn equal_convergent_inserts_have_one_name_and_others_do_not() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", &[7; 100_000]);
    let uri = |data: &str, more: &[&str]| {
        home.json(&[&["insert", "--direct", &file, "--data", data], more].concat())["uri"].as_str().unwrap().to_owned()
    };
    assert_eq!(uri(first.data(), &["--convergent"]), uri(second.data(), &["--convergent"]));
    assert_ne!(uri(first.data(), &[]), uri(first.data(), &[]));
}

#[test]
fn a_fetch_that_fails_says_why_and_leaves_the_target_alone() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let _second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", b"some text");
    let uri = home.json(&["insert", "--direct", &file, "--data", first.data()])["uri"].as_str().unwrap().to_owned();
    let target = home.file("target", b"before");
    let names = entries(&home.path(""));
    for (uri, code, part) in [(changed(&uri, 0), 3, "not found"), (changed(&uri, 1), 1, "wrong")] {
        let ran = home.run(&["fetch", "--direct", &uri, "--data", first.data(), "-o", &target]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.sentence().contains(part), "{}", ran.stderr);
        assert_eq!(fs::read(&target).unwrap(), b"before");
        assert_eq!(entries(&home.path("")), names, "nothing is left behind");
    }
    let cases = [(".", "is a directory"), ("no/where", "cannot write no/where"), ("/dev/full", "No space left")];
    for (path, part) in cases {
        let ran = home.run(&["fetch", "--direct", &uri, "--data", first.data(), "-o", path]);
        assert_eq!((ran.code, ran.sentence().contains(part)), (1, true), "{}", ran.stderr);
    }
}

#[test]
fn a_node_alone_takes_no_document() {
    let home = Home::new();
    let alone = home.node("alone", &[]);
    let file = home.file("document", b"some text");
    let mut child =
        home.command(&["insert", "--direct", &file, "--data", alone.data()]).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(wait(&mut child, Duration::from_secs(60)), Some(1));
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(stderr.contains("no other node"), "{stderr}");
}

#[test]
fn with_too_few_nodes_for_pre_routing_nothing_goes_directly_unless_told_so() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", b"some text");
    for (command, argument) in [("insert", file.as_str()), ("fetch", "KSK@word")] {
        let refused = home.run(&[command, argument, "--data", second.data()]);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        let says = refused.sentence();
        assert!(says.contains("4 other nodes") && says.contains("--direct"), "{says}");
    }
    let relays = home.json(&["relays", "--data", second.data()]);
    assert_eq!(relays["relays"].as_array().map(Vec::len), Some(1), "{relays}");
    let status = home.json(&["status", "--data", second.data()]);
    assert_eq!((status["relays"].as_u64(), status["anonymity"]["ready"].as_bool()), (Some(1), Some(false)));
}

#[test]
fn a_wrong_token_opens_nothing() {
    let home = Home::new();
    let node = home.node("node", &[]);
    for token in ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let file = home.file("token", token.as_bytes());
        let ran = home.run(&["status", "--data", node.data(), "--token", &file]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.sentence().contains("refuses the token"), "{}", ran.stderr);
    }
    assert_eq!(home.run(&["status", "--data", node.data()]).code, 0);
}

#[test]
fn the_interface_answers_its_owner_on_this_host_only() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let address = node.ready["api"].as_str().unwrap().trim_start_matches("http://").to_owned();
    let token = fs::read_to_string(node.data.join("token")).unwrap();
    let ask = |path: &str, host: &str, more: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().to_owned(), answer)
    };
    let owner = format!("Authorization: Bearer {token}\r\n");
    let status = |path: &str, host: &str, more: &str| ask(path, host, more).0;
    assert_eq!(status("/v1/status", &address, &owner), "200");
    assert_eq!(status("/v1/status", &address, ""), "401");
    assert_eq!(status("/v1/status", "evil.example", &owner), "403");
    assert_eq!(status("/v1/status", &address, &format!("{owner}Origin: http://evil.example\r\n")), "403");
    assert_eq!(status("/v1/nothing", &address, &owner), "404");
    assert_eq!(status("/v1/nothing", &address, ""), "401", "not even which paths there are");
    assert_eq!(status("/v1/jobs/999", &address, &owner), "404");
    let metrics = ask("/metrics", &address, &owner).1;
    assert!(metrics.contains("bolthole_store_limit_bytes 1073741824"), "{metrics}");
    assert_eq!(fs::metadata(node.data.join("token")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_log_and_the_metrics_name_no_document() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", b"nobody's business");
    let uri = home.json(&["insert", "--direct", &file, "--data", first.data()])["uri"].as_str().unwrap().to_owned();
    assert_eq!(home.run(&["fetch", "--direct", &uri, "--data", second.data()]).code, 0);
    assert_eq!(home.run(&["fetch", "--direct", &changed(&uri, 0), "--data", second.data()]).code, 3);
    let logs = [&first, &second].map(|node| fs::read_to_string(&node.log).unwrap());
    assert!(logs.iter().all(|log| log.contains("the store is open")), "there is a log: {logs:?}");
    // The first characters of the routing key are what a log would show; those of the root must be nowhere at all.
    let (_, parts) = uri.split_once('@').unwrap();
    for part in parts.split(',').take(2) {
        assert!(logs.iter().all(|log| !log.contains(&part[..8]) && !log.contains("nobody's")), "{logs:?}");
    }
}

#[test]
fn a_node_is_found_by_its_address_alone() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let api = node.ready["api"].as_str().unwrap();
    assert_eq!(home.json(&["status", "--api", api])["node_ref"], node.ready["node_ref"]);
    let status = home.command(&["status", "--json"]).env("BOLTHOLE_API", api).output().unwrap();
    assert!(status.status.success());
}

#[test]
fn two_nodes_do_not_share_a_directory_or_a_port() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let same = home.run(&["node", "--data", node.data()]);
    assert_eq!((same.code, same.sentence().contains("another node is running")), (1, true), "{}", same.stderr);
    let listen = node.ready["listen"].as_str().unwrap();
    let port = home.run(&["node", "--data", "other", "--listen", listen]);
    assert_eq!((port.code, port.sentence().contains("cannot listen on")), (1, true), "{}", port.stderr);
    let api = node.ready["api"].as_str().unwrap().trim_start_matches("http://");
    let port = home.run(&["node", "--data", "other", "--api", api]);
    assert_eq!((port.code, port.sentence().contains("cannot listen on")), (1, true), "{}", port.stderr);
    assert_eq!(home.run(&["status", "--data", node.data()]).code, 0, "the first goes on");
}

#[test]
fn a_reference_of_another_network_is_refused() {
    let home = Home::new();
    let one = home.node("one", &[]);
    let other = home.node("other", &[]);
    let (reference, data) = (one.reference().to_owned(), other.data().to_owned());
    assert!(other.stop());
    let ran = home.run(&["node", "--data", &data, "--join", &reference]);
    assert_eq!((ran.code, ran.sentence().contains("belongs to the network")), (1, true), "{}", ran.stderr);
    // A reference whose network was changed names no network that its node would show.
    let mixed = home.run(&["node", "--data", "fresh", "--join", &format!("{reference}AA")]);
    assert_eq!(mixed.code, 2, "{}", mixed.stderr);
    drop(one);
    let gone = home.run(&["node", "--data", "fresh", "--join", &reference]);
    assert_eq!((gone.code, gone.sentence().contains("cannot join")), (4, true), "{}", gone.stderr);
}

#[test]
fn a_network_is_started_by_its_founders_alone() {
    let home = Home::new();
    let founded = home.json(&["network", "new", "friends", "--data", "founder"]);
    let file = founded["file"].as_str().unwrap();
    let stranger = home.run(&["node", "--data", "stranger", "--network", file]);
    assert_eq!((stranger.code, stranger.sentence().contains("no founding member")), (2, true), "{}", stranger.stderr);
    let founder = home.node("founder", &["--network", file]);
    assert_eq!(founder.ready["network"], founded["network"]);
    let joined = home.node("joined", &["--join", founder.reference()]);
    assert_eq!(joined.ready["network"], founded["network"]);
    let open = home.run(&["node", "--data", "open", "--profile", "open"]);
    assert_eq!((open.code, open.sentence().contains("--network or --join")), (2, true), "{}", open.stderr);
}

#[test]
fn a_node_comes_back_as_itself_with_what_it_kept() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", &[3; 50_000]);
    let uri = home.json(&["insert", "--direct", &file, "--data", first.data()])["uri"].as_str().unwrap().to_owned();
    let before = second.ready.clone();
    assert!(second.stop());
    let second = home.node("second", &[]);
    for field in ["node_ref", "location", "network", "listen"] {
        assert_eq!(second.ready[field], before[field], "{field}");
    }
    drop(first);
    assert_eq!(
        home.run(&["fetch", "--direct", &uri, "--data", second.data()]).stdout,
        [3; 50_000],
        "from its own store"
    );
}

#[test]
fn a_damaged_secret_or_store_is_named_and_not_overwritten() {
    let home = Home::new();
    assert!(home.node("node", &[]).stop());
    for (file, content) in
        [("node/identity", &b"damaged"[..]), ("node/secret", b"damaged"), ("node/genesis", b"damaged")]
    {
        let path = home.path(file);
        let before = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        let ran = home.run(&["node", "--data", "node"]);
        assert_eq!(ran.code, 1, "{file}: {}", ran.stderr);
        assert!(ran.sentence().contains(file.trim_start_matches("node/")), "{file}: {}", ran.stderr);
        assert_eq!(fs::read(&path).unwrap(), content, "{file} is not overwritten");
        fs::write(&path, before).unwrap();
    }
    assert!(home.node("node", &[]).stop());
}

#[test]
fn an_interrupted_fetch_leaves_nothing_behind() {
    let home = Home::new();
    let first = home.node("first", &[]);
    let _second = home.node("second", &["--join", first.reference()]);
    let file = home.file("document", &vec![5; 8 << 20]);
    let mut insert =
        home.command(&["insert", "--direct", &file, "--data", first.data()]).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(150));
    signal(insert.id(), "-INT");
    let code = wait(&mut insert, Duration::from_secs(10));
    assert!(code == Some(130) || code == Some(0), "stopped, unless it was faster: {code:?}");
    let left = entries(&home.path(""));
    assert!(!left.iter().any(|name| name.contains(".part")), "{left:?}");
    assert_eq!(home.json(&["status", "--data", first.data()])["requests"]["jobs"], 0, "the job is gone");
}

#[test]
fn an_idle_node_is_small_and_quiet() {
    let home = Home::new();
    let node = home.node("node", &[]);
    std::thread::sleep(Duration::from_secs(1));
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", node.id())).unwrap();
        let fields: Vec<u64> =
            stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).map(|f| f.parse().unwrap()).collect();
        fields[0] + fields[1]
    };
    let before = ticks();
    std::thread::sleep(Duration::from_secs(6));
    // A tick is 10 ms: 0.5 % of 6 s are 3.
    assert!(ticks() - before <= 3, "{} ticks in 6 s", ticks() - before);
    let status = fs::read_to_string(format!("/proc/{}/status", node.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib <= 20 * 1024, "{kib} KiB resident");
}
