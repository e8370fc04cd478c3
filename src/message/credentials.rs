//! How a node signs as itself and verifies what others signed.
//!
//! The seam between the machines and their cryptography: production holds an Ed25519 key; a large simulation, whose nodes are
//! honest, an ideal stand-in. Machines never know which. Decides nothing about what a signature is worth.

use std::fmt::Debug;

use crypto::hash::Label;
use crypto::identity::{self, NodeKey, SIGNATURE_BYTES};

use crate::id::NodeId;

/// Signs as one node, verifies for all.
pub trait Credentials: Debug + Send + Sync {
    /// Whose signatures these are.
    fn id(&self) -> NodeId;

    /// Signs `text` for the purpose `label`.
    fn sign(&self, label: Label, text: &[u8]) -> [u8; SIGNATURE_BYTES];

    /// Whether `signer` signed `text` for the purpose `label`.
    fn verifies(&self, signer: &NodeId, label: Label, text: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool;
}

impl Credentials for NodeKey {
    fn id(&self) -> NodeId {
        NodeId(Self::id(self))
    }

    fn sign(&self, label: Label, text: &[u8]) -> [u8; SIGNATURE_BYTES] {
        Self::sign(self, label, text)
    }

    fn verifies(&self, signer: &NodeId, label: Label, text: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        is_signed(signer, label, text, signature)
    }
}

/// Whether the node `signer` signed `text` with its Ed25519 key.
pub(super) fn is_signed(signer: &NodeId, label: Label, text: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
    identity::verify(&signer.0, label, text, signature).is_ok()
}
