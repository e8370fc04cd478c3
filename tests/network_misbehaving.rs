//! A real network with a neighbour that lies, one that falls silent, one that only promises, and one that floods: each
//! nearest to what is sought, so that every request is led to it first.

mod network_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bolthole::key::RoutingKey;
use bolthole::overlay::freenet::{ExchangeId, Message};
use futures_util::future::join_all;
use network_support::{BadPeer, Network, Wires, block, within};

/// Inserts blocks near the peer's place before anybody knows it, then has it befriend everybody and fetches them.
/// Returns how often the peer was thrown out; `behaviour` is told every request that it is asked.
async fn check(behaviour: impl FnMut(&Wires, bolthole::id::NodeId, Message) + Send + 'static) -> usize {
    let network = Network::of(5).await;
    let mut peer = BadPeer::of(&network);
    let blocks = network.blocks_near(peer.location(), 8);
    network.insert(1, &blocks).await;
    peer.befriend(&network).await;
    let peer = peer.behave(behaviour);
    for node in [0, 2, 4] {
        // All at once, so that the peer is asked for each before it has shown what it is.
        join_all(blocks.iter().map(|block| network.fetch(node, block))).await;
    }
    let thrown_out = peer.end().await;
    network.stop().await;
    thrown_out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_lies_about_data_is_found_out_and_thrown_out() {
    let lies = Arc::new(AtomicUsize::new(0));
    let told = lies.clone();
    let thrown_out = check(move |links, from, message| {
        if let Message::Request { id, .. } = message {
            told.fetch_add(1, Ordering::Relaxed);
            links.send(from, Message::Found { id, parcel: block(999).parcel(), source: None, hops: 0 });
        }
    })
    .await;
    assert!(lies.load(Ordering::Relaxed) > 3, "nobody asked the liar");
    assert!(thrown_out > 0, "the liar was kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_goes_silent_delays_and_hides_nothing() {
    let ignored = Arc::new(AtomicUsize::new(0));
    let counted = ignored.clone();
    check(move |_, _, message| {
        if let Message::Request { .. } = message {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    assert!(ignored.load(Ordering::Relaxed) > 0, "nobody asked the silent one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_takes_requests_on_and_never_answers_delays_and_hides_nothing() {
    let held = Arc::new(AtomicUsize::new(0));
    let counted = held.clone();
    check(move |links, from, message| {
        if let Message::Request { id, .. } = message {
            counted.fetch_add(1, Ordering::Relaxed);
            links.send(from, Message::Accepted { id });
        }
    })
    .await;
    assert!(held.load(Ordering::Relaxed) > 0, "nobody asked the one that never answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_that_floods_is_refused_and_others_are_served() {
    let network = Network::of(4).await;
    let mut peer = BadPeer::of(&network);
    let blocks: Vec<_> = (0..10).map(block).collect();
    network.insert(1, &blocks).await;
    peer.befriend(&network).await;
    let victim = network.nodes[0].introduction.id;
    let refusals = Arc::new(AtomicUsize::new(0));
    let counted = refusals.clone();
    let peer = peer.behave(move |_, _, message| {
        if let Message::Refused { .. } = message {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let flooding = tokio::spawn({
        let links = peer.links.clone();
        async move {
            for number in 0..20_000_u64 {
                let (id, key) = (ExchangeId(number), RoutingKey(spread(number)));
                links.send(victim, Message::Request { id, key, htl: 18, detours: 4 });
                if number % 64 == 0 {
                    let parcel = block(7).parcel();
                    links.send(victim, Message::Found { id, parcel, source: None, hops: 0 });
                    tokio::task::yield_now().await;
                }
            }
        }
    });
    for block in &blocks {
        network.fetch(0, block).await;
        network.fetch(3, block).await;
    }
    within(30, flooding).await.expect("the flood ends");
    let status = within(5, network.nodes[0].handle.status()).await.expect("the victim runs");
    assert!(status.requests.commands == 0, "{status:?}");
    let thrown_out = peer.end().await;
    network.stop().await;
    let refused = refusals.load(Ordering::Relaxed);
    assert!(refused > 0 || thrown_out > 0, "the flood was taken in");
}

/// Keys all over the ring that nobody has.
fn spread(number: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key
}
