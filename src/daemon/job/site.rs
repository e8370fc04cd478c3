//! Whole sites as jobs: a directory that is published, a site that is saved as a directory, and what became of either.
//!
//! Both last, and the node reads and writes the directory itself. Leaves out single documents.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::priority::Priority;

/// How to publish a directory as a site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// The directory, by its absolute path.
    pub directory: PathBuf,
    /// The kind of name: `usk:SITE` (its next edition), `chk`, `ksk:WORD`, `ssk:NAME` or `date:NAME/PERIOD`. Default: `chk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The file that is shown where no path is named. Default: `index.html`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The readers that the site is sealed to. Default: whoever has the URI reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<String>,
    /// Whether hidden files are published too. Default: no.
    #[serde(default)]
    pub hidden: bool,
    /// Whether files are inserted that the edition before has. Default: no.
    #[serde(default)]
    pub fresh: bool,
    /// Whether to go without pre-routing. Default: no.
    #[serde(default)]
    pub direct: bool,
    /// Of jobs that last, which come first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
}

/// How to save a site as a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveRequest {
    /// The site.
    pub uri: String,
    /// The directory, by its absolute path: one that does not exist, or is empty. It appears whole or not at all.
    pub directory: PathBuf,
    /// Whether a `USK@` URI stands for that very edition. Default: for the newest.
    #[serde(default)]
    pub exact: bool,
    /// Bytes beyond which the files together are refused. Default: 4 GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// Whether to go without pre-routing. Default: no.
    #[serde(default)]
    pub direct: bool,
    /// Of jobs that last, which come first.
    #[serde(default, skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
}

/// A directory that is published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PublishedSite {
    /// Under which URI it is found.
    pub uri: String,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Blocks inserted in all.
    pub blocks: u64,
    /// Check blocks among them.
    pub check_blocks: u64,
    /// The fewest distinct other stores that keep any one block.
    pub stored_at_least: u32,
    /// How long it took since the job was last begun.
    pub seconds: f64,
    /// Whether it went without pre-routing.
    pub direct: bool,
    /// Files of the site.
    pub files: u64,
    /// Files among them that stand where the edition before put them.
    pub kept: u64,
    /// Documents that hold several files.
    pub packs: u64,
}

/// A site that is saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedSite {
    /// The URI of what was found, where the request named an edition to search from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Files of the site.
    pub files: u64,
    /// Blocks that came in since the job was last begun.
    pub blocks_fetched: u64,
    /// Blocks that had to be rebuilt from others.
    pub blocks_repaired: u64,
    /// Blocks that came from the node's own store.
    pub served_locally: u64,
    /// Forwards on the way, the mean over all blocks.
    pub hops: f64,
    /// How long it took since the job was last begun.
    pub seconds: f64,
    /// Whether it went without pre-routing.
    pub direct: bool,
}
