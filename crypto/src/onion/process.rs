//! The relay's side: receive, refuse replays, open, act.
//!
//! Guarantees: whatever is wrong with a packet is refused alike and silently; nothing is decrypted before the tag
//! over header and body has held; the body never moves. The caller looks the replay tag up after
//! [`Arrival::receive`], enters it after [`Arrival::open`] has succeeded and before anything leaves (entered
//! earlier, junk would fill the set), and only then calls [`Opened::act`]. Leaves out the previous key of an
//! overlap: receive and open again under that one.

use std::fmt;

use rand::CryptoRng;
use x25519_dalek::{PublicKey, StaticSecret};

use super::keys::LayerKeys;
use super::layout::{
    Class, Command, HEADER_BYTES, KEPT_BYTES, LONGEST_LIFETIME_S, RECORD_BYTES, REPLAY_TAG_BYTES, SLOT_END, SLOT_START,
    Slot,
};
use super::reply::{ExitReply, RelayReply};
use crate::error::NotVerified;
use crate::secret::Secret;

/// A relay's onion key of one epoch. It lives in memory only.
pub struct OnionKey {
    secret: StaticSecret,
    public: [u8; 32],
}

impl OnionKey {
    /// The key of a new epoch.
    #[must_use]
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self::from_secret(Secret::generate(rng))
    }

    /// The key of these secret bytes, which are consumed and wiped.
    #[must_use]
    pub fn from_secret(secret: Secret<32>) -> Self {
        let secret = StaticSecret::from(*secret.expose());
        let public = PublicKey::from(&secret).to_bytes();
        Self { secret, public }
    }

    /// What the relay's descriptor names.
    #[must_use]
    pub const fn public(&self) -> [u8; 32] {
        self.public
    }
}

impl fmt::Debug for OnionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnionKey(..)")
    }
}

/// A packet whose keys are known, and nothing else about it.
pub struct Arrival {
    keys: LayerKeys,
    class: Class,
}

impl Arrival {
    /// Derives the keys of `packet` for the relay `id`: one Diffie-Hellman exchange.
    ///
    /// # Errors
    /// [`NotVerified`] if its length is of no class or its public key is of low order.
    pub fn receive(key: &OnionKey, id: &[u8; 32], packet: &[u8]) -> Result<Self, NotVerified> {
        let class = Class::of_length(packet.len()).ok_or(NotVerified)?;
        let ephemeral = packet.first_chunk().ok_or(NotVerified)?;
        let exchange = key.secret.diffie_hellman(&PublicKey::from(*ephemeral));
        let keys = LayerKeys::derive(&exchange, ephemeral, &key.public, id, class)?;
        Ok(Self { keys, class })
    }

    /// What the replay set of this onion key remembers of the packet.
    #[must_use]
    pub fn replay_tag(&self) -> [u8; REPLAY_TAG_BYTES] {
        self.keys.replay_tag()
    }

    /// Verifies and decrypts the same packet where it is.
    ///
    /// # Errors
    /// [`NotVerified`] if a bit of it is not as the sender made it; it is then unchanged.
    pub fn open(self, packet: &mut [u8]) -> Result<Opened, NotVerified> {
        if Class::of_length(packet.len()) != Some(self.class) {
            return Err(NotVerified);
        }
        self.keys.open(packet)?;
        Ok(Opened(self.keys))
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Arrival").field("class", &self.class).finish_non_exhaustive()
    }
}

/// A packet that is as its sender made it, decrypted.
pub struct Opened(LayerKeys);

impl Opened {
    /// Reads the slot and makes the packet ready for what it says: for the next relay, shifted and filled up; for the
    /// exit, its header wiped, so that nothing but the body is left.
    ///
    /// # Errors
    /// [`NotVerified`] if the slot says what this version does not know. Its replay tag is spent all the same.
    pub fn act(self, packet: &mut [u8]) -> Result<Step, NotVerified> {
        let slot = packet.get(SLOT_START..SLOT_END).and_then(<[u8]>::first_chunk);
        let slot = Slot::decode(slot.ok_or(NotVerified)?)?;
        Ok(match slot.command {
            Command::Relay { next } => self.pass_on(next, &slot, packet),
            Command::Deliver => self.deliver(&slot, packet),
            Command::Discard => {
                packet.fill(0);
                Step::Discard
            }
        })
    }

    fn pass_on(self, next: [u8; 32], slot: &Slot, packet: &mut [u8]) -> Step {
        packet.copy_within(RECORD_BYTES..HEADER_BYTES, 0);
        packet[KEPT_BYTES..HEADER_BYTES].copy_from_slice(self.0.filler());
        Step::Relay {
            next,
            delay_ms: slot.delay_ms,
            reply: slot.expects_reply.then(|| RelayReply {
                tag_in: self.0.reply_tag(),
                tag_out: slot.reply_tag,
                keys: self.0.reply_keys(),
                class: slot.reply_class,
                lifetime_s: slot.lifetime_s.min(LONGEST_LIFETIME_S),
            }),
        }
    }

    fn deliver(self, slot: &Slot, packet: &mut [u8]) -> Step {
        packet[..HEADER_BYTES].fill(0);
        Step::Deliver {
            reply: slot.expects_reply.then(|| ExitReply {
                tag_out: slot.reply_tag,
                end_to_end: self.0.end_to_end(),
                class: slot.reply_class,
                lifetime_s: slot.lifetime_s.min(LONGEST_LIFETIME_S),
            }),
        }
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Opened(..)")
    }
}

/// What a relay does with an opened packet.
#[derive(Debug)]
pub enum Step {
    /// Wait, then send the packet, which is ready, to `next`, if the directory knows it.
    Relay {
        /// Id of the next relay.
        next: [u8; 32],
        /// How long to wait; capped by the relay.
        delay_ms: u32,
        /// The way back, if there is one: kept under (`next`, [`RelayReply::tag_in`]) with the link that the packet
        /// came from.
        reply: Option<RelayReply>,
    },
    /// Read the body, from [`HEADER_BYTES`] on.
    Deliver {
        /// What seals the answer, if one is expected.
        reply: Option<ExitReply>,
    },
    /// Cover: nothing.
    Discard,
}
