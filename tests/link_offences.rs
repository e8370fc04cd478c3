//! What a peer can do wrong on a link, and what it costs the peer: real sockets, and a peer that speaks QUIC of its own.

mod link_support;
mod wire_support;

use bolthole::id::NodeId;
use bolthole::limits::{BLOCK_CELLS, CELL_BYTES};
use bolthole::link::event::{DownReason, LinkEvent, OffenceDetail};
use bolthole::overlay::mode::{CloseReason, Offence};
use bolthole::wire::codec::{Budget, encode};
use bolthole::wire::malformed::Malformed;
use link_support::{NETWORK, Node, key, stranger};
use quinn::{Connection, ConnectionError, VarInt};
use wire_support::Example;

/// Code 21 of docs/wire.md: bytes that are no message.
const MALFORMED: VarInt = VarInt::from_u32(21);

/// A node and a stranger that it has welcomed.
async fn welcomed(number: u8) -> (Node, NodeId, Connection) {
    let mut node = Node::start(number);
    let key = key(100 + number);
    let peer = NodeId(key.id());
    let connection = stranger::connect("127.99.0.1", key, &NETWORK, node.address).await;
    assert_eq!(node.up().await, (peer, true));
    (node, peer, connection)
}

/// Asserts that the node cuts the peer off for `detail` and tells it why.
async fn assert_cut_off(mut node: Node, peer: NodeId, connection: Connection, detail: OffenceDetail) {
    let offence = Offence::Malformed;
    assert_eq!(node.event().await, LinkEvent::Offence { peer, offence, detail });
    let reason = DownReason::Closed(CloseReason::Offence(offence));
    assert_eq!(node.event().await, LinkEvent::Down { peer, reason });
    match connection.closed().await {
        ConnectionError::ApplicationClosed(close) => assert_eq!(close.error_code, MALFORMED),
        other => panic!("{other:?}"),
    }
    assert!(node.links.statistics().links.is_empty());
}

async fn send(connection: &Connection, bytes: &[u8]) {
    let mut stream = connection.open_uni().await.expect("open");
    // The node may close before it has taken all of it.
    let _ = stream.write_all(bytes).await;
    let _ = stream.finish();
}

#[tokio::test]
async fn a_stranger_that_keeps_the_rules_is_understood() {
    let (mut node, peer, connection) = welcomed(51).await;
    send(&connection, &encode(&Example::load(3), 0, Budget::LINK).expect("fits")).await;
    assert_eq!(node.message().await, Example::load(3));
    assert!(node.links.send(peer, Example::note(4)));
    let mut stream = connection.accept_uni().await.expect("a message");
    let cells = stream.read_to_end(CELL_BYTES).await.expect("one cell");
    assert_eq!(cells, encode(&Example::note(4), 0, Budget::LINK).expect("fits"));
}

#[tokio::test]
async fn bytes_that_are_no_message_cost_the_link() {
    let note = encode(&Example::note(1), 0, Budget::LINK).expect("fits");
    let load = encode(&Example::load(1), 0, Budget::LINK).expect("fits");
    let mut trailing = note.to_vec();
    trailing[8] += 1;
    let cases = [
        (52, vec![0xff; CELL_BYTES], Malformed::Kind(0xff)),
        (53, vec![], Malformed::Length(0)),
        (54, note[..1_000].to_vec(), Malformed::Length(1_000)),
        (55, [&note[..], &note[..]].concat(), Malformed::Surplus),
        (56, load[..29 * CELL_BYTES].to_vec(), Malformed::Length(29 * CELL_BYTES)),
        (57, trailing, Malformed::Trailing),
    ];
    for (number, bytes, cause) in cases {
        let (node, peer, connection) = welcomed(number).await;
        send(&connection, &bytes).await;
        assert_cut_off(node, peer, connection, OffenceDetail::Malformed(cause)).await;
    }
}

#[tokio::test]
async fn a_stream_longer_than_any_message_costs_the_link() {
    let (node, peer, connection) = welcomed(58).await;
    let load = encode(&Example::load(1), 0, Budget::LINK).expect("fits");
    assert_eq!(load.len(), BLOCK_CELLS * CELL_BYTES);
    send(&connection, &[&load[..], &[0]].concat()).await;
    assert_cut_off(node, peer, connection, OffenceDetail::Malformed(Malformed::Surplus)).await;
}

#[tokio::test]
async fn a_stream_given_up_in_the_middle_costs_the_link() {
    let (node, peer, connection) = welcomed(59).await;
    let mut stream = connection.open_uni().await.expect("open");
    stream.write_all(&[3, 1, 1, 0]).await.expect("written");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    stream.reset(VarInt::from_u32(0)).expect("reset");
    assert_cut_off(node, peer, connection, OffenceDetail::Abandoned).await;
}
