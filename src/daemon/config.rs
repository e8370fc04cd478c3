//! The settings of a node, as its configuration file holds them.
//!
//! Every key is documented in [`TEMPLATE`], which is what `--print-config` prints. An unknown key or a bad value is
//! refused with the line it stands on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::quantity::{Rate as Bandwidth, Size};
use crate::wire::rhythm::Rate;

/// What a configuration file may set; an absent key means its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The genesis file of the network, for a founding member. Relative paths start at the data directory.
    pub network: Option<PathBuf>,
    /// Where to listen for other nodes. Default: the first free 127.k.0.1.
    pub listen: Option<SocketAddr>,
    /// The address that other nodes are told. Default: the one listened on.
    pub advertise: Option<SocketAddr>,
    /// Where the local interface listens. Default: a free port of 127.0.0.1.
    pub api: Option<SocketAddr>,
    /// Nodes of the network to join.
    #[serde(default)]
    pub join: Vec<String>,
    /// Which rules to go by. Default: those of the network, and `local` for one founded here.
    pub profile: Option<Profile>,
    /// How much the store may hold. Default: 1 GiB.
    #[serde(alias = "store-size")]
    pub store_size: Option<Size>,
    /// How much may be sent a second. Default: no limit.
    pub bandwidth: Option<Bandwidth>,
    /// At which rate cells leave for the guard, whatever there is to send. Default: off.
    pub cover: Option<Cover>,
    /// Which overlay to run. Default: `freenet`.
    pub mode: Option<String>,
    /// What to log. Default: `info`.
    pub log: Option<String>,
    /// Logs as JSON objects, one a line. Default: text.
    #[serde(default, alias = "log-json")]
    pub log_json: bool,
}

/// Whether the link to the guard keeps a rhythm, by the bytes a second that it comes to in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
pub enum Cover {
    /// Cells leave when there are some.
    #[default]
    #[serde(rename = "off")]
    #[value(name = "off")]
    Off,
    /// 5 cells a second: half a gigabyte a day each way, and a block takes six seconds.
    #[serde(rename = "6kB")]
    #[value(name = "6kB")]
    Slowest,
    /// 20 cells a second: 2 GB a day each way.
    #[serde(rename = "24kB")]
    #[value(name = "24kB")]
    Slow,
    /// 80 cells a second: 8 GB a day each way.
    #[serde(rename = "96kB")]
    #[value(name = "96kB")]
    Fast,
    /// 320 cells a second: 33 GB a day each way.
    #[serde(rename = "384kB")]
    #[value(name = "384kB")]
    Fastest,
}

impl Cover {
    /// The rate of cells, if there is one.
    pub const fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::Slowest => Some(Rate::Slowest),
            Self::Slow => Some(Rate::Slow),
            Self::Fast => Some(Rate::Fast),
            Self::Fastest => Some(Rate::Fastest),
        }
    }
}

/// Which rules a node and its network go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A test network: ages, uptimes, proof of work and rate limits are relaxed.
    Local,
    /// A network open to everyone.
    Open,
    /// Links only to nodes that the operator names.
    Trusted,
}

/// A configuration file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} line {line}: {problem}", path = path.display())]
pub struct BadConfig {
    /// Which file.
    pub path: PathBuf,
    /// Where in it, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl Config {
    /// Reads the text of the file at `path`.
    ///
    /// # Errors
    /// When the text is no TOML, a key is unknown or a value does not fit; the error names the line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, BadConfig> {
        toml::from_str(text).map_err(|error| BadConfig {
            path: path.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().replace("unknown field", "unknown key").replace('\n', ", "),
        })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// A file with every key, its meaning, its default, what raising it costs and what lowering it risks.
pub const TEMPLATE: &str = r#"# Configuration of a Bolthole node. Every key is optional; what stands here behind '#' is the default or an example.
# An option on the command line wins over this file.

# The genesis file of the network, for a founding member; a relative path starts at the data directory.
# Default: the network this data directory already belongs to, else a new network of its own.
#network = "example.genesis"

# Where to listen for other nodes (UDP). Default: the address of the last run if it is free, else the first free
# 127.k.0.1, k = 2 and up, which only nodes on this machine can reach.
#listen = "0.0.0.0:7747"

# The address that other nodes are told, where it differs from the one listened on, as behind a forwarded port.
#advertise = "203.0.113.7:7747"

# Where the local interface listens (TCP). Loopback only; anything else is refused. Default: a free port.
#api = "127.0.0.1:0"

# Nodes of the network to join, as those nodes printed them. More of them make the start surer.
#join = ["bolthole-node:…"]

# Which rules to go by: "local" (a test network: no waiting, no proof of work), "open" (everyone may join),
# "trusted" (links only to the nodes named in 'join'). Default: as the network was founded; "local" for a network of
# its own. A laxer profile than the network's makes other nodes refuse this one.
#profile = "local"

# How much the store may hold on disk. More keeps documents findable for longer; less than 4 MiB is refused.
#store_size = "1GiB"

# How much may be sent a second, over all links. Less slows down others' requests as well as your own; 0 is no limit.
#bandwidth = "2MiB"

# Whether the link to this node's guard carries cells at a constant rate in both directions, real ones or padding, so that
# whoever watches it sees the same whether or not something is fetched: "off", "6kB", "24kB", "96kB" or "384kB" a second.
# The rate is the same day and night: 0.5, 2, 8 or 33 GB a day each way, and nothing of your own goes faster than that. The
# guard carries as much. It is read at the start and never raised because a download begins.
#cover = "off"

# Which overlay to run: "freenet", or one to compare it with: "central", "chord", "kademlia", "can",
# "flooding", "supernode", "swarm". Those hide nobody.
#mode = "freenet"

# What to log, on standard error: error, warn, info, debug or trace. From "debug" on, the log follows links and messages
# one by one, which is more than a node should keep about its neighbours.
#log = "info"

# Logs as JSON objects, one a line, instead of text.
#log_json = false
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, BadConfig> {
        Config::parse(text, Path::new("config.toml"))
    }

    #[test]
    fn the_template_sets_nothing_and_every_key_in_it_can_be_set() {
        assert_eq!(parse(TEMPLATE), Ok(Config::default()));
        let all: String = TEMPLATE
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let config = parse(&all).unwrap();
        assert_eq!(config.store_size, Some(Size(1 << 30)));
        assert!(config.network.is_some() && config.listen.is_some() && config.advertise.is_some());
        assert_eq!(config.cover, Some(Cover::Off));
        assert!(config.api.is_some() && config.bandwidth.is_some() && config.mode.is_some() && config.log.is_some());
        assert_eq!((config.profile, config.join.len()), (Some(Profile::Local), 1));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse("mode = \"freenet\"\n\nstor_size = \"1GiB\"\n").unwrap_err();
        assert_eq!(error.line, 3);
        assert!(error.to_string().contains("stor_size"), "{error}");
    }

    #[test]
    fn a_bad_value_is_named_with_its_line() {
        for (text, line) in
            [("\nlisten = \"here\"", 2), ("store_size = \"much\"", 1), ("a b c", 1), ("\njoin = [\n", 2)]
        {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
