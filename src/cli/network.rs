//! `bolthole network new`: the genesis file of a new network.

use std::path::PathBuf;

use serde_json::json;

use super::arguments::{NetworkCommand, NetworkNewOptions};
use super::failure::Failure;
use super::output::Output;
use super::secret;
use crate::daemon::chance;
use crate::daemon::config::Profile;
use crate::daemon::network;
use crate::id::NodeId;
use crate::message::genesis::{Genesis, PROTOCOL_VERSION};

/// Runs the command.
pub(crate) fn run(command: NetworkCommand, output: &mut Output) -> Result<(), Failure> {
    let NetworkCommand::New(options) = command;
    let members = options.members.iter().map(|text| member(text)).collect::<Result<Vec<_>, _>>()?;
    let data = options.place.directory()?;
    let path = data.file(&file_name(&options.name)?);
    if path.exists() {
        return Err(Failure::failed(format!("{} exists already; a network is founded once", path.display())));
    }
    data.create()?;
    let founder = NodeId(secret::open(&data)?.identity()?.id());
    let genesis = found(&options, founder, members)?;
    network::write(&path, &genesis)?;
    let network = genesis.network().to_string();
    let text = format!("founded \"{}\"\n  network  {network}\n  file     {}", genesis.name, path.display());
    output
        .result(&json!({ "network": network, "file": path, "name": genesis.name, "node": founder.to_string() }), &text);
    Ok(())
}

fn found(options: &NetworkNewOptions, founder: NodeId, others: Vec<NodeId>) -> Result<Genesis, Failure> {
    let mut members = vec![founder];
    for other in others {
        if !members.contains(&other) {
            members.push(other);
        }
    }
    let local = options.profile.unwrap_or(Profile::Local) == Profile::Local;
    let genesis = Genesis {
        protocol: PROTOCOL_VERSION,
        name: options.name.clone(),
        nonce: chance::bytes(),
        work_bits: if local { 0 } else { WORK_BITS },
        local,
        members,
    };
    // Reading back what was just written checks every rule once, where the rules are.
    Genesis::from_bytes(&genesis.to_bytes()).map_err(|error| Failure::usage(error.to_string()))
}

fn member(text: &str) -> Result<NodeId, Failure> {
    text.parse().map_err(|error| Failure::usage(format!("--member {text}: {error}")))
}

/// The genesis file's name: the network's, in characters that every file system has.
fn file_name(name: &str) -> Result<String, Failure> {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    if plain.is_empty() {
        return Err(Failure::usage("a network needs a name"));
    }
    Ok(PathBuf::from(format!("{}.genesis", plain.trim_start_matches('.'))).display().to_string())
}

/// Leading zero bits that joining an open network costs: about a second of one core at 2^20 attempts. Chosen.
const WORK_BITS: u8 = 20;

impl From<network::NetworkError> for Failure {
    fn from(error: network::NetworkError) -> Self {
        Self::failed(error.to_string())
    }
}
