//! The paths of the interface: documents, jobs and their data, keys, status, peers, metrics.
//!
//! Errors are JSON `{"error": sentence}` with a fitting status. Version 1 paths do not change meaning; later work adds
//! paths and fields. `openapi.json` describes them, and a test holds it to what is here.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::documents;
use super::guard::{self, Access};
use super::jobs;
use super::metrics;
use super::page;
use super::refusal::{Refused, refusal, stopping};
use super::view;
use crate::daemon::served::Served;

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
    let documents = Router::new()
        .route("/v1/documents", post(documents::post))
        .route("/v1/jobs/{id}/data", get(jobs::take).put(jobs::send))
        .layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/", get(page::index))
        .route("/page/{name}", get(page::part))
        .route("/{*link}", get(view::plain))
        .route("/v1/sessions", post(page::ticket))
        .route("/v1/status", get(status))
        .route("/v1/peers", get(peers))
        .route("/v1/relays", get(relays))
        .route("/v1/keys", get(keys))
        .route("/v1/sites", get(sites))
        .route("/v1/openapi.json", get(description))
        .route("/v1/documents/{*link}", get(documents::get))
        .route("/v1/jobs", post(jobs::start).get(jobs::list))
        .route("/v1/jobs/events", get(jobs::all_events))
        .route("/v1/jobs/{id}", get(jobs::view).patch(jobs::change).delete(jobs::cancel))
        .route("/v1/jobs/{id}/events", get(jobs::events))
        .route("/metrics", get(exposition))
        .layer(middleware::from_fn(guard::take_in))
        .merge(documents)
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

async fn sites(State(service): State<Arc<Served>>) -> Reply<Json<Value>> {
    let sites = service.published().await.map_err(|sentence| refusal(StatusCode::INTERNAL_SERVER_ERROR, &sentence))?;
    Ok(Json(json!({ "sites": sites })))
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

/// The interface described in the form of OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");
