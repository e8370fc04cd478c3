//! How every command finds the node: its data directory, or the address of its interface.

use std::path::PathBuf;

use clap::Args;

/// Where a node keeps its data.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The node's data directory [default: bolthole in the user's data directory].
    #[arg(long, env = "BOLTHOLE_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
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

impl ClientOptions {
    /// These where they say something, else `others`.
    pub(crate) fn or(&self, others: &Self) -> Self {
        let data = self.place.data.clone().or_else(|| others.place.data.clone());
        let (api, token) = (self.api.clone().or_else(|| others.api.clone()), self.token.clone());
        Self { place: Place { data }, api, token: token.or_else(|| others.token.clone()) }
    }
}
