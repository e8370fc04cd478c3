//! The jobs of a node on the command line.

use clap::{Args, Subcommand};

use super::client::ClientOptions;
use super::documents::JobPriority;

/// `bolthole jobs`.
#[derive(Args, Debug)]
pub(crate) struct JobsOptions {
    /// What to do [default: list].
    #[command(subcommand)]
    pub(crate) command: Option<JobsCommand>,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
}

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List all jobs, those that are not done first.
    List(JobsList),
    /// Show one job.
    Show(OneJob),
    /// Let a job rest: it stops where it is.
    Pause(OneJob),
    /// Let a job go on that rests or failed, from where it was.
    Resume(OneJob),
    /// End a job and forget it. What is stored in the network stays there.
    Cancel(OneJob),
    /// Wait for the end of a job.
    Wait(OneJob),
    /// Say which jobs come first.
    Priority(JobOrder),
}

/// `bolthole jobs list`.
#[derive(Args, Debug)]
pub(crate) struct JobsList {
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
}

/// One job.
#[derive(Args, Debug)]
pub(crate) struct OneJob {
    /// Its number.
    pub(crate) id: u64,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
}

/// `bolthole jobs priority`.
#[derive(Args, Debug)]
pub(crate) struct JobOrder {
    /// Its number.
    pub(crate) id: u64,
    /// When it comes.
    #[arg(value_enum)]
    pub(crate) priority: JobPriority,
    /// Which node to ask.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
}
