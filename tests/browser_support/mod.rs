//! What tests in a browser share: a browser if there is one, and questions to a node as a browser asks them.
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]
#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

pub mod driver;

use std::io::Read;
use std::process::Command;

use ureq::Agent;
use ureq::http::Request;

use crate::cli_support::{Home, Node};

/// What a node answered.
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub cookie: String,
    pub policy: String,
    pub kind: String,
    pub text: String,
}

/// Asks as a browser does, which says where a request comes from.
pub fn get(base: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let config = Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0);
    let mut request = Request::builder().uri(format!("{base}{path}"));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let mut response = config.build().new_agent().run(request.body(()).expect("a request")).expect("the node answers");
    let mut text = String::new();
    let _ = response.body_mut().as_reader().read_to_string(&mut text);
    let field = |name: &str| {
        response.headers().get(name).map_or(String::new(), |value| value.to_str().expect("text").to_owned())
    };
    Answer {
        status: response.status().as_u16(),
        location: field("location"),
        cookie: field("set-cookie"),
        policy: field("content-security-policy"),
        kind: field("content-type"),
        text,
    }
}

/// The node's address and a fresh login path.
pub fn open(home: &Home, node: &Node) -> (String, String) {
    let url = home.json(&["open", "--data", node.data()])["url"].as_str().expect("a link").to_owned();
    let at = url.find("/login/").expect("a login link");
    (url[..at].to_owned(), url[at..].to_owned())
}

/// The browser, if there is one here.
pub fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|ran| ran.status.success()));
    if found.is_none() {
        eprintln!("skipped: no Chromium is installed");
    }
    found
}

/// What a page has become when its scripts have run for a while.
pub fn dump(home: &Home, browser: &str, url: &str, profile: &str) -> String {
    let profile = format!("--user-data-dir={}", home.text(profile));
    let fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"];
    let ran = Command::new(browser).args(fixed).args([&profile, url]).output().expect("it runs");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}
