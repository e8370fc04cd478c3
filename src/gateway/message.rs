//! What nodes of an overlay say to gateways and of them, beside what the overlay itself says.
//!
//! A node knows nothing of what lies behind a gateway: it names keys and gets blocks, which it verifies.

use serde::{Deserialize, Serialize};

use crate::key::RoutingKey;
use crate::limits;
use crate::message::block::Parcel;
use crate::message::class::{Class, Message as Classed};
use crate::message::contact::Contact;
use crate::overlay::mode::calls::CallId;

/// One message between two nodes of an overlay that can have gateways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word<M> {
    /// The overlay's own.
    Mode(M),
    /// Of gateways.
    Gateway(Letter),
}

/// What is said to gateways and of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Letter {
    /// These are gateways; one that names itself is one.
    Here {
        /// Who.
        gateways: Vec<Contact>,
    },
    /// To a gateway: the overlay does not find this.
    Ask {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From a gateway: it is being sought.
    Taken {
        /// Of the question.
        call: CallId,
    },
    /// From a gateway: here it is.
    Given {
        /// Of the question.
        call: CallId,
        /// The block, to be verified.
        parcel: Parcel,
    },
    /// From a gateway: it has nothing to give for this key.
    Missing {
        /// Of the question.
        call: CallId,
    },
    /// From a gateway: too much to do, come again.
    Busy {
        /// Of the question.
        call: CallId,
    },
    /// This node is no gateway.
    Closed {
        /// Of the question.
        call: CallId,
    },
    /// To a gateway: this is published here.
    Published {
        /// Echoed in the answer.
        call: CallId,
        /// What.
        key: RoutingKey,
    },
    /// From a gateway: whether it will be carried.
    Noted {
        /// Of the question.
        call: CallId,
        /// False where it may not, or there is no room.
        taken: bool,
    },
}

impl Letter {
    /// Whether no list is longer than an honest node's.
    pub(super) const fn is_bounded(&self) -> bool {
        !matches!(self, Self::Here { gateways } if gateways.len() > limits::GATEWAYS_KNOWN)
    }
}

impl<M: Classed> Classed for Word<M> {
    fn class(&self) -> Class {
        match self {
            Self::Mode(message) => message.class(),
            Self::Gateway(Letter::Given { parcel, .. }) => parcel.class(),
            Self::Gateway(_) => Class::Small,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::message::block::Block;
    use crate::overlay::{central, kademlia, supernode, swarm};
    use crate::wire::codec::{Budget, encode};

    fn contacts(count: usize) -> Vec<Contact> {
        let address = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535".parse().expect("a literal address");
        vec![Contact::new(NodeId([255; 32]), address); count]
    }

    fn fits<M: Classed>(message: M) {
        encode(&Word::Mode(message), u32::MAX, Budget::LINK).expect("it fits with a byte before it");
    }

    #[test]
    fn the_longest_messages_of_overlays_and_of_gateways_fit_their_cells() {
        let (call, holders) = (CallId(u32::MAX), contacts(limits::CALL_CONTACTS));
        fits(central::Message::Hits { call, holders: holders.clone() });
        fits(kademlia::Message::Nodes { call, value: true, contacts: holders });
        fits(supernode::Message::Share { call, keys: vec![RoutingKey([255; 32]); limits::KEYS_PER_SHARE] });
        fits(swarm::Message::Peers { call, contacts: contacts(limits::SWARM_NAMED) });
        let block = Block::new(vec![7; crypto::content::SEALED_BYTES].into()).expect("any bytes of that length");
        fits(kademlia::Message::Store {
            call,
            sender: contacts(1)[0].clone(),
            key: block.key(),
            parcel: block.parcel(),
            passing: true,
        });
        for letter in [
            Letter::Here { gateways: contacts(limits::GATEWAYS_KNOWN) },
            Letter::Given { call, parcel: block.parcel() },
            Letter::Published { call, key: block.key() },
        ] {
            let word: Word<central::Message> = Word::Gateway(letter);
            encode(&word, u32::MAX, Budget::LINK).expect("it fits");
        }
    }
}
