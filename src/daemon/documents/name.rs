//! What a client wrote as a name, turned into what a document is stored under or found by.

use std::sync::Arc;

use crypto::keyword;
use crypto::reader::ReaderKey;
use tokio::task;

use crate::daemon::data_dir::DataDir;
use crate::daemon::job::{FailureKind, JobFailure};
use crate::daemon::keeper::Keeper;
use crate::daemon::subspaces::{SubspaceError, Subspaces};
use crate::document::fetch::Start;
use crate::document::signed::{Reader, Writer};
use crate::key::uri::{Name, Uri};

/// The right to write under `text`: `chk` (or nothing) is no name, `ksk:WORD` a word, `ssk:NAME` a name in a subspace.
///
/// `ssk:SUBSPACE/NAME` says both. `ssk:NAME` means the document NAME in the subspace NAME if there is one of that name,
/// else in the subspace `default`.
pub(super) async fn writer(
    text: Option<&str>,
    data: DataDir,
    keeper: Arc<Keeper>,
) -> Result<Option<Writer>, JobFailure> {
    let text = text.unwrap_or("chk").to_owned();
    match text.split_once(':') {
        None if text == "chk" => Ok(None),
        Some(("ksk", word)) => {
            let word = name(word)?;
            let subspace = of_word(&word).await?;
            Ok(Some(Writer::Word { word, subspace }))
        }
        Some(("ssk", path)) => {
            let path = path.to_owned();
            blocking(move || in_subspace(&path, &data, &keeper)).await?.map(Some)
        }
        _ => Err(bad(format!("\"{text}\" is no kind of name: write chk, ksk:WORD or ssk:NAME"))),
    }
}

/// Where the document of a URI begins.
pub(super) async fn start(text: &str) -> Result<Start, JobFailure> {
    match text.parse::<Uri>().map_err(|error| bad(error.to_string()))? {
        Uri::Chk { routing, root } => Ok(Start::Content { routing, root }),
        Uri::Ssk { subspace, name } => Ok(Start::Signed(Reader::of_name(subspace, &name))),
        Uri::Ksk { word } => Ok(Start::Signed(Reader::of_word(&of_word(&word).await?))),
    }
}

/// The reader keys of this node's owner.
pub(super) async fn readers(data: DataDir, keeper: Arc<Keeper>) -> Result<Vec<ReaderKey>, JobFailure> {
    let all = move || {
        let subspaces = Subspaces::new(&data, &keeper);
        let names = Subspaces::names_in(&data)?;
        names.iter().map(|name| subspaces.reader(name)).collect::<Result<Vec<_>, _>>()
    };
    blocking(all).await?.map_err(|error| no_subspace(&error))
}

fn in_subspace(path: &str, data: &DataDir, keeper: &Keeper) -> Result<Writer, JobFailure> {
    let subspaces = Subspaces::new(data, keeper);
    let (subspace, document) = match path.split_once('/') {
        Some((subspace, document)) => (subspaces.get(subspace).map_err(|error| no_subspace(&error))?, document),
        None => {
            let own = subspaces.get(path).or_else(|_| subspaces.get(DEFAULT));
            (own.map_err(|error| no_subspace(&error))?, path)
        }
    };
    Ok(Writer::Name { subspace, name: name(document)? })
}

/// Stretching a word is slow by design, so it happens where it holds up nobody.
async fn of_word(word: &Name) -> Result<crypto::signed::Subspace, JobFailure> {
    let word = word.clone();
    blocking(move || keyword::subspace(word.as_str())).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, JobFailure> {
    let done = task::spawn_blocking(work).await;
    done.map_err(|error| JobFailure { kind: FailureKind::Failed, sentence: format!("the work broke off: {error}") })
}

fn name(text: &str) -> Result<Name, JobFailure> {
    Name::new(text).map_err(|error| bad(error.to_string()))
}

fn no_subspace(error: &SubspaceError) -> JobFailure {
    let kind = if matches!(error, SubspaceError::Keeper(_)) { FailureKind::Failed } else { FailureKind::BadRequest };
    JobFailure { kind, sentence: error.to_string() }
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}

/// The subspace that `keys new` makes when no name is given.
const DEFAULT: &str = "default";
