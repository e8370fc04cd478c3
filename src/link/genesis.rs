//! How a newcomer reads the founding document of a network from a node that was introduced to it.
//!
//! Guarantees that what is read hashes to the network of the introduction. The exchange has a protocol name of its own, so
//! a newcomer need not know which overlay the node runs, and takes no place among its links.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crypto::identity::NodeKey;
use quinn::Connection;
use tokio::time::timeout;

use super::code::{SERVED, dial_error};
use super::event::{BindError, DialError};
use super::tls;
use super::transport::Transport;
use crate::limits::{GENESIS_BYTES, HANDSHAKE_TIME};
use crate::message::genesis::{BadGenesis, Genesis};
use crate::message::reference::Introduction;

/// Why the genesis could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The node could not be reached, or is another one.
    #[error("cannot reach the node: {0}")]
    Dial(#[from] DialError),
    /// The node has no genesis to show, or stopped half way.
    #[error("the node does not show its network's genesis")]
    NotShown,
    /// What it showed is no genesis.
    #[error("the node shows a damaged genesis: {0}")]
    Bad(#[from] BadGenesis),
    /// What it showed belongs to another network.
    #[error("the node shows the genesis of another network")]
    OtherNetwork,
}

/// Reads the genesis of the introduced network from the introduced node and checks it against the network id.
///
/// # Errors
/// When the node cannot be reached, is another one, or shows anything but that genesis.
pub async fn fetch_genesis(key: &Arc<NodeKey>, introduction: &Introduction) -> Result<Vec<u8>, FetchError> {
    let address = introduction.address;
    let listen = any_address(&address);
    let transport = Transport::bind(listen, None).map_err(|source| BindError::Socket { address: listen, source })?;
    let tls = tls::client(key, introduction.id, tls::genesis_protocol(&introduction.network))
        .map_err(|error| BindError::Tls(error.to_string()))?;
    let connecting = transport.connect(tls, address)?;
    let read = timeout(HANDSHAKE_TIME, async {
        let connection = connecting.await.map_err(|error| dial_error(&error))?;
        let bytes = ask(&connection).await.ok_or(FetchError::NotShown);
        connection.close(SERVED, b"");
        bytes
    });
    let bytes = read.await.map_err(|_| DialError::Silent)??;
    // The close is worth one attempt to deliver, no more.
    let _ = timeout(FAREWELL_TIME, transport.endpoint.wait_idle()).await;
    match Genesis::from_bytes(&bytes)?.network() == introduction.network {
        true => Ok(bytes),
        false => Err(FetchError::OtherNetwork),
    }
}

async fn ask(connection: &Connection) -> Option<Vec<u8>> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    send.finish().ok()?;
    receive.read_to_end(GENESIS_BYTES).await.ok().filter(|bytes| !bytes.is_empty())
}

/// Shows the genesis to the peer that opened `connection` for it.
pub(super) async fn serve(connection: &Connection, genesis: &Bytes) {
    let shown = timeout(HANDSHAKE_TIME, async {
        let (mut send, mut receive) = connection.accept_bi().await.ok()?;
        receive.read_to_end(0).await.ok()?;
        send.write_chunk(genesis.clone()).await.ok()?;
        send.finish().ok()?;
        // The reader closes.
        connection.closed().await;
        Some(())
    });
    if !matches!(shown.await, Ok(Some(()))) {
        connection.close(SERVED, b"");
    }
}

fn any_address(like: &SocketAddr) -> SocketAddr {
    match like {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

const FAREWELL_TIME: Duration = Duration::from_millis(200);
