//! Completions and manual pages, from the same definition as the help.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::Arguments;
use super::failure::Failure;

/// Prints completions for `shell`.
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "bolthole", &mut script);
    match io::Write::write_all(&mut io::stdout(), &script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write the completions: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one manual page per command into `directory`.
pub(crate) fn pages(directory: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("cannot write into {}: {error}", directory.display()));
    fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Arguments::command(), directory).map_err(failed)
}
