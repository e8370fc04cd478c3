//! `bolthole site publish`: inserts what has changed since the edition before, then the list of all files.
//!
//! The list comes last: until it stands nothing names the files, and what was inserted before a failure serves the next try
//! only if it is found there by its digest, which needs an edition. Several files are inserted at once: a file of few blocks does
//! not fill the way to the network.
#![allow(clippy::disallowed_types, reason = "a person waits in real time")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde_json::json;

use super::carry;
use crate::cli::arguments::SitePublishOptions;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::insert::{DIRECT, check_kind};
use crate::cli::interrupt;
use crate::cli::jobs;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::daemon::directory;
use crate::daemon::job::{FetchRequest, InsertRequest, Inserted, JobRequest, JobState, PublishRequest, PublishedSite};
use crate::daemon::quantity::Size;
use crate::document::site::index::{Index, Place, SITE_TYPE};
use crate::document::site::plan::{Found, Plan};
use crate::key::uri::{SitePath, Uri};
use crate::limits::SITE_INDEX_BYTES;

/// Runs the command.
pub(super) fn run(options: &SitePublishOptions, output: &mut Output) -> Result<(), Failure> {
    check_kind(&options.kind)?;
    if options.background.background {
        return in_background(options, output);
    }
    let files = directory::read(&options.directory, options.hidden)?;
    let default = default(&files, options.default.as_deref())?;
    let is_site = options.kind.starts_with("usk:") && !options.fresh;
    let client =
        if is_site || !options.dry_run { Some(Client::find(&options.client)?.going(options.direct)) } else { None };
    interrupt::watch();
    let earlier = match &client {
        Some(client) if is_site => earlier(client, &options.kind)?,
        _ => Index::default(),
    };
    let plan = Plan::new(files, &earlier);
    let Some(client) = client.filter(|_| !options.dry_run) else {
        tell(&plan, output);
        return Ok(());
    };
    let start = Instant::now();
    let done = Mutex::new((Sum::default(), progress(&plan, output)));
    let work = Work { client: &client, options, done };
    let kept = plan.kept.len() as u64;
    let (alone, packs) = work.insert_files(&plan)?;
    let index = plan.index(&earlier, alone, packs, default);
    let uri = work.insert_list(&index)?;
    let (sum, _) = work.done.into_inner().unwrap_or_else(PoisonError::into_inner);
    interrupt::clear();
    let done = PublishedSite {
        uri,
        bytes: index.bytes(),
        blocks: sum.blocks,
        check_blocks: sum.check_blocks,
        stored_at_least: sum.stored_at_least.unwrap_or(0),
        // Several went at once.
        seconds: start.elapsed().as_secs_f64(),
        direct: sum.direct,
        files: index.files.len() as u64,
        kept,
        packs: index.packs.len() as u64,
    };
    report(&done, options, output);
    Ok(())
}

/// Gives the directory to the node, which reads it itself.
fn in_background(options: &SitePublishOptions, output: &mut Output) -> Result<(), Failure> {
    let client = Client::find(&options.client)?;
    let request = PublishRequest {
        directory: jobs::absolute(&options.directory)?,
        name: Some(options.kind.clone()),
        default: options.default.clone(),
        readers: options.to.clone(),
        hidden: options.hidden,
        fresh: options.fresh,
        direct: options.direct,
        priority: options.background.priority.into(),
    };
    let end = jobs::start(&client, &JobRequest::Publish(request), None, options.background, output)?;
    if let Some(JobState::Published(done)) = end {
        report(&done, options, output);
    }
    Ok(())
}

/// What is shown where no path is named.
fn default(files: &[Found], wanted: Option<&str>) -> Result<Option<SitePath>, Failure> {
    let Some(text) = wanted else { return Ok(None) };
    let path = SitePath::new(text).map_err(|error| Failure::usage(format!("--default: {error}")))?;
    if files.iter().any(|file| file.path == path) {
        return Ok(Some(path));
    }
    Err(Failure::usage(format!("--default: there is no file {text} in the directory")))
}

/// The newest edition before, if it is a site.
fn earlier(client: &Client, kind: &str) -> Result<Index, Failure> {
    let Some(found) = carry::newest(client, kind)? else { return Ok(Index::default()) };
    let request = FetchRequest { exact: true, ..FetchRequest::of(found.uri) };
    // Whatever else stands there, nothing of it can be used again.
    Ok(carry::list(client, request).map(|(index, _)| index).unwrap_or_default())
}

/// What all inserts together took.
#[derive(Default)]
struct Sum {
    blocks: u64,
    check_blocks: u64,
    stored_at_least: Option<u32>,
    direct: bool,
}

impl Sum {
    fn add(&mut self, done: &Inserted) {
        self.blocks += done.blocks;
        self.check_blocks += done.check_blocks;
        self.direct |= done.direct;
        let least = self.stored_at_least.map_or(done.stored_at_least, |least| least.min(done.stored_at_least));
        self.stored_at_least = Some(least);
    }
}

struct Work<'a> {
    client: &'a Client,
    options: &'a SitePublishOptions,
    /// What it took so far, and how far it is in bytes.
    done: Mutex<(Sum, Progress)>,
}

/// What is one document.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Alone(&'a Found),
    Pack(&'a [Found]),
}

impl Work<'_> {
    /// Where the files that stand alone are, and the packs.
    fn insert_files(&self, plan: &Plan) -> Result<(Vec<Place>, Vec<Place>), Failure> {
        let alone = plan.alone.iter().map(Piece::Alone);
        let pieces: Vec<Piece<'_>> = alone.chain(plan.packed.iter().map(|files| Piece::Pack(files))).collect();
        let (next, broken) = (AtomicUsize::new(0), AtomicBool::new(false));
        let places = Mutex::new(Vec::new());
        let take_turns = || {
            let mut own = Vec::new();
            // Once one has failed, no more are begun.
            while !broken.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(piece) = pieces.get(at) else { break };
                let place = self.insert_piece(*piece);
                broken.fetch_or(place.is_err(), Ordering::Relaxed);
                own.push((at, place));
            }
            places.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
        };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(pieces.len()) {
                scope.spawn(take_turns);
            }
        });
        let mut places = places.into_inner().unwrap_or_else(PoisonError::into_inner);
        places.sort_unstable_by_key(|(at, _)| *at);
        let mut alone = places.into_iter().map(|(_, place)| place).collect::<Result<Vec<_>, _>>()?;
        let packs = alone.split_off(plan.alone.len());
        Ok((alone, packs))
    }

    fn insert_piece(&self, piece: Piece<'_>) -> Result<Place, Failure> {
        let directory: &Path = &self.options.directory;
        match piece {
            Piece::Alone(file) => {
                let mut document = directory::open(directory, file)?;
                self.insert(file.mime.as_str(), file.length, &mut document)
            }
            Piece::Pack(files) => {
                let mut pack = Vec::new();
                for file in files {
                    pack.extend(directory::bytes(directory, file)?);
                }
                self.insert(PACK_TYPE, pack.len() as u64, &mut &pack[..])
            }
        }
    }

    fn insert(&self, mime: &str, length: u64, document: &mut dyn std::io::Read) -> Result<Place, Failure> {
        let request = InsertRequest { mime: Some(mime.to_owned()), length: Some(length), ..InsertRequest::default() };
        let done = carry::insert(self.client, request, document)?;
        self.add(&done, length);
        let uri: Option<Uri> = done.uri.parse().ok();
        uri.as_ref()
            .and_then(Place::of)
            .ok_or_else(|| Failure::failed("the node named the document in a way unknown here"))
    }

    fn add(&self, inserted: &Inserted, bytes: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.0.add(inserted);
        done.1.advance(bytes);
    }

    fn insert_list(&self, index: &Index) -> Result<String, Failure> {
        let bytes = index.encode();
        if bytes.len() > SITE_INDEX_BYTES {
            let most = Size(SITE_INDEX_BYTES as u64);
            return Err(Failure::failed(format!("the list of the files is longer than {most}: shorten their paths")));
        }
        let request = InsertRequest {
            name: Some(self.options.kind.clone()),
            mime: Some(SITE_TYPE.to_owned()),
            length: Some(bytes.len() as u64),
            readers: self.options.to.clone(),
            ..InsertRequest::default()
        };
        let done = carry::insert(self.client, request, &mut &bytes[..])?;
        self.add(&done, 0);
        Ok(done.uri)
    }
}

fn progress(plan: &Plan, output: &Output) -> Progress {
    let alone: u64 = plan.alone.iter().map(|file| file.length).sum();
    let packed: u64 = plan.packed.iter().flatten().map(|file| file.length).sum();
    Progress::bytes(Some(alone + packed), !output.json())
}

/// Says what would be done.
fn tell(plan: &Plan, output: &mut Output) {
    for file in &plan.kept {
        output.line(&format!("unchanged  {}", file.path.as_str()));
    }
    for file in &plan.alone {
        output.line(&format!("alone      {} ({})", file.path.as_str(), Size(file.length)));
    }
    for (number, files) in plan.packed.iter().enumerate() {
        for file in files {
            output.line(&format!("pack {:<5} {} ({})", number + 1, file.path.as_str(), Size(file.length)));
        }
    }
    let packed: usize = plan.packed.iter().map(Vec::len).sum();
    let bytes: u64 = plan.alone.iter().chain(plan.packed.iter().flatten()).map(|file| file.length).sum();
    let (kept, alone, packs) = (plan.kept.len(), plan.alone.len(), plan.packed.len());
    let value = json!({
        "dry_run": true, "files": kept + alone + packed, "kept": kept, "alone": alone, "packed": packed, "packs": packs,
        "bytes": bytes,
    });
    let text = format!(
        "{} to insert: {alone} files alone, {packed} in {packs} packs; {kept} unchanged. Nothing was inserted.",
        Size(bytes)
    );
    output.result(&value, &text);
}

fn report(done: &PublishedSite, options: &SitePublishOptions, output: &mut Output) {
    if done.direct && !options.direct {
        output.note(DIRECT);
    }
    if !output.json() {
        output.note(&format!(
            "{} files of {} ({} unchanged), {} blocks inserted, each stored by at least {} other nodes, in {:.1} s",
            done.files,
            Size(done.bytes),
            done.kept,
            done.blocks,
            done.stored_at_least,
            done.seconds
        ));
    }
    let value = serde_json::to_value(done).expect("a site holds only plain values");
    output.result(&value, &done.uri);
}

/// Documents inserted at once. Chosen: a quarter of what the node lets its clients do at once.
const AT_ONCE: usize = 4;
/// The media type of a pack: nobody asks for it by itself.
const PACK_TYPE: &str = "application/octet-stream";
