//! Who a node under test meets: a few members of its network, the blocks they talk about, and whatever they say.
//!
//! All members are founders, so that places need no witnesses. What they say is built field by field from choices, or
//! read from raw bytes; nothing of it need make sense.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use crypto::content::SEALED_BYTES;
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use crypto::signed::{Subspace, sign_block};

use super::choices::Choices;
use crate::id::NodeId;
use crate::key::{Location, RoutingKey};
use crate::message::block::{Block, BlockKind};
use crate::message::genesis::{Genesis, PROTOCOL_VERSION};
use crate::message::reference::NodeRef;
use crate::overlay::freenet::{
    Config, Errand, ExchangeId, Freenet, Hello, LocationList, Message, Profile, Query, Question, Refusal, Reply,
};
use crate::time::Instant;

/// The members, all but the first of them peers of the node under test.
pub(crate) struct Peers {
    genesis: Genesis,
    references: Vec<NodeRef>,
    blocks: Vec<Block>,
}

impl Peers {
    /// The same members and blocks every time.
    pub(crate) fn new() -> Self {
        let genesis = Genesis {
            protocol: PROTOCOL_VERSION,
            name: "fuzz".to_owned(),
            nonce: [0; 16],
            work_bits: 0,
            local: true,
            members: (0..MEMBERS).map(|who| NodeId(key(who).id())).collect(),
        };
        let references = (0..MEMBERS).map(|who| reference(&genesis, who)).collect();
        let content = (0..BLOCKS).map(|fill| Bytes::from(vec![fill; SEALED_BYTES]));
        let signed = (0..BLOCKS).map(signed_block);
        let blocks = content.chain(signed).map(|body| Block::new(body).expect("a correct block")).collect();
        Self { genesis, references, blocks }
    }

    /// When the node starts.
    pub(crate) const fn start(&self) -> Instant {
        Instant::from_micros(1_795_348_800_000_000)
    }

    /// The node that everything happens to.
    pub(crate) fn node_under_test(&self) -> Freenet {
        let mut config = Config::new(self.genesis.clone(), Profile::Local, address(0));
        config.bootstrap = vec![(self.id(0), self.address(0))];
        Freenet::new(config, key(0), [0; 32], None)
    }

    /// One of the peers.
    pub(crate) fn id(&self, who: u8) -> NodeId {
        self.references[usize::from(1 + who % (MEMBERS - 1))].id
    }

    /// Where that peer is.
    pub(crate) fn address(&self, who: u8) -> SocketAddr {
        self.references[usize::from(1 + who % (MEMBERS - 1))].address
    }

    /// One of the blocks.
    pub(crate) fn block(&self, which: u8) -> &Block {
        &self.blocks[usize::from(which) % self.blocks.len()]
    }

    /// What `from` says next; `begun` are the exchanges that the node began with it. Nothing if raw bytes were chosen
    /// that are no message.
    pub(crate) fn message(&self, from: &NodeId, begun: &[ExchangeId], choices: &mut Choices<'_>) -> Option<Message> {
        let [what, id, which, more] = choices.array();
        let id = exchange(begun, id);
        let block = self.block(which);
        let (key, kind, parcel) = (block.key(), block.kind(), block.parcel());
        Some(match what % 20 {
            0 => Message::Hello(Box::new(self.hello(from, which, more))),
            1 => Message::Accept,
            2 => Message::Locations(locations(which, more)),
            3 => Message::Request { id, key, htl: more, detours: more / 16 },
            4 => Message::Accepted { id },
            5 => Message::Refused { id, refusal: if more < 128 { Refusal::Pending } else { Refusal::Overload } },
            6 | 7 => Message::Found { id, parcel, source: self.source(more), hops: more },
            8 => Message::NotFound { id },
            9 => Message::RouteNotFound { id, htl: which, detours: more },
            10 => Message::Insert { id, key, kind, htl: more },
            11 => Message::AllClear { id },
            12 => Message::InsertData { id, parcel },
            13 => Message::Stored { id, copies: more },
            14 => Message::Offer { id, key: other_key(key, more), kind: other_kind(kind, more), location: place(more) },
            15 => Message::Want { id },
            16 => Message::OfferData { id, parcel },
            17 => Message::Kept { id },
            18 => self.question_or_reply(id, which, more),
            _ => postcard::from_bytes(choices.bytes(usize::from(more))).ok()?,
        })
    }

    fn hello(&self, from: &NodeId, which: u8, more: u8) -> Hello {
        let own = self.references.iter().find(|reference| reference.id == *from);
        // Now and then somebody else's reference.
        let reference = own.filter(|_| which < 240).unwrap_or(&self.references[1]).clone();
        let errands = [Errand::Near, Errand::Long, Errand::Fold, Errand::Join, Errand::Trusted];
        Hello { reference, certificate: None, errand: errands[usize::from(more) % errands.len()] }
    }

    fn source(&self, more: u8) -> Option<NodeRef> {
        self.references.get(usize::from(more % 16)).cloned()
    }

    fn question_or_reply(&self, id: ExchangeId, which: u8, more: u8) -> Message {
        let question = |question| Message::Query(Box::new(Query { id, target: place(which), htl: more, question }));
        let reply = |reply| Message::Reply { id, reply: Box::new(reply) };
        match more % 5 {
            0 => question(Question::Seek { announced: self.source(which) }),
            1 if more >= 128 => question(Question::Known { holder: self.id(which), certificate: [0; 32] }),
            1 => question(Question::Vouch { witness: self.id(which) }),
            2 => reply(Reply::Seen { references: self.references[1..].to_vec() }),
            3 => reply(Reply::Vouched { reference: self.source(which) }),
            _ => reply(Reply::Declined),
        }
    }
}

/// The exchange that the node began with `message`, if it began one.
pub(crate) fn exchange_of(message: &Message) -> Option<ExchangeId> {
    match message {
        Message::Request { id, .. } | Message::Insert { id, .. } | Message::Offer { id, .. } => Some(*id),
        Message::Query(query) => Some(query.id),
        _ => None,
    }
}

/// One that the node began, counted from the latest, or a number of the peer's own.
fn exchange(begun: &[ExchangeId], choice: u8) -> ExchangeId {
    let known = begun.len().checked_sub(1 + usize::from(choice)).filter(|_| choice < 128);
    known.map_or(ExchangeId(u64::from(choice)), |at| begun[at])
}

fn locations(which: u8, more: u8) -> LocationList {
    LocationList::new((0..which % 16).map(|i| place(i.wrapping_mul(more))).collect())
}

/// 256 places round the ring.
fn place(which: u8) -> Location {
    Location(u64::from(which) << 56)
}

/// Mostly the key itself.
fn other_key(key: RoutingKey, more: u8) -> RoutingKey {
    if more == 255 { RoutingKey([more; 32]) } else { key }
}

/// Mostly the kind itself.
const fn other_kind(kind: BlockKind, more: u8) -> BlockKind {
    match kind {
        BlockKind::Content if more == 254 => BlockKind::Signed,
        kind => kind,
    }
}

fn signed_block(which: u8) -> Bytes {
    let owner = Subspace::from_secret_bytes([which; 64]);
    let block = sign_block(&owner, "name", &[which], &[which; 24]).expect("a short message");
    Bytes::copy_from_slice(&block)
}

fn key(who: u8) -> NodeKey {
    NodeKey::from_seed(Secret::from_bytes([who; 32]))
}

fn address(who: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, who + 1, 0, 1), 4_001))
}

fn reference(genesis: &Genesis, who: u8) -> NodeRef {
    let key = key(who);
    let location = genesis.founder_location(&NodeId(key.id())).expect("a founder has a place");
    NodeRef::sign(&key, &genesis.network(), address(who), location, 1_795_348_800)
}

const MEMBERS: u8 = 7;
const BLOCKS: u8 = 4;
