//! Opening the node secret, with the passphrase from `BOLTHOLE_PASSPHRASE` or asked for on a terminal.

use std::io::{self, IsTerminal};

use zeroize::Zeroizing;

use super::failure::Failure;
use crate::daemon::data_dir::DataDir;
use crate::daemon::keeper::{Keeper, KeeperError, Passphrase};

/// Opens the node secret of `data`, or makes one.
pub(crate) fn open(data: &DataDir) -> Result<Keeper, Failure> {
    Ok(Keeper::open(data, |needed| from_environment().or_else(|| if needed { ask("passphrase: ") } else { None }))?)
}

/// The passphrase of an export, from `BOLTHOLE_EXPORT_PASSPHRASE` or asked for; a `new` one is asked for twice.
pub(crate) fn of_export(new: bool) -> Result<Passphrase, Failure> {
    let missing = || Failure::usage("an export is sealed under a passphrase: set BOLTHOLE_EXPORT_PASSPHRASE");
    if let Some(passphrase) = variable("BOLTHOLE_EXPORT_PASSPHRASE") {
        return Ok(passphrase);
    }
    let passphrase = ask("passphrase of the export: ").filter(|text| !text.is_empty()).ok_or_else(missing)?;
    if new && ask("once more: ").ok_or_else(missing)? != passphrase {
        return Err(Failure::usage("the two passphrases differ"));
    }
    Ok(passphrase)
}

fn from_environment() -> Option<Passphrase> {
    variable("BOLTHOLE_PASSPHRASE")
}

fn variable(name: &str) -> Option<Passphrase> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Zeroizing::new)
}

fn ask(prompt: &str) -> Option<Passphrase> {
    if !io::stdin().is_terminal() {
        return None;
    }
    rpassword::prompt_password(prompt).ok().map(Zeroizing::new)
}

impl From<KeeperError> for Failure {
    fn from(error: KeeperError) -> Self {
        Self::failed(error.to_string())
    }
}
