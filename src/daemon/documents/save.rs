//! A site as a directory, by a job that lasts: it grows beside the one that is wanted and becomes it when every file is there.
//!
//! Guarantees that each file is what the list says before the directory appears under its name. Every start digests what is
//! there already, and fetches the rest, behind the first byte that is missing. Nothing is written elsewhere: a path of a
//! site leads down only, and the directory is new. Leaves out finding the list.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use crypto::hash::Digester;
use tokio::sync::{Semaphore, mpsc};
use tokio::task;

use super::abreast::{abreast, broke_off};
use super::fetch::{self, Way};
use super::tally::Tally;
use super::way::Ways;
use crate::daemon::directory;
use crate::daemon::job::{FailureKind, Fetched, JobFailure, Progress, SavedSite};
use crate::daemon::jobs::book::trouble;
use crate::daemon::jobs::feed::CHANNEL;
use crate::daemon::jobs::report::Report;
use crate::daemon::quantity::Size;
use crate::daemon::unchanged;
use crate::document::fetch::Start;
use crate::document::root;
use crate::document::site::index::{self, Body, Index, Place};
use crate::key::uri::Uri;

/// Fetches what is missing of the files of `index` below `directory`; what the fetches took.
pub(super) async fn files(
    ways: Ways,
    index: Index,
    directory: PathBuf,
    report: Report,
    repairs: Arc<Semaphore>,
) -> Result<Vec<Fetched>, JobFailure> {
    let (files, bytes) = (index.files.len() as u64, index.bytes());
    let there = directory.clone();
    let missing = task::spawn_blocking(move || missing(&index, &there)).await;
    let runs = missing.map_err(|error| broke_off(&error))??;
    let wants = || runs.iter().flat_map(|run| &run.wants);
    let start = Progress {
        files: files - wants().count() as u64,
        total_files: Some(files),
        bytes: bytes - wants().map(|want| want.file.length - want.have).sum::<u64>(),
        total_bytes: Some(bytes),
        ..Progress::default()
    };
    let tally = Tally::new(report, start);
    let work = runs.into_iter().map(|run| {
        let (ways, tally, repairs) = (ways.clone(), tally.clone(), repairs.clone());
        async move { tally.follow(run.wants.len() as u64, |report| run.fetch(ways, report, repairs)).await }
    });
    abreast(work).await
}

/// Files that stand one behind the other in a document, and of which something is missing.
struct Run {
    place: Place,
    wants: Vec<Want>,
}

/// A file of which something is missing.
struct Want {
    file: index::File,
    path: PathBuf,
    /// Bytes of its document before it.
    offset: u64,
    /// Bytes of it that are there.
    have: u64,
    /// Of those, if there are any: of a hundred thousand files few are begun.
    digester: Option<Box<Digester>>,
}

/// What is missing below `directory`. What is there and is not what the list says is removed.
fn missing(index: &Index, directory: &Path) -> Result<Vec<Run>, JobFailure> {
    let mut runs = Vec::new();
    let mut packed: Vec<Vec<Want>> = index.packs.iter().map(|_| Vec::new()).collect();
    for file in &index.files {
        let path = directory.join(file.path.as_str());
        let Some((have, digester)) = held(file, &path).map_err(|error| trouble("read", &path, &error))? else {
            continue;
        };
        let want = |offset| Want { file: file.clone(), path, offset, have, digester };
        match &file.body {
            Body::Own(place) => runs.push(Run { place: place.clone(), wants: vec![want(0)] }),
            Body::Packed { pack, offset } => packed[*pack as usize].push(want(*offset)),
        }
    }
    for (pack, mut wants) in index.packs.iter().zip(packed) {
        // An empty file may stand where the next one begins.
        wants.sort_unstable_by_key(|want| (want.offset, want.file.length));
        for want in wants {
            let last = runs.last_mut().filter(|run: &&mut Run| run.place == pack.place && run.reaches(&want));
            match last {
                Some(run) => run.wants.push(want),
                None => runs.push(Run { place: pack.place.clone(), wants: vec![want] }),
            }
        }
    }
    Ok(runs)
}

/// How much of a file is there, and the digest of that so far; nothing if it is there whole.
fn held(file: &index::File, path: &Path) -> io::Result<Option<(u64, Option<Box<Digester>>)>> {
    let mut digester = Box::new(root::digester());
    let have = match File::open(path) {
        Ok(mut there) => unchanged::digest_into(&mut digester, &mut there)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some((0, None))),
        Err(error) => return Err(error),
    };
    if have < file.length {
        return Ok(Some((have, Some(digester))));
    }
    if have == file.length && digester.finish() == file.digest {
        return Ok(None);
    }
    fs::remove_file(path)?;
    Ok(Some((0, None)))
}

impl Run {
    /// Whether `want` stands so close behind that both are fetched in one.
    fn reaches(&self, want: &Want) -> bool {
        let end = self.wants.last().map_or(0, Want::end);
        // Of a file in the middle the beginning would be fetched again.
        want.have == 0 && want.offset - end <= GAP_BYTES
    }

    async fn fetch(self, ways: Ways, report: Report, repairs: Arc<Semaphore>) -> Result<Fetched, JobFailure> {
        let Self { place, wants } = self;
        let first = wants.first().map_or(0, |want| want.offset + want.have);
        let last = wants.last().map_or(0, Want::end);
        let Uri::Chk { routing, root } = place.uri() else { unreachable!("a place is one of content") };
        if first == last {
            // Of empty files there is nothing to ask for.
            write(wants, first, None).await?;
            return Ok(Fetched::default());
        }
        let range = Some(first..last);
        let way = Way { range, file: None, own_store: true, readers: Vec::new(), begun: 0, repairs };
        let (output, pieces) = mpsc::channel(CHANNEL);
        let start = Start::Content { routing, root };
        let fetching = fetch::run(ways.carrier().await?, start, way, report, output);
        let (fetched, written) = tokio::join!(fetching, write(wants, first, Some(pieces)));
        // If nothing can be written, that is why nothing more was taken; if nothing more comes, that is why it is not whole.
        match (fetched, written) {
            (Err(failure), Err(Unwritten::Short)) | (_, Err(Unwritten::Failed(failure))) => Err(failure),
            (Ok(_), Err(Unwritten::Short)) => Err(failed("a document of the site ends too early".to_owned())),
            (fetched, Ok(())) => fetched,
        }
    }
}

impl Want {
    const fn end(&self) -> u64 {
        self.offset + self.file.length
    }

    fn open(&self) -> io::Result<File> {
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent)?;
        }
        OpenOptions::new().create(true).append(true).open(&self.path)
    }

    /// Whether it is what the list says, now that it is whole and has this digest.
    fn judge(&self, digest: &[u8; 32]) -> Result<(), JobFailure> {
        if *digest == self.file.digest {
            return Ok(());
        }
        // What is wrong is not built upon.
        let _ = fs::remove_file(&self.path);
        Err(failed(format!("{} is not what the site says it is", self.file.path)))
    }
}

/// Why files were not written.
enum Unwritten {
    /// Too few bytes came.
    Short,
    Failed(JobFailure),
}

impl From<JobFailure> for Unwritten {
    fn from(failure: JobFailure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unwritten> for JobFailure {
    fn from(why: Unwritten) -> Self {
        match why {
            Unwritten::Failed(failure) => failure,
            Unwritten::Short => failed("a document of the site ends too early".to_owned()),
        }
    }
}

/// Writes files as their bytes come, of which the first is the one `at` in the document.
async fn write(wants: Vec<Want>, mut at: u64, mut pieces: Option<mpsc::Receiver<Bytes>>) -> Result<(), Unwritten> {
    let mut piece = Bytes::new();
    for mut want in wants {
        let cannot = |want: &Want, error: &io::Error| Unwritten::Failed(trouble("write", &want.path, error));
        let mut digester = want.digester.take().unwrap_or_else(|| Box::new(root::digester()));
        let mut file = want.open().map_err(|error| cannot(&want, &error))?;
        while at < want.end() {
            if piece.is_empty() {
                let next = match &mut pieces {
                    Some(pieces) => pieces.recv().await,
                    None => None,
                };
                piece = next.ok_or(Unwritten::Short)?;
            }
            let between = want.offset.saturating_sub(at).min(piece.len() as u64);
            piece = piece.split_off(between as usize);
            at += between;
            let bytes = piece.split_to((want.end() - at).min(piece.len() as u64) as usize);
            if at >= want.offset {
                file.write_all(&bytes).map_err(|error| cannot(&want, &error))?;
                digester.update(&bytes);
                at += bytes.len() as u64;
            }
        }
        let synced = task::spawn_blocking(move || file.sync_data()).await;
        synced.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(|error| cannot(&want, &error))?;
        want.judge(&digester.finish())?;
    }
    Ok(())
}

/// What came of all fetches together.
pub(super) fn sum(fetched: &[Fetched]) -> SavedSite {
    let all = |count: fn(&Fetched) -> u64| fetched.iter().map(count).sum::<u64>();
    let blocks = all(|done| done.blocks_fetched);
    SavedSite {
        blocks_fetched: blocks,
        blocks_repaired: all(|done| done.blocks_repaired),
        served_locally: all(|done| done.served_locally),
        hops: fetched.iter().map(|done| done.hops * done.blocks_fetched as f64).sum::<f64>() / blocks.max(1) as f64,
        direct: fetched.iter().any(|done| done.direct),
        ..SavedSite::default()
    }
}

/// Makes the directory appear under its name.
pub(super) fn complete(part: &Path, target: &Path) -> Result<(), JobFailure> {
    let cannot = |error: io::Error| trouble("write", target, &error);
    directory::check_new(target)?;
    if target.exists() {
        fs::remove_dir(target).map_err(cannot)?;
    }
    // While it grew it was for its owner only; what a site shows is not.
    fs::set_permissions(part, fs::Permissions::from_mode(0o755)).map_err(cannot)?;
    fs::rename(part, target).map_err(cannot)
}

/// Makes the directory that the site grows in.
pub(super) fn begin(part: &Path) -> Result<(), JobFailure> {
    use std::os::unix::fs::DirBuilderExt;
    match fs::DirBuilder::new().mode(0o700).create(part) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(trouble("write", part, &error)),
        _ => Ok(()),
    }
}

/// What can be said of a target before anything is fetched.
///
/// # Errors
/// When no site can be written there.
pub(super) fn look(target: &Path) -> Result<(), JobFailure> {
    let bad = |sentence| JobFailure { kind: FailureKind::BadRequest, sentence };
    let shown = target.display();
    if !target.is_absolute() {
        return Err(bad(format!("{shown} is no absolute path")));
    }
    match (target.parent(), target.file_name()) {
        (Some(parent), Some(_)) if parent.is_dir() => {}
        (Some(parent), Some(_)) => return Err(bad(format!("{} is no directory", parent.display()))),
        _ => return Err(bad(format!("{shown} names no directory"))),
    }
    directory::check_new(target).map_err(|JobFailure { sentence, .. }| bad(sentence))
}

/// Refuses a site that is longer than the client wants.
pub(super) fn check_length(index: &Index, most: Option<u64>) -> Result<(), JobFailure> {
    let (bytes, most) = (index.bytes(), most.unwrap_or(MOST_BYTES));
    if bytes <= most {
        return Ok(());
    }
    Err(failed(format!(
        "the site has {} files of {} together, more than {}: allow more with --most",
        index.files.len(),
        Size(bytes),
        Size(most)
    )))
}

const fn failed(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::Failed, sentence }
}

/// Bytes between two files that are fetched in one: two blocks.
const GAP_BYTES: u64 = 64 << 10;
/// Longest site that is saved if the client names no length. Chosen: as the command line says.
const MOST_BYTES: u64 = 4 << 30;
