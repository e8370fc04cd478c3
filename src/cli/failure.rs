//! A command that did not do what was asked: one sentence and an exit code.
//!
//! The codes are those of the command contract; a script may rely on them.

use std::process::ExitCode;

/// Why a command ended without doing what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Failure {
    /// What kind of failure.
    pub(crate) code: Code,
    /// What the user reads.
    pub(crate) sentence: String,
}

/// The exit codes of the command contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// It did not work, and the sentence says why.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The network does not have it.
    NotFound = 3,
    /// No node answers.
    Unreachable = 4,
    /// Ctrl-C, as shells number it.
    Interrupted = 130,
    /// SIGTERM, as shells number it.
    Terminated = 143,
}

impl Failure {
    /// It did not work.
    pub(crate) fn failed(sentence: impl Into<String>) -> Self {
        Self { code: Code::Failed, sentence: sentence.into() }
    }

    /// The caller asked wrongly.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: Code::Usage, sentence: sentence.into() }
    }

    /// The network does not have it.
    pub(crate) fn not_found(sentence: impl Into<String>) -> Self {
        Self { code: Code::NotFound, sentence: sentence.into() }
    }

    /// No node answers.
    pub(crate) fn unreachable(sentence: impl Into<String>) -> Self {
        Self { code: Code::Unreachable, sentence: sentence.into() }
    }

    /// A signal ended it; `status` is what shells expect.
    pub(crate) fn interrupted(status: i32) -> Self {
        let code = if status == Code::Terminated as i32 { Code::Terminated } else { Code::Interrupted };
        Self { code, sentence: "stopped before the end".into() }
    }
}

impl Code {
    /// As the process returns it.
    pub(crate) fn exit(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// What clap has to say: help and version are no failure, anything else is wrong usage.
pub(crate) fn of_usage(error: &clap::Error) -> ExitCode {
    // A closed pipe is no reason to fail: whoever asked for the help has read enough.
    let _ = error.print();
    if error.use_stderr() { Code::Usage.exit() } else { ExitCode::SUCCESS }
}
