//! The one definition of the command line: help, completions and man pages come from here.

mod client;
mod documents;
mod jobs;
pub(crate) mod lab;
mod node;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::client::{ClientOptions, Place};
pub(crate) use self::documents::{
    Background, FetchOptions, FollowOptions, InsertOptions, SiteCommand, SiteFetchOptions, SitePublishOptions,
};
pub(crate) use self::jobs::{JobOrder, JobsCommand, JobsOptions};
use self::lab::LabCommand;
pub(crate) use self::node::{GatewayOptions, NodeOptions, Way};
use crate::daemon::config::Profile;

/// An anonymous, encrypted document store in the tradition of Freenet.
#[derive(Debug, Parser)]
#[command(name = "bolthole", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// Print exactly one JSON object on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a network of real nodes take a document, lose the node that inserted it, and give it back.
    Demo(DemoOptions),
    /// Found a network.
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Run a node until it is stopped.
    Node(Box<NodeOptions>),
    /// Insert a document through the running node.
    Insert(InsertOptions),
    /// Fetch a document, verify and decrypt it.
    Fetch(FetchOptions),
    /// List, pause, resume, cancel and order the jobs that outlive their commands.
    Jobs(Box<JobsOptions>),
    /// Make, list and show the keys of subspaces.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show what the node is doing.
    Status(ClientOptions),
    /// Print a link that opens the node's page in a browser; it works once, for a minute.
    Open(ClientOptions),
    /// Show the nodes this node is linked to.
    Peers(ClientOptions),
    /// Show the relays that pre-routing knows.
    Relays(ClientOptions),
    /// Publish or fetch a directory as one document.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Follow a site: print the newest edition, and each new one when it appears.
    Follow(FollowOptions),
    /// Run one scenario in the simulator: the production machines, one seed, virtual time.
    Sim(SimOptions),
    /// Run the same workload over all overlays; print tables, write a report, the measurements and plots.
    Compare(CompareOptions),
    /// Measure what is claimed of Freenet, and attack our own code.
    #[command(subcommand)]
    Lab(LabCommand),
    /// Carry lookups and publications between another overlay and the store, until stopped. Whoever uses a gateway is not
    /// anonymous towards it, and hides from nobody in the other overlay.
    Gateway(Box<GatewayOptions>),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write the manual pages into a directory.
    Man {
        /// Where; made if it does not exist.
        directory: PathBuf,
    },
}

/// `bolthole demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// The document to insert [default: a generated one of 1 MiB].
    pub(crate) file: Option<PathBuf>,
    /// How many nodes to start, at least 5.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(5..=64))]
    pub(crate) nodes: u16,
    /// Generates the document and chooses the nodes; the same seed makes the same choices.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// `bolthole network`.
#[derive(Debug, Subcommand)]
pub(crate) enum NetworkCommand {
    /// Write the genesis file of a new network, with this data directory's node as its first founding member.
    New(NetworkNewOptions),
}

/// `bolthole network new`.
#[derive(Args, Debug)]
pub(crate) struct NetworkNewOptions {
    /// The network's name, for people: 1 to 64 bytes.
    pub(crate) name: String,
    /// Where the founding node keeps its identity and data.
    #[command(flatten)]
    pub(crate) place: Place,
    /// A further founding member: the id that its node prints.
    #[arg(long = "member", value_name = "NODE_ID")]
    pub(crate) members: Vec<String>,
    /// Which rules the network is founded under.
    #[arg(long, value_enum)]
    pub(crate) profile: Option<Profile>,
}

/// `bolthole sim`.
#[derive(Args, Debug)]
pub(crate) struct SimOptions {
    /// The scenario, in TOML; `-` reads standard input.
    #[arg(required_unless_present = "defaults")]
    pub(crate) scenario: Option<PathBuf>,
    /// Print every field of a scenario of this overlay with its default, and do nothing else.
    #[arg(long, value_name = "MODE", conflicts_with_all = ["scenario", "seeds"])]
    pub(crate) defaults: Option<String>,
    /// Run the scenario under each of these seeds, e.g. 1..10, and report how the trials are spread as well.
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<String>,
}

/// `bolthole compare`.
#[derive(Args, Debug)]
pub(crate) struct CompareOptions {
    /// Ordinary participants of each network.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(crate) nodes: u32,
    /// Lookups that are measured; a fifth of them where something goes wrong or the network has another size.
    #[arg(long, value_name = "L", default_value_t = 10_000)]
    pub(crate) lookups: u32,
    /// The trials of each network, both ends included; intervals need two at least.
    #[arg(long, value_name = "A..B", default_value = "1..3")]
    pub(crate) seeds: String,
    /// Run every variation: other shares of dead nodes, repair, other sessions, free riders. Takes several times as long.
    #[arg(long)]
    pub(crate) all: bool,
    /// Compare this overlay only; may be given several times.
    #[arg(long, value_name = "MODE")]
    pub(crate) only: Vec<String>,
    /// Trials run at once [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Measure nothing; write one report from what earlier runs measured, by their comparison.json.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "lookups", "seeds", "all", "only", "threads"])]
    pub(crate) merge: Vec<PathBuf>,
    /// Where to write comparison.md, comparison.json and the plots; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    pub(crate) out: PathBuf,
}

/// `bolthole keys`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make the key of a new subspace.
    New {
        /// What to call it here.
        #[arg(default_value = "default")]
        name: String,
        /// Whose keys.
        #[command(flatten)]
        place: Place,
    },
    /// List the subspaces that this node can insert into.
    List {
        /// Whose keys.
        #[command(flatten)]
        place: Place,
    },
    /// Write a subspace and its reader key into a file, sealed under a passphrase of its own.
    Export {
        /// What it is called here.
        name: String,
        /// Where to; must not exist.
        file: PathBuf,
        /// Whose keys.
        #[command(flatten)]
        place: Place,
    },
    /// Take in what `keys export` wrote.
    Import {
        /// What to call it here.
        name: String,
        /// The file.
        file: PathBuf,
        /// Whose keys.
        #[command(flatten)]
        place: Place,
    },
    /// Show one subspace.
    Show {
        /// What it is called here.
        #[arg(default_value = "default")]
        name: String,
        /// Whose keys.
        #[command(flatten)]
        place: Place,
    },
}
