//! Sites on the built binary: a directory into the network and back, its editions, its files by path, and hostile lists.

mod cli_support;

use std::fs;
use std::path::Path;

use bolthole::document::mime::Mime;
use bolthole::document::site::index::{Body, File, Index, Pack, Place, SITE_TYPE};
use bolthole::key::uri::{SitePath, Uri};
use cli_support::{Home, Node};
use serde_json::Value;

/// Two linked nodes; the first has a subspace `press`.
fn pair(home: &Home) -> (Node, Node) {
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    home.json(&["keys", "new", "press", "--data", first.data()]);
    (first, second)
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let place = root.join(path);
    fs::create_dir_all(place.parent().expect("it is in the directory")).expect("made");
    fs::write(place, content).expect("written");
}

/// Every file below `root`, by path.
fn contents(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("it can be read") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_str().expect("plain").to_owned();
                found.push((name, fs::read(path).expect("it can be read")));
            }
        }
    }
    found.sort();
    found
}

fn uri(value: &Value) -> String {
    value["uri"].as_str().expect("a URI").to_owned()
}

#[test]
fn a_directory_comes_back_and_its_next_edition_inserts_what_changed() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let root = home.path("pages");
    write(&root, "index.html", b"<a href=notes/one.txt>one</a>");
    write(&root, "empty", b"");
    write(&root, "large.bin", &[5; 100_000]);
    for number in 0..300 {
        write(&root, &format!("notes/{number}.txt"), format!("note {number}").repeat(20).as_bytes());
    }
    write(&root, "with space/\u{e9}.txt", b"odd names");
    let directory = home.text("pages");
    let publish = ["site", "publish", "--direct", &directory, "--as", "usk:press/pages", "--data", first.data()];

    let dry = home.json(&[&publish[..], &["--dry-run"]].concat());
    assert_eq!((&dry["alone"], &dry["packs"], &dry["files"]), (&1.into(), &1.into(), &304.into()), "{dry}");
    let published = home.json(&publish);
    assert_eq!((&published["files"], &published["kept"]), (&304.into(), &0.into()), "{published}");
    // 300 small files in few blocks: a pack, a large file, and the list, with their check blocks.
    assert!(published["blocks"].as_u64().is_some_and(|blocks| blocks < 30), "{published}");
    let oldest = uri(&published);
    assert!(oldest.ends_with("/pages/0"), "{oldest}");

    let copy = home.text("copy");
    let fetched = home.json(&["site", "fetch", "--direct", &oldest, &copy, "--data", second.data()]);
    assert_eq!(fetched["files"], 304, "{fetched}");
    assert_eq!(contents(&home.path("copy")), contents(&root));

    let file = |path: &str| home.run(&["fetch", "--direct", &format!("{oldest}/{path}"), "--data", second.data()]);
    assert_eq!(file("notes/7.txt").stdout, "note 7".repeat(20).as_bytes());
    assert_eq!(file("with%20space/%C3%A9.txt").stdout, b"odd names");
    assert_eq!(file("large.bin").stdout, [5; 100_000]);
    assert_eq!((file("empty").code, file("empty").stdout.len()), (0, 0));
    let none = file("notes/seven.txt");
    assert_eq!(none.code, 3, "{}", none.stderr);
    assert_eq!(file("notes/../index.html").code, 2);

    write(&root, "notes/7.txt", b"changed");
    fs::remove_file(root.join("notes/8.txt")).expect("removed");
    let next = home.json(&publish);
    assert_eq!((&next["files"], &next["kept"]), (&303.into(), &302.into()), "{next}");
    assert!(next["blocks"].as_u64().is_some_and(|blocks| blocks < 10), "{next}");
    assert!(uri(&next).ends_with("/pages/1"), "{next}");
    assert_eq!(file("notes/7.txt").stdout, b"changed", "the newest edition");
    assert_eq!(file("notes/8.txt").code, 3);
    let again = home.text("again");
    home.json(&["site", "fetch", "--direct", &oldest, &again, "--data", second.data()]);
    assert_eq!(contents(&home.path("again")), contents(&root));
    home.json(&["site", "fetch", "--direct", &oldest, "--exact", &home.text("old"), "--data", second.data()]);
    assert_eq!(contents(&home.path("old")), contents(&home.path("copy")));

    for (arguments, code, part) in [
        (&["site", "fetch", "--direct", &oldest, &copy][..], 1, "is not empty"),
        (&["site", "fetch", "--direct", &oldest, &home.text("new"), "--most", "1KiB"], 1, "--most"),
        (&["site", "publish", "--direct", &home.text("nowhere")], 1, "is not a directory"),
        (&["site", "publish", "--direct", &directory, "--default", "home.html"], 2, "home.html"),
    ] {
        let ran = home.run(&[arguments, &["--data", second.data()]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
        assert!(!home.path("new").exists());
    }
}

#[test]
fn a_hostile_list_writes_nothing() {
    let home = Home::new();
    let (first, second) = pair(&home);
    let file = home.file("pack", b"0123456789");
    let pack: Uri = uri(&home.json(&["insert", "--direct", &file, "--data", first.data()])).parse().expect("a URI");
    let place = Place::of(&pack).expect("a document");
    let listed = |length, digest, body| {
        let (path, mime) = (SitePath::new("a").expect("a path"), Mime::default());
        let files = vec![File { path, mime, length, digest, body }];
        Index { default: None, packs: vec![Pack { place: place.clone(), length: 1 << 40 }], files }.encode()
    };
    // Another path in the same number of bytes: only writing it by hand makes one that leads up.
    let mut up = listed(10, [0; 32], Body::Packed { pack: 0, offset: 0 });
    let at = up.windows(2).position(|pair| pair == [1, b'a']).expect("the path is there");
    up[at + 1] = b'/';
    for (list, part) in [
        (b"no list".to_vec(), "damaged"),
        (up, "a path that cannot be"),
        (listed(10, [0; 32], Body::Packed { pack: 0, offset: 0 }), "not what the site says"),
        (listed(1 << 39, [0; 32], Body::Packed { pack: 0, offset: 0 }), "--most"),
        (listed(20, [0; 32], Body::Own(place.clone())), "not what the site says"),
    ] {
        let file = home.file("list", &list);
        let site = uri(&home.json(&["insert", "--direct", &file, "--mime", SITE_TYPE, "--data", first.data()]));
        let target = home.text("target");
        let ran = home.run(&["site", "fetch", "--direct", &site, &target, "--data", second.data()]);
        assert_eq!(ran.code, 1, "{part}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        assert!(!Path::new(&target).exists());
    }
    let left: Vec<String> = contents(&home.path("")).into_iter().map(|(name, _)| name).collect();
    assert!(left.iter().all(|name| !name.contains("bolthole-site")), "{left:?}");
}
