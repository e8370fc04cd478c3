//! Opening sealed blocks, and a document by its top or a standby of it.

use bytes::Bytes;
use crypto::content::{COMMITMENT_BYTES, ContentKey, Root, open_in_place, seal};

use super::top::{Sought, TopSearch};
use crate::document::header::Message;
use crate::document::root::{standby_key, top_key};
use crate::document::signed::Reader;
use crate::key::RoutingKey;
use crate::limits::STANDBYS;
use crate::message::block::Block;

/// The payload of a sealed block, padding included: one copy, decrypted where it lies.
pub(super) fn opened(key: &ContentKey, sealed: &[u8]) -> Option<Bytes> {
    let mut block = sealed.to_vec();
    let length = open_in_place(key, &mut block).ok()?.len();
    Some(Bytes::from(block).slice(COMMITMENT_BYTES..COMMITMENT_BYTES + length))
}

/// A document whose top is being looked for.
pub(super) struct Opening {
    root: Root,
    pub(super) search: TopSearch,
}

/// What a block that was found leads to.
pub(super) enum Led {
    /// The search goes on.
    On,
    /// The payload of the top, and the top block if the network does not have it.
    Top(Bytes, Option<Block>),
    /// The block that the URI names does not open under its key.
    Unverified,
}

impl Opening {
    pub(super) fn new(root: Root, routing: RoutingKey) -> Self {
        let pointers = (1..=STANDBYS).map(|number| Reader::of_standby(&root, number).routing_key());
        Self { search: TopSearch::new(routing, pointers), root }
    }

    /// The root, once the top has been found.
    pub(super) fn into_root(self) -> Root {
        self.root
    }

    /// A block that was asked for is here. Anyone who can read the document could have written a pointer, so what it leads
    /// to may be nothing.
    pub(super) fn on_found(&mut self, block: &Block) -> Led {
        match self.search.sought(&block.key()) {
            Sought::Nothing => Led::On,
            Sought::Top => {
                opened(&top_key(&self.root), block.body()).map_or(Led::Unverified, |payload| Led::Top(payload, None))
            }
            Sought::Pointer(number) => {
                let message = Reader::of_standby(&self.root, number).open(block);
                let named = message.ok().and_then(|message| match message {
                    Message::Redirect { routing, .. } if routing != self.search.top() => Some(routing),
                    _ => None,
                });
                self.search.pointed(number, named);
                Led::On
            }
            Sought::Standby(number) => match opened(&standby_key(&self.root, number), block.body()) {
                Some(payload) => {
                    let lost = self.remade(&payload);
                    Led::Top(payload, lost)
                }
                None => {
                    self.search.give_up_standby();
                    Led::On
                }
            },
        }
    }

    /// The top block, made again from a standby.
    fn remade(&self, payload: &Bytes) -> Option<Block> {
        let sealed = seal(&top_key(&self.root), payload).ok()?;
        Block::new(sealed.into()).ok().filter(|block| self.search.is_top_missing() && block.key() == self.search.top())
    }
}
