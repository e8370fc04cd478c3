//! Names that several documents share, on the built binary: editions of a site, and what is published for dates.

mod cli_support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use cli_support::{Home, Node};
use serde_json::Value;

/// Two linked nodes; the first has a subspace `press`.
fn pair(home: &Home) -> (Node, Node) {
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    home.json(&["keys", "new", "press", "--data", first.data()]);
    (first, second)
}

fn insert(home: &Home, node: &Node, kind: &str, content: &str) -> Value {
    let file = home.file("document", content.as_bytes());
    home.json(&["insert", "--direct", &file, "--as", kind, "--data", node.data()])
}

fn uri(value: &Value) -> &str {
    value["uri"].as_str().expect("a URI")
}

#[test]
fn the_newest_edition_is_found_from_any_and_followed() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let oldest = insert(&home, &first, "usk:press/news", "edition 0");
    assert!(uri(&oldest).starts_with("USK@") && uri(&oldest).ends_with("/news/0"), "{oldest}");
    for number in 1..=3 {
        let next = insert(&home, &first, "usk:press/news", &format!("edition {number}"));
        assert!(uri(&next).ends_with(&format!("/news/{number}")), "{next}");
    }
    let target = home.text("fetched");
    let fetched = home.json(&["fetch", "--direct", uri(&oldest), "-o", &target, "--data", second.data()]);
    assert_eq!(std::fs::read(&target).expect("it was written"), b"edition 3");
    assert!(fetched["found"].as_str().is_some_and(|found| found.ends_with("/news/3")), "{fetched}");
    let exactly = home.run(&["fetch", "--direct", uri(&oldest), "--exact", "--data", second.data()]);
    assert_eq!(exactly.stdout, b"edition 0", "{}", exactly.stderr);
    let ahead = uri(&oldest).replace("/news/0", "/news/700");
    assert_eq!(
        home.run(&["fetch", "--direct", &ahead, "--data", second.data()]).stdout,
        b"edition 3",
        "from beyond the newest"
    );

    let once = home.json(&["follow", "--direct", uri(&oldest), "--once", "--data", second.data()]);
    assert_eq!(once["edition"], 3);
    let arguments = ["follow", "--direct", uri(&oldest), "--every", "1", "--data", second.data()];
    let mut follower = home.command(&arguments).stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines().map_while(Result::ok);
    assert!(lines.next().is_some_and(|line| line.ends_with("/news/3")));
    insert(&home, &first, "usk:press/news", "edition 4");
    assert!(lines.next().is_some_and(|line| line.ends_with("/news/4")));
    follower.kill().and_then(|()| follower.wait()).expect("it ends");

    let other = uri(&oldest).replace("/news/", "/views/");
    let none = home.run(&["fetch", "--direct", &other, "--data", second.data()]);
    assert_eq!((none.code, none.stdout.len()), (3, 0), "{}", none.stderr);
    assert!(none.stderr.contains("no edition"), "{}", none.stderr);
}

#[test]
fn what_is_published_for_dates_is_found_by_date_and_before() {
    let home = Home::new();
    let (first, second) = pair(&home);
    for (period, content) in [("2026-01-01", "new year"), ("2026-01-07", "a week on"), ("2026-W01", "week one")] {
        let inserted = insert(&home, &first, &format!("date:press/news/{period}"), content);
        assert!(uri(&inserted).ends_with(&format!("/news.{period}")), "{inserted}");
    }
    let today = insert(&home, &first, "date:press/news/day", "today");
    let name = uri(&today).rsplit_once('.').expect("a period").0.to_owned();
    let fetch =
        |options: &[&str]| home.run(&[&["fetch", "--direct", &name, "--data", second.data()], options].concat());
    for (options, content) in [
        (&["--dated", "day"][..], "today"),
        (&["--dated", "day", "--on", "2026-01-01"], "new year"),
        (&["--dated", "day", "--on", "2026-01-05"], "new year"),
        (&["--dated", "day", "--on", "2026-01"], "a week on"),
        // Its first Monday lies in the year before.
        (&["--dated", "week", "--on", "2025-12-31"], "week one"),
        (&["--dated", "week", "--on", "2026-W03"], "week one"),
    ] {
        let ran = fetch(options);
        assert_eq!(String::from_utf8_lossy(&ran.stdout), content, "{options:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("found SSK@"), "{}", ran.stderr);
        let fell_back = options.contains(&"2026-01-05") || options.contains(&"2026-W03");
        assert_eq!(ran.stderr.contains("this is the newest before"), fell_back, "{options:?}: {}", ran.stderr);
    }
    for (options, code, part) in [
        (&["--dated", "day", "--on", "2026-01-06", "--back", "3"][..], 3, "from 2026-01-03 to 2026-01-06"),
        (&["--dated", "month"], 3, "nothing was found"),
        (&["--dated", "day", "--on", "9999-01-01"], 2, "has not begun"),
        (&["--dated", "day", "--on", "2026-02-30"], 2, "is no period"),
        (&["--dated", "fortnight"], 2, "fortnight"),
        (&["--on", "2026-01-01"], 2, "--dated"),
    ] {
        let ran = fetch(options);
        assert_eq!(ran.code, code, "{options:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{options:?}: {}", ran.stderr);
    }
    let file = home.file("document", b"too early");
    for (kind, part) in [
        ("date:press/news/9999-12-31", "has not begun"),
        ("date:press/news/2026-W54", "is no period"),
        ("date:news", "names no period"),
    ] {
        let ran = home.run(&["insert", "--direct", &file, "--as", kind, "--data", first.data()]);
        assert_eq!(ran.code, 2, "{kind}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{kind}: {}", ran.stderr);
    }
}

#[test]
fn a_taken_name_says_what_stands_there() {
    let home = Home::new();
    let (first, _second) = pair(&home);
    let short = home.file("short", b"a few words");
    let long = home.file("long", &[7; 4_000]);
    let insert = |file: &str, kind: &str| home.run(&["insert", "--direct", file, "--as", kind, "--data", first.data()]);
    for (file, kind, part) in [(&short, "ssk:press/short", "11 B"), (&long, "ssk:press/long", "CHK@")] {
        assert_eq!(insert(file, kind).code, 0);
        let other = home.file("other", b"something else");
        let taken = insert(&other, kind);
        assert_eq!(taken.code, 1, "{}", taken.stderr);
        assert!(taken.stderr.contains(part) && taken.stderr.contains("was not changed"), "{}", taken.stderr);
    }
}

#[test]
fn the_right_to_write_moves_to_another_node() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let oldest = insert(&home, &first, "usk:press/news", "from here");
    let export = home.text("press.key");
    let run = |arguments: &[&str], passphrase: &str| {
        let mut command = home.command(arguments);
        let ran = command.env("BOLTHOLE_EXPORT_PASSPHRASE", passphrase).output().expect("the binary runs");
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let out = ["keys", "export", "press", &export, "--data", first.data()];
    assert_eq!(run(&out, "").0, Some(2), "no export lies open");
    assert!(!home.path("press.key").exists());
    assert_eq!(run(&out, "open sesame").0, Some(0));
    let again = run(&out, "open sesame");
    assert!(again.0 == Some(1) && again.1.contains("exists"), "{again:?}");
    let into = ["keys", "import", "moved", &export, "--data", second.data()];
    let wrong = run(&into, "open barley");
    assert!(wrong.0 == Some(1) && wrong.1.contains("does not open"), "{wrong:?}");
    assert_eq!(run(&into, "open sesame").0, Some(0));
    let next = insert(&home, &second, "usk:moved/news", "from there");
    assert_eq!(uri(&next), uri(&oldest).replace("/news/0", "/news/1"));
}
