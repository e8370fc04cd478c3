//! Documents as plain paths: fetched in full or in part, inserted from a body, without speaking of jobs.
//!
//! Guarantees that the body of an answer ends before its length if the fetch fails on the way, and that work nobody waits for
//! any more ends. What browsers make of a document is held down: no scripts, no requests of its own, no guessing of types.

use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use http_range_header::{EndPosition, StartPosition, parse_range_header};
use serde::Deserialize;
use tokio::sync::watch;

use super::refusal::{Refused, ended, failed, refusal, refused};
use super::transfer;
use crate::daemon::job::{FetchRequest, InsertRequest, JobId, JobRequest, JobState, JobView, Opened};
use crate::daemon::jobs::Feed;
use crate::daemon::served::Served;
use crate::document::site::index::SITE_TYPE;

/// How to fetch.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FetchQuery {
    /// Of a `USK@` URI that very edition, not the newest.
    #[serde(default)]
    exact: bool,
    /// Without pre-routing.
    #[serde(default)]
    direct: bool,
}

/// How to insert.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InsertQuery {
    /// The kind of name.
    #[serde(rename = "as")]
    kind: Option<String>,
    /// The media type; that of the request if there is none.
    mime: Option<String>,
    /// Check blocks per data block.
    redundancy: Option<f64>,
    /// Without pre-routing.
    #[serde(default)]
    direct: bool,
}

/// `GET` and `HEAD` of a document, or of a file in a site.
pub(super) async fn get(
    State(service): State<Arc<Served>>,
    uri: Uri,
    Query(query): Query<FetchQuery>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    // A path as it was sent: names are escaped in one way, and decoding would lose it.
    let link = uri.path().strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let request = FetchRequest { exact: query.exact, direct: query.direct, ..FetchRequest::of(link) };
    let fetch = Ranged::begin(&service, request, &headers).await?;
    fetch.answer()
}

/// What a browser is shown.
pub(super) enum Shown {
    /// A document, or a file of a site.
    Document(Response),
    /// The list of a site's files, which is nothing to look at.
    Site,
}

/// Fetches what a browser is to show.
pub(super) async fn fetch(service: &Arc<Served>, request: FetchRequest, headers: &HeaderMap) -> Result<Shown, Refused> {
    let fetch = Ranged::begin(service, request, headers).await?;
    if matches!(&fetch, Ranged::Begun { opened, .. } if opened.mime == SITE_TYPE) {
        return Ok(Shown::Site);
    }
    fetch.answer().map(Shown::Document)
}

/// A fetch of what of a document is wanted.
enum Ranged {
    /// The client has it.
    Known(String),
    Begun {
        fetch: Fetch,
        opened: Opened,
        part: Option<Range<u64>>,
    },
}

impl Ranged {
    async fn begin(service: &Arc<Served>, request: FetchRequest, headers: &HeaderMap) -> Result<Self, Refused> {
        let wanted = wanted(headers)?;
        let tag = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        // How much the last bytes are, or whether any are wanted, shows only when the document says what it is.
        let known = if tag.is_some() || matches!(wanted, Wanted::Last(_)) {
            let opened = Fetch::begin(service, request.clone())?.opened().await?;
            if tag.is_some_and(|tag| tag.split(',').any(|one| one.trim() == etag(&opened) || one.trim() == "*")) {
                return Ok(Self::Known(etag(&opened)));
            }
            Some(opened)
        } else {
            None
        };
        let range = wanted.of(known.as_ref().map_or(u64::MAX, |opened| opened.length));
        if range.as_ref().is_some_and(Range::is_empty) {
            return Err(beyond());
        }
        let mut fetch = Fetch::begin(service, FetchRequest { range: range.clone(), ..request })?;
        let opened = match known {
            Some(opened) => opened,
            None => fetch.opened().await?,
        };
        let part = range.map(|range| range.start..range.end.min(opened.length));
        if part.as_ref().is_some_and(Range::is_empty) {
            return Err(beyond());
        }
        Ok(Self::Begun { fetch, opened, part })
    }

    /// The answer; of a `HEAD`, the server leaves the bytes out, and the fetch ends.
    fn answer(self) -> Result<Response, Refused> {
        match self {
            Self::Known(tag) => Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()),
            Self::Begun { fetch, opened, part } => Ok(answer(&opened, part, fetch.body()?)),
        }
    }
}

/// `POST` of a document: its body is inserted, the answer says under which URI.
pub(super) async fn post(
    State(service): State<Arc<Served>>,
    Query(query): Query<InsertQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let request = InsertRequest {
        name: query.kind,
        mime: query.mime.or_else(|| text(header::CONTENT_TYPE).map(str::to_owned)),
        redundancy: query.redundancy,
        direct: query.direct,
        length: text(header::CONTENT_LENGTH).and_then(|text| text.parse().ok()),
        ..InsertRequest::default()
    };
    let job = Job::begin(&service, JobRequest::Insert(request))?;
    let input = service.jobs().input(job.id).map_err(refused)?;
    let mut pieces = body.into_data_stream();
    let mut feeding = true;
    while let (true, Some(piece)) = (feeding, transfer::next(&mut pieces).await?) {
        let bytes = piece.map_err(|_| refusal(StatusCode::BAD_REQUEST, "the document breaks off"))?;
        // A job that takes no more has ended, and says why.
        feeding = input.send(Feed::Chunk(bytes)).await.is_ok();
    }
    let _ = input.send(Feed::End).await;
    let mut view = job.view.clone();
    let end = view.wait_for(|view| view.state.is_end()).await.map_err(|_| ended())?.state.clone();
    match end {
        JobState::Inserted(done) => Ok((StatusCode::CREATED, Json(done)).into_response()),
        JobState::Failed(failure) => Err(failed(&failure)),
        _ => Err(ended()),
    }
}

/// What of a document is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    /// From the first byte to the last.
    Part(u64, u64),
    /// So many at the end.
    Last(u64),
}

impl Wanted {
    fn of(self, length: u64) -> Option<Range<u64>> {
        match self {
            Self::All => None,
            Self::Part(first, last) => Some(first..last.saturating_add(1)),
            Self::Last(bytes) => Some(length.saturating_sub(bytes)..length),
        }
    }
}

/// What the Range header asks for. Several ranges, or other units, are answered with the whole (RFC 9110 §14.2).
fn wanted(headers: &HeaderMap) -> Result<Wanted, Refused> {
    let Some(text) = headers.get(header::RANGE).and_then(|value| value.to_str().ok()) else { return Ok(Wanted::All) };
    let Ok(parsed) = parse_range_header(text) else { return Ok(Wanted::All) };
    let [range] = &parsed.ranges[..] else { return Ok(Wanted::All) };
    Ok(match (range.start, range.end) {
        (StartPosition::FromLast(bytes), _) => Wanted::Last(bytes),
        (StartPosition::Index(first), EndPosition::LastByte) => Wanted::Part(first, u64::MAX),
        (StartPosition::Index(first), EndPosition::Index(last)) if first <= last => Wanted::Part(first, last),
        _ => return Err(refusal(StatusCode::RANGE_NOT_SATISFIABLE, "the range ends before it begins")),
    })
}

fn beyond() -> Refused {
    refusal(StatusCode::RANGE_NOT_SATISFIABLE, "no byte of that range lies in the document")
}

fn etag(opened: &Opened) -> String {
    format!("\"{}\"", opened.digest)
}

fn answer(opened: &Opened, part: Option<Range<u64>>, body: Body) -> Response {
    let mut response = Response::new(body);
    let range = part.clone().unwrap_or(0..opened.length);
    let text = |text: &str| HeaderValue::from_str(text).ok();
    let fields = [
        // Media types are checked to be printable where they come in.
        (header::CONTENT_TYPE, text(&opened.mime)),
        (header::CONTENT_LENGTH, Some((range.end - range.start).into())),
        (header::ETAG, text(&etag(opened))),
        (header::ACCEPT_RANGES, text("bytes")),
        (header::CACHE_CONTROL, text("private, no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, text("nosniff")),
        (header::CONTENT_SECURITY_POLICY, text(POLICY)),
        (header::REFERRER_POLICY, text("no-referrer")),
    ];
    for (name, value) in fields {
        response.headers_mut().extend(value.map(|value| (name, value)));
    }
    if part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let place = format!("bytes {}-{}/{}", range.start, range.end - 1, opened.length);
        response.headers_mut().extend(text(&place).map(|value| (header::CONTENT_RANGE, value)));
    }
    response
}

/// A job that ends when nobody waits for it any more.
struct Job {
    service: Arc<Served>,
    id: JobId,
    view: watch::Receiver<JobView>,
}

impl Job {
    fn begin(service: &Arc<Served>, request: JobRequest) -> Result<Self, Refused> {
        let id = service.jobs().start(request).map_err(refused)?.id;
        let view = service.jobs().watch(id).map_err(refused)?;
        Ok(Self { service: Arc::clone(service), id, view })
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // It may have been forgotten, or ended.
        let _ = self.service.jobs().cancel(self.id);
    }
}

/// A fetch under way.
struct Fetch(Job);

impl Fetch {
    fn begin(service: &Arc<Served>, request: FetchRequest) -> Result<Self, Refused> {
        Job::begin(service, JobRequest::Fetch(request)).map(Self)
    }

    /// Waits until the document says what it is.
    async fn opened(&mut self) -> Result<Opened, Refused> {
        let is_known = |view: &JobView| view.opened.is_some() || view.state.is_end();
        let view = self.0.view.wait_for(is_known).await.map_err(|_| ended())?;
        match (&view.opened, &view.state) {
            (_, JobState::Failed(failure)) => Err(failed(failure)),
            (Some(opened), _) => Ok(opened.clone()),
            (None, _) => Err(ended()),
        }
    }

    fn body(self) -> Result<Body, Refused> {
        let output = self.0.service.jobs().output(self.0.id).map_err(refused)?;
        Ok(transfer::body(output, self.0))
    }
}

/// Where documents are. What follows is a URI, and perhaps a path behind it.
pub(super) const PREFIX: &str = "/v1/documents/";
/// What a document may do if a browser shows it.
const POLICY: &str = "sandbox; default-src 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_browsers_write_it() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(text).unwrap())]);
            wanted(&headers).ok()
        };
        assert_eq!(of("bytes=0-99"), Some(Wanted::Part(0, 99)));
        assert_eq!(of("bytes=5-"), Some(Wanted::Part(5, u64::MAX)));
        assert_eq!(of("bytes=-7"), Some(Wanted::Last(7)));
        assert_eq!(of("bytes=0-1,5-6"), Some(Wanted::All));
        assert_eq!(of("lines=1-2"), Some(Wanted::All));
        assert_eq!(Wanted::Last(7).of(5), Some(0..5));
    }
}
