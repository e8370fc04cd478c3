//! The vectors of the onion format, which two other implementations agree on: forward packets and replies.

mod support;

use crypto::onion::build::{Request, build};
use crypto::onion::layout::Class;
use crypto::onion::process::Step;
use serde_json::Value;
use support::{Draws, hops, relays, request, walk};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/onion.json")).expect("the vectors are JSON")
}

fn classes(file: &Value) -> impl Iterator<Item = (Class, &Value)> {
    file["classes"].as_array().expect("classes").iter().map(|vector| match vector["class"].as_str() {
        Some("small") => (Class::Small, vector),
        Some("block") => (Class::Block, vector),
        other => panic!("no class {other:?}"),
    })
}

fn draws(file: &Value) -> Draws {
    let text = |field: &str| file[field].as_str().expect("a string");
    Draws::new(text("context"), text("input").as_bytes())
}

fn matches(bytes: &[u8], expected: &Value) -> bool {
    let hash = blake3::hash(bytes).to_hex();
    *expected == hash[..16]
}

#[test]
fn packets_reproduce_the_vectors_at_every_hop() {
    let file = vectors();
    for (class, vector) in classes(&file) {
        for (index, expected) in vector["packets"].as_array().expect("packets").iter().enumerate() {
            let mut draws = draws(&file);
            let mut relays = relays(4, &mut draws);
            relays.truncate(index + 1);
            let body = draws.bytes(class.body_bytes());
            assert!(matches(&body, &vector["body"]));
            // The vectors were made with a reply class bit of zero in both classes.
            let request = Request { reply_class: Class::Small, ..request(class, &body) };
            let built = build(&hops(&relays), &request, &mut draws).expect("a valid path");
            let (packets, _) = walk(&relays, built.packet);
            let expected = expected.as_array().expect("a hash for each hop");
            assert_eq!(expected.len(), relays.len());
            for (packet, expected) in packets.iter().zip(expected) {
                assert!(matches(packet, expected), "{class:?}, {} hops", relays.len());
            }
        }
    }
}

#[test]
fn replies_reproduce_the_vectors_on_every_link() {
    let file = vectors();
    for (class, vector) in classes(&file) {
        let mut draws = draws(&file);
        let mut relays = relays(4, &mut draws);
        relays.truncate(usize::try_from(vector["reply_hops"].as_u64().expect("hops")).expect("few"));
        let body = draws.bytes(class.body_bytes());
        let message = vector["reply_message"].as_str().expect("a message").as_bytes();
        let built = build(&hops(&relays), &request(class, &body), &mut draws).expect("a valid path");
        let (_, steps) = walk(&relays, built.packet);
        let mut expected = vector["replies"].as_array().expect("replies").iter();
        let mut packet = Vec::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Deliver { reply } => packet = reply.expect("expected").seal(message).expect("it fits"),
                Step::Relay { reply, .. } => reply.expect("expected").pass_back(&mut packet).expect("its answer"),
                Step::Discard => panic!("no cover here"),
            }
            assert!(matches(&packet, expected.next().expect("a hash for each link")), "{class:?}");
        }
        assert_eq!(expected.next(), None);
        assert_eq!(built.reply.open(&mut packet), Ok(message));
    }
}
