//! The paths of the interface: documents, jobs and their data, keys, status, peers, metrics.
//!
//! Errors are JSON `{"error": sentence}` with a fitting status. Version 1 paths do not change meaning; later work adds
//! paths and fields. `openapi.json` describes them, and a test holds it to what is here.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRef, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use super::documents;
use super::guard::{self, Access};
use super::metrics;
use super::page;
use super::refusal::{Refused, ended, failed, refusal, refused, stopping};
use super::view;
use crate::daemon::job::{JobId, JobRequest, JobState, JobView};
use crate::daemon::jobs::Feed;
use crate::daemon::served::Served;
use crate::time::Duration;

/// What every path may need.
#[derive(Clone)]
pub(super) struct Shared {
    service: Arc<Served>,
    access: Arc<Access>,
}

impl FromRef<Shared> for Arc<Served> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.service)
    }
}

impl FromRef<Shared> for Arc<Access> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.access)
    }
}

/// Every path, behind the guard; and those that open with a word of their own.
pub(super) fn router(service: Arc<Served>, access: Arc<Access>) -> Router {
    let visited = Router::new()
        .route("/login/{ticket}", get(page::login))
        .route("/view/{*link}", get(view::view))
        .route("/direct/{*link}", get(view::view))
        .layer(middleware::from_fn_with_state(Arc::clone(&access), guard::admit_visitor));
    Router::new()
        .route("/", get(page::index))
        .route("/page/{name}", get(page::part))
        .route("/{*link}", get(view::plain))
        .route("/v1/sessions", post(page::ticket))
        .route("/v1/status", get(status))
        .route("/v1/peers", get(peers))
        .route("/v1/relays", get(relays))
        .route("/v1/keys", get(keys))
        .route("/v1/openapi.json", get(description))
        .route("/v1/documents", post(documents::post).layer(DefaultBodyLimit::disable()))
        .route("/v1/documents/{*link}", get(documents::get))
        .route("/v1/jobs", post(start).get(list))
        .route("/v1/jobs/{id}", get(view).delete(cancel))
        .route("/v1/jobs/{id}/events", get(events))
        .route("/v1/jobs/{id}/data", get(take).put(send).layer(DefaultBodyLimit::disable()))
        .route("/metrics", get(exposition))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&access), guard::admit))
        .merge(visited)
        .with_state(Shared { service, access })
}

type Reply<T> = Result<T, Refused>;

async fn status(State(service): State<Arc<Served>>) -> Reply<Response> {
    service.status().await.map(|status| Json(status).into_response()).ok_or_else(stopping)
}

async fn peers(State(service): State<Arc<Served>>) -> Reply<Response> {
    service.peers().await.map(|peers| Json(json!({ "peers": peers })).into_response()).ok_or_else(stopping)
}

async fn relays(State(service): State<Arc<Served>>) -> Reply<Response> {
    service.relays().await.map(|relays| Json(json!({ "relays": relays })).into_response()).ok_or_else(stopping)
}

async fn exposition(State(service): State<Arc<Served>>) -> Reply<Response> {
    let status = service.status().await.ok_or_else(stopping)?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::render(&status)).into_response())
}

async fn keys(State(service): State<Arc<Served>>) -> Reply<Json<Value>> {
    let keys = service.keys().await.map_err(|sentence| refusal(StatusCode::INTERNAL_SERVER_ERROR, &sentence))?;
    Ok(Json(json!({ "keys": keys })))
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

async fn start(State(service): State<Arc<Served>>, body: Bytes) -> Reply<(StatusCode, Json<JobView>)> {
    let request: JobRequest =
        serde_json::from_slice(&body).map_err(|error| refusal(StatusCode::BAD_REQUEST, &format!("no job: {error}")))?;
    service.jobs().start(request).map(|view| (StatusCode::CREATED, Json(view))).map_err(refused)
}

async fn list(State(service): State<Arc<Served>>) -> Json<Value> {
    Json(json!({ "jobs": service.jobs().list() }))
}

/// How long to wait for a change before answering.
#[derive(Deserialize)]
struct Wait {
    #[serde(default)]
    wait: u64,
}

async fn view(
    State(service): State<Arc<Served>>,
    Path(id): Path<u64>,
    Query(Wait { wait }): Query<Wait>,
) -> Reply<Json<JobView>> {
    let mut watcher = service.jobs().watch(JobId(id)).map_err(refused)?;
    let now = watcher.borrow_and_update().clone();
    if wait > 0 && now.state == JobState::Running {
        // Whether it changed or the wait is over, the answer is where the job stands then.
        let _ = tokio::time::timeout(Duration::from_secs(wait.min(LONGEST_WAIT_SECONDS)), watcher.changed()).await;
    }
    let view = watcher.borrow().clone();
    Ok(Json(view))
}

/// Every change of a job as an event, the last one when it has ended.
async fn events(
    State(service): State<Arc<Served>>,
    Path(id): Path<u64>,
) -> Reply<Sse<impl Stream<Item = Result<Event, axum::Error>>>> {
    let mut watcher = service.jobs().watch(JobId(id)).map_err(refused)?;
    watcher.mark_changed();
    let views = stream::unfold(Some(watcher), |watcher| async move {
        let mut watcher = watcher?;
        watcher.changed().await.ok()?;
        let view = watcher.borrow_and_update().clone();
        // No faster than a person reads.
        tokio::time::sleep(EVENT_PAUSE).await;
        let ended = view.state != JobState::Running;
        let event = Event::default().event(if ended { "end" } else { "progress" }).json_data(view);
        Some((event, (!ended).then_some(watcher)))
    });
    Ok(Sse::new(views).keep_alive(KeepAlive::default()))
}

async fn cancel(State(service): State<Arc<Served>>, Path(id): Path<u64>) -> Reply<StatusCode> {
    service.jobs().cancel(JobId(id)).map(|()| StatusCode::NO_CONTENT).map_err(refused)
}

async fn send(State(service): State<Arc<Served>>, Path(id): Path<u64>, body: Body) -> Reply<StatusCode> {
    let input = service.jobs().input(JobId(id)).map_err(refused)?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let bytes = piece.map_err(|_| refusal(StatusCode::BAD_REQUEST, "the document breaks off"))?;
        input.send(Feed::Chunk(bytes)).await.map_err(|_| ended())?;
    }
    input.send(Feed::End).await.map(|()| StatusCode::NO_CONTENT).map_err(|_| ended())
}

async fn take(State(service): State<Arc<Served>>, Path(id): Path<u64>) -> Reply<Response> {
    let id = JobId(id);
    let mut output = service.jobs().output(id).map_err(refused)?;
    let mut watcher = service.jobs().watch(id).map_err(refused)?;
    let first = output.recv().await;
    if first.is_none() {
        // The job has ended, or is about to say how.
        let view = watcher.wait_for(|view| view.state != JobState::Running).await.map_err(|_| ended())?;
        if let JobState::Failed(failure) = &view.state {
            return Err(failed(failure));
        }
    }
    let total = watcher.borrow().progress.total_bytes;
    let rest = stream::unfold((output, watcher), |(mut output, watcher)| async move {
        output.recv().await.map(|piece| (piece, (output, watcher)))
    });
    let body = Body::from_stream(stream::iter(first).chain(rest).map(Ok::<_, std::io::Error>));
    let mut response = Response::new(body);
    if let Some(total) = total {
        // A body that ends before its length tells the client that the job failed on the way.
        response.headers_mut().insert(header::CONTENT_LENGTH, total.into());
    }
    Ok(response)
}

/// Largest body of a request that is no document. Chosen.
const REQUEST_BYTES: usize = 64 << 10;
/// Longest wait for a change. Chosen: below what proxies and clients cut.
const LONGEST_WAIT_SECONDS: u64 = 55;
/// Least time between two events of a job. Chosen.
const EVENT_PAUSE: Duration = Duration::from_millis(100);
/// The interface described in the form of OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");
