//! `bolthole follow`: the newest edition of a site, and each new one when it appears.
//!
//! With `--json` each edition is one object on a line of its own, and with `--once` there is exactly one. A search that
//! finds no node is tried again; the first must find an edition.
#![allow(clippy::disallowed_methods, reason = "a person waits in real time")]

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::arguments::FollowOptions;
use super::client::Client;
use super::failure::{Code, Failure};
use super::fetch::checked;
use super::interrupt;
use super::output::Output;
use crate::daemon::job::{FindRequest, Found, JobRequest, JobState};

/// Runs the command.
pub(crate) fn run(options: &FollowOptions, output: &mut Output) -> Result<(), Failure> {
    let uri = checked(&options.uri)?;
    let client = Client::find(&options.client)?;
    interrupt::watch();
    let mut newest = find(&client, &uri, options.direct)?;
    print(&newest, output);
    if options.once {
        return Ok(());
    }
    loop {
        thread::sleep(Duration::from_secs(options.every));
        match find(&client, &newest.uri, options.direct) {
            Ok(found) if found.edition > newest.edition => {
                print(&found, output);
                newest = found;
            }
            Ok(_) => {}
            Err(failure) if failure.code == Code::Unreachable => return Err(failure),
            Err(failure) => output.note(&failure.sentence),
        }
    }
}

fn find(client: &Client, uri: &str, direct: bool) -> Result<Found, Failure> {
    let id = client.start(&JobRequest::Find(FindRequest { uri: uri.to_owned(), direct }))?.id;
    let cancelling = client.clone();
    interrupt::on_stop(move || cancelling.forget(id));
    let end = client.finish(id, |_| {});
    interrupt::clear();
    match end? {
        JobState::Found(found) => Ok(found),
        _ => Err(Failure::failed("the node ended the search as something else")),
    }
}

fn print(found: &Found, output: &mut Output) {
    let value = json!({ "uri": found.uri, "edition": found.edition, "seconds": found.seconds });
    output.result(&value, &found.uri);
}
