//! `bolthole site`: a directory into the network as one document, and back.
//!
//! `publish` inserts what has changed since the edition before, `fetch` writes a site out; either is done by the command itself,
//! or given to the node as a job that lasts. `carry` moves one document. What a site is, is `document::site`'s.

mod carry;
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
