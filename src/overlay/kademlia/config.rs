//! What an operator or a scenario chooses of a `kademlia` node; one value is shared by all nodes that are alike.

use crate::overlay::mode::publish::Publish;
use crate::time::Duration;

/// The choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Contacts of a bucket, and nodes that a lookup ends with. Default 20, as in the paper; at most
    /// [`CALL_CONTACTS`](crate::limits::CALL_CONTACTS).
    pub k: usize,
    /// Questions of one lookup under way at once. Default 3, as in the paper.
    pub alpha: usize,
    /// Nodes that a document is stored at. The paper stores at k.
    pub copies: usize,
    /// After so long without a lookup a bucket is refreshed, and what is stored is published again. Default an hour.
    pub refresh: Duration,
    /// What is stored at the nodes nearest to a key. Default the document, as in the paper; who has it, as BitTorrent and
    /// IPFS do: then a document lives as long as one of those who published it.
    pub publish: Publish,
}

impl Default for Config {
    fn default() -> Self {
        Self { k: 20, alpha: 3, copies: 20, refresh: Duration::from_secs(3_600), publish: Publish::Value }
    }
}
