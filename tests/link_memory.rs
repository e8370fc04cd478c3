//! What an idle node's links take in memory, measured in a process of their own.

mod link_support;
mod wire_support;

use link_support::Node;

/// Resident bytes of this process, from /proc; none where there is none.
fn resident_bytes() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<usize>().ok().map(|pages| pages * 4_096)
}

#[tokio::test]
async fn a_node_with_sixteen_idle_links_takes_a_few_mebibytes() {
    let Some(before) = resident_bytes() else { return };
    // Every node has sixteen links, so that the growth divided by their number is one node's.
    let mut nodes: Vec<Node> = (1..=17).map(Node::start).collect();
    let addresses: Vec<_> = nodes.iter().map(|node| (node.id, node.address)).collect();
    for (place, node) in nodes.iter().enumerate() {
        for (id, address) in &addresses[place + 1..] {
            node.links.dial(*id, *address);
        }
    }
    for node in &mut nodes {
        for _ in 0..16 {
            node.up().await;
        }
    }
    let each = resident_bytes().map_or(0, |after| after.saturating_sub(before)) / nodes.len();
    assert!(each < 4 << 20, "{each} bytes a node");
    println!("{each} bytes a node");
}
