//! Who is at the other end: TLS 1.3 with raw Ed25519 keys on both sides (RFC 7250), and no certificates.
//!
//! Guarantees: a handshake completes only if both ends hold the key of the id they show, the dialled id is the one that
//! answers, and both speak the same network, overlay and protocol version. No tickets and no early data: nothing links
//! two connections of one peer but its key. Leaves out whether a peer is welcome.

use std::fmt;
use std::sync::Arc;

use crypto::identity::NodeKey;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, PeerMisbehaved, ServerConfig,
    SignatureAlgorithm, SignatureScheme,
};

use crate::id::{NetworkId, NodeId};

/// The name every client asks for: constant, so that it says nothing.
pub(super) const SERVER_NAME: &str = "bolthole";

/// What two ends must agree on to speak at all.
pub(super) fn link_protocol(mode: &str, network: &NetworkId) -> Vec<u8> {
    format!("bolthole/1/{mode}/{network}").into_bytes()
}

/// The protocol under which a newcomer reads the genesis of a network, whatever overlay the node runs.
pub(super) fn genesis_protocol(network: &NetworkId) -> Vec<u8> {
    link_protocol("genesis", network)
}

/// The side that answers, for every protocol in `protocols`.
pub(super) fn server(key: &Arc<NodeKey>, protocols: Vec<Vec<u8>>) -> Result<ServerConfig, Error> {
    let provider = provider();
    let verifier = Arc::new(AnyPeer(provider.signature_verification_algorithms));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified(key))));
    config.alpn_protocols = protocols;
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// The side that dials, for one peer and one protocol.
pub(super) fn client(key: &Arc<NodeKey>, peer: NodeId, protocol: Vec<u8>) -> Result<ClientConfig, Error> {
    let provider = provider();
    let verifier = Arc::new(OnePeer { peer, algorithms: provider.signature_verification_algorithms });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified(key))));
    config.alpn_protocols = vec![protocol];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The id proven by the other end of a completed handshake.
pub(super) fn proven_peer(connection: &quinn::Connection) -> Option<NodeId> {
    let identity = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    id_of(identity.first()?).ok()
}

/// One suite and one group: fewer ways to tell nodes apart, and none to bargain about.
fn provider() -> Arc<CryptoProvider> {
    use rustls::crypto::ring;
    let mut provider = ring::default_provider();
    // AES-128-GCM is also what QUIC's own first packets need; hardware without AES instructions takes ChaCha20.
    provider.cipher_suites =
        vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256, ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256];
    provider.kx_groups = vec![ring::kx_group::X25519];
    Arc::new(provider)
}

fn certified(key: &Arc<NodeKey>) -> Arc<CertifiedKey> {
    let public = CertificateDer::from(public_key_info(&key.id()));
    Arc::new(CertifiedKey::new(vec![public], Arc::new(LinkKey(key.clone()))))
}

/// The fixed DER prefix of an Ed25519 key, and the key.
fn public_key_info(id: &[u8; 32]) -> Vec<u8> {
    [ED25519_INFO.as_slice(), id].concat()
}

fn id_of(public: &CertificateDer<'_>) -> Result<NodeId, Error> {
    let id = public.as_ref().strip_prefix(ED25519_INFO.as_slice()).ok_or(CertificateError::BadEncoding)?;
    Ok(NodeId(id.try_into().map_err(|_| CertificateError::BadEncoding)?))
}

/// The node's key in the shape that rustls asks for.
#[derive(Clone)]
struct LinkKey(Arc<NodeKey>);

impl SigningKey for LinkKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SignatureScheme::ED25519).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(public_key_info(&self.0.id())))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

impl Signer for LinkKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.0.sign_raw(message).to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkKey(..)")
    }
}

/// Accepts the server that was dialled, and no other.
#[derive(Debug)]
struct OnePeer {
    peer: NodeId,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for OnePeer {
    fn verify_server_cert(
        &self,
        public: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !intermediates.is_empty() || id_of(public)? != self.peer {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old_version())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        public: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, public, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// Accepts any client that proves its key; whether it is welcome is decided when its id is known.
#[derive(Debug)]
struct AnyPeer(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyPeer {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        public: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if !intermediates.is_empty() {
            return Err(CertificateError::BadEncoding.into());
        }
        id_of(public).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(old_version())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        public: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_signature(message, public, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

fn verify_signature(
    message: &[u8],
    public: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    if signature.scheme != SignatureScheme::ED25519 {
        return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
    }
    let public = SubjectPublicKeyInfoDer::from(public.as_ref());
    verify_tls13_signature_with_raw_key(message, &public, signature, algorithms)
}

fn old_version() -> Error {
    Error::General("only TLS 1.3 is spoken".into())
}

/// SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING (33 bytes) }, up to the key itself (RFC 8410).
const ED25519_INFO: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
