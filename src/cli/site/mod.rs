//! `bolthole site`: a directory into the network as one document, and back.
//!
//! `directory` reads what is to be published, `publish` inserts what has changed since the edition before, `fetch` writes a
//! site out. `carry` moves one document. What a site is, is `document::site`'s.

mod carry;
mod directory;
mod fetch;
mod publish;

use super::arguments::SiteCommand;
use super::failure::Failure;
use super::output::Output;

/// Runs the command.
pub(crate) fn run(command: &SiteCommand, output: &mut Output) -> Result<(), Failure> {
    match command {
        SiteCommand::Publish(options) => publish::run(options, output),
        SiteCommand::Fetch(options) => fetch::run(options, output),
    }
}
