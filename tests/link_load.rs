//! What happens when there is too much: slow readers, slow lines, crowds.

mod link_support;
mod wire_support;

use std::net::SocketAddr;
use std::time::Duration;

use bolthole::limits::{LINKS_PER_GROUP, QUEUE_HARD_BYTES};
use bolthole::link::config::LinkConfig;
use bolthole::link::event::{DialError, LinkEvent};
use bolthole::overlay::mode::CloseReason;
use link_support::{NETWORK, Node, config};
use tokio::time::{Instant, sleep};
use wire_support::Example;

#[tokio::test]
async fn a_slow_reader_holds_the_sender_back_and_nothing_accepted_is_lost() {
    let (mut one, mut two) = (Node::start(61), Node::start(62));
    one.link_to(&mut two).await;
    let (mut accepted, mut offered) = (0, 0);
    // Twice as much as any line on the way may hold, while nobody takes what arrives.
    while offered < 1_600 {
        accepted += usize::from(one.links.send(two.id, Example::load(offered)));
        offered += 1;
        if offered.is_multiple_of(50) {
            sleep(Duration::from_millis(10)).await;
        }
    }
    let link = &one.links.statistics().links[0];
    assert_eq!(link.dropped_messages as usize, offered as usize - accepted);
    assert!(link.dropped_messages > 0 && link.queued_bytes <= QUEUE_HARD_BYTES, "{link:?}");
    for _ in 0..accepted {
        two.message().await;
    }
    assert_eq!(two.event_within(Duration::from_millis(200)).await, None);
    let peer = two.id;
    assert_eq!(one.event().await, LinkEvent::Congestion { peer, behind: true });
    assert_eq!(one.event().await, LinkEvent::Congestion { peer, behind: false });
    assert_eq!(one.event_within(Duration::from_millis(100)).await, None);
}

#[tokio::test]
async fn a_small_message_overtakes_blocks_and_the_bandwidth_limit_holds() {
    let limited = LinkConfig { bandwidth: Some(4_000_000), ..config(63) };
    let (mut one, mut two) = (Node::start_with(63, limited, NETWORK), Node::start(64));
    one.link_to(&mut two).await;
    let start = Instant::now();
    for number in 0..200 {
        assert!(one.links.send(two.id, Example::load(number)));
    }
    sleep(Duration::from_millis(200)).await;
    assert!(one.links.send(two.id, Example::note(7)));
    let mut before = 0;
    while two.message().await != Example::note(7) {
        before += 1;
    }
    assert!(before < 60, "{before} of 200 blocks came before the small message");
    for _ in before..200 {
        two.message().await;
    }
    // 200 blocks of 36,000 bytes in datagrams at 4 MB/s, less one burst.
    let seconds = start.elapsed().as_secs_f64();
    assert!((1.7..4.0).contains(&seconds), "{seconds} s");
}

#[tokio::test]
async fn one_address_group_cannot_fill_a_node() {
    let mut node = Node::start(65);
    let mut crowd = Vec::new();
    for number in 0..=LINKS_PER_GROUP as u8 {
        let listen = SocketAddr::from(([127, 66, 0, number + 1], 0));
        crowd.push(Node::start_with(70 + number, LinkConfig { listen, ..config(66) }, NETWORK));
    }
    let last = crowd.len() - 1;
    for (place, stranger) in crowd.iter_mut().enumerate() {
        stranger.links.dial(node.id, node.address);
        match stranger.event().await {
            LinkEvent::Up { .. } => assert!(place < last),
            LinkEvent::DialFailed { why, .. } => {
                assert_eq!((place, why), (last, DialError::Refused(CloseReason::Full)));
            }
            other => panic!("{other:?}"),
        }
    }
    for _ in 0..last {
        node.up().await;
    }
    // A neighbour from elsewhere still finds room.
    let mut elsewhere = Node::start(67);
    elsewhere.link_to(&mut node).await;
}

#[tokio::test]
async fn a_crowd_that_dials_at_once_gets_in_after_proving_its_addresses() {
    let mut node = Node::start(90);
    let mut crowd: Vec<Node> = (101..=140).map(Node::start).collect();
    for stranger in &crowd {
        stranger.links.dial(node.id, node.address);
    }
    for stranger in &mut crowd {
        stranger.up().await;
        node.up().await;
    }
    let statistics = node.links.statistics();
    assert_eq!(statistics.links.len(), crowd.len());
    assert!(statistics.retries > 0, "{statistics:?}");
}
