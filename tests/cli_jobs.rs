//! Work that survives: inserts and fetches of real nodes that are killed in the middle and go on where they were.
#![allow(clippy::disallowed_methods, reason = "real processes take real time")]

mod cli_support;

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use cli_support::{Home, Node, signal};
use serde_json::Value;

/// Bytes that nothing compresses or repeats, the same for the same seed.
fn bytes(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Waits until `is` holds of a job; what it says then.
fn until(home: &Home, node: &Node, job: &Value, is: impl Fn(&Value) -> bool) -> Value {
    let mut view = Value::Null;
    for _ in 0..3_000 {
        view = home.json(&["jobs", "show", &job.to_string(), "--data", node.data()]);
        if is(&view) {
            return view;
        }
        assert_ne!(view["state"], "failed", "{view}");
        sleep(Duration::from_millis(20));
    }
    panic!("it never came: {view}");
}

fn blocks(view: &Value) -> u64 {
    view["progress"]["blocks"].as_u64().unwrap_or(0)
}

/// Kills a node at once, and starts it again on what is left.
fn killed(home: &Home, node: Node, name: &str, arguments: &[&str]) -> Node {
    signal(node.id(), "-KILL");
    drop(node);
    home.node(name, arguments)
}

fn in_clear(directory: &Path, secret: &[u8]) -> bool {
    fs::read_dir(directory).expect("a directory").any(|entry| {
        let bytes = fs::read(entry.expect("readable").path()).expect("readable");
        bytes.windows(secret.len()).any(|part| part == secret)
    })
}

#[test]
fn an_insert_and_a_fetch_go_on_after_the_node_is_killed() {
    let home = Home::new();
    let second = home.node("second", &[]);
    let join = ["--join", second.reference()];
    let first = home.node("first", &join);
    let document = bytes(40 << 20, 1);
    let file = home.file("document", &document);
    let begun = home.json(&["insert", &file, "--direct", "--background", "--data", first.data()]);
    let job = &begun["job"];
    let before = until(&home, &first, job, |view| blocks(view) > 200);
    assert_eq!(before["state"], "running", "it is in the middle: {before}");
    assert!(!in_clear(&first.data.join("jobs"), b"document"), "what lies on the disk is sealed");
    let first = killed(&home, first, "first", &join);
    let end = home.json(&["jobs", "wait", &job.to_string(), "--data", first.data()]);
    assert_eq!((&end["state"], &end["bytes"]), (&"inserted".into(), &(40 << 20).into()), "{end}");
    let (kept, all) = (end["progress"]["stored_before"].as_u64().unwrap_or(0), end["blocks"].as_u64().expect("blocks"));
    assert!(kept >= blocks(&before), "{kept} of {} were known to be stored: {end}", blocks(&before));
    let made = &home.json(&["status", "--data", first.data()])["requests"]["made"];
    // Some are tried again when the network is busy; what was stored before would be hundreds.
    let sent = made["inserts"].as_u64().expect("a number");
    assert!(sent < all - kept + kept / 2, "{sent} sent of {all}, {kept} stored before");
    assert_eq!(cli_support::entries(&first.data.join("jobs")), [job.to_string()], "only what became of it is kept");

    let (target, uri) = (home.text("fetched"), end["uri"].as_str().expect("a URI").to_owned());
    // The second node has most blocks itself; the network is asked, and that takes its time.
    let begun = home.json(&["fetch", &uri, "-o", &target, "--direct", "--background", "--data", second.data()]);
    let job = &begun["job"];
    let half = |view: &Value| view["progress"]["bytes"].as_u64().unwrap_or(0) > 8 << 20;
    let before = until(&home, &second, job, half);
    assert!(before["state"] != "running" || !Path::new(&target).exists(), "it appears whole or not at all");
    let second = killed(&home, second, "second", &[]);
    let end = home.json(&["jobs", "wait", &job.to_string(), "--data", second.data()]);
    assert_eq!(end["state"], "fetched", "{end}");
    assert!(fs::read(&target).expect("it is there") == document, "every byte");
    if before["state"] == "running" {
        let asked = end["blocks_fetched"].as_u64().expect("blocks");
        assert!(asked < all - 200, "{asked} of {all} blocks: the first 8 MiB are not fetched again");
    }
    let left: Vec<_> = cli_support::entries(&home.path("")).into_iter().filter(|name| name.contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn jobs_are_paused_resumed_ordered_and_cancelled_by_number() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let file = home.file("document", &bytes(100_000, 2));
    let run = |arguments: &[&str]| home.run(&[arguments, &["--data", node.data()]].concat());
    let json = |arguments: &[&str]| home.json(&[arguments, &["--data", node.data()]].concat());
    assert_eq!(String::from_utf8_lossy(&run(&["jobs"]).stdout), "no jobs\n");
    // A network of one has nobody to insert to, so it waits.
    let job = json(&["insert", &file, "--direct", "--background"])["job"].to_string();
    let paused = json(&["jobs", "pause", &job]);
    assert_eq!((&paused["state"], &paused["title"]), (&"paused".into(), &"document".into()), "{paused}");
    assert_eq!(json(&["jobs", "priority", &job, "high"])["priority"], "high");
    let node_list = json(&["jobs"]);
    assert_eq!(node_list["jobs"][0]["state"], "paused", "{node_list}");
    let waiting = run(&["jobs", "wait", &job]);
    assert!(waiting.code == 1 && waiting.sentence().contains("rests"), "{}", waiting.stderr);
    assert_eq!(json(&["jobs", "resume", &job])["state"], "running");
    assert_eq!(json(&["jobs", "cancel", &job])["cancelled"], true);
    for (arguments, part) in [
        (["jobs", "cancel", &job], "not there any more"),
        (["jobs", "pause", "77"], "no such job"),
        (["jobs", "show", &job], "not there any more"),
    ] {
        let refused = run(&arguments);
        assert!(refused.code == 3 && refused.sentence().contains(part), "{}: {}", refused.code, refused.stderr);
    }
    // What cannot be begun is refused at once.
    for (arguments, part) in [
        (&["fetch", "KSK@word", "--background"][..], "-o FILE"),
        (&["fetch", "KSK@word", "--background", "-o", "/no/such/place"], "no directory"),
        (&["insert", "missing", "--background"], "does not exist"),
        (&["insert", &file, "--wait"], "--background"),
    ] {
        let refused = run(arguments);
        assert!(refused.code != 0 && refused.stderr.contains(part), "{arguments:?}: {}", refused.stderr);
    }
}

#[test]
fn a_source_that_changed_or_went_is_refused_and_nothing_is_lost() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let document = bytes(300_000, 3);
    let file = home.file("document", &document);
    let job = home.json(&["insert", &file, "--direct", "--background", "--data", node.data()])["job"].to_string();
    let failed = |node: &Node| {
        let end = home.run(&["jobs", "wait", &job, "--data", node.data()]);
        assert_eq!(end.code, 1, "{}", end.stderr);
        end.sentence().to_owned()
    };
    // It has been read once when it waits for other nodes.
    until(&home, &node, &job.parse().expect("a number"), |view| view["sentence"].is_string());
    let node = killed(&home, node, "node", &[]);
    home.json(&["jobs", "pause", &job, "--data", node.data()]);
    fs::write(&file, bytes(300_000, 4)).expect("written");
    home.json(&["jobs", "resume", &job, "--data", node.data()]);
    assert!(failed(&node).contains("has changed"), "{}", failed(&node));
    fs::remove_file(&file).expect("removed");
    home.json(&["jobs", "resume", &job, "--data", node.data()]);
    assert!(failed(&node).contains("is gone"), "{}", failed(&node));
    // As it was, it goes on; and now there is somebody to take it.
    let other = home.node("other", &["--join", node.reference()]);
    fs::write(&file, &document).expect("written");
    home.json(&["jobs", "resume", &job, "--data", node.data()]);
    let end = home.json(&["jobs", "wait", &job, "--data", node.data()]);
    assert_eq!(end["state"], "inserted", "{end}");
    let target = home.text("target");
    let uri = end["uri"].as_str().expect("a URI");
    let fetched = ["fetch", uri, "-o", &target, "--direct", "--background", "--wait", "--data", other.data()];
    assert_eq!(home.json(&fetched)["bytes"], 300_000);
    assert!(fs::read(&target).expect("it is there") == document);
}

#[test]
fn what_is_sent_to_a_job_that_lasts_survives_too() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let document = bytes(700_000, 5);
    let file = home.file("document", &document);
    let mut insert = home.command(&["insert", "-", "--direct", "--background", "--json", "--data", node.data()]);
    let ran = cli_support::ran(insert.stdin(fs::File::open(&file).expect("a file")).output().expect("it runs"));
    let job = ran.json()["job"].to_string();
    fs::remove_file(&file).expect("removed");
    let view = until(&home, &node, &job.parse().expect("a number"), |view| view["sentence"].is_string());
    assert_ne!(view["sentence"], "its document is coming in", "the command ends when the node has it on its disk");
    assert!(!in_clear(&node.data.join("jobs"), &document[5_000..5_032]), "the copy is sealed");
    let node = killed(&home, node, "node", &[]);
    let other = home.node("other", &["--join", node.reference()]);
    let end = home.json(&["jobs", "wait", &job, "--data", node.data()]);
    let uri = end["uri"].as_str().unwrap_or_else(|| panic!("{end}"));
    let fetched = home.run(&["fetch", uri, "--direct", "--data", other.data()]);
    assert!(fetched.stdout == document, "{}", fetched.stderr);
}

/// A directory of one large file and many small ones.
fn pages(home: &Home, large: usize) -> Vec<(String, Vec<u8>)> {
    let root = home.path("pages");
    let mut files = vec![("index.html".to_owned(), b"<a href=notes/1.txt>one</a>".to_vec())];
    files.push(("large.bin".to_owned(), bytes(large, 6)));
    files.extend((0..300).map(|number| (format!("notes/{number}.txt"), bytes(4_000, number))));
    for (name, content) in &files {
        let place = root.join(name);
        fs::create_dir_all(place.parent().expect("it is in the directory")).expect("made");
        fs::write(place, content).expect("written");
    }
    files
}

fn whole(directory: &Path, files: &[(String, Vec<u8>)]) -> bool {
    files.iter().all(|(name, content)| fs::read(directory.join(name)).is_ok_and(|bytes| bytes == *content))
}

#[test]
fn a_whole_site_goes_on_after_the_node_is_killed() {
    let home = Home::new();
    let second = home.node("second", &[]);
    let join = ["--join", second.reference()];
    let first = home.node("first", &join);
    home.json(&["keys", "new", "press", "--data", first.data()]);
    let files = pages(&home, 24 << 20);
    let directory = home.text("pages");
    let publish = ["site", "publish", &directory, "--as", "usk:press/pages", "--direct", "--background"];
    let job = home.json(&[&publish[..], &["--data", first.data()]].concat())["job"].clone();
    let before = until(&home, &first, &job, |view| blocks(view) > 150);
    assert_eq!((&before["state"], &before["what"]), (&"running".into(), &"publish".into()), "in the middle: {before}");
    assert_eq!(before["progress"]["total_files"], 302, "{before}");
    let first = killed(&home, first, "first", &join);
    let end = home.json(&["jobs", "wait", &job.to_string(), "--data", first.data()]);
    assert_eq!((&end["state"], &end["files"], &end["kept"]), (&"published".into(), &302.into(), &0.into()), "{end}");
    let (kept, all) = (end["progress"]["stored_before"].as_u64().unwrap_or(0), end["blocks"].as_u64().expect("blocks"));
    assert!(kept >= blocks(&before), "{kept} of {} were known to be stored: {end}", blocks(&before));
    let made = &home.json(&["status", "--data", first.data()])["requests"]["made"];
    let sent = made["inserts"].as_u64().expect("a number");
    assert!(sent < all - kept + kept / 2, "{sent} sent of {all}, {kept} stored before");
    assert_eq!(cli_support::entries(&first.data.join("jobs")), [job.to_string()], "only what became of it is kept");
    let uri = end["uri"].as_str().expect("a URI").to_owned();
    assert!(uri.ends_with("/pages/0"), "{uri}");

    let target = home.text("saved");
    let save = ["site", "fetch", &uri, &target, "--direct", "--background", "--data", second.data()];
    let job = home.json(&save)["job"].clone();
    let third = |view: &Value| view["progress"]["bytes"].as_u64().unwrap_or(0) > 8 << 20;
    let before = until(&home, &second, &job, third);
    assert!(before["state"] != "running" || !Path::new(&target).exists(), "it appears whole or not at all");
    let second = killed(&home, second, "second", &[]);
    let end = home.json(&["jobs", "wait", &job.to_string(), "--data", second.data()]);
    assert_eq!(
        (&end["state"], &end["found"], &end["files"]),
        (&"saved".into(), &uri.clone().into(), &302.into()),
        "{end}"
    );
    assert!(whole(Path::new(&target), &files), "every byte");
    if before["state"] == "running" {
        let asked = end["blocks_fetched"].as_u64().expect("blocks");
        assert!(asked < all - 200, "{asked} of {all} blocks: the first 8 MiB are not fetched again");
    }
    let left: Vec<_> = cli_support::entries(&home.path("")).into_iter().filter(|name| name.contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
    let list = home.run(&["jobs", "--data", second.data()]);
    assert!(
        String::from_utf8_lossy(&list.stdout).contains("302 of 302 files"),
        "{}",
        String::from_utf8_lossy(&list.stdout)
    );
}

#[test]
fn a_site_that_is_paused_and_changed_is_published_as_it_is_then() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let files = pages(&home, 100_000);
    let directory = home.text("pages");
    home.json(&["keys", "new", "press", "--data", node.data()]);
    let json = |arguments: &[&str]| home.json(&[arguments, &["--data", node.data()]].concat());
    let publish =
        ["site", "publish", &directory, "--as", "usk:press/pages", "--direct", "--background", "--priority", "low"];
    let job = json(&publish)["job"].to_string();
    // A network of one has nobody to insert to, so it waits.
    until(&home, &node, &job.parse().expect("a number"), |view| view["sentence"].is_string());
    let paused = json(&["jobs", "pause", &job]);
    let expected = (&"paused".into(), &"low".into(), &"pages as usk:press/pages".into());
    assert_eq!((&paused["state"], &paused["priority"], &paused["title"]), expected, "{paused}");
    fs::write(home.path("pages").join("index.html"), b"<p>changed").expect("written");
    fs::remove_file(home.path("pages").join("notes/7.txt")).expect("removed");
    let other = home.node("other", &["--join", node.reference()]);
    json(&["jobs", "resume", &job]);
    let end = json(&["jobs", "wait", &job]);
    assert_eq!((&end["state"], &end["files"]), (&"published".into(), &301.into()), "{end}");
    let target = home.text("saved");
    let uri = end["uri"].as_str().expect("a URI");
    let save = ["site", "fetch", uri, &target, "--direct", "--background", "--wait", "--data", other.data()];
    assert_eq!(home.json(&save)["files"], 301);
    let changed = ["index.html", "notes/7.txt"];
    let same: Vec<_> = files.into_iter().filter(|(name, _)| !changed.contains(&&name[..])).collect();
    assert!(whole(Path::new(&target), &same) && !Path::new(&target).join("notes/7.txt").exists());
    assert_eq!(fs::read(Path::new(&target).join("index.html")).expect("it is there"), b"<p>changed");

    // The next edition builds on this one, as the command's own does.
    fs::write(home.path("pages").join("index.html"), b"<p>again").expect("written");
    let next = json(&[&publish[..], &["--wait"]].concat());
    assert_eq!((&next["files"], &next["kept"]), (&301.into(), &300.into()), "{next}");
    assert!(next["uri"].as_str().is_some_and(|uri| uri.ends_with("/pages/1")), "{next}");

    // One that is cancelled leaves nothing behind, and one that cannot be begun is refused at once.
    let gone = home.text("gone");
    let job = json(&["site", "fetch", "KSK@nothing-stands-here", &gone, "--direct", "--background"])["job"].to_string();
    assert_eq!(json(&["jobs", "cancel", &job])["cancelled"], true);
    for (arguments, part) in [
        (&["site", "fetch", uri, &target, "--background"][..], "is not empty"),
        (&["site", "fetch", uri, "/no/such/place/site", "--background"], "no directory"),
        (&["site", "publish", "/no/such/place", "--background"], "is not a directory"),
        (&["site", "publish", &directory, "--background", "--dry-run"], "cannot be used with"),
        (&["site", "publish", &directory, "--wait"], "--background"),
    ] {
        let refused = home.run(&[arguments, &["--data", node.data()]].concat());
        assert!(refused.code != 0 && refused.stderr.contains(part), "{arguments:?}: {}", refused.stderr);
    }
    let left: Vec<_> = cli_support::entries(&home.path("")).into_iter().filter(|name| name.contains(".part")).collect();
    assert!(left.is_empty(), "{left:?}");
}
