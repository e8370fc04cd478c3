//! The server itself: what it needs of the node behind it, and its start and end.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::guard::Access;
use super::routes;
use crate::daemon::jobs::{Jobs, Worker};
use crate::daemon::status::{Peer, Status};

/// The node behind the interface.
pub trait Service: Send + Sync + 'static {
    /// Does the jobs.
    type Worker: Worker;

    /// The jobs of local clients.
    fn jobs(&self) -> &Jobs<Self::Worker>;

    /// The node's state.
    fn status(&self) -> impl Future<Output = Option<Status>> + Send;

    /// The linked nodes.
    fn peers(&self) -> impl Future<Output = Option<Vec<Peer>>> + Send;
}

/// Serves `service` until `stop` is cancelled; open transfers are then cut.
pub fn serve<S: Service>(
    listener: TcpListener,
    service: Arc<S>,
    access: Access,
    stop: CancellationToken,
) -> JoinHandle<io::Result<()>> {
    let router = routes::router(service, Arc::new(access));
    tokio::spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::select! {
            ended = serving => ended,
            () = cut(stop) => Ok(()),
        }
    })
}

/// Waits until the answers under way have had their time after `stop`.
async fn cut(stop: CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

/// How long open answers may take to finish when the node stops. Chosen.
const GRACE: std::time::Duration = std::time::Duration::from_millis(500);
