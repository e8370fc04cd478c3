//! What the user sees: text by default, exactly one JSON object with `--json`, one sentence for a failure.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::failure::Failure;

/// Where a command's results go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    said: bool,
}

impl Output {
    /// Text, or with `json` one object.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, said: false }
    }

    /// Whether the caller reads JSON.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// The result: `value` for programs, `text` for people.
    pub(crate) fn result(&mut self, value: &Value, text: &str) {
        self.said = true;
        let line = if self.json { value.to_string() } else { text.trim_end().to_owned() };
        if !line.is_empty() {
            print(&line);
        }
    }

    /// A line for people while the command works; nothing where JSON is expected.
    pub(crate) fn line(&self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    /// A remark that is no result: on standard error in both forms.
    pub(crate) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "bolthole: {text}");
    }

    /// Ends the command with a failure.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        let sentence = one_line(&failure.sentence);
        if self.json && !self.said {
            print(&json!({ "error": sentence, "exit": failure.code as u8 }).to_string());
        }
        let _ = writeln!(io::stderr(), "{}: {sentence}", red("bolthole"));
        failure.code.exit()
    }
}

/// One line on standard output. A reader that has gone away is no failure of ours.
fn print(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

fn one_line(sentence: &str) -> String {
    sentence.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Red on a terminal that shows colours, unless `NO_COLOR` is set.
fn red(text: &str) -> String {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if colour { format!("\u{1b}[31m{text}\u{1b}[0m") } else { text.to_owned() }
}
