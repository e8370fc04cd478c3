//! Running a node, and a gateway beside it, on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::client::{ClientOptions, Place};
use crate::daemon::config::{Cover, Profile};
use crate::daemon::quantity::{Rate, Size};

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
    /// Carry cells to the guard and back at a constant rate, whatever is asked for: so many bytes a second, always
    /// [default: off].
    #[arg(long, value_name = "CLASS", value_enum)]
    pub(crate) cover: Option<Cover>,
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
