//! A peer that speaks QUIC of its own: written from docs/wire.md, sharing with `link` only the padding of datagrams.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bolthole::id::NetworkId;
use bolthole::limits::DATAGRAM_BYTES;
use bolthole::link::datagram::{inner_bytes, padded};
use crypto::identity::NodeKey;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, Connection, Endpoint, EndpointConfig, TokioRuntime, TransportConfig, UdpPoller};
use rustls::ClientConfig;
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::raw_keys::{Anyone, certified};

/// Connects to a node, is welcomed, and gives the connection to do anything with.
pub(crate) async fn connect(host: &str, key: Arc<NodeKey>, network: &NetworkId, to: SocketAddr) -> Connection {
    let socket = std::net::UdpSocket::bind((host, 0)).expect("a free port");
    socket.set_nonblocking(true).expect("non-blocking");
    let socket = Arc::new(PlainSocket(Arc::new(UdpSocket::from_std(socket).expect("a runtime"))));
    let mut config = EndpointConfig::default();
    config.grease_quic_bit(false);
    let endpoint = Endpoint::new_with_abstract_socket(config, None, socket, Arc::new(TokioRuntime)).expect("bound");
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(key))));
    tls.alpn_protocols = vec![format!("bolthole/1/test/{network}").into_bytes()];
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("a first suite")));
    let mut transport = TransportConfig::default();
    transport.mtu_discovery_config(None).pad_to_mtu(true);
    config.transport_config(Arc::new(transport));
    let connection = endpoint.connect_with(config, to, "bolthole").expect("an address").await.expect("a handshake");
    let mut welcome = connection.accept_uni().await.expect("a welcome");
    assert_eq!(welcome.read_to_end(0).await.expect("an empty stream"), b"");
    connection
}

/// One datagram at a time, without offload.
#[derive(Debug)]
struct PlainSocket(Arc<UdpSocket>);

impl AsyncUdpSocket for PlainSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(PlainPoller(self.0.clone()))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        match transmit.contents.len() {
            DATAGRAM_BYTES => bytes.extend_from_slice(transmit.contents),
            _ => padded(transmit.contents, &mut bytes),
        }
        self.0.try_send_to(&bytes, transmit.destination).map(drop)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(&mut bufs[0]);
        let addr = ready!(self.0.poll_recv_from(cx, &mut read))?;
        let len = inner_bytes(read.filled_mut()).unwrap_or(0);
        metas[0] = RecvMeta { addr, len, stride: len.max(1), ecn: None, dst_ip: None };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[derive(Debug)]
struct PlainPoller(Arc<UdpSocket>);

impl UdpPoller for PlainPoller {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_send_ready(cx)
    }
}
