//! A running node described for its owner.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::overlay::Overlay;
use super::status::{Anonymity, DiskProtection, GatewayStatus, Requests, Status, StoreStatus};
use crate::link::count::Lengths;
use crate::link::links::Statistics;
use crate::message::block::BlockKind;
use crate::message::genesis::Genesis;
use crate::message::reference::Introduction;
use crate::node::Node;
use crate::store::Store;
use crate::store::geometry::{SLOT_HEADER_BYTES, body_bytes};

/// What does not change while a node runs.
#[derive(Clone, Debug)]
pub struct About {
    /// How others join by it.
    pub introduction: Introduction,
    /// Its network.
    pub genesis: Genesis,
    /// Bytes its store may hold.
    pub store_limit_bytes: u64,
    /// Whether a passphrase protects its secret.
    pub protected: bool,
}

/// The node's state now. Jobs are counted by whoever has them.
pub(super) fn status<O: Overlay>(
    about: &About,
    clock: &Clock,
    node: &Node<O>,
    links: &Statistics,
    commands: usize,
) -> Status {
    let packets = &links.packets;
    let others = [
        ("handshake", &packets.handshake),
        ("ack", &packets.ack),
        ("probe", &packets.probe),
        ("close", &packets.close),
    ];
    Status {
        node: about.introduction.id.to_string(),
        node_ref: about.introduction.to_string(),
        network: about.introduction.network.to_string(),
        network_name: about.genesis.name.clone(),
        mode: O::NAME.to_owned(),
        location: node.overlay().place().map(|place| place.to_string()),
        uptime_seconds: clock.uptime().as_secs_f64(),
        peers: node.overlay().neighbour_count() as u64,
        store: store(node.store(), about.store_limit_bytes),
        gateways: node.overlay().gateways() as u64,
        gateway: node.overlay().tally().map(|tally| GatewayStatus {
            given: tally.given,
            missed: tally.missed,
            carried: tally.carried,
        }),
        relays: 0,
        guard: None,
        requests: Requests { jobs: 0, commands: commands as u64 },
        anonymity: Anonymity::default(),
        disk: disk(about.protected),
        packet_sizes: packets.cells.keys().map(|length| *length as u64).collect(),
        cell_packets: counts(&packets.cells),
        other_packets: others.into_iter().map(|(kind, lengths)| (kind.to_owned(), counts(lengths))).collect(),
    }
}

fn counts(lengths: &Lengths) -> BTreeMap<u64, u64> {
    lengths.iter().map(|(length, count)| (*length as u64, *count)).collect()
}

fn store(store: &Store, limit_bytes: u64) -> StoreStatus {
    let kinds = [BlockKind::Content, BlockKind::Signed];
    let held = kinds.map(|kind| store.held(kind));
    let cache_blocks = held.iter().map(|held| u64::from(held.cache)).sum();
    let kept_blocks = held.iter().map(|held| u64::from(held.fresh) + u64::from(held.established)).sum();
    let all =
        |index: usize| u64::from(held[index].cache) + u64::from(held[index].fresh) + u64::from(held[index].established);
    let bytes = (0..kinds.len()).map(|index| all(index) * (SLOT_HEADER_BYTES + body_bytes(kinds[index]))).sum();
    let fault = store.health().err().map(|fault| fault.to_string());
    StoreStatus { cache_blocks, kept_blocks, bytes, limit_bytes, fault }
}

fn disk(protected: bool) -> DiskProtection {
    let note = if protected {
        "sealed under a passphrase: whoever seizes the disk learns its size and nothing else"
    } else {
        "not protected: the node's secret lies on the disk, so whoever seizes it can ask it what it holds"
    };
    DiskProtection { protected, note: note.to_owned() }
}
