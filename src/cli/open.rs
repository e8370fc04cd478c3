//! `bolthole open`: a link for a browser, which begins a session with the node's page.

use serde_json::{Value, json};

use super::arguments::ClientOptions;
use super::client::Client;
use super::failure::Failure;
use super::output::Output;

/// Runs the command.
pub(crate) fn run(options: &ClientOptions, output: &mut Output) -> Result<(), Failure> {
    let client = Client::find(options)?;
    let answer: Value = client.post("/v1/sessions")?;
    let path = answer["path"].as_str().ok_or_else(|| Failure::failed("the node gave no link"))?;
    let url = client.at(path);
    output.result(&json!({ "url": url }), &url);
    Ok(())
}
