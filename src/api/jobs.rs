//! Jobs and their data: begun, listed, watched, changed, ended.
//!
//! What a client sends or takes passes through as it comes. Leaves out what a job is, and what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::{Refused, ended, failed, refusal, refused, stopping};
use super::transfer;
use crate::daemon::job::{JobChange, JobId, JobRequest, JobState, JobView};
use crate::daemon::jobs::Feed;
use crate::daemon::served::Served;
use crate::time::Duration;

type Reply<T> = Result<T, Refused>;

pub(super) async fn start(State(service): State<Arc<Served>>, body: Bytes) -> Reply<(StatusCode, Json<JobView>)> {
    let request: JobRequest =
        serde_json::from_slice(&body).map_err(|error| refusal(StatusCode::BAD_REQUEST, &format!("no job: {error}")))?;
    service.jobs().start(request).map(|view| (StatusCode::CREATED, Json(view))).map_err(refused)
}

pub(super) async fn list(State(service): State<Arc<Served>>, Query(wanted): Query<Wanted>) -> Json<Value> {
    let all = service.jobs().list();
    let counts = wanted.newest.map(|_| counts(&all));
    let mut answer = json!({ "jobs": wanted.of(all) });
    if let Some(counts) = counts {
        answer["counts"] = json!(counts);
    }
    Json(answer)
}

/// Which of the jobs to list.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// At most so many: those at work, then the newest.
    newest: Option<usize>,
    /// Of which states.
    #[serde(default)]
    show: Show,
}

/// States of jobs as a person takes them together.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Show {
    #[default]
    All,
    Open,
    Done,
    Failed,
}

impl Wanted {
    /// Those of `all` that are wanted, oldest first.
    fn of(self, mut all: Vec<JobView>) -> Vec<JobView> {
        all.retain(|view| match self.show {
            Show::All => true,
            Show::Open => !view.state.is_end(),
            Show::Done => view.state.is_done(),
            Show::Failed => matches!(view.state, JobState::Failed(_)),
        });
        if let Some(newest) = self.newest {
            all.sort_by_key(|view| (view.state != JobState::Running, std::cmp::Reverse(view.id)));
            all.truncate(newest);
            all.sort_by_key(|view| view.id);
        }
        all
    }
}

/// How many jobs there are in each state.
fn counts(all: &[JobView]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for view in all {
        *counts.entry(view.state.name()).or_default() += 1;
    }
    counts
}

/// How long to wait for a change before answering.
#[derive(Deserialize)]
pub(super) struct Wait {
    #[serde(default)]
    wait: u64,
    /// The state in which the client saw the job last. If it is in another, the client is not let wait.
    seen: Option<String>,
}

pub(super) async fn view(
    State(service): State<Arc<Served>>,
    Path(id): Path<u64>,
    Query(Wait { wait, seen }): Query<Wait>,
) -> Reply<Json<JobView>> {
    let mut watcher = service.jobs().watch(JobId(id)).map_err(refused)?;
    let now = watcher.borrow_and_update().clone();
    let is_news = seen.is_some_and(|seen| seen != now.state.name());
    if wait > 0 && !is_news && !now.state.is_end() {
        // Whether it changed or the wait is over, the answer is where the job stands then.
        let _ = tokio::time::timeout(Duration::from_secs(wait.min(LONGEST_WAIT_SECONDS)), watcher.changed()).await;
    }
    let view = watcher.borrow().clone();
    Ok(Json(view))
}

/// Every change of a job as an event, the last one when it has ended.
pub(super) async fn events(
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
        let ended = view.state.is_end();
        let event = Event::default().event(if ended { "end" } else { "progress" }).json_data(view);
        Some((event, (!ended).then_some(watcher)))
    });
    Ok(Sse::new(views).keep_alive(KeepAlive::default()))
}

/// Every change of any job as an event: first all of them, then those that have changed and the numbers of those that are gone.
pub(super) async fn all_events(
    State(service): State<Arc<Served>>,
    Query(wanted): Query<Wanted>,
) -> Sse<impl Stream<Item = Result<Event, axum::Error>>> {
    let start = (service, BTreeMap::new(), BTreeMap::new(), true);
    let changes = stream::unfold(start, move |(service, mut known, before, is_first)| async move {
        loop {
            if !is_first {
                tokio::time::sleep(LIST_PAUSE).await;
            }
            let all = service.jobs().list();
            let counts = if wanted.newest.is_some() { counts(&all) } else { BTreeMap::new() };
            let is_same = counts == before;
            let changes = Changes { counts: counts.clone(), ..Changes::since(&mut known, wanted.of(all)) };
            if is_first || !is_same || !changes.is_empty() {
                return Some((Event::default().event("jobs").json_data(changes), (service, known, counts, false)));
            }
        }
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

/// What has changed in the list of jobs.
#[derive(Serialize)]
struct Changes {
    jobs: Vec<JobView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<JobId>,
    /// How many there are in each state, where only some are listed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<&'static str, usize>,
}

impl Changes {
    /// From `known`, which becomes `now`.
    fn since(known: &mut BTreeMap<JobId, JobView>, now: Vec<JobView>) -> Self {
        let is_there: BTreeSet<JobId> = now.iter().map(|view| view.id).collect();
        let gone: Vec<JobId> = known.keys().filter(|id| !is_there.contains(id)).copied().collect();
        known.retain(|id, _| is_there.contains(id));
        let mut jobs = now;
        jobs.retain(|view| known.get(&view.id) != Some(view));
        known.extend(jobs.iter().map(|view| (view.id, view.clone())));
        Self { jobs, gone, counts: BTreeMap::new() }
    }

    fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.gone.is_empty()
    }
}

/// Lets a job rest or go on, or puts it in another order.
pub(super) async fn change(
    State(service): State<Arc<Served>>,
    Path(id): Path<u64>,
    body: Bytes,
) -> Reply<Json<JobView>> {
    let change: JobChange = serde_json::from_slice(&body)
        .map_err(|error| refusal(StatusCode::BAD_REQUEST, &format!("no change of a job: {error}")))?;
    service.jobs().change(JobId(id), change).map(Json).map_err(refused)
}

pub(super) async fn cancel(State(service): State<Arc<Served>>, Path(id): Path<u64>) -> Reply<StatusCode> {
    service.jobs().cancel(JobId(id)).map(|()| StatusCode::NO_CONTENT).map_err(refused)
}

pub(super) async fn send(State(service): State<Arc<Served>>, Path(id): Path<u64>, body: Body) -> Reply<StatusCode> {
    let input = service.jobs().input(JobId(id)).map_err(refused)?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = transfer::next(&mut pieces).await? {
        let bytes = piece.map_err(|_| refusal(StatusCode::BAD_REQUEST, "the document breaks off"))?;
        input.send(Feed::Chunk(bytes)).await.map_err(|_| ended())?;
    }
    input.send(Feed::End).await.map_err(|_| ended())?;
    // Who is told that it arrived may forget it.
    input.closed().await;
    if service.jobs().is_receiving(JobId(id)) {
        return Err(stopping());
    }
    match &service.jobs().watch(JobId(id)).map_err(refused)?.borrow().state {
        JobState::Failed(failure) => Err(failed(failure)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

pub(super) async fn take(State(service): State<Arc<Served>>, Path(id): Path<u64>) -> Reply<Response> {
    let id = JobId(id);
    let mut output = service.jobs().output(id).map_err(refused)?;
    let mut watcher = service.jobs().watch(id).map_err(refused)?;
    let first = output.recv().await;
    if first.is_none() {
        // The job has ended, or is about to say how.
        let view = watcher.wait_for(|view| view.state.is_end()).await.map_err(|_| ended())?;
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

/// Longest wait for a change. Chosen: below what proxies and clients cut.
const LONGEST_WAIT_SECONDS: u64 = 55;
/// Least time between two events of a job. Chosen.
const EVENT_PAUSE: Duration = Duration::from_millis(100);
/// How often the list of jobs is looked at for changes. Chosen: live to a person, nothing to a processor.
const LIST_PAUSE: Duration = Duration::from_millis(400);
