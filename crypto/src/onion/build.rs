//! The client's side: a packet for a path of relays, from the innermost layer outwards.
//!
//! Guarantees: every key is fresh and used once; unused records are uniform random bytes, since zeros would let the
//! exit count the hops. Never send a packet twice: a retry is built anew. Leaves out the choice of path, and hedging
//! the generator, which should mix in a secret of the client's: a repeated key would repeat a key stream.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use rand::CryptoRng;
use thiserror::Error;
use x25519_dalek::{EphemeralSecret, PublicKey};
use zeroize::{Zeroize, Zeroizing};

use super::keys::LayerKeys;
use super::layout::{
    Class, Command, HEADER_BYTES, KEPT_BYTES, MOST_HOPS, RECORD_BYTES, REPLY_TAG_BYTES, SLOT_END, SLOT_START, Slot,
};
use super::reply::ReplyOpener;
use crate::error::TooLong;

/// Header bytes that lie under a layer's key stream.
const STREAM_BYTES: usize = HEADER_BYTES - SLOT_START;
/// Where that key stream begins: the first block of ChaCha20 is the key of Poly1305.
const STREAM_START: u32 = 64;

/// One relay of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The relay's id.
    pub id: [u8; 32],
    /// The relay's X25519 onion key of this epoch.
    pub onion_key: [u8; 32],
    /// How long the relay should hold the packet back; it caps this.
    pub delay_ms: u32,
}

/// What becomes of a packet at the end of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The exit reads the body.
    Deliver,
    /// The exit drops it: cover.
    Discard,
}

/// What a packet carries, and what answer it expects.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Class of the packet.
    pub class: Class,
    /// At most [`Class::body_bytes`]; padded with zeros.
    pub body: &'a [u8],
    /// What the exit does with it.
    pub purpose: Purpose,
    /// Class of the answer, whatever it says.
    pub reply_class: Class,
    /// How long the relays keep the way back.
    pub lifetime_s: u16,
}

/// A packet ready for the first hop, and what opens its answer.
#[derive(Debug)]
pub struct Built {
    /// [`Class::packet_bytes`] bytes.
    pub packet: Vec<u8>,
    /// Kept by the client until the answer comes, once.
    pub reply: ReplyOpener,
}

/// Why no packet was built. Blame: the caller, or the directory that named a bad key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A path has one to [`MOST_HOPS`] relays.
    #[error("a path of {0} relays")]
    PathLength(usize),
    /// The body does not fit the class.
    #[error(transparent)]
    Body(#[from] TooLong),
    /// The onion key of the relay at this place on the path is of low order.
    #[error("the onion key of relay {0} is no key")]
    OnionKey(usize),
}

/// Builds a packet. Draws, in this order, a key for each hop, the client's reply tag and the unused records.
///
/// # Errors
/// See [`BuildError`].
pub fn build<R: CryptoRng + ?Sized>(path: &[Hop], request: &Request<'_>, rng: &mut R) -> Result<Built, BuildError> {
    if !(1..=MOST_HOPS).contains(&path.len()) {
        return Err(BuildError::PathLength(path.len()));
    }
    TooLong::check(request.body.len(), request.class.body_bytes())?;
    let layers = path
        .iter()
        .enumerate()
        .map(|(place, hop)| Layer::agree(hop, request.class, rng).ok_or(BuildError::OnionKey(place)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut client_tag = [0; REPLY_TAG_BYTES];
    rng.fill_bytes(&mut client_tag);

    let mut packet = vec![0; request.class.packet_bytes()];
    packet[HEADER_BYTES..][..request.body.len()].copy_from_slice(request.body);
    rng.fill_bytes(&mut packet[SLOT_END..HEADER_BYTES]);
    hide_fillers(&layers, &mut packet);
    for place in (0..path.len()).rev() {
        if place + 1 < path.len() {
            make_room(&layers[place], &mut packet);
        }
        let slot = slot_of(path, place, &layers, request, client_tag);
        layers[place].wrap(&slot, &mut packet);
    }
    let reply = reply_opener(&layers, client_tag, request.reply_class);
    Ok(Built { packet, reply })
}

/// The keys of one hop, and the public key that lets the hop find them.
struct Layer {
    ephemeral: [u8; 32],
    keys: LayerKeys,
}

impl Layer {
    fn agree<R: CryptoRng + ?Sized>(hop: &Hop, class: Class, rng: &mut R) -> Option<Self> {
        let secret = EphemeralSecret::random_from_rng(rng);
        let ephemeral = PublicKey::from(&secret).to_bytes();
        let exchange = secret.diffie_hellman(&PublicKey::from(hop.onion_key));
        let keys = LayerKeys::derive(&exchange, &ephemeral, &hop.onion_key, &hop.id, class).ok()?;
        Some(Self { ephemeral, keys })
    }

    /// The last `buffer.len()` header bytes of this layer's key stream, added to `buffer`.
    fn mask_tail(&self, buffer: &mut [u8]) {
        let mut stream = Zeroizing::new([0; STREAM_BYTES]);
        let mut cipher = ChaCha20::new(self.keys.cipher_key().into(), &[0; 12].into());
        cipher.seek(STREAM_START);
        cipher.apply_keystream(stream.as_mut_slice());
        let tail = &stream[STREAM_BYTES - buffer.len()..];
        buffer.iter_mut().zip(tail).for_each(|(byte, mask)| *byte ^= mask);
    }

    fn wrap(&self, slot: &Slot, packet: &mut [u8]) {
        packet[..self.ephemeral.len()].copy_from_slice(&self.ephemeral);
        packet[SLOT_START..SLOT_END].copy_from_slice(&slot.encode());
        self.keys.seal(packet);
    }
}

/// Ends the innermost header with what encryption will turn into the fillers of all hops before the last, as those
/// hops' own decryptions will have changed them by then.
fn hide_fillers(layers: &[Layer], packet: &mut [u8]) {
    let (last, before) = layers.split_last().expect("a path has a hop");
    let mut fillers = Vec::with_capacity(KEPT_BYTES);
    for layer in before {
        layer.mask_tail(&mut fillers);
        fillers.extend_from_slice(layer.keys.filler());
    }
    last.mask_tail(&mut fillers);
    packet[HEADER_BYTES - fillers.len()..HEADER_BYTES].copy_from_slice(&fillers);
    fillers.zeroize();
}

/// Drops the last record, which the relay will restore as its filler, and frees the first.
fn make_room(layer: &Layer, packet: &mut [u8]) {
    assert!(
        packet[KEPT_BYTES..HEADER_BYTES] == *layer.keys.filler(),
        "the record to be dropped is the filler that the relay appends"
    );
    packet.copy_within(..KEPT_BYTES, RECORD_BYTES);
}

fn slot_of(path: &[Hop], place: usize, layers: &[Layer], request: &Request<'_>, client_tag: [u8; 16]) -> Slot {
    let command = match (path.get(place + 1), request.purpose) {
        (Some(next), _) => Command::Relay { next: next.id },
        (None, Purpose::Deliver) => Command::Deliver,
        (None, Purpose::Discard) => Command::Discard,
    };
    Slot {
        command,
        // In cover too: that a packet wants an answer must not be a class of its own.
        expects_reply: true,
        reply_class: request.reply_class,
        lifetime_s: request.lifetime_s,
        delay_ms: path[place].delay_ms,
        reply_tag: place.checked_sub(1).map_or(client_tag, |before| layers[before].keys.reply_tag()),
    }
}

fn reply_opener(layers: &[Layer], tag: [u8; REPLY_TAG_BYTES], class: Class) -> ReplyOpener {
    let (exit, relays) = layers.split_last().expect("a path has a hop");
    ReplyOpener {
        tag,
        class,
        relays: relays.iter().map(|layer| layer.keys.reply_keys()).collect(),
        end_to_end: exit.keys.end_to_end(),
    }
}
