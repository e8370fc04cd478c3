//! What links tell the node, in the words of the overlay contract (`overlay::mode::Input`).
//!
//! Guarantees: for each peer `Up` and `Down` alternate, every `Message` and `Congestion` lies between them, and every
//! accepted dial ends in `Up` or `DialFailed`. Leaves out what to do about any of it.

use std::fmt;
use std::net::SocketAddr;

use crate::id::NodeId;
use crate::overlay::mode::{CloseReason, Offence};
use crate::wire::malformed::Malformed;

/// Something that happened on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent<M> {
    /// A link is open; who is at the other end is proven.
    Up {
        /// Who.
        peer: NodeId,
        /// The address its packets come from.
        address: SocketAddr,
        /// Whether the peer dialled.
        inbound: bool,
    },
    /// A link is gone.
    Down {
        /// Who was at the other end.
        peer: NodeId,
        /// Why.
        reason: DownReason,
    },
    /// A dial did not lead to a link.
    DialFailed {
        /// Who was to be reached.
        peer: NodeId,
        /// Why not.
        why: DialError,
    },
    /// A message arrived: well formed, not otherwise checked.
    Message {
        /// Who sent it.
        from: NodeId,
        /// What it says.
        message: M,
    },
    /// What waits for a peer has passed its bound, or is well below it again.
    Congestion {
        /// Whose link.
        peer: NodeId,
        /// Whether the link is behind.
        behind: bool,
    },
    /// A peer broke a rule of the link. Its link is being closed; `Down` follows.
    Offence {
        /// Who.
        peer: NodeId,
        /// Which rule.
        offence: Offence,
        /// What was wrong, for the log.
        detail: OffenceDetail,
    },
}

/// What exactly a peer did wrong on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OffenceDetail {
    /// Bytes that are no message.
    #[error(transparent)]
    Malformed(Malformed),
    /// A message that did not end in time.
    #[error("a message that did not end in time")]
    Stalled,
    /// A stream given up in the middle.
    #[error("a stream given up in the middle")]
    Abandoned,
}

/// Why a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// This node closed it.
    Closed(CloseReason),
    /// The peer closed it.
    ByPeer(CloseReason),
    /// The peer closed it with a code that this version does not know.
    ByPeerUnknown(u64),
    /// Nothing was heard for the idle time.
    Silent,
    /// The peer came back on a new connection; `Up` follows.
    Returned,
    /// QUIC gave the connection up.
    Broken,
}

/// Why a dial did not lead to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// Nobody answered in time.
    #[error("nobody answered")]
    Silent,
    /// Somebody else holds that address.
    #[error("the node at that address has another identity")]
    OtherIdentity,
    /// The node speaks another network, overlay or version.
    #[error("the node belongs to another network, overlay or protocol version")]
    OtherNetwork,
    /// The peer does not want the link.
    #[error("the node refused the link: {0:?}")]
    Refused(CloseReason),
    /// The peer dialled as well, its dial took precedence, and then it did not come through.
    #[error("the node's own dial took precedence and failed")]
    Crossed,
    /// This node has as many links as it may have.
    #[error("this node has no room for another link")]
    Full,
    /// The address or the identity cannot be dialled from here, such as the node's own.
    #[error("that address cannot be dialled")]
    Impossible,
    /// The dial was given up by this node: closed or stopping.
    #[error("the dial was given up")]
    GivenUp,
    /// QUIC failed in another way.
    #[error("the connection broke")]
    Broken,
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The operating system refused.
    #[error("cannot listen on {address}: {source}")]
    Socket {
        /// Where.
        address: SocketAddr,
        /// What it said.
        source: std::io::Error,
    },
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The genesis is longer than one small message.
    #[error("the genesis has {0} bytes; a network's has at most {max}", max = crate::limits::GENESIS_BYTES)]
    Genesis(usize),
}

impl fmt::Display for DownReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(reason) => write!(formatter, "closed: {reason:?}"),
            Self::ByPeer(reason) => write!(formatter, "closed by the peer: {reason:?}"),
            Self::ByPeerUnknown(code) => write!(formatter, "closed by the peer: code {code}"),
            Self::Silent => formatter.write_str("nothing heard"),
            Self::Returned => formatter.write_str("the peer came back on a new connection"),
            Self::Broken => formatter.write_str("the connection broke"),
        }
    }
}
