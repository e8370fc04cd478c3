//! Documents, sites and their editions on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::client::ClientOptions;
use crate::daemon::job::Priority;
use crate::daemon::quantity::Size;

/// `bolthole insert`.
#[derive(Args, Debug)]
pub(crate) struct InsertOptions {
    /// The document; `-` reads standard input.
    pub(crate) file: PathBuf,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The kind of name: chk, ksk:WORD, ssk:NAME, usk:SITE (its next edition) or date:NAME/PERIOD, where PERIOD is day, week,
    /// month or year for the present one, or e.g. 2026-11-22, 2026-W47, 2026-11, 2026.
    #[arg(long = "as", value_name = "KIND", default_value = "chk")]
    pub(crate) kind: String,
    /// The media type to record, e.g. text/plain [default: by the ending of the file's name].
    #[arg(long, value_name = "TYPE")]
    pub(crate) mime: Option<String>,
    /// Seal to this reader, who alone can open what the URI names; may be given several times. `bolthole keys show` prints
    /// the names of readers.
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) to: Vec<String>,
    /// Derive the keys from the content, so that equal documents share their blocks; this lets others confirm that
    /// they hold the same file.
    #[arg(long)]
    pub(crate) convergent: bool,
    /// Check blocks per data block, 0 to 1.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    pub(crate) redundancy: Option<f64>,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
    /// Whether it lasts.
    #[command(flatten)]
    pub(crate) background: Background,
}

/// Whether the work outlives its command.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Background {
    /// Give the work to the node as a job that outlives this command and the node's restarts, print its number and return.
    /// `bolthole jobs` shows it.
    #[arg(long)]
    pub(crate) background: bool,
    /// With --background: wait for the end; the job goes on if this command is stopped.
    #[arg(long, requires = "background")]
    pub(crate) wait: bool,
    /// With --background: which jobs come first.
    #[arg(long, value_name = "P", value_enum, requires = "background", default_value = "normal")]
    pub(crate) priority: JobPriority,
}

/// Which jobs come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobPriority {
    /// After all others.
    Low,
    /// As most are.
    Normal,
    /// Before all others.
    High,
}

impl From<JobPriority> for Priority {
    fn from(priority: JobPriority) -> Self {
        match priority {
            JobPriority::Low => Self::Low,
            JobPriority::Normal => Self::Normal,
            JobPriority::High => Self::High,
        }
    }
}

/// `bolthole fetch`.
#[derive(Args, Debug)]
pub(crate) struct FetchOptions {
    /// What to fetch, as `insert` printed it.
    pub(crate) uri: String,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// Of a USK@ URI, fetch that very edition and not the newest.
    #[arg(long)]
    pub(crate) exact: bool,
    /// Take the name of an SSK@ URI as one that is published for days, weeks, months or years, and fetch the newest.
    #[arg(long, value_name = "CALENDAR", value_parser = ["day", "week", "month", "year"])]
    pub(crate) dated: Option<String>,
    /// With --dated: the newest up to this period, e.g. 2026-11-22 or 2026-11 [default: up to now].
    #[arg(long, value_name = "PERIOD", requires = "dated")]
    pub(crate) on: Option<String>,
    /// With --dated: how many earlier periods may stand in [default: 31].
    #[arg(long, value_name = "N", requires = "dated")]
    pub(crate) back: Option<u16>,
    /// Where to write; `-` is standard output [default: standard output, or nowhere with --json].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
    /// Whether it lasts.
    #[command(flatten)]
    pub(crate) background: Background,
}

/// `bolthole site`.
#[derive(Debug, Subcommand)]
pub(crate) enum SiteCommand {
    /// Insert the files of a directory, and a list of them that names them all.
    Publish(SitePublishOptions),
    /// Write a site out as a directory.
    Fetch(SiteFetchOptions),
}

/// `bolthole site publish`.
#[derive(Args, Debug)]
pub(crate) struct SitePublishOptions {
    /// The directory. What `.boltholeignore` names in it, in the way of `.gitignore`, is left out; so are links.
    pub(crate) directory: PathBuf,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// The kind of name: usk:SITE (its next edition: unchanged files are not inserted again), chk, ksk:WORD, ssk:NAME or
    /// date:NAME/PERIOD.
    #[arg(long = "as", value_name = "KIND", default_value = "chk")]
    pub(crate) kind: String,
    /// The file that is shown where no path is named [default: index.html].
    #[arg(long, value_name = "PATH")]
    pub(crate) default: Option<String>,
    /// Seal the site to this reader; may be given several times.
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) to: Vec<String>,
    /// Publish hidden files too.
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Insert every file, whether or not the edition before has it.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Say what would be inserted, and insert nothing.
    #[arg(long, conflicts_with = "background")]
    pub(crate) dry_run: bool,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
    /// Whether it lasts.
    #[command(flatten)]
    pub(crate) background: Background,
}

/// `bolthole site fetch`.
#[derive(Args, Debug)]
pub(crate) struct SiteFetchOptions {
    /// The site.
    pub(crate) uri: String,
    /// Where to write it: a directory that does not exist, or is empty.
    pub(crate) directory: PathBuf,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// Of a USK@ URI, fetch that very edition and not the newest.
    #[arg(long)]
    pub(crate) exact: bool,
    /// Refuse a site whose files together are longer.
    #[arg(long, value_name = "SIZE", default_value = "4GiB")]
    pub(crate) most: Size,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
    /// Whether it lasts.
    #[command(flatten)]
    pub(crate) background: Background,
}

/// `bolthole follow`.
#[derive(Args, Debug)]
pub(crate) struct FollowOptions {
    /// The site: the URI of any of its editions.
    pub(crate) uri: String,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// How many seconds to wait between two searches.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
    /// Print the newest edition and end.
    #[arg(long)]
    pub(crate) once: bool,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
}
