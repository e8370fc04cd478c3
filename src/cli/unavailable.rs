//! Commands that later work adds: refused in one sentence, never half-done.

use super::arguments::Command;
use super::failure::Failure;

/// Refuses a command that is not built yet.
pub(crate) fn refuse(command: &Command) -> Result<(), Failure> {
    Err(Failure::failed(format!("{} is not available yet", name(command))))
}

const fn name(command: &Command) -> &'static str {
    match command {
        Command::Relays(_) => "the directory of relays",
        _ => "this command",
    }
}
