//! `bolthole insert`: a document into the network, its URI out.

use std::io::Read;
use std::path::Path;

use serde_json::json;

use super::arguments::InsertOptions;
use super::client::Client;
use super::failure::Failure;
use super::interrupt;
use super::jobs;
use super::output::Output;
use super::progress::{Counted, Progress};
use super::source::Source;
use crate::daemon::directory::media_type;
use crate::daemon::job::{InsertRequest, Inserted, JobId, JobRequest, JobState};
use crate::daemon::quantity::Size;
use crate::key::recipient::Recipient;

/// Runs the command.
pub(crate) fn run(options: InsertOptions, output: &mut Output) -> Result<(), Failure> {
    let request = request(&options)?;
    if options.background.background {
        return in_background(&options, request, output);
    }
    let source = Source::open(&options.file, options.convergent)?;
    let client = Client::find(&options.client)?;
    let (length, digest) = (source.length, source.digest);
    let id = client.start(&JobRequest::Insert(InsertRequest { length, digest, ..request }))?.id;
    let mut document = source.document;
    let cancelling = client.clone();
    interrupt::on_stop(move || cancelling.forget(id));
    interrupt::watch();
    send(&client, id, &mut *document, length, output)?;
    let JobState::Inserted(done) = watch(&client, id, output)? else {
        return Err(Failure::failed("the node ended the insert as something else"));
    };
    interrupt::clear();
    report(&done, &options, output);
    Ok(())
}

/// Gives the insert to the node: a file is read by the node itself, anything else is sent to it first.
fn in_background(options: &InsertOptions, request: InsertRequest, output: &mut Output) -> Result<(), Failure> {
    let client = Client::find(&options.client)?;
    let request = InsertRequest { priority: options.background.priority.into(), lasting: true, ..request };
    let end = if options.file.is_file() {
        let request = InsertRequest { file: Some(jobs::absolute(&options.file)?), ..request };
        jobs::start(&client, &JobRequest::Insert(request), None, options.background, output)?
    } else {
        let Source { mut document, length, digest } = Source::open(&options.file, options.convergent)?;
        let title = Some(if options.file == Path::new("-") {
            "standard input".to_owned()
        } else {
            options.file.display().to_string()
        });
        let request = JobRequest::Insert(InsertRequest { length, digest, title, ..request });
        jobs::start(&client, &request, Some(&mut *document), options.background, output)?
    };
    if let Some(JobState::Inserted(done)) = end {
        report(&done, options, output);
    }
    Ok(())
}

fn request(options: &InsertOptions) -> Result<InsertRequest, Failure> {
    for reader in &options.to {
        reader.parse::<Recipient>().map_err(|error| Failure::usage(format!("--to: {error}")))?;
    }
    check_kind(&options.kind)?;
    if options.redundancy.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
        return Err(Failure::usage("--redundancy is a number from 0 to 1: check blocks per data block"));
    }
    Ok(InsertRequest {
        name: Some(options.kind.clone()),
        mime: options.mime.clone().or_else(|| media_type(&options.file)),
        convergent: options.convergent,
        redundancy: options.redundancy,
        direct: options.direct,
        readers: options.to.clone(),
        ..InsertRequest::default()
    })
}

/// Whether `--as` names a kind of name; whether it makes sense the node says.
pub(super) fn check_kind(text: &str) -> Result<(), Failure> {
    let (kind, _) = text.split_once(':').unwrap_or((text, ""));
    if ["chk", "ksk", "ssk", "usk", "date"].contains(&kind) {
        return Ok(());
    }
    Err(Failure::usage(format!("--as {text}: write chk, ksk:WORD, ssk:NAME, usk:SITE or date:NAME/PERIOD")))
}

fn send(
    client: &Client,
    id: JobId,
    document: &mut dyn Read,
    length: Option<u64>,
    output: &Output,
) -> Result<(), Failure> {
    let mut progress = Progress::bytes(length, !output.json());
    progress.message("sent");
    let mut counted = Counted::new(document, &mut progress);
    match client.send(id, &mut counted) {
        Ok(()) => Ok(()),
        // The job knows better why the node stopped reading.
        Err(failure) => match client.finish(id, |_| {}) {
            Err(cause) if cause.code != super::failure::Code::Unreachable => Err(cause),
            _ => Err(failure),
        },
    }
}

fn watch(client: &Client, id: JobId, output: &Output) -> Result<JobState, Failure> {
    let mut progress = Progress::blocks(None, !output.json());
    progress.message("stored");
    client.finish(id, |view| {
        if let Some(total) = view.progress.total_blocks {
            progress.total(total);
        }
        progress.set(view.progress.blocks);
    })
}

fn report(done: &Inserted, options: &InsertOptions, output: &mut Output) {
    if done.direct && !options.direct {
        output.note(DIRECT);
    }
    let value = json!({
        "uri": done.uri, "bytes": done.bytes, "blocks": done.blocks, "check_blocks": done.check_blocks,
        "seconds": done.seconds, "stored_at_least": done.stored_at_least, "direct": done.direct,
    });
    if !output.json() {
        output.note(&format!(
            "{} in {} blocks, {} of them check blocks, each stored by at least {} other nodes, in {:.1} s",
            Size(done.bytes),
            done.blocks,
            done.check_blocks,
            done.stored_at_least,
            done.seconds
        ));
    }
    output.result(&value, &done.uri);
}

/// What a user must know where there is no pre-routing.
pub(crate) const DIRECT: &str = "this overlay has no pre-routing, so this operation was direct";
