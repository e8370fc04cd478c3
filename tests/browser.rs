//! The page and the views of sites: whom a browser's session lets in, and what a site may do in a real browser.
//!
//! The browser is Chromium, headless; where it is not installed its test says so and passes. `apt-get install chromium` has it.

mod browser_support;
mod cli_support;

use std::fs;

use browser_support::driver::Driver;
use browser_support::{browser, dump, get, open};
use cli_support::{Home, Node};
use ureq::Agent;

const PAGE: &str = "<!doctype html><title>as it was</title><link rel=stylesheet href=style.css><h1>Hello</h1>\
    <img src=dot.svg><script>document.title = 'scripted'</script><img src=http://127.0.0.1:9/evil.png>\
    <a href=notes/one.html>one</a>";

fn site(home: &Home) -> (Node, Node, String) {
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    home.json(&["keys", "new", "press", "--data", first.data()]);
    let root = home.path("pages");
    fs::create_dir_all(root.join("notes")).expect("made");
    for (name, content) in [
        ("index.html", PAGE),
        ("style.css", "h1 { color: teal }"),
        ("dot.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("notes/one.html", "<p>one"),
    ] {
        fs::write(root.join(name), content).expect("written");
    }
    let directory = home.text("pages");
    let site =
        home.json(&["site", "publish", &directory, "--as", "usk:press/pages", "--direct", "--data", first.data()]);
    (first, second, site["uri"].as_str().expect("a URI").to_owned())
}

#[test]
fn a_session_is_the_pages_alone_and_a_view_is_one_sites() {
    let home = Home::new();
    let (_first, second, uri) = site(&home);
    let (base, login) = open(&home, &second);
    let answer = get(&base, &login, &[]);
    assert_eq!((answer.status, &answer.location[..]), (303, "/"));
    assert!(answer.cookie.contains("HttpOnly; SameSite=Strict"), "{}", answer.cookie);
    assert_eq!(get(&base, &login, &[]).status, 403, "a link works once");
    let cookie = answer.cookie.split(';').next().expect("a pair");
    let own = [("Cookie", cookie), ("Sec-Fetch-Site", "same-origin")];
    let typed = [("Cookie", cookie), ("Sec-Fetch-Site", "none")];
    let page = get(&base, "/", &typed);
    assert!(page.status == 200 && page.text.contains("<h1>Bolthole</h1>"), "{}", page.text);
    assert!(page.policy.contains("default-src 'none'"), "{}", page.policy);
    assert_eq!(get(&base, "/page/main.js", &own).status, 200);
    assert_eq!(get(&base, "/v1/status", &own).status, 200);
    for site in ["cross-site", "same-site"] {
        for path in ["/", "/v1/status", &format!("/{uri}")] {
            assert_eq!(get(&base, path, &[("Cookie", cookie), ("Sec-Fetch-Site", site)]).status, 401, "{path}");
        }
    }
    assert_eq!(get(&base, "/v1/status", &[("Cookie", cookie)]).status, 401, "who does not say where from");
    assert_eq!(get(&base, "/", &[]).status, 401);

    let routed = get(&base, &format!("/{uri}"), &typed);
    assert!(routed.status == 303 && routed.location.starts_with("/view/"), "{}", routed.location);
    let refused = get(&base, &routed.location, &[]);
    assert!(
        refused.status == 503 && refused.text.contains("pre-routing"),
        "two nodes have no relays: {}",
        refused.text
    );
    let plain = get(&base, &format!("/{uri}?direct=true"), &typed);
    assert!(plain.status == 303 && plain.location.starts_with("/direct/"), "{}", plain.location);
    let view = get(&base, &plain.location, &[]);
    assert_eq!(view.location, format!("{}/", plain.location), "a directory's path ends in a slash");
    let view = get(&base, &view.location, &[("Origin", "null")]);
    assert_eq!((view.status, &view.text[..]), (200, PAGE));
    assert!(view.policy.starts_with("sandbox; default-src 'none'; img-src http://127.0.0.1:"), "{}", view.policy);
    assert_eq!(get(&base, &format!("{}/notes/one.html", plain.location), &[]).text, "<p>one");
    let kind = |path: &str, wanted_as| {
        get(&base, &format!("{}/{path}", plain.location), &[("Sec-Fetch-Dest", wanted_as)]).kind
    };
    assert_eq!(kind("notes/one.html", "document"), "text/html; charset=utf-8");
    assert_eq!([kind("dot.svg", "document"), kind("dot.svg", "image")], ["text/plain; charset=utf-8", "image/svg+xml"]);
    let word = plain.location.split('/').nth(2).expect("a word");
    assert_eq!(get(&base, &format!("/direct/{word}/KSK@another"), &[]).status, 403, "a word opens one site");
    assert_eq!(get(&base, &plain.location.replace(word, "AAAAAAAAAAAAAAAAAAAAAA"), &[]).status, 403);
    assert_eq!(get(&base, &plain.location, &[("Host", "evil.example")]).status, 403, "a rebound name");
    assert_eq!(get(&base, &plain.location, &[("Origin", "http://evil.example")]).status, 403);
    assert_eq!(get(&base, "/no/such/path", &own).status, 404);
}

#[test]
fn the_page_shows_jobs_peers_and_sites_and_stays_light_with_a_thousand_jobs() {
    let Some(browser) = browser() else { return };
    let home = Home::new();
    let (first, _second, uri) = site(&home);
    let (base, login) = open(&home, &first);
    let token = fs::read_to_string(first.data.join("token")).expect("a token");
    let agent = Agent::config_builder().proxy(None).build().new_agent();
    for number in 0..1_000 {
        // Words under which nothing stands: they are searched for, a few at a time.
        let target = home.text(&format!("file-{number:04}"));
        let job =
            format!(r#"{{"kind":"fetch","uri":"KSK@word-{number}","file":"{target}","direct":true,"priority":"low"}}"#);
        let post = agent.post(format!("{base}/v1/jobs")).header("Authorization", format!("Bearer {}", token.trim()));
        post.send(job.as_bytes()).expect("it is taken");
    }
    let page = dump(&home, browser, &format!("{base}{login}?once"), "profile");
    let figure = |name: &str| -> f64 {
        let after = page.split(&format!("data-{name}=\"")).nth(1).unwrap_or_else(|| panic!("no {name}: {page}"));
        after.split('"').next().and_then(|text| text.parse().ok()).expect("a number")
    };
    let parts = [
        "",
        "page/style.css",
        "page/main.js",
        "page/basics.js",
        "page/documents.js",
        "page/jobs.js",
        "page/node.js",
        "page/ring.js",
    ];
    let mut driver = Driver::start(browser, &home.path("second-profile"));
    let visit = driver.tab(&format!("{base}{}", open(&home, &first).1));
    for visited in 0..3 {
        driver.until(&visit, "document.body?.dataset.loaded");
        let loaded = driver.value(&visit, "performance.getEntriesByType('navigation')[0].loadEventEnd");
        let listed = driver.value(&visit, "document.body.dataset.loaded");
        println!("visit {visited}: loaded after {loaded} ms, its lines laid out after {listed} ms");
        driver.value(&visit, "delete document.body.dataset.loaded, location.reload()");
    }
    let cookie = get(&base, &open(&home, &first).1, &[]).cookie;
    let own = [("Cookie", cookie.split(';').next().expect("a pair")), ("Sec-Fetch-Site", "same-origin")];
    let code: usize = parts.iter().map(|part| get(&base, &format!("/{part}"), &own).text.len()).sum();
    let list = figure("bytes");
    println!("{} jobs: {code} bytes of page, {list} of list", figure("jobs"));
    let lines = page.matches("class=\"job\"").count();
    assert!(
        figure("jobs") >= 1_000.0 && (20..=100).contains(&lines) && page.contains("Show 50 more of 950"),
        "{lines}"
    );
    assert!(code as f64 + list < 200_000.0, "{code} and {list} bytes");
    assert!(page.contains(&uri) && page.contains("edition 0"), "the site that was published");
    assert!(page.contains("class=\"own\"") && page.contains("class=\"peer\""), "both nodes are on the ring");
    assert!(page.contains("aria-label=\"Pause job") && page.contains("<progress"), "what runs can be paused");
}

#[test]
fn a_site_runs_no_script_in_a_browser_and_looks_as_it_should() {
    let Some(browser) = browser() else { return };
    let home = Home::new();
    let (_first, second, uri) = site(&home);
    let (base, login) = open(&home, &second);
    let cookie = get(&base, &login, &[]).cookie;
    let typed = [("Cookie", cookie.split(';').next().expect("a pair")), ("Sec-Fetch-Site", "none")];
    let view = format!("{base}{}/", get(&base, &format!("/{uri}?direct=true"), &typed).location);
    let (_, login) = open(&home, &second);
    let shown = dump(&home, browser, &view, "first-profile");
    assert!(shown.contains("<title>as it was</title>") && shown.contains("<h1>Hello</h1>"), "{shown}");
    let page = dump(&home, browser, &format!("{base}{login}?once"), "second-profile");
    assert!(page.contains("1 peer ·") && page.contains("blocks kept for the network"), "the page's script ran: {page}");
}
