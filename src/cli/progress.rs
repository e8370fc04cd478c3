//! A progress bar on a terminal for whatever takes longer than a second; silence elsewhere.
#![allow(clippy::disallowed_types, reason = "a person waits in real time")]

use std::io::{self, IsTerminal, Read};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far something is.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    shown: bool,
}

impl Progress {
    /// Of `total` bytes, if that is known. Never shown unless `allowed` and on a terminal.
    pub(crate) fn bytes(total: Option<u64>, allowed: bool) -> Self {
        Self::new(
            total,
            allowed,
            "{bar:32} {bytes}/{total_bytes} {bytes_per_sec} {msg}",
            "{spinner} {bytes} {bytes_per_sec} {msg}",
        )
    }

    /// Goes on in blocks.
    pub(crate) fn blocks(total: Option<u64>, allowed: bool) -> Self {
        Self::new(total, allowed, "{bar:32} {pos}/{len} blocks {msg}", "{spinner} {pos} blocks {msg}")
    }

    /// Goes on in steps of a simulation.
    pub(crate) fn steps(allowed: bool) -> Self {
        Self::new(
            Some(0),
            allowed,
            "{bar:32} {pos}/{len} operations {elapsed} {msg}",
            "{spinner} {pos} operations {msg}",
        )
    }

    /// Goes on in simulated networks.
    pub(crate) fn networks(total: u64, allowed: bool) -> Self {
        Self::new(
            Some(total),
            allowed,
            "{bar:32} {pos}/{len} networks {elapsed} {msg}",
            "{spinner} {pos} networks {msg}",
        )
    }

    fn new(total: Option<u64>, allowed: bool, known: &str, unknown: &str) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = if total.is_some() { known } else { unknown };
        bar.set_style(ProgressStyle::with_template(template).expect("the templates are constants"));
        Self { bar, start: Instant::now(), shown: !(allowed && io::stderr().is_terminal()) }
    }

    /// It stands at `position`.
    pub(crate) fn set(&mut self, position: u64) {
        self.show_if_slow();
        self.bar.set_position(position);
    }

    /// It has gone on by `more`.
    pub(crate) fn advance(&mut self, more: u64) {
        self.show_if_slow();
        self.bar.inc(more);
    }

    /// The whole turned out to be `total`.
    pub(crate) fn total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// What is being done.
    pub(crate) fn message(&self, text: &'static str) {
        self.bar.set_message(text);
    }

    fn show_if_slow(&mut self) {
        if !self.shown && self.start.elapsed() > PATIENCE {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A reader that moves the bar.
#[derive(Debug)]
pub(crate) struct Counted<'a, R> {
    inner: R,
    progress: &'a mut Progress,
    read: u64,
}

impl<'a, R: Read> Counted<'a, R> {
    /// Reads `inner`, moving `progress`.
    pub(crate) const fn new(inner: R, progress: &'a mut Progress) -> Self {
        Self { inner, progress, read: 0 }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        self.progress.set(self.read);
        Ok(count)
    }
}

/// What takes less needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
