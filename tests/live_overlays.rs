//! Eight real nodes of every overlay over real sockets: what one publishes every other finds, by the same links and cells.

mod network_support;

use bolthole::daemon::overlay::OverlayName;
use futures_util::future::join_all;
use network_support::{Network, block, within};

async fn publishes_and_finds(overlay: OverlayName) {
    let mut network = Network::of_overlay(8, overlay).await;
    let blocks: Vec<_> = (0..6).map(block).collect();
    // An index and a tracker take no commands themselves.
    let first = usize::from(matches!(overlay, OverlayName::Central | OverlayName::Swarm));
    for (number, block) in blocks.iter().enumerate() {
        network.insert(first + number, std::slice::from_ref(block)).await;
    }
    for node in 1..8 {
        join_all(blocks.iter().map(|block| network.fetch_anyhow(node, block))).await;
    }
    let other = block(99).key();
    let answer = within(60, network.nodes[2].handle.fetch(other, true)).await.expect("the node runs");
    assert_eq!(answer, bolthole::overlay::mode::Answer::NotFound, "what nobody published");
    // Every packet that carried a cell has one length.
    for node in &network.nodes {
        let status = within(20, node.handle.status()).await.expect("the node runs");
        assert_eq!(status.packet_sizes.len(), 1, "{:?}", status.packet_sizes);
    }
    // A latecomer finds them as well.
    network.join().await;
    join_all(blocks.iter().map(|block| network.fetch_anyhow(8, block))).await;
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freenet() {
    publishes_and_finds(OverlayName::Freenet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn central() {
    publishes_and_finds(OverlayName::Central).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chord() {
    publishes_and_finds(OverlayName::Chord).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kademlia() {
    publishes_and_finds(OverlayName::Kademlia).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn can() {
    publishes_and_finds(OverlayName::Can).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flooding() {
    publishes_and_finds(OverlayName::Flooding).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn supernode() {
    publishes_and_finds(OverlayName::Supernode).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swarm() {
    publishes_and_finds(OverlayName::Swarm).await;
}
