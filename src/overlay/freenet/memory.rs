//! What a node keeps across a restart: its certificate, and where some of its neighbours were.
//!
//! Encoded behind a version byte; bytes that do not decode, or a certificate that no longer holds, are as good as none.
//! Says when the memory has changed enough to be kept anew; keeps nothing itself.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::message::certificate::Shown;
use crate::message::reference::NodeRef;
use crate::overlay::freenet::config::Profile;
use crate::overlay::freenet::core::Core;
use crate::time::Day;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    certificate: Option<Shown>,
    neighbours: Vec<NodeRef>,
}

impl Memory {
    /// Reads what an earlier run asked to be remembered.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let read = bytes.strip_prefix(&[VERSION]).and_then(|rest| postcard::from_bytes::<Self>(rest).ok());
        read.filter(|memory| memory.neighbours.len() <= limits::REMEMBERED_NEIGHBOURS).unwrap_or_default()
    }

    fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("plain values always encode")
    }

    /// The certificate remembered, if it is this node's and holds today.
    pub(super) fn certificate(&self, core: &Core, today: Day) -> Option<Shown> {
        let certificate = self.certificate.clone().filter(|_| !core.me.placed)?;
        let is_own = certificate.claim.node == core.me.id && certificate.claim.group == core.me.reference.group();
        (is_own && certificate.is_current(today) && certificate.verifies_by(&*core.me.key, &core.me.network))
            .then_some(certificate)
    }

    /// Where the neighbours remembered were. None in a network of trusted links, where only the operator names peers.
    pub(super) fn contacts(&self, core: &Core) -> Vec<(NodeId, SocketAddr)> {
        let is_trusted = core.config.profile == Profile::Trusted;
        let rightly = |reference: &&NodeRef| !is_trusted && core.me.has_signed(reference);
        self.neighbours.iter().filter(rightly).map(|reference| (reference.id, reference.address)).collect()
    }

    /// The new memory in bytes, if it differs from the last: another certificate, or half of the neighbours remembered
    /// gone.
    pub(super) fn changed(&mut self, core: &Core) -> Option<Vec<u8>> {
        let kept = self.neighbours.iter().filter(|old| core.neighbours.is_member(&old.id)).count();
        let wanted = core.neighbours.count().min(limits::REMEMBERED_NEIGHBOURS);
        if self.certificate == core.me.certificate && kept * 2 >= wanted {
            return None;
        }
        let linked: Vec<NodeRef> =
            core.neighbours.members().filter_map(|(_, neighbour, _)| neighbour.reference().cloned()).collect();
        let spread = linked.len().div_ceil(limits::REMEMBERED_NEIGHBOURS).max(1);
        self.certificate = core.me.certificate.clone();
        if !linked.is_empty() {
            self.neighbours = linked.into_iter().step_by(spread).collect();
        }
        Some(self.to_bytes())
    }
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_memory_are_as_good_as_none() {
        let memory = Memory::default();
        assert_eq!(Memory::from_bytes(&memory.to_bytes()), memory);
        for bytes in [&[][..], &[VERSION], &[VERSION + 1, 0, 0], &[VERSION, 7, 7, 7]] {
            assert_eq!(Memory::from_bytes(bytes), Memory::default());
        }
    }
}
