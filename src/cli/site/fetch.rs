//! `bolthole site fetch`: a site written out as a directory, whole or not at all.
//!
//! The directory appears under its name when every file is there and is what the list says. Nothing is written outside it:
//! a path of a site leads down only, and the directory is new.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::json;

use super::carry;
use crate::cli::arguments::SiteFetchOptions;
use crate::cli::client::Client;
use crate::cli::failure::Failure;
use crate::cli::fetch::checked;
use crate::cli::insert::DIRECT;
use crate::cli::interrupt;
use crate::cli::jobs;
use crate::cli::output::Output;
use crate::cli::progress::Progress;
use crate::daemon::directory;
use crate::daemon::job::{FetchRequest, Fetched, JobRequest, JobState, SaveRequest, SavedSite};
use crate::daemon::quantity::Size;
use crate::document::root;
use crate::document::site::index::{self, Body, Index, SITE_TYPE};

/// Runs the command.
pub(super) fn run(options: &SiteFetchOptions, output: &mut Output) -> Result<(), Failure> {
    let uri = checked(&options.uri)?;
    if options.background.background {
        return in_background(options, uri, output);
    }
    let target = &options.directory;
    directory::check_new(target)?;
    let client = Client::find(&options.client)?.going(options.direct);
    interrupt::watch();
    let (list, listing) = carry::list(&client, FetchRequest { exact: options.exact, ..FetchRequest::of(uri) })?;
    let bytes = list.bytes();
    if bytes > options.most.0 {
        let most = options.most;
        return Err(Failure::failed(format!(
            "the site has {} files of {} together, more than {most}: allow more with --most",
            list.files.len(),
            Size(bytes)
        )));
    }
    let parent = target.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot = |error: io::Error| Failure::failed(format!("cannot write {}: {error}", target.display()));
    let place = tempfile::Builder::new().prefix(".bolthole-site-").tempdir_in(parent).map_err(cannot)?;
    let mut work = Work {
        client: &client,
        place: place.path(),
        sum: Sum::default(),
        progress: Progress::bytes(Some(bytes), !output.json()),
    };
    work.sum.add(&listing);
    work.fetch(&list)?;
    let sum = work.sum;
    if target.exists() {
        fs::remove_dir(target).map_err(cannot)?;
    }
    // What is temporary is for its owner only; what a site shows is not.
    fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).map_err(cannot)?;
    fs::rename(place.path(), target).map_err(cannot)?;
    let _ = place.keep();
    interrupt::clear();
    report(&sum.of(&list, &listing), options, output);
    Ok(())
}

/// Gives the fetch to the node, which writes the directory itself.
fn in_background(options: &SiteFetchOptions, uri: String, output: &mut Output) -> Result<(), Failure> {
    let client = Client::find(&options.client)?;
    let request = SaveRequest {
        uri,
        directory: jobs::absolute(&options.directory)?,
        exact: options.exact,
        most: Some(options.most.0),
        direct: options.direct,
        priority: options.background.priority.into(),
    };
    let end = jobs::start(&client, &JobRequest::Save(request), None, options.background, output)?;
    if let Some(JobState::Saved(done)) = end {
        report(&done, options, output);
    }
    Ok(())
}

/// What all fetches together took.
#[derive(Default)]
struct Sum {
    blocks: u64,
    repaired: u64,
    local: u64,
    hops: f64,
    seconds: f64,
    direct: bool,
}

impl Sum {
    fn add(&mut self, done: &Fetched) {
        self.blocks += done.blocks_fetched;
        self.repaired += done.blocks_repaired;
        self.local += done.served_locally;
        self.hops += done.hops * done.blocks_fetched as f64;
        self.seconds += done.seconds;
        self.direct |= done.direct;
    }

    fn of(&self, list: &Index, listing: &Fetched) -> SavedSite {
        SavedSite {
            found: listing.found.clone(),
            bytes: list.bytes(),
            files: list.files.len() as u64,
            blocks_fetched: self.blocks,
            blocks_repaired: self.repaired,
            served_locally: self.local,
            hops: self.hops / self.blocks.max(1) as f64,
            seconds: self.seconds,
            direct: self.direct,
        }
    }
}

struct Work<'a> {
    client: &'a Client,
    place: &'a Path,
    sum: Sum,
    progress: Progress,
}

impl Work<'_> {
    fn fetch(&mut self, list: &Index) -> Result<(), Failure> {
        let mut packed = vec![Vec::new(); list.packs.len()];
        let mut written = 0;
        for file in &list.files {
            match &file.body {
                Body::Packed { pack, offset } => packed[*pack as usize].push((*offset, file)),
                Body::Own(place) => {
                    let target = create(self.place, file)?;
                    self.carry(place.uri().to_string(), |body| copy(file, body, target))?;
                    written += file.length;
                    self.progress.set(written);
                }
            }
        }
        for (pack, mut files) in list.packs.iter().zip(packed) {
            // An empty file may stand where the next one begins.
            files.sort_unstable_by_key(|(offset, file)| (*offset, file.length));
            let root = self.place;
            self.carry(pack.place.uri().to_string(), |body| unpack(root, &files, body))?;
            written += files.iter().map(|(_, file)| file.length).sum::<u64>();
            self.progress.set(written);
        }
        Ok(())
    }

    fn carry(&mut self, uri: String, take: impl FnOnce(&mut dyn Read) -> Result<(), Failure>) -> Result<(), Failure> {
        let done = carry::fetch(self.client, FetchRequest::of(uri), take)?;
        self.sum.add(&done);
        Ok(())
    }
}

fn create(root: &Path, file: &index::File) -> Result<File, Failure> {
    let path = root.join(file.path.as_str());
    let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create_new(&path));
    made.map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.path.as_str())))
}

/// Writes the files of a pack, which come in the order of their offsets.
fn unpack(root: &Path, files: &[(u64, &index::File)], body: &mut dyn Read) -> Result<(), Failure> {
    let mut at = 0;
    for (offset, file) in files {
        skip(offset - at, body)?;
        copy(file, &mut body.take(file.length), create(root, file)?)?;
        at = offset + file.length;
    }
    skip(u64::MAX, body)
}

/// Reads on without use.
fn skip(bytes: u64, body: &mut dyn Read) -> Result<(), Failure> {
    let skipped = io::copy(&mut body.take(bytes), &mut io::sink());
    skipped.map(|_| ()).map_err(|error| Failure::failed(error.to_string()))
}

/// Writes one file, which must be what the list says.
fn copy(file: &index::File, body: &mut dyn Read, mut target: File) -> Result<(), Failure> {
    let name = file.path.as_str();
    let mut digester = root::digester();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        let count = body.read(&mut buffer).map_err(|error| Failure::failed(format!("cannot fetch {name}: {error}")))?;
        if count == 0 {
            break;
        }
        bytes += count as u64;
        if bytes > file.length {
            break;
        }
        digester.update(&buffer[..count]);
        target.write_all(&buffer[..count]).map_err(|error| Failure::failed(format!("cannot write {name}: {error}")))?;
    }
    if bytes == file.length && digester.finish() == file.digest {
        return Ok(());
    }
    Err(Failure::failed(format!("{name} is not what the site says it is")))
}

fn report(done: &SavedSite, options: &SiteFetchOptions, output: &mut Output) {
    if done.direct && !options.direct {
        output.note(DIRECT);
    }
    let value = json!({
        "uri": options.uri, "found": done.found, "bytes": done.bytes, "mime": SITE_TYPE, "files": done.files,
        "blocks_fetched": done.blocks_fetched, "blocks_repaired": done.blocks_repaired, "hops": done.hops,
        "seconds": done.seconds, "direct": done.direct, "directory": options.directory,
    });
    if let Some(found) = &done.found {
        output.note(&format!("found {found}"));
    }
    let text = format!(
        "{} files, {} to {}: {} blocks, {} repaired, {:.1} hops on average, in {:.1} s",
        done.files,
        Size(done.bytes),
        options.directory.display(),
        done.blocks_fetched,
        done.blocks_repaired,
        done.hops,
        done.seconds
    );
    output.result(&value, &text);
}

const BUFFER_BYTES: usize = 256 << 10;
