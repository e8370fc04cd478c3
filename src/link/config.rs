//! What a node chooses about its links. Everything else is fixed in `limits`.

use std::net::SocketAddr;

use bytes::Bytes;

/// How to listen and what to offer.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Where to listen and whence to dial: one UDP socket serves both.
    pub listen: SocketAddr,
    /// Name of the overlay, part of the handshake: nodes of two overlays never link.
    pub mode: String,
    /// Bytes per second that all links together may send; unlimited by default. Counts the datagrams that carry cells,
    /// not acknowledgements. Lowering it slows every relay that goes through this node.
    pub bandwidth: Option<u64>,
    /// The genesis of the network as bytes, shown to any peer that asks; empty to show none.
    pub genesis: Bytes,
}
