//! What a local client can ask the node to do over time, and how it is told of the progress: plain values, the same
//! on both sides of the local interface.
//!
//! Whole sites are in `site`.

mod priority;
mod site;

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::priority::Priority;
pub use self::site::{PublishRequest, PublishedSite, SaveRequest, SavedSite};

/// Names a job: one that lasts for as long as it is remembered, another while the node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub u64);

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum JobRequest {
    /// Insert the document that the client then sends.
    Insert(InsertRequest),
    /// Fetch a document, which the client then receives.
    Fetch(FetchRequest),
    /// Look for the newest edition of a site.
    Find(FindRequest),
    /// Publish a directory as a site.
    Publish(PublishRequest),
    /// Save a site as a directory.
    Save(SaveRequest),
}

/// How to insert a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertRequest {
    /// The kind of name: `chk`, `ksk:WORD`, `ssk:NAME`, `usk:SITE` or `date:NAME/PERIOD`. Default: `chk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type to record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Whether keys come from the content. Default: from chance.
    #[serde(default)]
    pub convergent: bool,
    /// The digest of the document in base64url, which a convergent insert must know before the first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Check blocks per data block, 0 to 1. Default: the protocol's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy: Option<f64>,
    /// The readers that the document is sealed to, as `bolthole keys show` names them. Default: whoever has the URI reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<String>,
    /// Whether to go without pre-routing. Default: no.
    #[serde(default)]
    pub direct: bool,
    /// Length of the document in bytes, if the client knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// The file that the node itself reads the document from, by its absolute path. The job lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Whether the job lasts: it outlives its client and the node's restarts. The document that the client sends is kept
    /// until it is stored. Default: no.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lasting: bool,
    /// Of jobs that last, which come first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// What the document is called in the list of jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// How to fetch a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchRequest {
    /// What to fetch; behind the URI of a site, the path of a file in it.
    pub uri: String,
    /// Whether the node's own store may answer before the network is asked. Default: yes.
    #[serde(default = "yes")]
    pub own_store: bool,
    /// Whether a `USK@` URI stands for that very edition. Default: for the newest.
    #[serde(default)]
    pub exact: bool,
    /// Of a site, the file that is shown where no path is named, or where the path is a directory's.
    #[serde(default)]
    pub page: bool,
    /// Whether to go without pre-routing. Default: no.
    #[serde(default)]
    pub direct: bool,
    /// Takes the name of an `SSK@` URI as one that is published for periods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dated: Option<Dated>,
    /// The bytes wanted, from the first to the one after the last; what lies beyond the end is left out. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range<u64>>,
    /// The file that the node itself writes the document to, by its absolute path; it appears whole or not at all. The job
    /// lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Of jobs that last, which come first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
}

/// How a job that lasts is to go on. What is not named stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobChange {
    /// Whether it rests. A job that failed is begun again where it was by `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// Which come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
}

/// Which of the documents published for a name's periods to fetch: the newest up to an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dated {
    /// `day`, `week`, `month` or `year`.
    pub calendar: String,
    /// The period to begin with, e.g. `2026-11-22`. Default: the present one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// How many earlier periods may stand in. Default: 31.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<u16>,
}

/// Of what to look for the newest edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindRequest {
    /// A `USK@` URI, whose edition is where the search begins, or `usk:SITE` for a site of this node's owner.
    pub uri: String,
    /// Whether to go without pre-routing. Default: no.
    #[serde(default)]
    pub direct: bool,
}

/// A job as its client sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Which job.
    pub id: JobId,
    /// Where it stands.
    #[serde(flatten)]
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// What the document that is fetched says of itself, once that is known; before its first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<Opened>,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What a job is about, for a list of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What is wanted.
    #[serde(default)]
    pub what: What,
    /// The file or the URI.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Whether it outlives its client and the node's restarts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lasting: bool,
    /// Of those that do, which come first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
}

/// Kinds of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// An insert.
    #[default]
    Insert,
    /// A fetch.
    Fetch,
    /// A search for the newest edition.
    Find,
    /// A directory on its way out.
    Publish,
    /// A site on its way in.
    Save,
}

/// What a document says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Its media type.
    pub mime: String,
    /// The length of the whole.
    pub length: u64,
    /// The digest of the whole, in base64url.
    pub digest: String,
}

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum JobState {
    /// At work.
    Running,
    /// Its turn has not come, or what it needs is not there yet.
    Waiting {
        /// What it waits for, if not for its turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sentence: Option<String>,
    },
    /// It rests until it is told to go on.
    Paused {
        /// Why, if not because it was told to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sentence: Option<String>,
    },
    /// An insert is complete.
    Inserted(Inserted),
    /// A fetch is complete.
    Fetched(Fetched),
    /// The newest edition is known.
    Found(Found),
    /// A directory is published.
    Published(PublishedSite),
    /// A site is saved.
    Saved(SavedSite),
    /// It ended without doing what was asked.
    Failed(JobFailure),
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Blocks stored or fetched.
    pub blocks: u64,
    /// Blocks in all, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_blocks: Option<u64>,
    /// Bytes of the document taken in or handed out.
    pub bytes: u64,
    /// Bytes in all, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
    /// Blocks among them that were stored before the job was last begun again, and not sent anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stored_before: u64,
    /// Of a site, files that are done.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files: u64,
    /// Of a site, files in all, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_files: Option<u64>,
    /// Which search for a document that has not been found yet is going on, and of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<(u32, u32)>,
}

/// A document that is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inserted {
    /// Under which URI it is found.
    pub uri: String,
    /// Its length.
    pub bytes: u64,
    /// Blocks stored in all: data, check and manifest blocks.
    pub blocks: u64,
    /// Check blocks among them.
    pub check_blocks: u64,
    /// The fewest distinct other stores that keep any one block.
    pub stored_at_least: u32,
    /// How long it took.
    pub seconds: f64,
    /// Whether it went without pre-routing.
    pub direct: bool,
}

/// A document that was fetched whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// The URI of what was found, where the request named an edition to search from or a calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Its media type, if one was recorded.
    pub mime: Option<String>,
    /// Blocks that came in.
    pub blocks_fetched: u64,
    /// Blocks that had to be rebuilt from others.
    pub blocks_repaired: u64,
    /// Blocks that came from the node's own store.
    pub served_locally: u64,
    /// Forwards on the way, the mean over all blocks.
    pub hops: f64,
    /// How long it took.
    pub seconds: f64,
    /// Whether it went without pre-routing.
    pub direct: bool,
}

/// The newest edition of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The URI of that edition.
    pub uri: String,
    /// Its number.
    pub edition: u32,
    /// How long it took.
    pub seconds: f64,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
pub struct JobFailure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What a person should read.
    pub sentence: String,
}

/// Kinds of failure that a program may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The request makes no sense.
    BadRequest,
    /// The network does not have it.
    NotFound,
    /// No byte of the range that was wanted lies in the document.
    OutOfRange,
    /// No peer could take part.
    Unavailable,
    /// The client stopped sending or receiving, or cancelled.
    Cancelled,
    /// A disk of this machine has no room.
    DiskFull,
    /// Anything else.
    Failed,
}

impl JobRequest {
    /// The same without pre-routing.
    #[must_use]
    pub fn directly(mut self) -> Self {
        match &mut self {
            Self::Insert(request) => request.direct = true,
            Self::Fetch(request) => request.direct = true,
            Self::Find(request) => request.direct = true,
            Self::Publish(request) => request.direct = true,
            Self::Save(request) => request.direct = true,
        }
        self
    }

    /// Whether the job outlives its client and the node's restarts.
    #[must_use]
    pub const fn lasts(&self) -> bool {
        match self {
            Self::Insert(request) => request.lasting || request.file.is_some(),
            Self::Fetch(request) => request.file.is_some(),
            Self::Find(_) => false,
            Self::Publish(_) | Self::Save(_) => true,
        }
    }

    /// What the job is about.
    #[must_use]
    pub fn about(&self) -> About {
        let (lasting, name) = (self.lasts(), |file: &PathBuf| file.file_name().map(|name| name.display().to_string()));
        let short = |uri: &str| uri.chars().take(TITLE_URI).collect::<String>();
        match self {
            Self::Insert(request) => {
                let title = request.title.clone().or_else(|| request.file.as_ref().and_then(name));
                About { what: What::Insert, title: title.unwrap_or_default(), lasting, priority: request.priority }
            }
            Self::Fetch(request) => {
                let title = match request.file.as_ref().and_then(name) {
                    Some(name) => format!("{name} from {}…", short(&request.uri)),
                    None => request.uri.clone(),
                };
                About { what: What::Fetch, title, lasting, priority: request.priority }
            }
            Self::Find(request) => About { what: What::Find, title: request.uri.clone(), ..About::default() },
            Self::Publish(request) => {
                let directory = shown(&request.directory);
                let title = match &request.name {
                    Some(name) if name != "chk" => format!("{directory} as {name}"),
                    _ => directory,
                };
                About { what: What::Publish, title, lasting, priority: request.priority }
            }
            Self::Save(request) => {
                let title = format!("{} from {}…", shown(&request.directory), short(&request.uri));
                About { what: What::Save, title, lasting, priority: request.priority }
            }
        }
    }
}

impl JobState {
    /// Whether nothing more will come of the job by itself.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        !matches!(self, Self::Running | Self::Waiting { .. } | Self::Paused { .. })
    }

    /// Its name, as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting { .. } => "waiting",
            Self::Paused { .. } => "paused",
            Self::Inserted(_) => "inserted",
            Self::Fetched(_) => "fetched",
            Self::Found(_) => "found",
            Self::Published(_) => "published",
            Self::Saved(_) => "saved",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether what was asked is done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.is_end() && !matches!(self, Self::Failed(_))
    }

    /// Waiting for its turn.
    #[must_use]
    pub const fn waiting() -> Self {
        Self::Waiting { sentence: None }
    }
}

impl FetchRequest {
    /// Fetches `uri` as it stands.
    #[must_use]
    pub const fn of(uri: String) -> Self {
        Self {
            uri,
            own_store: true,
            exact: false,
            page: false,
            dated: None,
            range: None,
            direct: false,
            file: None,
            priority: Priority::Normal,
        }
    }
}

/// The name of a directory in a list.
fn shown(directory: &Path) -> String {
    directory.file_name().unwrap_or(directory.as_os_str()).display().to_string()
}

/// Characters of a URI that tell it from others in a list.
const TITLE_URI: usize = 20;

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}
