//! The page of the node, and how a browser is let in to it.
//!
//! All of it is in the binary; nothing is loaded from elsewhere, and the browser is told to refuse whatever would be.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::guard::Access;
use super::refusal::{Refused, refusal};

/// `GET /`.
pub(super) async fn index() -> Response {
    of("text/html; charset=utf-8", include_str!("page/index.html"))
}

/// What the page is made of.
pub(super) async fn part(Path(name): Path<String>) -> Result<Response, Refused> {
    let part = PARTS.iter().find(|(known, _)| *known == name);
    let (_, text) = part.ok_or_else(|| refusal(StatusCode::NOT_FOUND, "there is no such path"))?;
    let kind = if name.ends_with(".css") { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    Ok(of(kind, text))
}

/// `POST` by whoever has the token: a login link for a browser.
pub(super) async fn ticket(State(access): State<Arc<Access>>) -> Json<Value> {
    Json(json!({ "path": format!("/login/{}", access.sessions().ticket()) }))
}

/// The login link. With `?once` it leads to a page that shows the node as it is and does not follow it, as for a picture.
pub(super) async fn login(
    State(access): State<Arc<Access>>,
    Path(ticket): Path<String>,
    uri: Uri,
) -> Result<Response, Refused> {
    let spent = || refusal(StatusCode::FORBIDDEN, "this link has been used, or is too old: run `bolthole open` again");
    let cookie = access.sessions().login(&ticket).ok_or_else(spent)?;
    let place = if uri.query() == Some("once") { "/?once" } else { "/" };
    let fields = [(header::SET_COOKIE, cookie), (header::LOCATION, place.to_owned())];
    Ok((StatusCode::SEE_OTHER, fields).into_response())
}

fn of(kind: &'static str, text: &'static str) -> Response {
    let fields = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (fields, text).into_response()
}

/// The files of the page, by name.
const PARTS: &[(&str, &str)] = &[
    ("style.css", include_str!("page/style.css")),
    ("main.js", include_str!("page/main.js")),
    ("basics.js", include_str!("page/basics.js")),
    ("documents.js", include_str!("page/documents.js")),
    ("jobs.js", include_str!("page/jobs.js")),
    ("node.js", include_str!("page/node.js")),
    ("ring.js", include_str!("page/ring.js")),
];
/// What the page may load and do: its own parts, and the interface it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
