//! Documents and sites as a browser shows them: without scripts, without anything from outside, each in a place of its own.
//!
//! A plain path such as `/USK@…/site/3/page.html` is for the session's owner; it leads to a view, whose path has a word that
//! opens this one site. The browser keeps a view in an origin that is nobody's (`sandbox`), so a view has no cookie, and one
//! site can neither read nor load another: it does not know the other's word. What a view may load lies below its own path.
//! Links in HTML that would open connections ahead are made harmless (`inert`); other markup is shown as text, or as an image in
//! a page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::documents::{self, Shown};
use super::guard::Access;
use super::inert;
use super::refusal::{Refused, refusal};
use crate::daemon::job::FetchRequest;
use crate::daemon::served::Served;
use crate::key::uri::{Link, UriError};

/// How to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    /// Without pre-routing.
    #[serde(default)]
    direct: bool,
}

/// A plain path: leads to the view of what it names.
pub(super) async fn plain(
    State(access): State<Arc<Access>>,
    Query(way): Query<Way>,
    uri: Uri,
) -> Result<Response, Refused> {
    let path = uri.path().trim_start_matches('/');
    let (link, slash) = parse(path)?;
    let word = access.sessions().view(&link.uri.to_string());
    let prefix = if way.direct { DIRECT } else { ROUTED };
    let place = format!("{prefix}{word}/{link}{slash}");
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response())
}

/// A view. Its word is what lets it in.
pub(super) async fn view(
    State(access): State<Arc<Access>>,
    State(service): State<Arc<Served>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    // The way is part of the path, so that what a page loads goes as the page did.
    let direct = uri.path().starts_with(DIRECT);
    let prefix = if direct { DIRECT } else { ROUTED };
    let (word, path) = uri.path().strip_prefix(prefix).and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let (link, slash) = parse(path)?;
    if !access.sessions().opens(word, &link.uri.to_string()) {
        return Err(refusal(StatusCode::FORBIDDEN, "this view belongs to a session that has ended"));
    }
    let request = FetchRequest { page: !slash.is_empty(), direct, ..FetchRequest::of(link.to_string()) };
    let mut response = match documents::fetch(&service, request, &headers).await? {
        // Its links lead on from here only if its path ends as that of a directory.
        Shown::Site if slash.is_empty() => {
            let place = format!("{}/", uri.path());
            return Ok((StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response());
        }
        Shown::Site => return Err(refusal(StatusCode::NOT_FOUND, "the site has no page to begin with")),
        Shown::Document(response) => response,
    };
    let below = format!("http://{}{prefix}{word}/", access.address());
    let policy = format!(
        "sandbox; default-src 'none'; img-src {below} data:; media-src {below}; font-src {below}; \
         style-src {below} 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).map_err(|_| refusal(StatusCode::BAD_REQUEST, "no such view"))?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off"));
    Ok(held_down(response, &headers))
}

/// What a policy does not keep a document from: connections and look-ups ahead of any request.
fn held_down(response: Response, headers: &HeaderMap) -> Response {
    let (mut parts, body) = response.into_parts();
    let mime = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let shown_as = if essence == "text/html" {
        inert::charset(mime)
    } else if is_markup(&essence) && !is_part_of_a_page(headers) {
        "text/plain; charset=utf-8".to_owned()
    } else {
        return Response::from_parts(parts, body);
    };
    if let Ok(value) = HeaderValue::from_str(&shown_as) {
        parts.headers.insert(header::CONTENT_TYPE, value);
    }
    if essence != "text/html" {
        return Response::from_parts(parts, body);
    }
    Response::from_parts(parts, Body::from_stream(inert::filtered(body.into_data_stream())))
}

/// Whether a document of this type can hold what HTML can, written in other ways.
fn is_markup(essence: &str) -> bool {
    essence.contains("xml") || essence.contains("xsl") || essence.starts_with("multipart/")
}

/// Whether a page asks for it, as an image for one, which has no links; not the address bar.
fn is_part_of_a_page(headers: &HeaderMap) -> bool {
    let wanted_as = headers.get("sec-fetch-dest").and_then(|value| value.to_str().ok());
    matches!(wanted_as, Some("image" | "style" | "font" | "audio" | "video"))
}

/// A link, and the slash behind it if there is one.
fn parse(path: &str) -> Result<(Link, &'static str), Refused> {
    let (text, slash) = path.strip_suffix('/').map_or((path, ""), |text| (text, "/"));
    let link = text.parse().map_err(|error: UriError| refusal(StatusCode::NOT_FOUND, &error.to_string()))?;
    Ok((link, slash))
}

/// Where views are.
const ROUTED: &str = "/view/";
/// Where views are that go without pre-routing.
const DIRECT: &str = "/direct/";
