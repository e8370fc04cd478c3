//! Which network a starting node takes part in: the one it was given, the one it is introduced to, the one its
//! directory belongs to, or one of its own.

use std::sync::Arc;

use crypto::identity::NodeKey;
use tracing::{info, warn};

use super::chance;
use super::config::Profile;
use super::network::{self, NetworkError};
use super::settings::Settings;
use crate::id::{NetworkId, NodeId};
use crate::link::genesis::{FetchError, fetch_genesis};
use crate::message::genesis::{BadGenesis, Genesis, PROTOCOL_VERSION};

/// Why there is no network for a node.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The genesis file or the data directory stands against it.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A reference belongs to another network than the node.
    #[error("the node reference belongs to the network {theirs}, this node to {ours}")]
    OtherNetwork {
        /// Of the reference.
        theirs: NetworkId,
        /// Of the node, or of another reference.
        ours: NetworkId,
    },
    /// No node that it was introduced to shows the genesis.
    #[error("cannot join: {0}")]
    Unreachable(#[from] FetchError),
    /// What such a node shows is no genesis.
    #[error("cannot join: {0}")]
    Bad(#[from] BadGenesis),
    /// Only founding members start a network without help.
    #[error("this node ({node}) is no founding member of \"{name}\": name a node of it with --join")]
    NotAFounder {
        /// Which node.
        node: NodeId,
        /// Which network.
        name: String,
    },
    /// The open profile has no network of its own.
    #[error("the profile open needs a network: name one with --network or --join")]
    OpenNeedsNetwork,
}

/// The genesis of the network that a node with `settings` takes part in; its directory belongs to it from now on.
///
/// # Errors
/// When there is no such network or it does not fit.
pub(super) async fn network(settings: &Settings, key: &NodeKey) -> Result<Genesis, JoinError> {
    let known = match &settings.network {
        Some(given) => Some(given.clone()),
        None => network::resume(&settings.data)?,
    };
    if let Some(wanted) = wanted(settings, known.as_ref())? {
        let genesis = introduced(settings, key, wanted).await?;
        network::adopt(&settings.data, &genesis)?;
        return Ok(genesis);
    }
    let id = NodeId(key.id());
    let genesis = match known {
        Some(genesis) => genesis,
        None if settings.profile.is_some_and(|profile| profile != Profile::Local) => {
            return Err(JoinError::OpenNeedsNetwork);
        }
        None => own(id),
    };
    if settings.network.is_some() && settings.join.is_empty() && !genesis.members.contains(&id) {
        return Err(JoinError::NotAFounder { node: id, name: genesis.name });
    }
    network::adopt(&settings.data, &genesis)?;
    Ok(genesis)
}

/// The network to ask for, if its genesis is not known yet. All references must belong to one network.
fn wanted(settings: &Settings, known: Option<&Genesis>) -> Result<Option<NetworkId>, JoinError> {
    let Some(first) = settings.join.first() else { return Ok(None) };
    let ours = known.map_or(first.network, Genesis::network);
    match settings.join.iter().find(|reference| reference.network != ours) {
        Some(other) => Err(JoinError::OtherNetwork { theirs: other.network, ours }),
        None => Ok(known.is_none().then_some(ours)),
    }
}

/// Asks each introduced node in turn.
async fn introduced(settings: &Settings, key: &NodeKey, wanted: NetworkId) -> Result<Genesis, JoinError> {
    let key = Arc::new(NodeKey::from_seed(key.seed()));
    let mut last = None;
    for reference in &settings.join {
        match fetch_genesis(&key, reference).await {
            Ok(bytes) => {
                info!(network = %wanted, from = %reference.id.short(), "the genesis is here");
                return Ok(Genesis::from_bytes(&bytes)?);
            }
            Err(error) => {
                warn!(node = %reference.id.short(), address = %reference.address, %error, "no genesis from this node");
                last = Some(error);
            }
        }
    }
    Err(last.unwrap_or(FetchError::NotShown).into())
}

/// A network of one, for tests: others join it by this node's reference.
fn own(founder: NodeId) -> Genesis {
    Genesis {
        protocol: PROTOCOL_VERSION,
        name: "local".to_owned(),
        nonce: chance::bytes(),
        work_bits: 0,
        local: true,
        members: vec![founder],
    }
}
