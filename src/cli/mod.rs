//! Arguments in, text and exit code out: the only place that turns errors into prose.
//!
//! Guarantees the command contract: with `--json` exactly one JSON object on standard output; exit codes 0 done,
//! 1 failed, 2 wrong usage, 3 not found, 4 node unreachable; one clear sentence per failure on standard error.
//! Leaves out all work: a command either asks a running node through `client` or starts one through `daemon`.

mod arguments;
mod client;
mod compare;
mod crew;
mod demo;
mod failure;
mod fetch;
mod follow;
mod gateway;
mod insert;
mod interrupt;
mod jobs;
mod keys;
mod lab;
mod manual;
mod memory;
mod network;
mod node;
mod open;
mod output;
mod place;
mod progress;
mod secret;
mod seeds;
mod sim;
mod site;
mod source;
mod status;
mod target;
mod threads;

use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};
use self::failure::Failure;
use self::output::Output;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return failure::of_usage(&error),
    };
    let mut output = Output::new(arguments.json);
    let ended = run(arguments.command, &mut output);
    interrupt::give_way();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => output.fail(&failure),
    }
}

fn run(command: Command, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Demo(options) => demo::run(&options, output),
        Command::Network(command) => network::run(command, output),
        Command::Node(options) => node::run(*options, output),
        Command::Insert(options) => insert::run(options, output),
        Command::Fetch(options) => fetch::run(options, output),
        Command::Site(command) => site::run(&command, output),
        Command::Follow(options) => follow::run(&options, output),
        Command::Jobs(options) => jobs::run(&options, output),
        Command::Keys(command) => keys::run(command, output),
        Command::Status(options) => status::status(&options, output),
        Command::Open(options) => open::run(&options, output),
        Command::Peers(options) => status::peers(&options, output),
        Command::Relays(options) => status::relays(&options, output),
        Command::Sim(options) => sim::run(&options, output),
        Command::Compare(options) => compare::run(&options, output),
        Command::Lab(command) => lab::run(&command, output),
        Command::Gateway(options) => gateway::run(*options, output),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { directory } => manual::pages(&directory),
    }
}
