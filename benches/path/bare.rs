//! A chain of bare QUIC endpoints: what the machine gives before Bolthole does anything.
//!
//! Source, k relays and sink, each with a socket of its own; every relay reads a whole stream and sends it on. The windows
//! are those of `link`.

#[path = "../../tests/link_support/raw_keys.rs"]
mod raw_keys;

use std::net::SocketAddr;
use std::sync::Arc;

use bolthole::daemon::threads;
use bolthole::limits::{LINK_WINDOW_BYTES, STREAMS_PER_LINK};
use bolthole::link::count::Counters;
use bolthole::link::socket::PaddedSocket;
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, Endpoint, EndpointConfig, Runtime as _, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use rustls::server::AlwaysResolvesServerRawPublicKeys;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use self::raw_keys::{Anyone, certified};

/// How the endpoints of a chain put bytes on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    /// QUIC's UDP payload.
    pub(crate) payload: u16,
    /// Whether our socket is under QUIC and brings short datagrams to full length.
    pub(crate) shim: bool,
}

/// Moves `streams` streams of `bytes` bytes through `relays` relays; ends when the sink has read all of them.
/// Each endpoint has threads of its own, which are given back.
pub(crate) fn run(relays: usize, wire: Wire, streams: usize, bytes: usize) -> Vec<Runtime> {
    let threads: Vec<Runtime> = (0..relays + 2).map(|_| threads::start().expect("threads")).collect();
    let endpoints: Vec<Endpoint> = threads
        .iter()
        .map(|own| {
            let _context = own.enter();
            endpoint(wire)
        })
        .collect();
    let (done, mut arrived) = mpsc::unbounded_channel();
    let sink = endpoints[relays + 1].clone();
    threads[relays + 1].spawn(async move { read_all(&accept(&sink).await, bytes, &done).await });
    for place in (1..=relays).rev() {
        let (own, next) = (endpoints[place].clone(), address(&endpoints[place + 1]));
        threads[place].spawn(async move { relay(&own, wire, next, bytes).await });
    }
    let (source, first) = (endpoints[0].clone(), address(&endpoints[1]));
    threads[0].spawn(async move {
        let first = connect(&source, wire, first).await;
        let body = bytes::Bytes::from(vec![7; bytes]);
        for _ in 0..streams {
            let mut stream = first.open_uni().await.expect("open");
            stream.write_chunk(body.clone()).await.expect("written");
            stream.finish().expect("open");
        }
        first.closed().await;
    });
    for _ in 0..streams {
        arrived.blocking_recv().expect("the chain holds");
    }
    for endpoint in &endpoints {
        endpoint.close(VarInt::from_u32(0), b"");
    }
    threads
}

async fn relay(own: &Endpoint, wire: Wire, next: SocketAddr, bytes: usize) {
    let (before, after) = (accept(own).await, connect(own, wire, next).await);
    while let Ok(mut stream) = before.accept_uni().await {
        let after = after.clone();
        tokio::spawn(async move {
            let Ok(body) = stream.read_to_end(bytes).await else { return };
            let Ok(mut onward) = after.open_uni().await else { return };
            let _ = onward.write_chunk(body.into()).await;
            let _ = onward.finish();
        });
    }
}

async fn read_all(connection: &Connection, bytes: usize, done: &mpsc::UnboundedSender<()>) {
    while let Ok(mut stream) = connection.accept_uni().await {
        let done = done.clone();
        tokio::spawn(async move {
            if stream.read_to_end(bytes).await.is_ok_and(|body| body.len() == bytes) {
                let _ = done.send(());
            }
        });
    }
}

async fn accept(endpoint: &Endpoint) -> Connection {
    endpoint.accept().await.expect("a dial").await.expect("a handshake")
}

async fn connect(endpoint: &Endpoint, wire: Wire, to: SocketAddr) -> Connection {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("a first suite")));
    config.transport_config(transport(wire));
    endpoint.connect_with(config, to, "bench").expect("an address").await.expect("a handshake")
}

fn address(endpoint: &Endpoint) -> SocketAddr {
    endpoint.local_addr().expect("bound")
}

fn endpoint(wire: Wire) -> Endpoint {
    let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(key()))));
    let mut server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("a first suite")));
    server.transport_config(transport(wire));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut socket = TokioRuntime.wrap_udp_socket(socket).expect("a runtime");
    if wire.shim {
        socket = Arc::new(PaddedSocket::new(socket, Arc::new(Counters::default())));
    }
    let mut config = EndpointConfig::default();
    config.grease_quic_bit(false);
    Endpoint::new_with_abstract_socket(config, Some(server), socket, Arc::new(TokioRuntime)).expect("bound")
}

fn transport(wire: Wire) -> Arc<TransportConfig> {
    let mut config = TransportConfig::default();
    config.initial_mtu(wire.payload).min_mtu(wire.payload).mtu_discovery_config(None);
    config.max_concurrent_uni_streams(VarInt::from_u32(STREAMS_PER_LINK as u32));
    config.receive_window(VarInt::from_u32(LINK_WINDOW_BYTES)).send_fairness(false);
    Arc::new(config)
}

/// The key of every endpoint.
fn key() -> Arc<NodeKey> {
    Arc::new(NodeKey::from_seed(Secret::from_bytes([1; 32])))
}
