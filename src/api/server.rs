//! The server itself: its start and its end, and how long it waits for whom.
//!
//! Guarantees: at most [`CONNECTIONS`] at once, the rest wait in the system's queue; who has not sent the head of a request within
//! [`HEAD_PATIENCE`], a kept connection between two requests included, is cut off. So nobody who holds connections open and says
//! nothing keeps others out. How long bodies may take is decided where they are read.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::guard::Access;
use super::routes;
use crate::daemon::served::Served;

/// Serves `service` until `stop` is cancelled; open transfers are then cut.
pub fn serve(
    listener: TcpListener,
    service: Arc<Served>,
    access: Access,
    stop: CancellationToken,
) -> JoinHandle<io::Result<()>> {
    let router = routes::router(service, Arc::new(access));
    tokio::spawn(async move {
        let (room, connections) = (Arc::new(Semaphore::new(CONNECTIONS)), TaskTracker::new());
        while let Some((stream, permit)) = next(&listener, &room, &stop).await {
            connections.spawn(attend(stream, permit, router.clone(), stop.clone()));
        }
        connections.close();
        // Answers under way have their time; then the process goes on without them.
        let _ = tokio::time::timeout(GRACE, connections.wait()).await;
        Ok(())
    })
}

/// The next connection, once there is room for it; none when it is time to stop.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let accepted = async {
        let permit = Arc::clone(room).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, permit)),
                // Out of descriptors, or a client that was gone before it was let in.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    };
    tokio::select! {
        accepted = accepted => accepted,
        () = stop.cancelled() => None,
    }
}

async fn attend(stream: TcpStream, permit: OwnedSemaphorePermit, router: Router, stop: CancellationToken) {
    // Small answers and events are not held back to be sent together.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(HEAD_BYTES);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    // How it ends is the client's affair.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(permit);
}

/// Connections at once. Chosen: more than a person's programs and browser open.
const CONNECTIONS: usize = 256;
/// How long the head of a request may take. Chosen: it comes from the same machine.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of the head of a request. Chosen: the longest URI with the path of a file, four times.
const HEAD_BYTES: usize = 64 << 10;
/// How long open answers may take to finish when the node stops. Chosen.
const GRACE: Duration = Duration::from_millis(500);
/// Chosen.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
