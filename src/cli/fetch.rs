//! `bolthole fetch`: a URI in, the document out, whole or not at all.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::json;

use super::arguments::FetchOptions;
use super::client::Client;
use super::failure::{Code, Failure};
use super::insert::DIRECT;
use super::interrupt;
use super::jobs;
use super::output::Output;
use super::progress::{Counted, Progress};
use super::target::Target;
use crate::daemon::clock::Clock;
use crate::daemon::job::{Dated, FetchRequest, Fetched, JobId, JobRequest, JobState};
use crate::daemon::quantity::Size;
use crate::document::period::{Calendar, Period};
use crate::key::uri::Link;

/// Runs the command.
pub(crate) fn run(options: FetchOptions, output: &mut Output) -> Result<(), Failure> {
    let request = request(&options)?;
    if options.background.background {
        return in_background(&options, request, output);
    }
    let mut target = Target::open(options.output.as_deref(), output.json())?;
    let client = Client::find(&options.client)?;
    let id = client.start(&JobRequest::Fetch(request))?.id;
    undo_on_stop(&client, id, target.temporary());
    tell_searches(&client, id, output);
    transfer(&client, id, &mut target, output)?;
    let JobState::Fetched(done) = client.finish(id, |_| {})? else {
        return Err(Failure::failed("the node ended the fetch as something else"));
    };
    let path = target.complete()?;
    interrupt::clear();
    report(&done, path.as_deref(), &options, output);
    Ok(())
}

/// Gives the fetch to the node, which writes the file itself.
fn in_background(options: &FetchOptions, request: FetchRequest, output: &mut Output) -> Result<(), Failure> {
    let named = options.output.as_ref().filter(|path| *path != Path::new("-"));
    let path = named.ok_or_else(|| Failure::usage("--background needs a file to write to: name it with -o FILE"))?;
    let file = Some(jobs::absolute(path)?);
    let client = Client::find(&options.client)?;
    let request = FetchRequest { file, priority: options.background.priority.into(), ..request };
    let end = jobs::start(&client, &JobRequest::Fetch(request), None, options.background, output)?;
    if let Some(JobState::Fetched(done)) = end {
        report(&done, Some(path), options, output);
    }
    Ok(())
}

fn request(options: &FetchOptions) -> Result<FetchRequest, Failure> {
    if let Some(period) = &options.on {
        period.parse::<Period>().map_err(|error| Failure::usage(format!("--on: {error}")))?;
    }
    let dated = |calendar: &String| Dated { calendar: calendar.clone(), on: options.on.clone(), back: options.back };
    let uri = checked(&options.uri)?;
    let (exact, direct) = (options.exact, options.direct);
    Ok(FetchRequest { exact, direct, dated: options.dated.as_ref().map(dated), ..FetchRequest::of(uri) })
}

/// The one spelling of the URI; what is wrong with it is said before any node is asked.
pub(super) fn checked(text: &str) -> Result<String, Failure> {
    let uri: Link = text.trim().parse().map_err(|error| Failure::usage(format!("{error}")))?;
    Ok(uri.to_string())
}

fn undo_on_stop(client: &Client, id: JobId, temporary: Option<PathBuf>) {
    let cancelling = client.clone();
    interrupt::on_stop(move || {
        if let Some(path) = temporary {
            let _ = fs::remove_file(path);
        }
        cancelling.forget(id);
    });
    interrupt::watch();
}

/// Says which search is going on while nothing is found: a document that is not there takes three, with rests between them.
fn tell_searches(client: &Client, id: JobId, output: &Output) {
    let (client, output) = (client.clone(), Output::new(output.json()));
    let telling = move || {
        let mut told = 1;
        while let Ok(view) = client.after(id, JobState::Running.name()) {
            if view.state.is_end() || view.progress.bytes > 0 {
                break;
            }
            if let Some((search, most)) = view.progress.search.filter(|(search, _)| *search > told) {
                output.note(&format!("not found yet: searching again, try {search} of {most}"));
                told = search;
            }
        }
    };
    // Without the thread nobody is told; it ends with the job.
    drop(thread::Builder::new().name("searches".into()).spawn(telling));
}

/// Copies the document; on failure the job knows best what went wrong.
fn transfer(client: &Client, id: JobId, target: &mut Target, output: &Output) -> Result<(), Failure> {
    let mut response = client.take(id)?;
    let length = response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    let mut progress = Progress::bytes(length, !output.json());
    let body = response.body_mut().with_config().limit(u64::MAX).reader();
    match copy(Counted::new(body, &mut progress), target) {
        Ok(()) => Ok(()),
        Err(Copy::Write(error)) => {
            client.forget(id);
            Err(Failure::failed(format!("cannot write the document: {error}")))
        }
        Err(Copy::Read(error)) => Err(match client.finish(id, |_| {}) {
            Err(cause) if cause.code != Code::Unreachable => cause,
            _ => Failure::unreachable(format!("the node broke off: {error}")),
        }),
    }
}

/// Which side of a copy failed.
enum Copy {
    Read(io::Error),
    Write(io::Error),
}

fn copy(mut from: impl Read, to: &mut impl Write) -> Result<(), Copy> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let count = from.read(&mut buffer).map_err(Copy::Read)?;
        if count == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..count]).map_err(Copy::Write)?;
    }
}

fn report(done: &Fetched, path: Option<&Path>, options: &FetchOptions, output: &mut Output) {
    if done.direct && !options.direct {
        output.note(DIRECT);
    }
    if output.json() {
        let value = json!({
            "uri": options.uri, "bytes": done.bytes, "mime": done.mime, "blocks_fetched": done.blocks_fetched,
            "blocks_repaired": done.blocks_repaired, "served_locally": done.served_locally, "hops": done.hops,
            "seconds": done.seconds, "direct": done.direct, "file": path, "found": done.found,
        });
        output.result(&value, "");
        return;
    }
    if let Some(found) = &done.found {
        output.note(&format!("found {found}"));
        if let Some(asked) = fell_back(options, found) {
            output.note(&format!("nothing was found that is published for {asked}; this is the newest before"));
        }
    }
    let place = path.map(|path| format!(" to {}", path.display())).unwrap_or_default();
    output.note(&format!(
        "{}{place}: {} blocks, {} repaired, {:.1} hops on average, in {:.1} s",
        Size(done.bytes),
        done.blocks_fetched,
        done.blocks_repaired,
        done.hops,
        done.seconds
    ));
}

/// The period that was asked for, if an earlier one was found in its place.
fn fell_back(options: &FetchOptions, found: &str) -> Option<Period> {
    let calendar: Calendar = options.dated.as_ref()?.parse().ok()?;
    let asked: Period = match &options.on {
        Some(text) => text.parse().ok()?,
        None => calendar.at(Clock::start().now().as_micros() / 1_000_000),
    };
    let found: Period = found.rsplit_once('.')?.1.parse().ok()?;
    // Of a month it is not told which of its days was found.
    let is_one = calendar.at(asked.begins()) == asked;
    (is_one && found.begins() < asked.begins()).then_some(asked)
}

const BUFFER_BYTES: usize = 256 << 10;
