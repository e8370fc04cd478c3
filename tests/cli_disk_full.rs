//! Nodes whose disk fills up while they work: what was stored stays, what has no room is refused with a sentence.
//!
//! The disk is a real file system of a few megabytes, mounted for one process alone. Where the system does not let a test
//! mount one, the test says so and ends.
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod cli_support;

use std::fs;
use std::process::{Command, Output};

use cli_support::{Home, Node, Ran, ran};

/// A node on a file system of its own.
struct Small {
    node: Node,
}

impl Small {
    fn start(home: &Home, name: &str, mebibytes: u32, arguments: &[&str]) -> Self {
        let data = home.path(name);
        fs::create_dir(&data).expect("a new directory");
        let data = data.to_str().expect("a plain path");
        let mount = format!("mount -t tmpfs -o size={mebibytes}m none '{data}' && exec \"$@\"");
        let node = home
            .try_node_under(name, &[&["unshare"], namespaces(), &["sh", "-c", &mount, "sh"]].concat(), arguments)
            .unwrap_or_else(|stderr| panic!("{name} does not start: {stderr}"));
        Self { node }
    }

    /// Runs a command where this node's files can be seen.
    fn run(&self, home: &Home, arguments: &[&str]) -> Ran {
        let mut command = inside(&self.node);
        command.arg(env!("CARGO_BIN_EXE_bolthole")).args(arguments);
        command.args(["--data", self.node.data()]).env("HOME", home.path(""));
        ran(command.output().expect("nsenter runs"))
    }

    fn inside(&self, words: &[&str]) -> Output {
        inside(&self.node).args(words).output().expect("nsenter runs")
    }
}

/// The beginning of a command where the files of a node can be seen.
fn inside(node: &Node) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["-t", &node.id().to_string(), "-m"]);
    if namespaces().len() > 1 {
        command.args(["-U", "--preserve-credentials"]);
    }
    command.arg("--");
    command
}

/// What a process needs to mount something for itself.
fn namespaces() -> &'static [&'static str] {
    let root = Command::new("id").arg("-u").output().expect("id runs").stdout == b"0\n";
    if root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] }
}

fn may_mount(home: &Home) -> bool {
    let place = home.path("try");
    fs::create_dir(&place).expect("a new directory");
    let mut command = Command::new("unshare");
    command.args(namespaces()).args(["mount", "-t", "tmpfs", "none"]).arg(place);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_refuses_with_a_sentence_and_loses_nothing() {
    let home = Home::new();
    if !may_mount(&home) {
        eprintln!("not tested: this system lets nobody here mount a file system");
        return;
    }
    let first = Small::start(&home, "first", 24, &[]);
    let second = Small::start(&home, "second", 24, &["--join", first.node.reference()]);
    let small: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    let kept = first.run(&home, &["insert", "--direct", &home.file("small", &small), "--json"]);
    assert_eq!(kept.code, 0, "{}", kept.stderr);
    let uri = kept.json()["uri"].as_str().expect("a URI").to_owned();

    let large = home.file("large", &vec![1; 40 << 20]);
    let refused = first.run(&home, &["insert", "--direct", &large]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.sentence().contains("no room"), "{}", refused.stderr);
    let status = first.run(&home, &["status", "--json"]).json();
    assert_eq!(status["store"]["fault"], "the disk is full", "{status}");

    let target = home.text("target");
    for node in [&first, &second] {
        let fetched = node.run(&home, &["fetch", "--direct", &uri, "-o", &target]);
        assert_eq!((fetched.code, fs::read(&target).expect("written") == small), (0, true), "{}", fetched.stderr);
    }
    assert!(first.node.stop() && second.node.stop(), "both end by themselves");
}

#[test]
fn a_job_rests_while_its_disk_is_full_and_goes_on_when_there_is_room() {
    let home = Home::new();
    if !may_mount(&home) {
        eprintln!("not tested: this system lets nobody here mount a file system");
        return;
    }
    let first = home.node("first", &[]);
    let tiny = home.text("tiny");
    fs::create_dir(&tiny).expect("a new directory");
    let mount = format!("mount -t tmpfs -o size=2m none '{tiny}' && exec \"$@\"");
    let wrapper = [&["unshare"], namespaces(), &["sh", "-c", &mount, "sh"]].concat();
    let second = home.try_node_under("second", &wrapper, &["--join", first.reference()]).expect("it starts");
    let document: Vec<u8> = (0..1_200_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = home.file("document", &document);
    let uri = home.json(&["insert", "--direct", &file, "--data", first.data()])["uri"].clone();
    let target = format!("{tiny}/target");
    let fetch =
        ["fetch", uri.as_str().expect("a URI"), "-o", &target, "--direct", "--background", "--data", second.data()];
    let job = home.json(&fetch)["job"].to_string();
    let rests = home.run(&["jobs", "wait", &job, "--data", second.data()]);
    assert!(rests.code == 1 && rests.sentence().contains("the disk is full"), "{}", rests.stderr);
    let view = home.json(&["jobs", "show", &job, "--data", second.data()]);
    assert_eq!(view["state"], "paused", "{view}");
    let inside = |words: &[&str]| inside(&second).args(words).output().expect("nsenter runs");
    assert!(inside(&["mount", "-o", "remount,size=16m", &tiny]).status.success());
    home.json(&["jobs", "resume", &job, "--data", second.data()]);
    let end = home.json(&["jobs", "wait", &job, "--data", second.data()]);
    assert_eq!(end["state"], "fetched", "{end}");
    assert!(inside(&["cat", &target]).stdout == document, "every byte");
}

#[test]
fn a_site_rests_while_the_disk_of_its_node_is_full_and_is_published_when_there_is_room() {
    let home = Home::new();
    if !may_mount(&home) {
        eprintln!("not tested: this system lets nobody here mount a file system");
        return;
    }
    let second = home.node("second", &[]);
    let first = Small::start(&home, "first", 24, &["--join", second.reference()]);
    first.run(&home, &["keys", "new", "press", "--json"]);
    let pages = home.path("pages");
    fs::create_dir(&pages).expect("a new directory");
    // More than fits beside the blocks that the other node keeps, with what the job must write down of each.
    let large: Vec<u8> = (0..10_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (name, content) in [("index.html", &b"<p>Hello"[..]), ("large.bin", &large)] {
        fs::write(pages.join(name), content).expect("written");
    }
    let publish = ["site", "publish", &home.text("pages"), "--as", "usk:press/pages", "--direct", "--background"];
    let job = first.run(&home, &[&publish[..], &["--json"]].concat()).json()["job"].to_string();
    let rests = first.run(&home, &["jobs", "wait", &job]);
    assert!(rests.code == 1 && rests.sentence().contains("no room"), "{}", rests.stderr);
    let view = first.run(&home, &["jobs", "show", &job, "--json"]).json();
    assert_eq!(view["state"], "paused", "{view}");
    assert!(first.inside(&["mount", "-o", "remount,size=400m", first.node.data()]).status.success());
    assert_eq!(first.run(&home, &["jobs", "resume", &job]).code, 0);
    let end = first.run(&home, &["jobs", "wait", &job, "--json"]).json();
    assert_eq!((&end["state"], &end["files"]), (&"published".into(), &2.into()), "{end}");
    let target = home.text("target");
    let fetched =
        home.run(&["site", "fetch", end["uri"].as_str().expect("a URI"), &target, "--direct", "--data", second.data()]);
    assert_eq!(fetched.code, 0, "{}", fetched.stderr);
    assert!(fs::read(home.path("target").join("large.bin")).expect("written") == large, "every byte");
}
