//! Pre-routing between real nodes over real sockets: blocks go and come through three relays, and a relay that dies at once
//! costs time and nothing else.

mod network_support;

use std::time::Duration;

use bolthole::daemon::handle::{Handle, Way};
use bolthole::daemon::status::Prerouting;
use bolthole::message::block::Block;
use bolthole::overlay::mode::Answer;
use futures_util::future::join_all;
use network_support::{Network, block, within};

async fn ready(network: &Network) {
    for node in &network.nodes {
        let all_known = async {
            while node.handle.relays().await.expect("it runs").len() + 1 < network.nodes.len() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        within(20, all_known).await;
        assert_eq!(node.handle.prerouting().await, Ok(Prerouting::Ready));
    }
}

async fn insert(handle: &Handle, block: &Block) {
    let answer = within(60, handle.insert_by(Way::Routed, block.clone())).await.expect("it runs");
    assert!(matches!(answer, Answer::Inserted { stores, wanted } if stores >= wanted.max(1)), "{answer:?}");
}

/// Fetches as a client would: again, while the network is too busy.
async fn fetch(handle: &Handle, wanted: &Block) {
    for _ in 0..5 {
        match within(150, handle.fetch_by(Way::Routed, wanted.key(), false)).await.expect("it runs") {
            Answer::Unavailable => {}
            Answer::Found { block, own_store, .. } => {
                assert!(block == *wanted && !own_store);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("unavailable five times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_goes_and_comes_through_relays_over_real_sockets() {
    let mut network = Network::of(7).await;
    ready(&network).await;
    let blocks: Vec<Block> = (0..12).map(block).collect();
    let (writer, reader) = (network.nodes[1].handle.clone(), network.nodes[5].handle.clone());
    join_all(blocks.iter().map(|block| insert(&writer, block))).await;
    join_all(blocks.iter().map(|block| fetch(&reader, block))).await;

    let status = reader.status().await.expect("it runs");
    assert_eq!((status.relays, status.anonymity.ready), (6, true), "{:?}", status.anonymity);
    assert_eq!(status.packet_sizes, [1_200], "one length for all that carries cells");
    let guard = status.guard.expect("it has one");
    let dying = network.nodes.iter().position(|node| node.introduction.id.to_string() == guard).expect("one of them");
    network.nodes[dying].die();
    for wanted in &blocks[..4] {
        fetch(&reader, wanted).await;
    }
    network.stop().await;
}
