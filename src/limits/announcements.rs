//! Bounds of joining: announcements, witnesses, and the examination of certificates (protocol.md §5).
//!
//! Whoever joins too often waits longer; a table that is full forgets or refuses, never grows. What a certificate may
//! hold is in `networks`.

use crate::limits::neighbours::{GUEST_LIFE, NEAR_PER_SIDE};
use crate::limits::networks::{CERTIFICATE_DAYS, WITNESSES};
use crate::time::Duration;

/// Places at which a newcomer may look for its witnesses: three, and three more where places coincide or a witness
/// disappears. Raising it lets an attacker choose among more witnesses.
pub const WITNESS_PLACES: u8 = 6;
/// Announcements that one node witnesses at once. Beyond it a newcomer goes on to the next place.
pub const ANNOUNCEMENTS: usize = 256;
/// How long an announcement may take. A few questions across the network take seconds.
pub const ANNOUNCEMENT_LIFE: Duration = Duration::from_secs(60);
/// The span in which announcements of one address group are counted.
pub const ANNOUNCEMENT_WINDOW: Duration = Duration::from_secs(3_600);
/// Announcements of one address group that one node witnesses in that span: in open networks, and in test networks.
pub const ANNOUNCEMENTS_PER_GROUP: u32 = 8;
/// See [`ANNOUNCEMENTS_PER_GROUP`].
pub const ANNOUNCEMENTS_PER_GROUP_LOCAL: u32 = 256;
/// Address groups counted; beyond it newcomers of further groups go on to the next place.
pub const ANNOUNCING_GROUPS: usize = 4_096;
/// Newcomers barred from another draw because they know the seeds; beyond it no further ones are remembered.
pub const BARRED: usize = 1_024;
/// How long they are barred, from their commitment on: in open networks, and in test networks.
pub const ABANDONED_WAIT: Duration = Duration::from_secs(600);
/// See [`ABANDONED_WAIT`].
pub const ABANDONED_WAIT_LOCAL: Duration = Duration::from_secs(10);
/// How long a newcomer waits after a vain attempt, doubled each time: in open networks, and in test networks.
pub const ANNOUNCE_AGAIN: Duration = Duration::from_secs(60);
/// See [`ANNOUNCE_AGAIN`].
pub const ANNOUNCE_AGAIN_LOCAL: Duration = Duration::from_secs(1);
/// Nonces tried at a time: some 10 ms of work, so that the node stays responsive.
pub const WORK_SLICE: u64 = 65_536;
/// Nodes around a place that count as its witness, as far as the node reached knows them: the nearest when the certificate
/// was signed need not be the nearest now.
pub const WITNESS_NEIGHBOURHOOD: usize = 4;
/// Witnesses, or vouching neighbours, that make a certificate good: a majority of three.
pub const CONFIRMATIONS: usize = 2;
/// Neighbours asked whether they vouch for a certificate.
pub const VOUCHERS_ASKED: usize = 3;
/// Neighbours nearest to a place that may vouch for its holder: the near ones of this node, and two more on the way.
pub const VOUCHING_NEIGHBOURHOOD: usize = 2 * NEAR_PER_SIDE + 2;
/// Hands through which the word that a certificate is good may have passed before it counts no more. Chosen: whoever passes it on
/// lies near the place, so it does not travel; a network that doubles twenty times in a certificate's life uses two for each.
pub const HEARSAY: u8 = 40;
/// How long they have to answer, before the witnesses' places are asked.
pub const VOUCH_TIME: Duration = Duration::from_secs(1);
/// When the places did not confirm a certificate, they are asked once more after this long: the ring may have been in motion.
pub const VOUCH_AGAIN: Duration = Duration::from_secs(2);
/// Certificates under examination at once. Beyond it a link is closed as full.
pub const EXAMINATIONS: usize = 64;
/// How long a node that has just got its place leaves newcomers and questions to others, unless its near neighbours are linked
/// before. Chosen: that takes seconds.
pub const SETTLING: Duration = Duration::from_secs(60);
/// Examined certificates remembered; the least recently used leaves. Chosen: 40 bytes each.
pub const EXAMINED: usize = 1_024;
/// Nodes, of as many address groups, that could not confirm this node's certificate, before it announces itself anew.
pub const REFUSALS_OF_A_CERTIFICATE: usize = 3;
/// A full table gives up a link that has not been useful for this long for a folding offer.
pub const USELESS_AFTER: Duration = Duration::from_secs(600);
/// Age at which a certificate is renewed, days: five days of tries before it ends.
pub const CERTIFICATE_RENEWAL_DAYS: u32 = 25;

const _: () = assert!(CERTIFICATE_RENEWAL_DAYS < CERTIFICATE_DAYS);
const _: () = assert!(CONFIRMATIONS * 2 > WITNESSES && CONFIRMATIONS <= VOUCHERS_ASKED);
const _: () = assert!(WITNESS_PLACES as usize >= WITNESSES);
const _: () = assert!(ANNOUNCEMENT_LIFE.as_secs() <= GUEST_LIFE.as_secs());
