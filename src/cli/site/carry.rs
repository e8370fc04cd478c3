//! Carries one document of a site to the node or back, and sums up what that took.

use std::io::Read;

use crate::cli::client::Client;
use crate::cli::failure::{Code, Failure};
use crate::cli::interrupt;
use crate::daemon::job::{
    FetchRequest, Fetched, FindRequest, Found, InsertRequest, Inserted, JobId, JobRequest, JobState,
};
use crate::document::site::index::{Index, SITE_TYPE};
use crate::limits::SITE_INDEX_BYTES;

/// Inserts what `document` reads.
pub(super) fn insert(client: &Client, request: InsertRequest, document: &mut dyn Read) -> Result<Inserted, Failure> {
    let id = begin(client, &JobRequest::Insert(request))?;
    if let Err(failure) = client.send(id, document) {
        // The job knows better why the node stopped reading.
        return Err(match client.finish(id, |_| {}) {
            Err(cause) if cause.code != Code::Unreachable => cause,
            _ => failure,
        });
    }
    match client.finish(id, |_| {})? {
        JobState::Inserted(done) => Ok(done),
        other => Err(unexpected(&other)),
    }
}

/// Fetches a document; `take` reads it. What the node says went wrong comes before what `take` says.
pub(super) fn fetch(
    client: &Client,
    request: FetchRequest,
    take: impl FnOnce(&mut dyn Read) -> Result<(), Failure>,
) -> Result<Fetched, Failure> {
    let id = begin(client, &JobRequest::Fetch(request))?;
    let mut response = client.take(id)?;
    let mut body = Watched { body: response.body_mut().with_config().limit(u64::MAX).reader(), failed: false };
    let taken = take(&mut body);
    if let (Err(failure), false) = (taken, body.failed) {
        client.forget(id);
        return Err(failure);
    }
    match client.finish(id, |_| {})? {
        JobState::Fetched(_) if body.failed => Err(Failure::unreachable("the node broke off")),
        JobState::Fetched(done) => Ok(done),
        other => Err(unexpected(&other)),
    }
}

/// Fetches the list of a site's files.
pub(super) fn list(client: &Client, request: FetchRequest) -> Result<(Index, Fetched), Failure> {
    let mut bytes = Vec::new();
    let fetched = fetch(client, request, |body| {
        let read = body.take(SITE_INDEX_BYTES as u64 + 1).read_to_end(&mut bytes);
        read.map(|_| ()).map_err(|error| Failure::failed(error.to_string()))
    })?;
    if fetched.mime.as_deref() != Some(SITE_TYPE) {
        return Err(Failure::failed("the document is no site: fetch it with `bolthole fetch`"));
    }
    let index = Index::decode(&bytes).map_err(|error| Failure::failed(error.to_string()))?;
    Ok((index, fetched))
}

/// The newest edition of a site that this node's owner writes, if there is one.
pub(super) fn newest(client: &Client, name: &str) -> Result<Option<Found>, Failure> {
    let id = begin(client, &JobRequest::Find(FindRequest { uri: name.to_owned(), direct: false }))?;
    match client.finish(id, |_| {}) {
        Ok(JobState::Found(found)) => Ok(Some(found)),
        Ok(other) => Err(unexpected(&other)),
        Err(failure) if failure.code == Code::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn begin(client: &Client, request: &JobRequest) -> Result<JobId, Failure> {
    let id = client.start(request)?.id;
    let cancelling = client.clone();
    interrupt::on_stop(move || cancelling.forget(id));
    Ok(id)
}

fn unexpected(state: &JobState) -> Failure {
    Failure::failed(format!("the node ended the work as something else: {state:?}"))
}

/// Remembers whether reading failed, which the job explains better than the reader.
struct Watched<R> {
    body: R,
    failed: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.body.read(buffer);
        self.failed |= read.is_err();
        read
    }
}
