//! Opening the node secret, with the passphrase from `BOLTHOLE_PASSPHRASE` or asked for on a terminal.

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

use super::failure::Failure;
use crate::daemon::data_dir::DataDir;
use crate::daemon::keeper::{Keeper, KeeperError, Passphrase};

/// Opens the node secret of `data`, or makes one.
pub(crate) fn open(data: &DataDir) -> Result<Keeper, Failure> {
    Ok(Keeper::open(data, |needed| from_environment().or_else(|| if needed { ask() } else { None }))?)
}

fn from_environment() -> Option<Passphrase> {
    std::env::var("BOLTHOLE_PASSPHRASE").ok().filter(|text| !text.is_empty()).map(Zeroizing::new)
}

fn ask() -> Option<Passphrase> {
    if !io::stdin().is_terminal() {
        return None;
    }
    rpassword::prompt_password("passphrase: ").ok().map(Zeroizing::new)
}

impl From<KeeperError> for Failure {
    fn from(error: KeeperError) -> Self {
        Self::failed(error.to_string())
    }
}
