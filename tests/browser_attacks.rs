//! What a hostile site, and a hostile page elsewhere, try in a real browser; and that the same pages succeed where nothing holds
//! them down, so that a test which tries nothing would fail.
//!
//! The browser is Chromium, headless; where it is not installed the tests say so and pass. `apt-get install chromium` has it.
#![allow(clippy::disallowed_methods, reason = "somebody else's web server needs threads of its own")]

mod browser_support;
mod cli_support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use browser_support::{browser, dump, get, open};
use cli_support::{Home, Node};

/// A web server of somebody else: serves one page, and remembers every connection and what it asked for.
struct Elsewhere {
    port: u16,
    page: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Elsewhere {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (page, seen) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
        let (content, log) = (Arc::clone(&page), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (content, log) = (Arc::clone(&content), Arc::clone(&log));
                thread::spawn(move || Self::answer(stream, &content, &log));
            }
        });
        Self { port, page, seen }
    }

    fn answer(mut stream: TcpStream, page: &Mutex<String>, seen: &Mutex<Vec<String>>) {
        let at = {
            let mut seen = seen.lock().expect("whole");
            // A connection that asks nothing is one too.
            seen.push(String::new());
            seen.len() - 1
        };
        let mut request = [0; 8192];
        let count = stream.read(&mut request).unwrap_or(0);
        let text = String::from_utf8_lossy(&request[..count]).into_owned();
        let is_page = text.starts_with("GET /page");
        seen.lock().expect("whole")[at] = text;
        let body = if is_page { page.lock().expect("whole").clone() } else { String::new() };
        let head = if is_page { "200 OK" } else { "404 Not Found" };
        let _ = write!(
            stream,
            "HTTP/1.1 {head}\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    /// The paths that were asked for, and an empty one for a connection that asked nothing.
    fn paths(&self) -> BTreeSet<String> {
        let path = |request: &String| request.split(' ').nth(1).unwrap_or_default().to_owned();
        self.seen.lock().expect("whole").iter().map(path).collect()
    }

    fn forget(&self) {
        self.seen.lock().expect("whole").clear();
    }

    /// A browser that holds no session opens the page at this server.
    fn visited(&self, home: &Home, browser: &str, page: &str, profile: &str) -> String {
        page.clone_into(&mut self.page.lock().expect("whole"));
        dump(home, browser, &format!("http://127.0.0.1:{}/page", self.port), profile)
    }
}

/// Every way that a document has, without its reader's doing, to ask somebody else for something or to run.
fn hostile(port: u16, node: &str) -> String {
    let out = format!("http://127.0.0.1:{port}");
    format!(
        "<!doctype html><html><head><title>as it was</title>\
         <base href='{out}/base/'>\
         <meta http-equiv=refresh content='1;url={out}/refresh'>\
         <meta http-equiv=content-security-policy content=\"default-src *; script-src * 'unsafe-inline'\">\
         <link rel=stylesheet href='{out}/style.css'><link rel=icon href='{out}/icon'>\
         <link rel=preload as=image href='{out}/preload'><link rel=prefetch href='{out}/prefetch'>\
         <link rel=modulepreload href='{out}/module.js'><link rel=preconnect href='{out}'>\
         <link rel=dns-prefetch href='{out}'><link rel=manifest href='{out}/manifest'>\
         <LINK/REL=pre&#99;onnect href='{out}'><link title='>' rel='icon preconnect' href='{out}/icons'>\
         <noscript><link rel=preconnect href='{out}'></noscript><a href='{out}/link'>elsewhere</a>\
         <style>@import url({out}/import.css); @font-face {{ font-family: f; src: url({out}/font) }} \
         body {{ background: url({out}/background); font-family: f }}</style>\
         <script src='{out}/script.js'></script><script>document.title = 'scripted'</script>\
         <script type=module>document.title = 'scripted'</script></head>\
         <body onload=\"document.title = 'scripted'\"><p>text\
         <img src='{out}/image' onerror=\"document.title = 'scripted'\"><img src=relative.png>\
         <img srcset='{out}/srcset 1x'><picture><source srcset='{out}/source'><img></picture>\
         <svg onload=\"document.title = 'scripted'\"><image href='{out}/svg'/><use href='{out}/use#a'/></svg>\
         <video autoplay src='{out}/video' poster='{out}/poster'></video><audio autoplay src='{out}/audio'></audio>\
         <iframe src='{out}/frame'></iframe><iframe src='{node}/v1/status'></iframe><iframe src='{node}/'></iframe>\
         <iframe srcdoc=\"<script>parent.document.title = 'scripted'</script><img src='{out}/srcdoc'>\"></iframe>\
         <iframe src=\"javascript:parent.document.title='scripted'\"></iframe>\
         <object data='{out}/object'></object><embed src='{out}/embed'>\
         <input type=image src='{out}/input' autofocus onfocus=\"document.title = 'scripted'\">\
         <form id=form action='{out}/form'><input name=a></form>\
         <table background='{out}/table'><tr><td>cell</table></body></html>"
    )
}

/// The same in other markup, where an element's name has a prefix.
fn markup(port: u16) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:h='http://www.w3.org/1999/xhtml'>\
         <h:link rel='preconnect' href='http://127.0.0.1:{port}'/><title>drawn</title></svg>"
    )
}

/// Two linked nodes, and a site at the second with this page, and a drawing.
fn published(home: &Home, page: &str, drawing: &str) -> (Node, Node, String) {
    let first = home.node("first", &[]);
    let second = home.node("second", &["--join", first.reference()]);
    fs::create_dir_all(home.path("pages")).expect("made");
    fs::write(home.path("pages").join("index.html"), page).expect("written");
    fs::write(home.path("pages").join("drawing.svg"), drawing).expect("written");
    let site = home.json(&["site", "publish", &home.text("pages"), "--direct", "--data", first.data()]);
    (first, second, site["uri"].as_str().expect("a URI").to_owned())
}

#[test]
fn a_hostile_site_reaches_nobody_and_runs_nothing() {
    let Some(browser) = browser() else { return };
    let (home, elsewhere) = (Home::new(), Elsewhere::start());
    let node = home.node("zeroth", &[]);
    let (base, _) = open(&home, &node);
    let page = hostile(elsewhere.port, &base);
    let shown = elsewhere.visited(&home, browser, &page, "free-profile");
    let free = elsewhere.paths();
    assert!(free.len() > 12 && free.contains("/image") && free.contains("/refresh"), "it tries: {free:?}");
    assert!(shown.contains("<title>scripted</title>") || !shown.contains("as it was"), "it runs: {shown}");

    let (_first, second, uri) = published(&home, &page, &markup(elsewhere.port));
    let (base, login) = open(&home, &second);
    let cookie = get(&base, &login, &[]).cookie;
    let typed = [("Cookie", cookie.split(';').next().expect("a pair")), ("Sec-Fetch-Site", "none")];
    let view = format!("{base}{}/", get(&base, &format!("/{uri}?direct=true"), &typed).location);
    elsewhere.forget();
    let shown = dump(&home, browser, &view, "held-profile");
    assert!(shown.contains("<title>as it was</title>") && shown.contains("<p>text"), "{shown}");
    assert_eq!(elsewhere.paths(), BTreeSet::new(), "not so much as a connection");
    let drawing = dump(&home, browser, &format!("{view}drawing.svg"), "drawing-profile");
    assert!(drawing.contains("&lt;h:link"), "shown as text: {drawing}");
    assert_eq!(elsewhere.paths(), BTreeSet::new(), "not so much as a connection");
}

/// A page elsewhere, opened while the browser has a session of the node: what it gets at is in its title.
fn evil(node: &str, login: &str, uri: &str) -> String {
    format!(
        "<!doctype html><title>none</title><body><script>
        const got = [];
        const wait = (ms) => new Promise((done) => setTimeout(done, ms));
        const load = (tag, from) => new Promise((done) => {{
          const node = document.createElement(tag);
          node.onload = () => done(true);
          node.onerror = () => done(false);
          if (tag === 'link') {{ node.rel = 'stylesheet'; node.href = from; }} else node.src = from;
          document.body.append(node);
          setTimeout(() => done(false), 1000);
        }});
        const frame = (from) => {{
          const node = document.createElement('iframe');
          node.src = from;
          document.body.append(node);
          return node;
        }};
        (async () => {{
          frame('{node}{login}');
          await wait(1500);
          await fetch('/session').catch(() => 0);
          for (const credentials of ['include', 'omit']) {{
            for (const path of ['/v1/status', '/v1/jobs', '/v1/keys', '/{uri}', '/']) {{
              try {{ got.push(`read ${{path}} ${{(await (await fetch('{node}' + path, {{ credentials }})).text()).length}}`); }} catch {{}}
            }}
          }}
          const body = JSON.stringify({{ kind: 'fetch', uri: 'KSK@probe', direct: true, file: '/tmp/bolthole-evil' }});
          await fetch('{node}/v1/jobs', {{ method: 'POST', mode: 'no-cors', credentials: 'include', body }}).catch(() => 0);
          await fetch('{node}/v1/documents', {{ method: 'POST', mode: 'no-cors', credentials: 'include', body }}).catch(() => 0);
          await fetch('{node}/v1/sessions', {{ method: 'POST', mode: 'no-cors', credentials: 'include' }}).catch(() => 0);
          const form = document.createElement('form');
          form.method = 'post'; form.action = '{node}/v1/jobs'; form.enctype = 'text/plain'; form.target = 'sink';
          form.innerHTML = '<input name=a>'; form.a.name = body; document.body.append(form);
          const sink = frame('about:blank'); sink.name = 'sink'; form.submit();
          if (await load('img', '{node}/{uri}')) got.push('image');
          if (await load('script', '{node}/page/main.js')) got.push('script');
          if (await load('link', '{node}/page/style.css')) got.push('style');
          const seen = frame('{node}/');
          await wait(500);
          try {{ if (seen.contentDocument.body.innerText.includes('Bolthole')) got.push('frame'); }} catch {{}}
          document.title = got.length ? got.join(', ') : 'nothing';
        }})();
        </script>"
    )
}

#[test]
fn a_page_elsewhere_gets_at_nothing_through_a_browser_that_has_a_session() {
    let Some(browser) = browser() else { return };
    let (home, elsewhere) = (Home::new(), Elsewhere::start());
    let (_first, second, uri) = published(&home, "<p>a page", "<svg/>");
    let (base, login) = open(&home, &second);
    let shown = elsewhere.visited(&home, browser, &evil(&base, &login, &uri), "profile");
    // Another port of the same host is the same site to a browser: it has the cookie, and sends it.
    let seen = elsewhere.seen.lock().expect("whole").clone();
    assert!(seen.iter().any(|request| request.contains("bolthole-")), "the browser has a session: {seen:?}");
    assert!(shown.contains("<title>nothing</title>"), "{shown}");
    let jobs = home.json(&["jobs", "--data", second.data()]);
    assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(0), "nothing was begun: {jobs}");
}
