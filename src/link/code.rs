//! Reasons as QUIC application error codes, and QUIC's own errors as reasons.
//!
//! Guarantees that a reason survives the way to the peer. The codes are part of the protocol: see docs/wire.md.

use quinn::{ConnectionError, TransportErrorCode, VarInt};

use super::event::{DialError, DownReason};
use crate::overlay::mode::{CloseReason, Offence};

/// The code of a connection that lost against another of the same two peers.
pub(super) const CROSSED: VarInt = VarInt::from_u32(5);

/// The code of a connection that served its one purpose: the genesis has been read.
pub(super) const SERVED: VarInt = VarInt::from_u32(0);

/// The code that carries `reason`.
pub(super) const fn code_of(reason: CloseReason) -> VarInt {
    VarInt::from_u32(match reason {
        CloseReason::Shutdown => 1,
        CloseReason::Full => 2,
        CloseReason::Replaced => 3,
        CloseReason::Done => 4,
        CloseReason::Offence(Offence::OutOfTurn) => 16,
        CloseReason::Offence(Offence::BadBlock) => 17,
        CloseReason::Offence(Offence::BadCredential) => 18,
        CloseReason::Offence(Offence::Unasked) => 19,
        CloseReason::Offence(Offence::Flood) => 20,
        CloseReason::Offence(Offence::Malformed) => 21,
    })
}

/// The reason that `code` carries.
pub(super) fn reason_of(code: VarInt) -> Option<CloseReason> {
    REASONS.into_iter().find(|reason| code_of(*reason) == code)
}

/// Why an open link ended, as QUIC tells it. `local` is what this node closed it with, if it did.
pub(super) fn down_reason(error: &ConnectionError, local: Option<CloseReason>) -> DownReason {
    match error {
        ConnectionError::LocallyClosed => local.map_or(DownReason::Returned, DownReason::Closed),
        ConnectionError::ApplicationClosed(close) => {
            reason_of(close.error_code).map_or(DownReason::ByPeerUnknown(close.error_code.into()), DownReason::ByPeer)
        }
        ConnectionError::TimedOut => DownReason::Silent,
        _ => DownReason::Broken,
    }
}

/// Why a dial failed, as QUIC tells it.
pub(super) fn dial_error(error: &ConnectionError) -> DialError {
    match error {
        ConnectionError::TimedOut => DialError::Silent,
        ConnectionError::LocallyClosed => DialError::GivenUp,
        ConnectionError::ApplicationClosed(close) => {
            reason_of(close.error_code).map_or(DialError::Broken, DialError::Refused)
        }
        ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
            DialError::Refused(CloseReason::Full)
        }
        ConnectionError::ConnectionClosed(close) if close.error_code == alert(NO_PROTOCOL) => DialError::OtherNetwork,
        ConnectionError::TransportError(error) if error.code == alert(ACCESS_DENIED) => DialError::OtherIdentity,
        _ => DialError::Broken,
    }
}

fn alert(code: u8) -> TransportErrorCode {
    TransportErrorCode::crypto(code)
}

const REASONS: [CloseReason; 10] = [
    CloseReason::Shutdown,
    CloseReason::Full,
    CloseReason::Replaced,
    CloseReason::Done,
    CloseReason::Offence(Offence::OutOfTurn),
    CloseReason::Offence(Offence::BadBlock),
    CloseReason::Offence(Offence::BadCredential),
    CloseReason::Offence(Offence::Unasked),
    CloseReason::Offence(Offence::Flood),
    CloseReason::Offence(Offence::Malformed),
];

/// TLS alert 120, no_application_protocol.
const NO_PROTOCOL: u8 = 120;
/// TLS alert 49, access_denied: what rustls says when a verifier of the application refuses.
const ACCESS_DENIED: u8 = 49;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_its_code_and_no_two_share_one() {
        for reason in REASONS {
            assert_eq!(reason_of(code_of(reason)), Some(reason));
            assert_ne!(code_of(reason), CROSSED);
        }
    }
}
