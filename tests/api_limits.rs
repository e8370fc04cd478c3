//! What the local interface does with clients that are slow, many or long-winded: others are served meanwhile.

mod cli_support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use cli_support::{Home, Node};

/// A connection to the interface of a node.
fn connect(node: &Node) -> TcpStream {
    let api = node.ready["api"].as_str().expect("an address");
    TcpStream::connect(api.trim_start_matches("http://")).expect("it listens")
}

/// What is answered to `request`, up to the end of the connection.
fn answer(node: &Node, request: &[u8]) -> String {
    let mut stream = connect(node);
    // A server that has refused already may have closed its end.
    let _ = stream.write_all(request);
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn head(node: &Node, method: &str, path: &str, fields: &str) -> String {
    let host = node.ready["api"].as_str().expect("an address").trim_start_matches("http://").to_owned();
    let token = fs::read_to_string(node.data.join("token")).expect("a token");
    let token = token.trim();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{fields}Connection: close\r\n\r\n"
    )
}

#[test]
fn who_says_nothing_is_cut_off_and_keeps_nobody_out() {
    let home = Home::new();
    let node = home.node("node", &[]);
    // More than are let in at once, each with half a head.
    let mut silent: Vec<TcpStream> = (0..300).map(|_| connect(&node)).collect();
    for stream in &mut silent {
        stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: 127").expect("it is queued");
    }
    let status = answer(&node, head(&node, "GET", "/v1/status", "").as_bytes());
    assert!(status.starts_with("HTTP/1.1 200"), "{status}");
    let mut left = Vec::new();
    silent[0].read_to_end(&mut left).expect("the server closes it");
    assert!(!String::from_utf8_lossy(&left).contains("200 OK"), "{}", String::from_utf8_lossy(&left));
    assert!(node.stop(), "open connections do not keep it from ending");
}

#[test]
fn bodies_and_heads_are_bounded_and_a_strangers_body_is_not_read() {
    let home = Home::new();
    let node = home.node("node", &[]);
    let long = "x".repeat((64 << 10) + 1);
    let fields = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", long.len());
    let refused = answer(&node, format!("{}{long}", head(&node, "POST", "/v1/jobs", &fields)).as_bytes());
    assert!(refused.starts_with("HTTP/1.1 413"), "{refused}");
    let refused =
        answer(&node, head(&node, "GET", "/v1/status", &format!("X-Long: {}\r\n", "x".repeat(300 << 10))).as_bytes());
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    let stranger =
        head(&node, "POST", "/v1/documents", "Content-Length: 1000000000\r\n").replace("Bearer ", "Bearer x");
    let refused = answer(&node, stranger.as_bytes());
    assert!(refused.starts_with("HTTP/1.1 401"), "it is answered before the body comes: {refused}");
    // A body that stops coming is not waited for.
    let fields = "Content-Type: application/json\r\nContent-Length: 100\r\n";
    let late = answer(&node, format!("{}{{", head(&node, "POST", "/v1/jobs", fields)).as_bytes());
    assert!(late.starts_with("HTTP/1.1 408"), "{late}");
}
