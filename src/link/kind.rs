//! What a packet is there for, read from its frames just before they are encrypted and just after they are decrypted.
//!
//! After encryption an acknowledgement, a probe and a cell look alike, which is the point; to be able to state how many of
//! each a node sends, and which of them nobody will answer (`flight`), the packet keys read along. Guarantees that nothing
//! is changed on the way but for one thing: the padding at the end of a packet that has arrived is cut off, because QUIC
//! would take it apart byte by byte. Leaves out packets of the handshake, which the socket knows by their first byte.

use std::any::Any;
use std::sync::Arc;

use bytes::BytesMut;
use quinn::crypto::{
    ClientConfig, CryptoError, ExportKeyingMaterialError, HeaderKey, KeyPair, Keys, PacketKey, ServerConfig, Session,
    UnsupportedVersion,
};
use quinn::{ConnectError, ConnectionId, Side};
use quinn_proto::TransportError;
use quinn_proto::transport_parameters::TransportParameters;

use super::count::{Counters, PacketKind};
use super::flight::Unanswered;

/// What the frames of a 1-RTT packet say (RFC 9000 §19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the packet is there for.
    pub kind: PacketKind,
    /// Whether the other end owes an acknowledgement.
    pub wants_answer: bool,
    /// The largest packet that is acknowledged in it.
    pub acknowledges: Option<u64>,
}

/// Reads the frames of a packet until it is clear what it is there for.
pub fn read(payload: &[u8]) -> Reading {
    let (mut handshake, mut probe, mut other, mut acknowledges) = (false, false, false, None);
    let mut rest = Frames(payload);
    while let Some(kind) = rest.integer() {
        match kind {
            // Padding goes to the end.
            PADDING => break,
            ACK | ACK_ECN => acknowledges = Frames(rest.0).integer(),
            STREAM..=STREAM_LAST => return Reading { kind: PacketKind::Cells, wants_answer: true, acknowledges },
            CONNECTION_CLOSE | APPLICATION_CLOSE => {
                return Reading { kind: PacketKind::Close, wants_answer: false, acknowledges };
            }
            PING | IMMEDIATE_ACK | PATH_CHALLENGE | PATH_RESPONSE => probe = true,
            HANDSHAKE_DONE | CRYPTO | NEW_TOKEN | NEW_CONNECTION_ID | RETIRE_CONNECTION_ID => handshake = true,
            _ => other = true,
        }
        let Some(after) = rest.after_frame(kind) else { break };
        rest = after;
    }
    let kind = match (handshake, probe) {
        (true, _) => PacketKind::Handshake,
        (false, true) => PacketKind::Probe,
        (false, false) => PacketKind::Ack,
    };
    Reading { kind, wants_answer: handshake || probe || other, acknowledges }
}

/// How long a packet is without the padding at its end; at least one byte, for none is a packet without frames.
pub fn unpadded(payload: &[u8]) -> usize {
    let mut rest = Frames(payload);
    loop {
        let at = payload.len() - rest.0.len();
        match rest.integer() {
            Some(PADDING) if payload[at..].iter().all(|byte| *byte == 0) => return at.max(1),
            None | Some(PADDING) => return payload.len(),
            Some(kind) => match rest.after_frame(kind) {
                Some(after) => rest = after,
                None => return payload.len(),
            },
        }
    }
}

/// The frames of a packet that have not been looked at. Runs empty rather than past the end.
#[derive(Clone, Copy)]
struct Frames<'a>(&'a [u8]);

impl Frames<'_> {
    fn integer(&mut self) -> Option<u64> {
        let bytes = 1usize << (self.0.first()? >> 6);
        let (read, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(read.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)) & (u64::MAX >> (64 - bytes * 8 + 2)))
    }

    fn after(self, bytes: usize) -> Self {
        Self(self.0.get(bytes..).unwrap_or_default())
    }

    fn after_integers(mut self, count: u64) -> Self {
        for _ in 0..count {
            if self.integer().is_none() {
                return Self(&[]);
            }
        }
        self
    }

    fn after_bytes(mut self) -> Self {
        let length = self.integer().and_then(|length| usize::try_from(length).ok());
        self.after(length.unwrap_or(usize::MAX))
    }

    fn after_short_bytes(self) -> Self {
        self.after(1 + usize::from(self.0.first().copied().unwrap_or_default()))
    }

    /// Behind the fields of a frame of that kind; none if the kind is not known.
    fn after_frame(self, kind: u64) -> Option<Self> {
        Some(match kind {
            PING | IMMEDIATE_ACK | HANDSHAKE_DONE => self,
            ACK => self.after_ack(0),
            ACK_ECN => self.after_ack(3),
            CRYPTO => self.after_integers(1).after_bytes(),
            NEW_TOKEN => self.after_bytes(),
            STREAM..=STREAM_LAST => {
                let placed = self.after_integers(1 + u64::from(kind & STREAM_OFFSET != 0));
                if kind & STREAM_LENGTH == 0 { Self(&[]) } else { placed.after_bytes() }
            }
            NEW_CONNECTION_ID => self.after_integers(2).after_short_bytes().after(16),
            RETIRE_CONNECTION_ID => self.after_integers(1),
            PATH_CHALLENGE | PATH_RESPONSE => self.after(8),
            // Flow control: limits of the connection and of streams, and streams given up.
            0x10 | 0x12..=0x14 | 0x16 | 0x17 => self.after_integers(1),
            0x05 | 0x11 | 0x15 => self.after_integers(2),
            0x04 => self.after_integers(3),
            ACK_FREQUENCY => self.after_integers(4),
            CONNECTION_CLOSE => self.after_integers(2).after_bytes(),
            APPLICATION_CLOSE => self.after_integers(1).after_bytes(),
            _ => return None,
        })
    }

    /// Largest, delay, count, first range; then pairs; then the counts of congestion marks.
    fn after_ack(self, marks: u64) -> Self {
        let mut rest = self.after_integers(2);
        let pairs = rest.integer().unwrap_or_default();
        rest.after_integers((1 + pairs.saturating_mul(2)).saturating_add(marks))
    }
}

/// What the keys of one connection report to.
#[derive(Clone, Debug)]
pub(super) struct Reports {
    pub(super) counters: Arc<Counters>,
    pub(super) unanswered: Arc<Unanswered>,
}

/// Reads along on the one connection that a client or server configuration opens.
pub(super) struct Counted<C> {
    reports: Reports,
    inner: Arc<C>,
}

impl<C> Counted<C> {
    pub(super) const fn new(inner: Arc<C>, reports: Reports) -> Self {
        Self { reports, inner }
    }

    fn session(&self, inner: Box<dyn Session>) -> Box<dyn Session> {
        Box::new(CountedSession { reports: self.reports.clone(), inner, handshake_keys: false })
    }
}

impl<C: ClientConfig + 'static> ClientConfig for Counted<C> {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        let session = self.inner.clone().start_session(version, server_name, params)?;
        Ok(self.session(session))
    }
}

impl<C: ServerConfig + 'static> ServerConfig for Counted<C> {
    fn initial_keys(&self, version: u32, dst_cid: &ConnectionId) -> Result<Keys, UnsupportedVersion> {
        self.inner.initial_keys(version, dst_cid)
    }

    fn retry_tag(&self, version: u32, orig_dst_cid: &ConnectionId, packet: &[u8]) -> [u8; 16] {
        self.inner.retry_tag(version, orig_dst_cid, packet)
    }

    fn start_session(self: Arc<Self>, version: u32, params: &TransportParameters) -> Box<dyn Session> {
        let session = self.inner.clone().start_session(version, params);
        self.session(session)
    }
}

struct CountedSession {
    reports: Reports,
    inner: Box<dyn Session>,
    /// Whether the keys of the handshake have been given out: the next ones are those of the link.
    handshake_keys: bool,
}

impl CountedSession {
    fn counted(&self, keys: KeyPair<Box<dyn PacketKey>>) -> KeyPair<Box<dyn PacketKey>> {
        KeyPair { local: self.counted_key(keys.local), remote: self.counted_key(keys.remote) }
    }

    fn counted_key(&self, inner: Box<dyn PacketKey>) -> Box<dyn PacketKey> {
        Box::new(CountedKey { reports: self.reports.clone(), inner })
    }
}

impl Session for CountedSession {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.inner.read_handshake(buf)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let keys = self.inner.write_handshake(buf)?;
        if !std::mem::replace(&mut self.handshake_keys, true) {
            return Some(keys);
        }
        Some(Keys { header: keys.header, packet: self.counted(keys.packet) })
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        self.inner.next_1rtt_keys().map(|keys| self.counted(keys))
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

struct CountedKey {
    reports: Reports,
    inner: Box<dyn PacketKey>,
}

impl PacketKey for CountedKey {
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        let end = buf.len().saturating_sub(self.inner.tag_len());
        let reading = read(buf.get(header_len..end).unwrap_or_default());
        self.reports.counters.on_packet(reading.kind);
        if !reading.wants_answer {
            self.reports.unanswered.on_sent(packet);
        }
        self.inner.encrypt(packet, buf, header_len);
    }

    fn decrypt(&self, packet: u64, header: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        self.inner.decrypt(packet, header, payload)?;
        if let Some(largest) = read(payload).acknowledges {
            self.reports.unanswered.on_acknowledged(largest);
        }
        payload.truncate(unpadded(payload));
        Ok(())
    }

    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.inner.confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.inner.integrity_limit()
    }
}

const PADDING: u64 = 0x00;
const PING: u64 = 0x01;
const ACK: u64 = 0x02;
const ACK_ECN: u64 = 0x03;
const CRYPTO: u64 = 0x06;
const NEW_TOKEN: u64 = 0x07;
/// The kinds of stream frames say by their bits which fields they have.
const STREAM: u64 = 0x08;
const STREAM_LAST: u64 = 0x0f;
const STREAM_LENGTH: u64 = 0x02;
const STREAM_OFFSET: u64 = 0x04;
const NEW_CONNECTION_ID: u64 = 0x18;
const RETIRE_CONNECTION_ID: u64 = 0x19;
const PATH_CHALLENGE: u64 = 0x1a;
const PATH_RESPONSE: u64 = 0x1b;
const CONNECTION_CLOSE: u64 = 0x1c;
const APPLICATION_CLOSE: u64 = 0x1d;
const HANDSHAKE_DONE: u64 = 0x1e;
const IMMEDIATE_ACK: u64 = 0x1f;
const ACK_FREQUENCY: u64 = 0xaf;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_known_by_its_most_telling_frame() {
        let ack = [0x02, 0x40, 0x64, 0x05, 0x01, 0x02, 0x00, 0x03];
        let ack_ecn = [0x03, 0x05, 0x05, 0x00, 0x02, 0x01, 0x01, 0x01];
        let with = |first: &[u8], second: &[u8]| [first, second, &[0; 20]].concat();
        let new_id = [&[0x18, 0x01, 0x00, 0x08][..], &[9; 8], &[7; 16]].concat();
        let cases = [
            (with(&ack, &[]), PacketKind::Ack),
            (with(&ack_ecn, &[]), PacketKind::Ack),
            (with(&ack, &[0x10, 0x80, 0x01, 0x00, 0x00]), PacketKind::Ack),
            (with(&ack, &[0x0a, 0x02, 0x01, 0xff]), PacketKind::Cells),
            (with(&ack_ecn, &[0x0f, 0x02, 0x00, 0x01, 0xff]), PacketKind::Cells),
            (with(&[0x01], &[]), PacketKind::Probe),
            (with(&[0x01], &ack), PacketKind::Probe),
            (with(&ack, &[0x1d, 0x02, 0x00]), PacketKind::Close),
            (with(&new_id, &ack), PacketKind::Handshake),
            (with(&new_id, &[0x08, 0x02, 0xff]), PacketKind::Cells),
            (with(&[0x1e], &[0x06, 0x00, 0x02, 0x09, 0x09]), PacketKind::Handshake),
            (vec![], PacketKind::Ack),
            (vec![0x03, 0xff], PacketKind::Ack),
        ];
        for (payload, kind) in cases {
            assert_eq!(read(&payload).kind, kind, "{payload:02x?}");
        }
    }

    #[test]
    fn only_acknowledgements_padding_and_closes_want_no_answer() {
        let ack = [0x02, 0x40, 0x64, 0x05, 0x01, 0x02, 0x00, 0x03];
        let cases = [
            (ack.to_vec(), false, Some(100)),
            ([&ack[..], &[0; 9]].concat(), false, Some(100)),
            ([&ack[..], &[0x1d, 0x02, 0x00]].concat(), false, Some(100)),
            ([&ack[..], &[0x10, 0x05]].concat(), true, Some(100)),
            ([&[0x01][..], &ack].concat(), true, Some(100)),
            (vec![0x08, 0x02, 0xff], true, None),
        ];
        for (payload, wants_answer, acknowledges) in cases {
            let reading = read(&payload);
            assert_eq!((reading.wants_answer, reading.acknowledges), (wants_answer, acknowledges), "{payload:02x?}");
        }
    }
    #[test]
    fn padding_at_the_end_is_cut_off_and_nothing_else() {
        let ack = &[0x02, 0x40, 0x64, 0x05, 0x01, 0x02, 0x00, 0x03][..];
        let (zeros, measured) = (&[0; 9][..], &[0x0e, 0x02, 0x05, 0x03, 0x00, 0x00, 0x00][..]);
        let to_the_end = &[0x0c, 0x02, 0x05, 0x01, 0x00, 0x00][..];
        let cases = [
            ([ack, zeros].concat(), ack.len()),
            ([ack, measured, zeros].concat(), ack.len() + measured.len()),
            ([measured, ack].concat(), ack.len() + measured.len()),
            ([ack, to_the_end].concat(), ack.len() + to_the_end.len()),
            ([ack, zeros, &[0x01]].concat(), ack.len() + zeros.len() + 1),
            ([&[0x7f, 0xff], zeros].concat(), 2 + zeros.len()),
            (zeros.to_vec(), 1),
            (vec![], 0),
        ];
        for (payload, length) in cases {
            assert_eq!(unpadded(&payload), length, "{payload:02x?}");
        }
    }
}
