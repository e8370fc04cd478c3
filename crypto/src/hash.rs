//! Labelled hashing and key derivation: BLAKE3 in its `derive_key` mode, one context string per purpose.
//!
//! Guarantees: outputs under different [`Label`]s are independent, and so are outputs for different lists of parts.
//! A single part is hashed as it is under the label's context string; any other number of parts is hashed under the
//! same string followed by `, list`, each part preceded by its length (u64, little-endian). Leaves out secret keys as
//! such: a key is a part like any other, and which part is secret is the caller's knowledge.

use blake3::Hasher;

use crate::secret::Secret;

/// Declares the closed set of labels, so that names, context strings and the list of all cannot drift apart.
macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What a hash, a derived key or a signature is for. Part of every format: never reuse or reword one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Label {
            $($(#[$doc])* $name,)+
        }

        impl Label {
            /// Every label there is.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The BLAKE3 context string for a single part.
            #[must_use]
            pub const fn context(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("bolthole v1 2026-11-22 ", $text),)+
                }
            }

            /// The BLAKE3 context string for any other number of parts.
            const fn list_context(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("bolthole v1 2026-11-22 ", $text, ", list"),)+
                }
            }
        }
    };
}

labels! {
    /// Routing key of a content block, over its sealed bytes.
    ContentRouting = "content routing key",
    /// Key of one block, from the root of its insert.
    ContentBlock = "content block key",
    /// Root of a convergent insert.
    ConvergentRoot = "convergent root",
    /// Digest of a whole document.
    DocumentDigest = "document digest",
    /// What a URI names of a subspace: the hash of its public key.
    SubspacePublicKey = "subspace public key",
    /// The hidden form of a name within a subspace.
    HiddenName = "hidden name",
    /// Hash of a hidden name, as it enters the routing key.
    HiddenNameDigest = "hidden name digest",
    /// Key of a signed block's payload.
    SignedPayload = "signed payload key",
    /// Routing key of a signed block.
    SignedRouting = "signed routing key",
    /// Signature of a signed block.
    SignedBlock = "signed block",
    /// Salt that turns a word into a subspace.
    KeywordSalt = "keyword salt",
    /// Subspace of a word.
    KeywordSubspace = "keyword subspace",
    /// Identity of a network, over its genesis file.
    NetworkId = "network id",
    /// A relay's descriptor of itself.
    RelayDescriptor = "relay descriptor",
    /// Signature of a node reference.
    NodeReference = "node reference",
    /// Announcement of a new node.
    Announcement = "announcement",
    /// Commitment to a location seed, opened by revealing the seed.
    LocationCommitment = "location commitment",
    /// Signature of a witness under a location certificate.
    LocationCertificate = "location certificate",
    /// Names a location certificate as a whole.
    CertificateDigest = "certificate digest",
    /// Digest of a piece of a document that is traded in pieces, over the routing keys of its blocks.
    PieceDigest = "piece digest",
    /// Place of a node that no witness vouches for: a founding member.
    NamedLocation = "named location",
    /// The place in key space where a witness is looked for.
    WitnessPlace = "witness place",
    /// Signature of a witness's contribution to a location.
    WitnessReveal = "witness reveal",
    /// Proof of work: every attempt.
    Work = "proof of work",
    /// Key that encrypts store slots again under the node secret.
    SlotKey = "slot key",
    /// Subspace that names a standby of a document's top.
    StandbySubspace = "standby subspace",
    /// Key under which an envelope's key is sealed to one reader.
    ReaderWrap = "reader wrap key",
    /// Key of a single write to a slot, from the slot key and the nonce.
    SlotWrite = "slot write key",
    /// Key that encrypts the store's index.
    StoreIndex = "store index key",
    /// Key of the client cache, which never answers the network.
    ClientCache = "client cache key",
    /// Key of a passphrase-protected secret.
    Vault = "vault key",
    /// Token of the local interface.
    ApiToken = "api token",
    /// Seed of a deterministic generator.
    GeneratorSeed = "generator seed",
}

/// 32 bytes that stand for `parts` under `label`.
#[must_use]
pub fn hash(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    absorb(label, parts).finalize().into()
}

/// Like [`hash`], for an output that stays secret.
#[must_use]
pub fn derive(label: Label, parts: &[&[u8]]) -> Secret<32> {
    let mut key = Secret::from_bytes([0; 32]);
    expand(label, parts, key.expose_mut());
    key
}

/// Fills `out` with as many bytes as it holds; the first 32 are those of [`hash`].
pub fn expand(label: Label, parts: &[&[u8]], out: &mut [u8]) {
    absorb(label, parts).finalize_xof().fill(out);
}

/// [`hash`] of a single part that arrives in pieces.
#[derive(Clone, Debug)]
pub struct Digester(Hasher);

impl Digester {
    /// Begins a hash under `label`.
    #[must_use]
    pub fn new(label: Label) -> Self {
        Self(Hasher::new_derive_key(label.context()))
    }

    /// Takes the next piece; where pieces begin and end does not matter.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

fn absorb(label: Label, parts: &[&[u8]]) -> Hasher {
    if let [part] = parts {
        let mut hasher = Hasher::new_derive_key(label.context());
        hasher.update(part);
        return hasher;
    }
    let mut hasher = Hasher::new_derive_key(label.list_context());
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_label_has_a_context_string_of_its_own() {
        let contexts: BTreeSet<_> =
            Label::ALL.iter().flat_map(|label| [label.context(), label.list_context()]).collect();
        assert_eq!(contexts.len(), 2 * Label::ALL.len());
    }

    #[test]
    fn labels_separate_equal_inputs() {
        let hashes: BTreeSet<_> = Label::ALL.iter().map(|label| hash(*label, &[b"x"])).collect();
        assert_eq!(hashes.len(), Label::ALL.len());
    }

    #[test]
    fn lists_that_concatenate_alike_hash_apart() {
        let mut encoded = Vec::new();
        for part in [b"ab".as_slice(), b"c"] {
            encoded.extend((part.len() as u64).to_le_bytes());
            encoded.extend(part);
        }
        let lists: [&[&[u8]]; 8] =
            [&[], &[b""], &[b"", b""], &[b"abc"], &[b"ab", b"c"], &[b"a", b"bc"], &[b"ab", b"c", b""], &[&encoded]];
        let hashes: BTreeSet<_> = lists.iter().map(|parts| hash(Label::Work, parts)).collect();
        assert_eq!(hashes.len(), lists.len());
    }

    #[test]
    fn hash_derive_and_expand_agree() {
        let parts: &[&[u8]] = &[b"one", b"two"];
        let mut long = [0; 100];
        expand(Label::Work, parts, &mut long);
        assert_eq!(long[..32], hash(Label::Work, parts));
        assert_eq!(&long[..32], derive(Label::Work, parts).expose());
    }

    #[test]
    fn a_document_hashed_in_pieces_hashes_as_a_whole() {
        let document = vec![0x5a; 10_000];
        let mut digester = Digester::new(Label::DocumentDigest);
        for piece in document.chunks(777) {
            digester.update(piece);
        }
        assert_eq!(digester.finish(), hash(Label::DocumentDigest, &[&document]));
    }
}
