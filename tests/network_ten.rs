//! Ten real nodes: what one inserts every other finds, and the death of some in the middle of a fetch loses nothing.

mod network_support;

use std::time::Duration;

use futures_util::future::join_all;
use network_support::{Network, block, fetch};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_nodes_join_and_each_finds_what_another_inserted() {
    let mut network = Network::of(10).await;
    let blocks: Vec<_> = (0..5).map(block).collect();
    network.insert(3, &blocks).await;
    for node in (0..10).filter(|node| *node != 3) {
        join_all(blocks.iter().map(|block| network.fetch(node, block))).await;
    }
    // Who comes later finds it as well, though the inserter is gone.
    network.nodes[3].die();
    network.join().await;
    join_all(blocks.iter().map(|block| network.fetch(10, block))).await;
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_die_in_the_middle_of_a_fetch_cost_time_and_nothing_else() {
    let mut network = Network::of(10).await;
    let blocks: Vec<_> = (100..140).map(block).collect();
    network.insert(2, &blocks).await;
    let handle = network.nodes[9].handle.clone();
    let wanted = blocks.clone();
    let fetching = tokio::spawn(async move {
        // One after another, so that the deaths come in between.
        for block in &wanted {
            fetch(&handle, block).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    for victim in [2, 5, 7] {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!fetching.is_finished(), "the deaths come too late");
        network.nodes[victim].die();
    }
    fetching.await.expect("every block comes back");
    network.stop().await;
}
