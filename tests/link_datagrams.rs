//! Every datagram has one length, seen from outside: a proxy between two nodes that counts, drops and goes dark.

mod link_support;
mod wire_support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bolthole::limits::DATAGRAM_BYTES;
use bolthole::link::count::Lengths;
use bolthole::overlay::mode::CloseReason;
use link_support::Node;
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};
use wire_support::Example;

/// Stands between a dialling node and `server`.
struct Proxy {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    lengths: Mutex<BTreeMap<usize, u64>>,
    dark: AtomicBool,
    in_the_dark: AtomicUsize,
    dropped: AtomicUsize,
    last_outward: Mutex<Vec<u8>>,
}

impl Proxy {
    /// Drops one datagram in `one_in`; none if 0.
    async fn start(host: u8, server: SocketAddr, one_in: u64) -> Self {
        let outside = UdpSocket::bind((format!("127.{host}.0.1"), 0)).await.expect("a free port");
        let inside = UdpSocket::bind((format!("127.{host}.0.1"), 0)).await.expect("a free port");
        let address = outside.local_addr().expect("bound");
        let seen = Arc::new(Seen::default());
        tokio::spawn(forward(outside, inside, server, seen.clone(), one_in));
        Self { address, seen }
    }

    fn lengths(&self) -> BTreeMap<usize, u64> {
        self.seen.lengths.lock().expect("no panic").clone()
    }
}

async fn forward(outside: UdpSocket, inside: UdpSocket, server: SocketAddr, seen: Arc<Seen>, one_in: u64) {
    let (mut out_buf, mut in_buf) = ([0; 2_048], [0; 2_048]);
    let (mut client, mut random) = (None, 0x9e37_79b9_7f4a_7c15u64);
    loop {
        let (bytes, outward) = tokio::select! {
            Ok((length, from)) = outside.recv_from(&mut out_buf) => {
                client = Some(from);
                *seen.last_outward.lock().expect("no panic") = out_buf[..length].to_vec();
                (out_buf[..length].to_vec(), true)
            }
            Ok((length, _)) = inside.recv_from(&mut in_buf) => (in_buf[..length].to_vec(), false),
        };
        *seen.lengths.lock().expect("no panic").entry(bytes.len()).or_default() += 1;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if seen.dark.load(Ordering::Relaxed) {
            seen.in_the_dark.fetch_add(1, Ordering::Relaxed);
        } else if one_in > 0 && (random >> 33).is_multiple_of(one_in) {
            seen.dropped.fetch_add(1, Ordering::Relaxed);
        } else if outward {
            let _ = inside.send_to(&bytes, server).await;
        } else if let Some(client) = client {
            let _ = outside.send_to(&bytes, client).await;
        }
    }
}

/// Asserts that nothing but datagrams of the one length passed.
fn assert_one_length(proxy: &Proxy) {
    let lengths = proxy.lengths();
    assert_eq!(lengths.keys().copied().collect::<Vec<_>>(), [DATAGRAM_BYTES], "{lengths:?}");
}

#[tokio::test]
async fn every_datagram_has_one_length_under_loss_and_in_the_dark() {
    let (mut one, mut two) = (Node::start(21), Node::start(22));
    let proxy = Proxy::start(23, two.address, 10).await;
    one.links.dial(two.id, proxy.address);
    one.up().await;
    two.up().await;
    for number in 0..60 {
        assert!(one.links.send(two.id, Example::load(number)) && two.links.send(one.id, Example::note(number)));
    }
    for _ in 0..60 {
        two.message().await;
        one.message().await;
    }
    assert!(proxy.seen.dropped.load(Ordering::Relaxed) > 20, "loss was forced");

    // Whatever leaves once the first silence has been noticed is a loss probe.
    proxy.seen.dark.store(true, Ordering::Relaxed);
    assert!(one.links.send(two.id, Example::note(1)));
    sleep(Duration::from_millis(1_500)).await;
    assert!(proxy.seen.in_the_dark.load(Ordering::Relaxed) > 2, "loss probes were sent");
    proxy.seen.dark.store(false, Ordering::Relaxed);
    assert_eq!(two.message().await, Example::note(1));

    // While both ends know the connection nobody resets it; what comes late once it is closed may be answered so.
    for node in [&one, &two] {
        let statistics = node.links.statistics();
        assert_eq!(statistics.resets_sent, 0, "QUIC fills what it sends after the handshake");
        assert_eq!(statistics.datagrams_dropped, 0);
    }
    one.links.close(two.id, CloseReason::Done);
    one.event().await;
    two.event().await;
    assert_one_length(&proxy);
}

#[tokio::test]
async fn a_reset_of_a_forgotten_connection_has_the_one_length_as_well() {
    let (mut one, mut two) = (Node::start(31), Node::start(32));
    let proxy = Proxy::start(33, two.address, 0).await;
    one.links.dial(two.id, proxy.address);
    one.up().await;
    two.up().await;
    assert!(one.links.send(two.id, Example::note(1)));
    two.message().await;
    let late = proxy.seen.last_outward.lock().expect("no panic").clone();
    one.links.close(two.id, CloseReason::Done);
    one.event().await;
    two.event().await;

    // A closed connection is forgotten after three times its estimate of silence; until then nothing answers.
    let stranger = UdpSocket::bind("127.34.0.1:0").await.expect("a free port");
    let (mut answer, mut reset) = ([0; 2_048], None);
    for _ in 0..50 {
        stranger.send_to(&late, two.address).await.expect("sent");
        reset = timeout(Duration::from_millis(200), stranger.recv_from(&mut answer)).await.ok();
        if reset.is_some() {
            break;
        }
    }
    let (length, _) = reset.expect("a reset within ten seconds").expect("received");
    assert_eq!(length, DATAGRAM_BYTES);
    assert!(two.links.statistics().resets_sent > 0);
}

#[tokio::test]
async fn a_dial_that_is_refused_shows_one_length_as_well() {
    let (mut one, two) = (Node::start(24), Node::start(25));
    let proxy = Proxy::start(26, two.address, 0).await;
    let someone_else = bolthole::id::NodeId(link_support::key(77).id());
    one.links.dial(someone_else, proxy.address);
    one.event().await;
    sleep(Duration::from_millis(200)).await;
    assert_one_length(&proxy);
}

fn count(lengths: &Lengths) -> u64 {
    lengths.values().sum()
}

#[tokio::test]
async fn packets_are_counted_by_kind_and_add_up() {
    let (mut one, mut two) = (Node::start(27), Node::start(28));
    one.link_to(&mut two).await;
    for number in 0..10 {
        assert!(one.links.send(two.id, Example::load(number)));
        two.message().await;
    }
    one.links.close(two.id, CloseReason::Done);
    one.event().await;
    two.event().await;
    let (from, to) = (one.links.statistics(), two.links.statistics());
    // A block of 34,080 bytes fills 30 packets; nothing else that was sent carried stream bytes.
    assert!((300..330).contains(&count(&from.packets.cells)), "{from:?}");
    assert!(count(&to.packets.cells) <= 2, "the welcome: {to:?}");
    assert!(count(&to.packets.ack) > 0 && count(&from.packets.close) == 1, "{from:?} {to:?}");
    for statistics in [from, to] {
        let packets = &statistics.packets;
        let kinds = [&packets.cells, &packets.handshake, &packets.ack, &packets.probe, &packets.close];
        assert!(kinds.iter().flat_map(|lengths| lengths.keys()).all(|&length| length == DATAGRAM_BYTES));
        let sum: u64 = kinds.into_iter().map(count).sum();
        // A packet that shares a datagram with one of the handshake is counted beside it.
        assert!(sum >= statistics.datagrams_sent && sum <= statistics.datagrams_sent + 4, "{statistics:?}");
    }
}

#[tokio::test]
async fn datagrams_of_strangers_are_dropped() {
    let one = Node::start(29);
    let stranger = UdpSocket::bind("127.30.0.1:0").await.expect("a free port");
    for length in [1, 40, DATAGRAM_BYTES - 1, DATAGRAM_BYTES + 1] {
        stranger.send_to(&vec![0xc0; length], one.address).await.expect("sent");
    }
    stranger.send_to(&[0x01; DATAGRAM_BYTES], one.address).await.expect("sent");
    sleep(Duration::from_millis(200)).await;
    assert_eq!(one.links.statistics().datagrams_dropped, 5);
}
