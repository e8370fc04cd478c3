//! A running node described for its owner.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::overlay::Overlay;
use super::status::{
    Anonymity, CoverStatus, DiskProtection, GatewayStatus, Prerouting, Relay, Requests, Status, StoreStatus,
};
use crate::limits;
use crate::link::count::Lengths;
use crate::link::links::Statistics;
use crate::message::block::BlockKind;
use crate::message::genesis::Genesis;
use crate::message::reference::Introduction;
use crate::node::Node;
use crate::onion::Standing;
use crate::onion::directory::Entry;
use crate::store::Store;
use crate::store::geometry::{SLOT_HEADER_BYTES, body_bytes};
use crate::time::{Duration, Instant};

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
    /// Whether it offers pre-routing.
    pub prerouting: Offer,
}

/// Whether a node offers pre-routing to its clients, and relays for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// By the rules of open networks.
    Open,
    /// By the rules of test networks.
    Local,
    /// Its overlay has none.
    NotHere,
    /// It links only to nodes that its operator named.
    NotAmongFriends,
}

/// The node's state now. Jobs are counted by whoever has them.
pub(super) fn status<O: Overlay>(
    about: &About,
    clock: &Clock,
    node: &Node<O>,
    links: &Statistics,
    requests: Requests,
) -> Status {
    let packets = &links.packets;
    let others = [
        ("handshake", &packets.handshake),
        ("ack", &packets.ack),
        ("probe", &packets.probe),
        ("close", &packets.close),
    ];
    let standing = node.onion().map(|onion| onion.standing());
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
        relays: standing.as_ref().map_or(0, |standing| standing.relays as u64),
        guard: standing.as_ref().and_then(|standing| standing.guard).map(|(guard, _)| guard.to_string()),
        cover: standing.as_ref().and_then(|standing| cover(standing, links)),
        requests,
        anonymity: standing.map(|standing| anonymity(&standing, links)).unwrap_or_default(),
        disk: disk(about.protected),
        packet_sizes: packets.cells.keys().map(|length| *length as u64).collect(),
        cell_packets: counts(&packets.cells),
        other_packets: others.into_iter().map(|(kind, lengths)| (kind.to_owned(), counts(lengths))).collect(),
    }
}

/// Whether a client's command can go by pre-routing now.
pub(super) fn prerouting<O: Overlay>(about: &About, node: &Node<O>) -> Prerouting {
    match (about.prerouting, node.onion().map(|onion| onion.standing().relays)) {
        (Offer::NotAmongFriends, _) => Prerouting::NotAmongFriends,
        (Offer::NotHere, _) | (_, None) => Prerouting::NotHere,
        (_, Some(relays)) if relays < limits::RELAYS_NEEDED => Prerouting::TooFew { relays },
        _ => Prerouting::Ready,
    }
}

/// The relays that the node knows, by id.
pub(super) fn relays<O: Overlay>(now: Instant, node: &Node<O>) -> Vec<Relay> {
    let Some(onion) = node.onion() else { return Vec::new() };
    let guard = onion.standing().guard.map(|(guard, _)| guard);
    let describe = |entry: &Entry| Relay {
        node: entry.descriptor.words.id.to_string(),
        address: entry.descriptor.words.address.to_string(),
        known_seconds: now.since(entry.first_seen).as_secs_f64(),
        guard: guard == Some(entry.descriptor.words.id),
    };
    onion.directory().relays().map(describe).collect()
}

/// The honest size of the crowd that the node's owner hides in, and what makes it smaller.
fn anonymity(standing: &Standing, links: &Statistics) -> Anonymity {
    let Standing { relays, guard, .. } = standing;
    if *relays < limits::RELAYS_NEEDED {
        let note = format!(
            "pre-routing is not ready: it needs {} other nodes and knows {relays}; until then only --direct works, and \
             neighbours may guess what is yours",
            limits::RELAYS_NEEDED
        );
        return Anonymity { ready: false, note };
    }
    let ready = guard.is_some_and(|(_, is_open)| is_open);
    let link = if ready { "the link to the guard is open" } else { "the link to the guard is not open yet" };
    let few = reduced(standing).map_or_else(String::new, |by| format!("; reduced: {by}"));
    let note = format!(
        "requests leave through three of {relays} relays, so at best one of {} nodes asked; {link}{few}; {}",
        relays + 1,
        watched(standing, links)
    );
    Anonymity { ready, note }
}

/// By what anonymity is reduced while there are few usable relays.
fn reduced(standing: &Standing) -> Option<String> {
    let (needed, [guards, middles, exits]) = (limits::FEW_RELAYS, standing.fit);
    let mut by = Vec::new();
    if standing.relays < needed {
        by.push(format!(
            "of fewer than {needed} relays an exit may be a neighbour, and relays of one path may stand in one address group"
        ));
    }
    let days = |age: Duration| age.as_secs() / 86_400;
    if standing.relaxed && guards.min(middles).min(exits) < needed {
        by.push(format!(
            "{guards} relays have been known for the {} days of a guard, {middles} for the {} of a middle and {exits} for the \
             {} of an exit; where it is fewer than {needed}, relays that came up today are taken too",
            days(limits::GUARD_AGE),
            days(limits::MIDDLE_AGE),
            days(limits::EXIT_AGE)
        ));
    }
    (!by.is_empty()).then(|| by.join("; "))
}

/// What whoever watches links can see.
fn watched(standing: &Standing, links: &Statistics) -> &'static str {
    match cover(standing, links) {
        None => "no cover traffic: who watches both ends of a path can match times",
        Some(CoverStatus { returned: false, .. }) => {
            "cells leave for the guard at a constant rate, but the guard does not answer at one: who watches that link sees \
             when something comes"
        }
        Some(_) => {
            "cells pass between this node and its guard at a constant rate, so who watches that link sees no request; the guard \
             itself does"
        }
    }
}

/// The rhythm of the link to the guard.
fn cover(standing: &Standing, links: &Statistics) -> Option<CoverStatus> {
    let (guard, _) = standing.guard?;
    let link = links.links.iter().find(|link| link.peer == guard)?;
    let rhythm = link.rhythm.filter(|rhythm| rhythm.is_own)?;
    let loops = standing.loops.unwrap_or_default();
    Some(CoverStatus {
        cells_per_second: u64::from(rhythm.rate.cells_per_second()),
        returned: rhythm.is_returned,
        cells: rhythm.beats.cells,
        padding: rhythm.beats.padding,
        missed: rhythm.beats.missed,
        loops_sent: loops.sent,
        loops_came: loops.came,
        loops_lost: loops.lost,
    })
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
