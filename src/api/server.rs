//! The server itself: its start and its end.

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

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
