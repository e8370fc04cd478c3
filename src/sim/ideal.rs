//! Ideal signatures for large simulations: a mark that follows from signer, purpose and text.
//!
//! Nodes of a simulation are honest, so nobody makes another's mark; a text that was changed does not carry it. Stands for
//! Ed25519 in the fidelity `values` and never crosses a wire. What an adversary could do with it is no question here.

use crypto::hash::Label;
use crypto::identity::SIGNATURE_BYTES;

use crate::id::NodeId;
use crate::message::credentials::Credentials;
use crate::sim::latency::mix;

/// The credentials of a simulated node.
#[derive(Clone, Copy, Debug)]
pub struct Ideal(pub NodeId);

impl Credentials for Ideal {
    fn id(&self) -> NodeId {
        self.0
    }

    fn sign(&self, label: Label, text: &[u8]) -> [u8; SIGNATURE_BYTES] {
        mark(&self.0, label, text)
    }

    fn verifies(&self, signer: &NodeId, label: Label, text: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        mark(signer, label, text) == *signature
    }
}

fn mark(signer: &NodeId, label: Label, text: &[u8]) -> [u8; SIGNATURE_BYTES] {
    let words = signer.0.chunks(8).chain(text.chunks(8));
    let digest = words.fold(mix(label as u64), |digest, word| mix(digest ^ word_of(word)));
    let mut signature = [0; SIGNATURE_BYTES];
    signature[..8].copy_from_slice(&digest.to_be_bytes());
    signature
}

/// Up to eight bytes and their number, so that a text and its beginning differ.
fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_be_bytes(word) ^ bytes.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_holds_for_its_signer_purpose_and_text_alone() {
        let (one, other) = (Ideal(NodeId([1; 32])), NodeId([2; 32]));
        let mark = one.sign(Label::NodeReference, b"where I am");
        assert!(one.verifies(&one.0, Label::NodeReference, b"where I am", &mark));
        assert!(!one.verifies(&other, Label::NodeReference, b"where I am", &mark));
        assert!(!one.verifies(&one.0, Label::LocationCertificate, b"where I am", &mark));
        assert!(!one.verifies(&one.0, Label::NodeReference, b"where I an", &mark));
        assert!(!one.verifies(&one.0, Label::NodeReference, b"where I am\0", &mark));
    }
}
