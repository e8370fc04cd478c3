//! Who may link to whom, and how a link begins and ends, over real sockets.

mod link_support;
mod wire_support;

use std::time::Duration;

use bolthole::id::{NetworkId, NodeId};
use bolthole::limits::{LINK_IDLE, LINK_KEEPALIVE, REPLACE_AFTER};
use bolthole::link::config::LinkConfig;
use bolthole::link::event::{DialError, DownReason, LinkEvent};
use bolthole::overlay::mode::CloseReason;
use link_support::{NETWORK, Node, config, key};
use tokio::time::Instant;
use wire_support::Example;

#[tokio::test]
async fn two_nodes_exchange_messages_of_both_classes() {
    let (mut one, mut two) = (Node::start(1), Node::start(2));
    one.link_to(&mut two).await;
    for number in 0..20 {
        assert!(one.links.send(two.id, Example::load(number)));
        assert!(one.links.send(two.id, Example::note(number)));
        assert!(two.links.send(one.id, Example::load(number)));
    }
    let mut arrived = Vec::new();
    for _ in 0..40 {
        arrived.push(two.message().await);
    }
    for number in 0..20 {
        assert!(arrived.contains(&Example::load(number)) && arrived.contains(&Example::note(number)));
        assert!(matches!(one.message().await, Example::Load { .. }));
    }
}

async fn dial_result(from: &mut Node, peer: NodeId, to: &Node) -> LinkEvent<Example> {
    from.links.dial(peer, to.address);
    from.event().await
}

fn failed(peer: NodeId, why: DialError) -> LinkEvent<Example> {
    LinkEvent::DialFailed { peer, why }
}

#[tokio::test]
async fn a_node_with_another_id_than_the_one_dialled_is_refused() {
    let (mut one, mut two) = (Node::start(3), Node::start(4));
    let someone_else = NodeId(key(99).id());
    assert_eq!(dial_result(&mut one, someone_else, &two).await, failed(someone_else, DialError::OtherIdentity));
    assert_eq!(two.event_within(Duration::from_millis(300)).await, None);
}

#[tokio::test]
async fn networks_and_overlays_never_link() {
    let mut one = Node::start(5);
    let other_network = Node::start_with(6, config(6), NetworkId([8; 32]));
    let other_mode = Node::start_with(7, LinkConfig { mode: "other".into(), ..config(7) }, NETWORK);
    for other in [other_network, other_mode] {
        assert_eq!(dial_result(&mut one, other.id, &other).await, failed(other.id, DialError::OtherNetwork));
    }
}

#[tokio::test]
async fn a_dial_that_nobody_answers_fails() {
    let mut one = Node::start(8);
    let nobody = std::net::UdpSocket::bind("127.9.0.1:0").expect("a free port");
    let peer = NodeId(key(9).id());
    one.links.dial(peer, nobody.local_addr().expect("bound"));
    assert_eq!(one.event().await, failed(peer, DialError::Silent));
}

#[tokio::test]
async fn a_node_cannot_dial_itself() {
    let mut one = Node::start(10);
    one.links.dial(one.id, one.address);
    assert_eq!(one.event().await, failed(one.id, DialError::Impossible));
}

#[tokio::test]
async fn simultaneous_dials_lead_to_one_link_that_does_not_flap() {
    for round in 0..10 {
        let (mut one, mut two) = (Node::start(11), Node::start(12));
        one.links.dial(two.id, two.address);
        two.links.dial(one.id, one.address);
        let (ups, other_ups) = (one.up().await, two.up().await);
        assert_eq!((ups.0, other_ups.0), (two.id, one.id));
        assert_ne!(ups.1, other_ups.1, "round {round}: one end dialled and the other was dialled");
        assert!(one.links.send(two.id, Example::note(round)));
        assert!(two.links.send(one.id, Example::note(round)));
        assert_eq!(two.message().await, Example::note(round));
        assert_eq!(one.message().await, Example::note(round));
        let quiet = REPLACE_AFTER + Duration::from_millis(200);
        assert_eq!(one.event_within(quiet).await, None);
        assert_eq!(two.event_within(Duration::from_millis(10)).await, None);
        assert_eq!((one.links.statistics().links.len(), two.links.statistics().links.len()), (1, 1));
        one.links.shutdown().await;
        two.links.shutdown().await;
    }
}

#[tokio::test]
async fn closing_lets_what_was_queued_arrive_and_carries_the_reason() {
    let (mut one, mut two) = (Node::start(13), Node::start(14));
    one.link_to(&mut two).await;
    for number in 0..50 {
        assert!(one.links.send(two.id, Example::load(number)));
    }
    one.links.close(two.id, CloseReason::Done);
    assert!(!one.links.send(two.id, Example::note(0)), "a closing link takes no more");
    for _ in 0..50 {
        two.message().await;
    }
    let by_peer = DownReason::ByPeer(CloseReason::Done);
    assert_eq!(two.event().await, LinkEvent::Down { peer: one.id, reason: by_peer });
    let closed = DownReason::Closed(CloseReason::Done);
    assert_eq!(one.event().await, LinkEvent::Down { peer: two.id, reason: closed });
}

#[tokio::test]
async fn a_dial_at_the_end_of_a_link_is_answered_by_a_new_one() {
    let (mut one, mut two) = (Node::start(21), Node::start(22));
    one.link_to(&mut two).await;
    for round in 0..20 {
        // Before the end is known here, and at the moment it is.
        one.links.close(two.id, CloseReason::Done);
        if round % 2 == 0 {
            one.links.dial(two.id, two.address);
        }
        assert!(matches!(one.event().await, LinkEvent::Down { .. }));
        one.links.dial(two.id, two.address);
        assert_eq!(one.up().await, (two.id, false));
        assert!(matches!(two.event().await, LinkEvent::Down { .. }));
        assert_eq!(two.up().await, (one.id, true));
    }
}

#[tokio::test]
async fn shutdown_closes_every_link_and_frees_the_address() {
    let (mut one, mut two) = (Node::start(15), Node::start(16));
    one.link_to(&mut two).await;
    let address = one.address;
    one.links.shutdown().await;
    let down = |peer, reason| LinkEvent::Down { peer, reason };
    assert_eq!(one.event().await, down(two.id, DownReason::Closed(CloseReason::Shutdown)));
    assert_eq!(two.event().await, down(one.id, DownReason::ByPeer(CloseReason::Shutdown)));
    drop(one);
    let again = LinkConfig { listen: address, ..config(15) };
    let deadline = Instant::now() + Duration::from_secs(2);
    while std::net::UdpSocket::bind(address).is_err() {
        assert!(Instant::now() < deadline, "the address is still taken");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Node::start_with(15, again, NETWORK);
}

#[tokio::test]
async fn a_peer_that_comes_back_replaces_its_old_link() {
    let (mut one, mut two) = (Node::start(17), Node::start(18));
    two.link_to(&mut one).await;
    // The same identity on a new socket: node two was restarted and node one has not noticed.
    let mut again = Node::start(18);
    again.links.dial(one.id, one.address);
    assert_eq!(one.event().await, LinkEvent::Down { peer: two.id, reason: DownReason::Returned });
    assert_eq!(one.up().await, (two.id, true));
    assert_eq!(again.up().await, (one.id, false));
    assert!(one.links.send(two.id, Example::note(1)));
    assert_eq!(again.message().await, Example::note(1));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a peer that vanishes needs a thread of its own")]
async fn a_peer_that_dies_without_a_word_is_down_within_the_idle_time() {
    let mut one = Node::start(19);
    // A thread and a runtime of its own, so that the peer can vanish with all its tasks.
    let (told, tell) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let peer = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let node = runtime.block_on(async { Node::start(20) });
        told.0.send((node.id, node.address)).expect("the test listens");
        let _ = tell.1.recv();
        // Nothing is closed: the socket just ends with its runtime.
        std::mem::forget(node);
        runtime.shutdown_background();
    });
    let (id, address) = told.1.recv().expect("the peer starts");
    one.links.dial(id, address);
    assert_eq!(one.up().await.0, id);
    drop(tell.0);
    peer.join().expect("the peer ends");
    let start = Instant::now();
    // A keepalive that nobody answers starts the idle time once more (RFC 9000 §10.1).
    let down = one.event_within(LINK_IDLE + LINK_KEEPALIVE + Duration::from_secs(2)).await;
    assert_eq!(down, Some(LinkEvent::Down { peer: id, reason: DownReason::Silent }));
    assert!(start.elapsed() > Duration::from_secs(1), "silence, not a close");
}
