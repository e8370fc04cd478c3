//! What the daemon must know of an overlay beyond `overlay::mode`: how a node of it begins, and how it is described.

use std::net::SocketAddr;

use crypto::identity::NodeKey;

use super::last_links;
use crate::daemon::config::Profile;
use crate::gateway::{Errand, Policy, Return, Tally};
use crate::id::NodeId;
use crate::key::Location;
use crate::message::contact::Contact;
use crate::message::genesis::Genesis;
use crate::overlay::mode::Mode;
use crate::time::Instant;

/// An overlay that the daemon can run.
pub trait Overlay: Mode<Message: Sync> + Send + Sized + 'static {
    /// Part of the handshake: nodes of two overlays never link.
    const NAME: &'static str;

    /// Whether the daemon remembers for a restart whom the node was linked to: for overlays that remember nothing themselves.
    const REMEMBERS_LINKS: bool = true;

    /// Whether commands go by pre-routing unless told otherwise: for the overlay that ships. The others are there to be
    /// compared, and hide nobody.
    const PREROUTES: bool = false;

    /// A node that starts.
    ///
    /// # Errors
    /// When it cannot become part of the network by what it knows.
    fn begin(beginning: Beginning) -> Result<Self, NoWayIn>;

    /// The node's place among the names of its overlay, once it is part of the network: it can serve from then on.
    fn place(&self) -> Option<Location>;

    /// Nodes that it would send to of itself.
    fn neighbour_count(&self) -> usize;

    /// The places of its neighbours, in overlays where nodes have places.
    fn places(&self) -> Vec<(NodeId, Location)> {
        Vec::new()
    }

    /// Gateways that it knows, in overlays that can have them.
    fn gateways(&self) -> usize {
        0
    }

    /// Makes it a gateway, where an overlay can have them.
    fn open_gateway(&mut self, _policy: Policy) {}

    /// What a gateway wants done in the network behind it.
    fn poll_errand(&mut self) -> Option<Errand> {
        None
    }

    /// What came of it.
    fn handle_return(&mut self, _now: Instant, _came: Return) {}

    /// What it has done as a gateway, if it is one.
    fn tally(&self) -> Option<Tally> {
        None
    }
}

/// What a node begins with.
#[derive(Debug)]
pub struct Beginning {
    /// Its network.
    pub genesis: Genesis,
    /// Which rules to go by.
    pub profile: Profile,
    /// Where others reach it.
    pub address: SocketAddr,
    /// Its identity.
    pub key: NodeKey,
    /// Nodes that its operator named.
    pub join: Vec<Contact>,
    /// What the last run wanted remembered.
    pub remembered: Option<Vec<u8>>,
    /// Randomness of its own.
    pub seed: [u8; 32],
}

/// Why a node cannot become part of its network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWayIn {
    /// It did not found the network and knows nobody in it.
    #[error("this node knows no other node of \"{0}\": name one with --join")]
    KnowsNobody(String),
    /// It knows others, and not the one node that all depend on.
    #[error("\"{name}\" depends on the node {server}: name that one with --join")]
    NotTheServer {
        /// Of the network.
        name: String,
        /// The founding member.
        server: NodeId,
    },
}

impl Beginning {
    /// The node as others name it.
    pub fn me(&self) -> Contact {
        Contact::new(NodeId(self.key.id()), self.address)
    }

    /// The nodes that were named, then those that the last run was linked to.
    pub fn known(&self) -> Vec<Contact> {
        let last = self.remembered.as_deref().map(last_links::from_bytes).unwrap_or_default();
        let mut known = self.join.clone();
        let unnamed = last.into_iter().filter(|contact| !self.join.contains(contact));
        known.extend(unnamed);
        known
    }

    /// The founding member, where all depend on one; `None` for that member itself.
    ///
    /// # Errors
    /// When it is not known.
    pub fn server(&self) -> Result<Option<Contact>, NoWayIn> {
        let server = self.genesis.members[0];
        if server == self.me().id() {
            return Ok(None);
        }
        let found = self.entries()?.into_iter().find(|contact| contact.id() == server);
        found.map(Some).ok_or_else(|| NoWayIn::NotTheServer { name: self.genesis.name.clone(), server })
    }

    /// Whom a newcomer may enter by; nobody for a founding member that knows nobody.
    ///
    /// # Errors
    /// When somebody else founded the network and nobody in it is known.
    pub fn entries(&self) -> Result<Vec<Contact>, NoWayIn> {
        let known = self.known();
        if known.is_empty() && !self.genesis.members.contains(&self.me().id()) {
            return Err(NoWayIn::KnowsNobody(self.genesis.name.clone()));
        }
        Ok(known)
    }
}

/// Nodes that keep a document where an overlay leaves that open. Chosen: as many as `freenet` asks for before it calls a block
/// stored.
pub(super) const COPIES: u8 = 3;

/// The place of a node whose overlay has none for it: its id begins with it.
pub(super) fn place_of(node: &Contact) -> Location {
    let mut first = [0; 8];
    first.copy_from_slice(&node.id().0[..8]);
    Location(u64::from_be_bytes(first))
}
