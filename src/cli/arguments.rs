//! The one definition of the command line: help, completions and man pages come from here.

pub(crate) mod lab;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use self::lab::LabCommand;
use crate::daemon::config::Profile;
use crate::daemon::quantity::{Rate, Size};

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

/// Where a node keeps its data.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The node's data directory [default: bolthole in the user's data directory].
    #[arg(long, env = "BOLTHOLE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

/// `bolthole node`.
#[derive(Args, Debug)]
pub(crate) struct NodeOptions {
    /// Where the node keeps its identity, its store and its configuration.
    #[command(flatten)]
    pub(crate) place: Place,
    /// The genesis file of the network, for a founding member.
    #[arg(long, value_name = "FILE")]
    pub(crate) network: Option<PathBuf>,
    /// Where to listen for other nodes [default: the first free 127.k.0.1].
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// The address that other nodes are told, where it differs from the one listened on.
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<SocketAddr>,
    /// Where the local interface listens; loopback only [default: a free port of 127.0.0.1].
    #[arg(long, value_name = "ADDR")]
    pub(crate) api: Option<SocketAddr>,
    /// A node of the network to join, as that node printed it.
    #[arg(long, value_name = "REF")]
    pub(crate) join: Vec<String>,
    /// Which rules to go by [default: local].
    #[arg(long, value_enum)]
    pub(crate) profile: Option<Profile>,
    /// How much the store may hold, e.g. 512MiB [default: 1GiB].
    #[arg(long, value_name = "SIZE")]
    pub(crate) store_size: Option<Size>,
    /// How much may be sent a second, e.g. 2MiB [default: no limit].
    #[arg(long, value_name = "RATE")]
    pub(crate) bandwidth: Option<Rate>,
    /// Which overlay to run [default: freenet].
    #[arg(long, value_name = "OVERLAY")]
    pub(crate) mode: Option<String>,
    /// What to log: error, warn, info, debug, trace, or a filter of tracing [default: info].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    /// Print a configuration file with every setting, its meaning and its default, and do nothing else.
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// `bolthole gateway`.
#[derive(Args, Debug)]
pub(crate) struct GatewayOptions {
    /// The overlay to join: central, chord, kademlia, can, flooding, supernode or swarm.
    #[arg(long, value_name = "MODE")]
    pub(crate) to: String,
    /// A node of that overlay's network to join, as that node printed it [default: the network of the last run, else a new
    /// one].
    #[arg(long, value_name = "REF")]
    pub(crate) join: Vec<String>,
    /// A node of the store's network to join [default: the node that runs on the data directory].
    #[arg(long, value_name = "REF", conflicts_with = "api")]
    pub(crate) node: Vec<String>,
    /// The running node whose network is joined; the gateway keeps its own two nodes in `gateway-MODE` below its directory.
    #[command(flatten)]
    pub(crate) client: ClientOptions,
    /// Where to listen for nodes of the overlay [default: the first free 127.k.0.1].
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// The address that they are told, where it differs.
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<SocketAddr>,
    /// Where to listen for nodes of the store's network [default: the first free 127.k.0.1].
    #[arg(long, value_name = "ADDR")]
    pub(crate) node_listen: Option<SocketAddr>,
    /// The address that they are told, where it differs.
    #[arg(long, value_name = "ADDR")]
    pub(crate) node_advertise: Option<SocketAddr>,
    /// Carry one way only: answer lookups of the overlay from the store, or insert its publications into the store.
    #[arg(long, value_enum, value_name = "WAY")]
    pub(crate) only: Option<Way>,
    /// Carry nothing but what this file lists: a URI or a routing key on each line.
    #[arg(long, value_name = "FILE")]
    pub(crate) allow: Option<PathBuf>,
    /// Carry at most so much in any hour, both ways together, e.g. 1GiB [default: no limit].
    #[arg(long, value_name = "SIZE")]
    pub(crate) limit: Option<Size>,
    /// Carry no document of more than this, of those that are named by a URI here or in the list [default: no limit].
    #[arg(long, value_name = "SIZE")]
    pub(crate) largest: Option<Size>,
    /// Publish in the overlay what was fetched from the store for somebody.
    #[arg(long)]
    pub(crate) publish_found: bool,
    /// Insert this document, published in the overlay, into the store; may be given several times.
    #[arg(long, value_name = "URI")]
    pub(crate) insert: Vec<String>,
    /// Publish this document of the store in the overlay; may be given several times.
    #[arg(long, value_name = "URI")]
    pub(crate) publish: Vec<String>,
    /// How much each of the two stores may hold [default: 1GiB].
    #[arg(long, value_name = "SIZE")]
    pub(crate) store_size: Option<Size>,
    /// What to log: error, warn, info, debug, trace, or a filter of tracing [default: info].
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,
}

/// A way over a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// Lookups of the overlay are answered from the store.
    Answer,
    /// Publications of the overlay are inserted into the store.
    Insert,
}

/// How a command finds the node.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClientOptions {
    /// The data directory of the node to ask.
    #[command(flatten)]
    pub(crate) place: Place,
    /// The local interface of the node to ask [default: as the data directory's file `api` says].
    #[arg(long, env = "BOLTHOLE_API", value_name = "ADDR")]
    pub(crate) api: Option<String>,
    /// The file that holds the interface's token [default: the node's own].
    #[arg(long, env = "BOLTHOLE_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token: Option<PathBuf>,
}

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
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Without pre-routing.
    #[arg(long)]
    pub(crate) direct: bool,
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
