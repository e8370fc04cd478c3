//! What the onion tests share: relays, paths, generators, and a walk of a packet along its path.

#![allow(dead_code, reason = "no test file uses all of it")]

pub(crate) mod model;

use std::convert::Infallible;

use blake3::OutputReader;
use crypto::NotVerified;
use crypto::onion::build::{Hop, Purpose, Request};
use crypto::onion::layout::Class;
use crypto::onion::process::{Arrival, OnionKey, Step};
use crypto::secret::Secret;
use rand::{TryCryptoRng, TryRng};

/// Random bytes that are the output of BLAKE3, as the vectors define them.
pub(crate) struct Draws(OutputReader);

impl Draws {
    pub(crate) fn new(context: &str, input: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(context);
        Self(hasher.update(input).finalize_xof())
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self::new("bolthole onion tests", &seed.to_le_bytes())
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes);
        bytes
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

pub(crate) struct Relay {
    pub(crate) id: [u8; 32],
    pub(crate) secret: [u8; 32],
    pub(crate) key: OnionKey,
}

impl Relay {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        let key = OnionKey::from_secret(Secret::from_bytes(secret));
        let id = blake3::hash(&key.public()).into();
        Self { id, secret, key }
    }

    pub(crate) fn hop(&self) -> Hop {
        Hop { id: self.id, onion_key: self.key.public(), delay_ms: 0 }
    }

    /// Everything a relay does with a packet, but for the replay set.
    pub(crate) fn process(&self, packet: &mut [u8]) -> Result<Step, NotVerified> {
        Arrival::receive(&self.key, &self.id, packet)?.open(packet)?.act(packet)
    }
}

pub(crate) fn relays(count: usize, draws: &mut Draws) -> Vec<Relay> {
    (0..count).map(|_| Relay::new(draws.array())).collect()
}

pub(crate) fn hops(relays: &[Relay]) -> Vec<Hop> {
    relays.iter().map(Relay::hop).collect()
}

pub(crate) fn request(class: Class, body: &[u8]) -> Request<'_> {
    Request { class, body, purpose: Purpose::Deliver, reply_class: class, lifetime_s: 90 }
}

/// The packet as each relay receives it; the last entry is what the exit is left with.
pub(crate) fn walk(relays: &[Relay], mut packet: Vec<u8>) -> (Vec<Vec<u8>>, Vec<Step>) {
    let (mut packets, mut steps) = (vec![packet.clone()], Vec::new());
    for relay in relays {
        steps.push(relay.process(&mut packet).expect("the packet is for this relay"));
        packets.push(packet.clone());
    }
    (packets, steps)
}
