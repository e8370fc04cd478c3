//! One file of a site: the list of files first, then the document that the file is, or the part of a pack.
//!
//! The list is held whole, which is why it is bounded; the file is not. Leaves out whole sites, which are `save`'s.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use tokio::sync::mpsc;

use super::carrier::Carrier;
use super::fetch::{self, Way};
use crate::daemon::job::{FailureKind, Fetched, JobFailure, Opened};
use crate::daemon::jobs::report::Report;
use crate::document::fetch::Start;
use crate::document::site::index::{BadIndex, Body, Index, SITE_TYPE};
use crate::key::uri::{SitePath, Uri};
use crate::limits::SITE_INDEX_BYTES;

/// Fetches the file at `path`, or the one that is shown without a path, of the site that begins at `start` into `output`.
pub(super) async fn run(
    carrier: Carrier,
    start: Start,
    path: Option<&SitePath>,
    way: Way,
    report: Report,
    output: mpsc::Sender<Bytes>,
) -> Result<Fetched, JobFailure> {
    let (own_store, repairs, wanted, begun) = (way.own_store, way.repairs.clone(), way.range.clone(), way.begun);
    let (index, listing) = list(carrier.clone(), start, Way { range: None, begun: 0, ..way }).await?;
    let file = index.file(path).ok_or_else(|| not_found(missing(path)))?;
    let wanted = wanted.map_or(0..file.length, |range| range.start.min(file.length)..range.end.min(file.length));
    let (place, range) = match &file.body {
        Body::Own(place) => (place, wanted),
        Body::Packed { pack, offset } => {
            let pack = index.packs.get(*pack as usize).ok_or_else(|| failed(BadIndex::File.to_string()))?;
            (&pack.place, offset + wanted.start..offset + wanted.end)
        }
    };
    let Uri::Chk { routing, root } = place.uri() else { unreachable!("a place is one of content") };
    let start = Start::Content { routing, root };
    let (mime, digest) = (file.mime.to_string(), BASE64URL_NOPAD.encode(&file.digest));
    let file = Opened { mime: mime.clone(), length: file.length, digest };
    if range.is_empty() {
        // Of an empty file, or beyond the end of one, there is nothing to ask for.
        report.progress(|progress| progress.total_bytes = Some(0));
        report.opened(file);
        return Ok(Fetched { bytes: 0, mime: Some(mime), ..listing });
    }
    // Only the list can be sealed to readers: it holds what opens the files.
    let way = Way { range: Some(range), file: Some(file), own_store, readers: Vec::new(), begun, repairs };
    let fetched = fetch::run(carrier, start, way, report, output).await?;
    let blocks = listing.blocks_fetched + fetched.blocks_fetched;
    let hops = [&listing, &fetched].map(|part| part.hops * part.blocks_fetched as f64).iter().sum::<f64>();
    Ok(Fetched {
        mime: Some(mime),
        blocks_fetched: blocks,
        blocks_repaired: listing.blocks_repaired + fetched.blocks_repaired,
        served_locally: listing.served_locally + fetched.served_locally,
        hops: hops / blocks.max(1) as f64,
        seconds: listing.seconds + fetched.seconds,
        ..fetched
    })
}

/// The list of the files of an edition that is to be built upon; an empty one if there is none, or something else stands there.
pub(super) async fn earlier(carrier: Carrier, start: Start, way: Way) -> Result<Index, JobFailure> {
    match list(carrier, start, way).await {
        Ok((index, _)) => Ok(index),
        // It may be there when the job tries again.
        Err(failure) if failure.kind == FailureKind::Unavailable => Err(failure),
        Err(_) => Ok(Index::default()),
    }
}

/// The list of a site's files.
pub(super) async fn list(carrier: Carrier, start: Start, way: Way) -> Result<(Index, Fetched), JobFailure> {
    let (pieces, mut list) = mpsc::channel::<Bytes>(PIECES);
    let gathered = async {
        let mut bytes = Vec::new();
        while let Some(piece) = list.recv().await {
            bytes.extend_from_slice(&piece);
            if bytes.len() > SITE_INDEX_BYTES {
                // Nobody takes the rest, which ends the fetch.
                break;
            }
        }
        drop(list);
        bytes
    };
    let (fetched, bytes) = tokio::join!(fetch::run(carrier, start, way, Report::unseen(), pieces), gathered);
    if bytes.len() > SITE_INDEX_BYTES {
        return Err(failed(BadIndex::TooLong.to_string()));
    }
    let fetched = fetched?;
    if fetched.mime.as_deref() != Some(SITE_TYPE) {
        return Err(not_found("the document is no site, so there are no files in it".to_owned()));
    }
    let index = Index::decode(&bytes).map_err(|error| failed(error.to_string()))?;
    Ok((index, fetched))
}

fn missing(path: Option<&SitePath>) -> String {
    path.map_or_else(|| "the site has no page to begin with".to_owned(), |path| format!("the site has no file {path}"))
}

const fn not_found(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::NotFound, sentence }
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

/// Pieces of the list between the network and memory.
const PIECES: usize = 8;
