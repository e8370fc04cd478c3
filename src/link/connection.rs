//! One open link from `Up` to `Down`.
//!
//! Guarantees the order of events: `Up` first, `Down` last and once. Sending, receiving and reporting run side by side, so
//! that a slow node holds its peers back without holding its own messages back.

use std::sync::Arc;

use quinn::Connection;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::code::{code_of, down_reason};
use super::event::{DownReason, LinkEvent, OffenceDetail};
use super::peers::Link;
use super::queue::Queue;
use super::receiver::{End, receive_all};
use super::sender::{Throttle, send_all};
use super::tempo::Tempo;
use crate::id::NodeId;
use crate::limits::CLOSE_TIME;
use crate::overlay::mode::{CloseReason, Offence};
use crate::wire::frame::Frame;

/// Drives a link until it is gone. `Down` is left to the caller, who first forgets the link.
pub(super) async fn drive<M: Frame>(
    peer: NodeId,
    link: &Link<M>,
    throttle: &Arc<Throttle>,
    events: &mpsc::Sender<LinkEvent<M>>,
) -> DownReason {
    let _ = events.send(LinkEvent::Up { peer, address: link.address, inbound: link.inbound }).await;
    let (connection, queue, tempo) = (&link.connection, &*link.queue, &*link.tempo);
    tokio::select! {
        end = receive_all(connection, peer, events, tempo) => ended(end, peer, connection, queue, events).await,
        never = send_and_close(connection, queue, throttle, tempo) => match never {},
        never = report_level(peer, queue, events) => match never {},
    }
}

async fn ended<M: Frame>(
    end: End,
    peer: NodeId,
    connection: &Connection,
    queue: &Queue<M>,
    events: &mpsc::Sender<LinkEvent<M>>,
) -> DownReason {
    match end {
        End::Gone(error) => down_reason(&error, queue.closed()),
        End::Offence(detail) => offended(detail, peer, connection, events).await,
    }
}

async fn offended<M: Frame>(
    detail: OffenceDetail,
    peer: NodeId,
    connection: &Connection,
    events: &mpsc::Sender<LinkEvent<M>>,
) -> DownReason {
    let offence = Offence::Malformed;
    let reason = CloseReason::Offence(offence);
    connection.close(code_of(reason), b"");
    let _ = events.send(LinkEvent::Offence { peer, offence, detail }).await;
    DownReason::Closed(reason)
}

/// Sends what is queued; once the queue is closed and empty, or after a time, closes the connection.
async fn send_and_close<M: Frame>(
    connection: &Connection,
    queue: &Queue<M>,
    throttle: &Throttle,
    tempo: &Tempo,
) -> Never {
    let patience = async {
        let _ = queue.closing().await;
        sleep(CLOSE_TIME).await;
    };
    tokio::select! {
        () = send_all(connection, queue, throttle, tempo) => {}
        () = patience => {}
    }
    if let Some(reason) = queue.closed() {
        connection.close(code_of(reason), b"");
    }
    std::future::pending().await
}

async fn report_level<M: Frame>(peer: NodeId, queue: &Queue<M>, events: &mpsc::Sender<LinkEvent<M>>) -> Never {
    loop {
        let behind = queue.level_change().await;
        let _ = events.send(LinkEvent::Congestion { peer, behind }).await;
    }
}

/// Has no value: the end of something that does not end.
enum Never {}
