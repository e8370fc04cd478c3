//! A newcomer reads the founding document of a network from a node that it was introduced to.

mod link_support;
mod wire_support;

use bolthole::id::{NetworkId, NodeId};
use bolthole::limits::GENESIS_BYTES;
use bolthole::link::config::LinkConfig;
use bolthole::link::event::{BindError, DialError};
use bolthole::link::genesis::{FetchError, fetch_genesis};
use bolthole::link::links::Links;
use bolthole::message::genesis::Genesis;
use bolthole::message::reference::Introduction;
use link_support::{Node, config, key};
use wire_support::Example;

fn genesis(name: &str) -> Genesis {
    Genesis {
        protocol: 1,
        name: name.into(),
        nonce: [1; 16],
        work_bits: 0,
        local: true,
        members: (0..16).map(|member| NodeId([member; 32])).collect(),
    }
}

/// A node of network `of` that shows `shown`.
fn node(number: u8, of: NetworkId, shown: Vec<u8>) -> Node {
    Node::start_with(number, LinkConfig { genesis: shown.into(), ..config(number) }, of)
}

fn introduction(node: &Node, network: NetworkId) -> Introduction {
    Introduction { network, id: node.id, address: node.address }
}

#[tokio::test]
async fn a_newcomer_reads_the_genesis_and_takes_no_place_among_the_links() {
    let genesis = genesis("first");
    let mut node = node(151, genesis.network(), genesis.to_bytes());
    let read = fetch_genesis(&key(1), &introduction(&node, genesis.network())).await.expect("shown");
    assert_eq!(Genesis::from_bytes(&read), Ok(genesis));
    assert_eq!(node.event_within(std::time::Duration::from_millis(200)).await, None);
}

#[tokio::test]
async fn a_genesis_of_another_network_is_refused() {
    let (introduced, shown) = (genesis("introduced"), genesis("shown"));
    let node = node(152, introduced.network(), shown.to_bytes());
    let read = fetch_genesis(&key(1), &introduction(&node, introduced.network())).await;
    assert!(matches!(read, Err(FetchError::OtherNetwork)), "{read:?}");
}

#[tokio::test]
async fn a_node_of_another_network_or_identity_is_refused() {
    let (mine, other) = (genesis("mine"), genesis("other"));
    let node = node(153, other.network(), other.to_bytes());
    let read = fetch_genesis(&key(1), &introduction(&node, mine.network())).await;
    assert!(matches!(read, Err(FetchError::Dial(DialError::OtherNetwork))), "{read:?}");
    let impostor = Introduction { id: NodeId(key(2).id()), ..introduction(&node, other.network()) };
    let read = fetch_genesis(&key(1), &impostor).await;
    assert!(matches!(read, Err(FetchError::Dial(DialError::OtherIdentity))), "{read:?}");
}

#[tokio::test]
async fn a_node_that_has_none_to_show_says_so() {
    let genesis = genesis("hidden");
    let node = node(154, genesis.network(), Vec::new());
    let read = fetch_genesis(&key(1), &introduction(&node, genesis.network())).await;
    assert!(matches!(read, Err(FetchError::NotShown)), "{read:?}");
}

#[tokio::test]
async fn a_genesis_too_long_to_be_shown_is_refused_at_the_start() {
    let long = LinkConfig { genesis: vec![0; GENESIS_BYTES + 1].into(), ..config(155) };
    let bound = Links::<Example>::bind(long, key(155), NetworkId([0; 32]));
    assert!(matches!(bound, Err(BindError::Genesis(1_121))));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let node = node(156, NetworkId([0; 32]), Vec::new());
    let taken = LinkConfig { listen: node.address, ..config(156) };
    match Links::<Example>::bind(taken, key(157), NetworkId([0; 32])) {
        Err(BindError::Socket { address, .. }) => assert_eq!(address, node.address),
        other => panic!("{other:?}"),
    }
}
