//! QUIC as we use it: one datagram length, bounded windows, no migration, no bytes before the handshake ends.
//!
//! Leaves out who may connect (`tls`, `peers`) and what is said (`sender`, `receiver`).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Endpoint, EndpointConfig, IdleTimeout, Runtime, ServerConfig, TokioRuntime, TransportConfig, VarInt,
};
use socket2::{Domain, Protocol, Socket, Type};

use super::count::Counters;
use super::socket::PaddedSocket;
use crate::limits;

/// Opens the socket and the endpoint on it; with `server`, strangers may connect.
pub(super) fn endpoint(
    listen: SocketAddr,
    server: Option<rustls::ServerConfig>,
    counters: Arc<Counters>,
) -> io::Result<Endpoint> {
    let runtime = Arc::new(TokioRuntime);
    let socket = runtime.wrap_udp_socket(socket(listen)?)?;
    let padded = Arc::new(PaddedSocket::new(socket, counters));
    let server = server.map(server_config).transpose()?;
    Endpoint::new_with_abstract_socket(endpoint_config()?, server, padded, runtime)
}

/// What a dial uses; made afresh for each, so that two dials share nothing.
pub(super) fn client_config(tls: rustls::ClientConfig) -> Option<ClientConfig> {
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).ok()?));
    config.transport_config(Arc::new(transport_config()));
    Some(config)
}

fn server_config(tls: rustls::ServerConfig) -> io::Result<ServerConfig> {
    let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport_config()));
    // A peer that moves dials again: its address group must be counted anew.
    config.migration(false);
    config.max_incoming(limits::HANDSHAKES);
    config.incoming_buffer_size(UNACCEPTED_BYTES).incoming_buffer_size_total(UNACCEPTED_BYTES * 64);
    config.validation_token.sent(0);
    Ok(config)
}

fn endpoint_config() -> io::Result<EndpointConfig> {
    let mut config = EndpointConfig::default();
    // The bit marks padded datagrams (`datagram`), so QUIC must not play with it.
    config.grease_quic_bit(false);
    config.max_udp_payload_size(limits::DATAGRAM_BYTES as u16).map_err(io::Error::other)?;
    Ok(config)
}

fn transport_config() -> TransportConfig {
    let mut config = TransportConfig::default();
    let bytes = limits::DATAGRAM_BYTES as u16;
    config.initial_mtu(bytes).min_mtu(bytes).mtu_discovery_config(None).pad_to_mtu(true);
    config.max_concurrent_uni_streams(VarInt::from_u32(limits::STREAMS_PER_LINK as u32));
    config.max_concurrent_bidi_streams(VarInt::from_u32(1));
    config.stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES));
    config.receive_window(VarInt::from_u32(limits::LINK_WINDOW_BYTES));
    // Room for small messages beside all blocks under way, so that they never wait for one.
    config.send_window((limits::BLOCKS_UNDER_WAY * 34_080 + limits::SMALLS_UNDER_WAY * 1_136) as u64);
    // Streams of one priority leave one after the other: a block is of no use until it is whole.
    config.send_fairness(false);
    config.datagram_receive_buffer_size(None);
    config.keep_alive_interval(Some(limits::LINK_KEEPALIVE));
    config.max_idle_timeout(IdleTimeout::try_from(limits::LINK_IDLE).ok());
    config.allow_spin(false);
    config
}

fn socket(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel gives what it may; less than asked costs throughput, not correctness.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

/// Bytes of one stream that may be on the way: more than any message, so that a longer one shows at once.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
/// Bytes kept for a connection that has not been looked at.
const UNACCEPTED_BYTES: u64 = 16 << 10;
/// Chosen: 4 ms of a gigabyte per second.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

const _: () = assert!(STREAM_WINDOW_BYTES as usize > limits::BLOCK_CELLS * limits::CELL_BYTES);
