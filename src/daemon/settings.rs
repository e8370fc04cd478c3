//! Everything a node is started with, already checked and opened.

use std::net::SocketAddr;
use std::sync::Arc;

use super::config::{Cover, Profile};
use super::data_dir::{DataDir, Lock};
use super::keeper::Keeper;
use super::overlay::OverlayName;
use crate::message::genesis::Genesis;
use crate::message::reference::Introduction;

/// What a node is started with.
#[derive(Debug)]
pub struct Settings {
    /// Its directory.
    pub data: DataDir,
    /// Proof that no other node runs on it.
    pub lock: Lock,
    /// Its secret and what is kept under it.
    pub keeper: Arc<Keeper>,
    /// Its network, if one was named: a founding member's.
    pub network: Option<Genesis>,
    /// Nodes to join by.
    pub join: Vec<Introduction>,
    /// Where to listen; the first free loopback address if absent.
    pub listen: Option<SocketAddr>,
    /// What other nodes are told; where it listens if absent.
    pub advertise: Option<SocketAddr>,
    /// Which overlay to run.
    pub overlay: OverlayName,
    /// Which rules to go by; the network's if absent.
    pub profile: Option<Profile>,
    /// How much the store may hold.
    pub store_bytes: u64,
    /// How much may be sent a second; no limit if absent.
    pub bandwidth: Option<u64>,
    /// The rhythm of the link to the guard.
    pub cover: Cover,
}

/// The default size of a store. Chosen: what most disks can spare without a thought.
pub const STORE_BYTES: u64 = 1 << 30;
