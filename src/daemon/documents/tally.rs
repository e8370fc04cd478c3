//! How far a job of several documents is: the sum of what each of them reports.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use crate::daemon::job::{JobFailure, Progress};
use crate::daemon::jobs::report::Report;

/// Sums up; clones are the same sum.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    report: Report,
    sums: Arc<Mutex<Sums>>,
}

#[derive(Debug, Default)]
struct Sums {
    /// What has ended, and what is there in all.
    ended: Progress,
    /// What is under way.
    live: BTreeMap<u64, Progress>,
    next: u64,
}

impl Tally {
    /// Of a job that begins at `start`, which says how much there is in all.
    pub(super) fn new(report: Report, start: Progress) -> Self {
        report.progress(|progress| *progress = start);
        Self { report, sums: Arc::new(Mutex::new(Sums { ended: start, ..Sums::default() })) }
    }

    /// Does a part of the job, which reports to what it is handed, and has so many files.
    pub(super) async fn follow<T, F>(&self, files: u64, work: impl FnOnce(Report) -> F) -> Result<T, JobFailure>
    where
        F: Future<Output = Result<T, JobFailure>>,
    {
        let (report, mut view) = Report::alone();
        let number = self.change(|sums| {
            sums.next += 1;
            sums.next
        });
        let mut work = pin!(work(report));
        let came = loop {
            tokio::select! {
                came = &mut work => break came?,
                Ok(()) = view.changed() => {
                    let now = view.borrow_and_update().progress;
                    self.change(|sums| sums.live.insert(number, now));
                }
            }
        };
        let last = view.borrow().progress;
        self.change(|sums| {
            sums.live.remove(&number);
            sums.ended = sum(sums.ended, &last);
            sums.ended.files += files;
        });
        Ok(came)
    }

    /// What is left turned out to be so many bytes and blocks.
    pub(super) fn expect(&self, bytes: u64, blocks: u64) {
        self.change(|sums| {
            sums.ended.total_bytes = Some(sums.ended.bytes + bytes);
            sums.ended.total_blocks = Some(sums.ended.blocks + blocks);
        });
    }

    fn change<T>(&self, act: impl FnOnce(&mut Sums) -> T) -> T {
        // It is whole after every step.
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let done = act(&mut sums);
        let all = sums.live.values().fold(sums.ended, sum);
        drop(sums);
        self.report.progress(|progress| *progress = all);
        done
    }
}

const fn sum(all: Progress, part: &Progress) -> Progress {
    Progress {
        blocks: all.blocks + part.blocks,
        bytes: all.bytes + part.bytes,
        stored_before: all.stored_before + part.stored_before,
        ..all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_are_summed_up_and_counted_once() {
        let (report, view) = Report::alone();
        let tally = Tally::new(report, Progress { total_files: Some(2), files: 1, ..Progress::default() });
        let seen = view.clone();
        let part = |report: Report| async move {
            report.progress(|progress| progress.bytes = 5);
            while seen.borrow().progress.bytes < 5 {
                tokio::task::yield_now().await;
            }
            report.progress(|progress| (progress.bytes, progress.blocks) = (9, 2));
            Ok(())
        };
        tally.follow(1, part).await.unwrap();
        let now = view.borrow().progress;
        assert_eq!((now.bytes, now.blocks, now.files, now.total_files), (9, 2, 2, Some(2)));
        tally.expect(1, 1);
        let now = view.borrow().progress;
        assert_eq!((now.total_bytes, now.total_blocks), (Some(10), Some(3)));
    }
}
