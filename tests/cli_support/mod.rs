//! Runs the built binary: commands that end, and nodes that run until dropped.
//!
//! Every test has a home of its own, so that nothing of the user's is read or written.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "real processes take real time")]
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part of this")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A home directory in which commands run.
pub struct Home(TempDir);

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// A node that runs until dropped.
pub struct Node {
    child: Child,
    pub ready: Value,
    pub data: PathBuf,
    /// What it logs.
    pub log: PathBuf,
}

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with that content.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        std::fs::write(self.path(name), content).expect("the file can be written");
        self.text(name)
    }

    /// A path as an argument.
    pub fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.wrapped(&[], arguments)
    }

    fn wrapped(&self, wrapper: &[&str], arguments: &[&str]) -> Command {
        let words = [wrapper, &[env!("CARGO_BIN_EXE_bolthole")], arguments].concat();
        let mut command = Command::new(words[0]);
        let inherited: Vec<_> =
            ["PATH", "LLVM_PROFILE_FILE"].iter().filter_map(|k| Some((k, std::env::var_os(k)?))).collect();
        command.env_clear().envs(inherited).env("HOME", self.0.path()).env("TMPDIR", self.0.path());
        command.args(&words[1..]).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().expect("the binary runs"))
    }

    /// Runs a command that succeeds with `--json`; what it printed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
        ran.json()
    }

    /// Starts a node on the directory `name` and waits until it is ready.
    pub fn node(&self, name: &str, arguments: &[&str]) -> Node {
        self.try_node(name, arguments).unwrap_or_else(|stderr| panic!("{name} does not start: {stderr}"))
    }

    /// Starts a node; what it said if it ended before it was ready.
    pub fn try_node(&self, name: &str, arguments: &[&str]) -> Result<Node, String> {
        self.try_node_under(name, &[], arguments)
    }

    /// The same as a child of another program: `wrapper` followed by the node's command must become the node.
    pub fn try_node_under(&self, name: &str, wrapper: &[&str], arguments: &[&str]) -> Result<Node, String> {
        self.try_lasting(name, wrapper, &[&["node"], arguments].concat())
    }

    /// Starts a gateway beside the node that runs on the directory `name`, and waits until it is ready.
    pub fn gateway(&self, name: &str, arguments: &[&str]) -> Node {
        let all = [&["gateway"], arguments].concat();
        self.try_lasting(name, &[], &all).unwrap_or_else(|stderr| panic!("no gateway at {name}: {stderr}"))
    }

    /// Starts a command that runs until it is stopped.
    fn try_lasting(&self, name: &str, wrapper: &[&str], arguments: &[&str]) -> Result<Node, String> {
        let data = self.path(name);
        let all = [arguments, &["--json", "--data", data.to_str().expect("a plain path")]].concat();
        let mut command = self.wrapped(wrapper, &all);
        let path = self.path(&format!("{name}-{}.log", arguments[0]));
        let log = File::create(&path).expect("the log can be made");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the binary runs");
        let line = first_line(child.stdout.take().expect("piped"));
        if line.is_empty() {
            // Not ready in time, or ended; SIGTERM is nothing to a process that has ended.
            end(&mut child);
        }
        match serde_json::from_str::<Value>(&line) {
            Ok(ready) if ready["node_ref"].is_string() => Ok(Node { child, ready, data, log: path }),
            _ => {
                child.wait().expect("the child ends");
                Err(std::fs::read_to_string(&path).expect("the log is text"))
            }
        }
    }
}

impl Ran {
    /// The one JSON object on standard output.
    pub fn json(&self) -> Value {
        let text = String::from_utf8(self.stdout.clone()).expect("JSON is text");
        assert_eq!(text.lines().count(), 1, "exactly one line: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The last line on standard error.
    pub fn sentence(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}

impl Node {
    /// The line that others join by.
    pub fn reference(&self) -> &str {
        self.ready["node_ref"].as_str().expect("a node prints its reference")
    }

    pub fn data(&self) -> &str {
        self.data.to_str().expect("a plain path")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM, then waits; whether the node ended by itself with code 0.
    pub fn stop(mut self) -> bool {
        end(&mut self.child)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// The first line that comes within [`READY`], or nothing.
fn first_line(stdout: impl Read + Send + 'static) -> String {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(line);
    });
    receiver.recv_timeout(READY).unwrap_or_default()
}

/// How long a node may take to be ready. Generous: the machine may be busy.
const READY: Duration = Duration::from_secs(60);

/// Sends `signal` to a child of this test.
pub fn signal(child: u32, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// Waits for a child; its exit code, or nothing after `patience`.
pub fn wait(child: &mut Child, patience: Duration) -> Option<i32> {
    let start = Instant::now();
    while start.elapsed() < patience {
        if let Some(status) = child.try_wait().expect("our child") {
            return status.code();
        }
        thread::sleep(Duration::from_millis(20));
    }
    None
}

fn end(child: &mut Child) -> bool {
    if child.try_wait().expect("our child").is_some() {
        return false;
    }
    signal(child.id(), "-TERM");
    let code = wait(child, Duration::from_secs(10));
    if code.is_none() {
        child.kill().expect("our child");
        child.wait().expect("our child");
    }
    code == Some(0)
}

/// What is in a directory, by name.
pub fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a plain name"))
        .collect();
    names.sort();
    names
}

/// What a command that has ended did.
pub fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().expect("the command ends by itself"),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("sentences are text"),
    }
}
