//! QUIC as we use it: one datagram length, bounded windows, no migration, no bytes before the handshake ends.
//!
//! Leaves out who may connect (`tls`, `peers`) and what is said (`sender`, `receiver`).

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::{fmt, io};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Connecting, Endpoint, EndpointConfig, IdleTimeout, Incoming, Runtime, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};
use socket2::{Domain, Protocol, Socket, Type};

use super::count::Counters;
use super::event::DialError;
use super::flight::WidenedFactory;
use super::kind::{Counted, Reports};
use super::socket::PaddedSocket;
use super::tls::SERVER_NAME;
use crate::limits;

/// The socket and QUIC on it.
#[derive(Debug)]
pub(super) struct Transport {
    pub(super) endpoint: Endpoint,
    pub(super) counters: Arc<Counters>,
    server: Option<Server>,
}

/// What strangers are met with.
struct Server {
    tls: Arc<QuicServerConfig>,
    config: ServerConfig,
}

impl Transport {
    /// Opens the socket; with `server`, strangers may connect.
    pub(super) fn bind(listen: SocketAddr, server: Option<rustls::ServerConfig>) -> io::Result<Self> {
        let (runtime, counters) = (Arc::new(TokioRuntime), Arc::new(Counters::default()));
        let server = server.map(Server::new).transpose()?;
        let socket = runtime.wrap_udp_socket(socket(listen)?)?;
        let padded = Arc::new(PaddedSocket::new(socket, counters.clone()));
        let config = server.as_ref().map(|server| server.config.clone());
        let endpoint = Endpoint::new_with_abstract_socket(endpoint_config()?, config, padded, runtime)?;
        Ok(Self { endpoint, counters, server })
    }

    /// Dials. Every dial has a configuration of its own, so that two dials share nothing.
    pub(super) fn connect(&self, tls: rustls::ClientConfig, address: SocketAddr) -> Result<Connecting, DialError> {
        let reports = self.reports();
        let tls = Arc::new(QuicClientConfig::try_from(tls).map_err(|_| DialError::Broken)?);
        let transport = Arc::new(transport_config(&reports));
        let mut config = ClientConfig::new(Arc::new(Counted::new(tls, reports)));
        config.transport_config(transport);
        self.endpoint.connect_with(config, address, SERVER_NAME).map_err(|_| DialError::Impossible)
    }

    /// Goes on with a stranger's handshake.
    pub(super) fn accept(&self, incoming: Incoming) -> Option<Connecting> {
        let (server, reports) = (self.server.as_ref()?, self.reports());
        let mut config = server.config.clone();
        config.transport_config(Arc::new(transport_config(&reports)));
        config.crypto = Arc::new(Counted::new(server.tls.clone(), reports));
        incoming.accept_with(Arc::new(config)).ok()
    }

    fn reports(&self) -> Reports {
        Reports { counters: self.counters.clone(), unanswered: Arc::default() }
    }
}

impl Server {
    fn new(tls: rustls::ServerConfig) -> io::Result<Self> {
        let tls = Arc::new(QuicServerConfig::try_from(tls).map_err(io::Error::other)?);
        let mut config = ServerConfig::with_crypto(tls.clone());
        // A peer that moves dials again: its address group must be counted anew.
        config.migration(false);
        config.max_incoming(limits::HANDSHAKES);
        config.incoming_buffer_size(UNACCEPTED_BYTES).incoming_buffer_size_total(UNACCEPTED_BYTES * 64);
        config.validation_token.sent(0);
        Ok(Self { tls, config })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Server(..)")
    }
}

fn endpoint_config() -> io::Result<EndpointConfig> {
    let mut config = EndpointConfig::default();
    // The bit marks padded datagrams (`datagram`), so QUIC must not play with it.
    config.grease_quic_bit(false);
    config.max_udp_payload_size(limits::DATAGRAM_BYTES as u16).map_err(io::Error::other)?;
    Ok(config)
}

fn transport_config(reports: &Reports) -> TransportConfig {
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
    config.congestion_controller_factory(Arc::new(WidenedFactory(reports.unanswered.clone())));
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
