//! Threads that run trials: the largest first, as many at once as memory allows.
//!
//! Trials are independent of each other, so their outcomes do not depend on who runs them when.
#![allow(clippy::disallowed_types, reason = "how long a trial takes is told by a real clock")]

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::memory;
use super::progress::Progress;
use crate::lab::experiment::{Outcome, Trial};
use crate::sim::scenario::ModeName;

/// So many threads.
#[derive(Debug)]
pub(crate) struct Crew {
    threads: usize,
}

/// A trial that has been run.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// What it yielded.
    pub(crate) outcome: Outcome,
    /// How long it took, by a real clock.
    pub(crate) seconds: f64,
}

/// What the threads share.
struct Work<'a> {
    /// Trials with the places of their experiment and of themselves in it, the largest first.
    trials: Vec<(usize, usize, &'a Trial)>,
    next: AtomicUsize,
    steps: AtomicU64,
    done: Mutex<Vec<(usize, usize, Done)>>,
    /// Bytes that trials may use together, those of them not in use, and who waits for some.
    memory: u64,
    free: Mutex<u64>,
    freed: Condvar,
    progress: Mutex<Progress>,
}

impl Crew {
    /// As many threads as asked for, or as there are processors.
    pub(crate) fn new(threads: Option<u16>) -> Self {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        Self { threads: threads.map_or_else(processors, usize::from) }
    }

    /// Runs all trials; gives the outcomes in the order of the plans.
    pub(crate) fn run(&self, plans: &[Vec<Trial>], show: bool) -> Vec<Vec<Done>> {
        let work = Work::new(plans, show);
        thread::scope(|scope| {
            for _ in 0..self.threads.min(work.trials.len()) {
                scope.spawn(|| work.take_turns());
            }
        });
        work.outcomes(plans.len())
    }
}

impl<'a> Work<'a> {
    fn new(plans: &'a [Vec<Trial>], show: bool) -> Self {
        let places = |(experiment, plan): (usize, &'a Vec<Trial>)| {
            plan.iter().enumerate().map(move |(place, trial)| (experiment, place, trial))
        };
        let mut trials: Vec<(usize, usize, &Trial)> = plans.iter().enumerate().flat_map(places).collect();
        trials.sort_by_key(|(_, _, trial)| std::cmp::Reverse(size(trial)));
        let memory = memory::free() / 10 * 9;
        let progress = Progress::steps(show);
        progress.total(trials.iter().map(|(_, _, trial)| trial.steps).sum());
        Self {
            trials,
            next: AtomicUsize::new(0),
            steps: AtomicU64::new(0),
            done: Mutex::default(),
            memory,
            free: Mutex::new(memory),
            freed: Condvar::new(),
            progress: Mutex::new(progress),
        }
    }

    fn take_turns(&self) {
        while let Some((experiment, place, trial)) = self.trials.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let bytes = self.reserve(trial.scenario.estimated_bytes());
            let done = self.run(trial);
            lock(&self.done).push((*experiment, *place, done));
            *lock(&self.free) += bytes;
            self.freed.notify_all();
        }
    }

    fn run(&self, trial: &Trial) -> Done {
        let begun = Instant::now();
        let mut before = 0;
        let outcome = trial.run(&mut |steps, _| {
            self.advance(steps.saturating_sub(before));
            before = steps;
        });
        self.advance(trial.steps.saturating_sub(before));
        Done { outcome, seconds: begun.elapsed().as_secs_f64() }
    }

    fn advance(&self, steps: u64) {
        let all = self.steps.fetch_add(steps, Ordering::Relaxed) + steps;
        lock(&self.progress).set(all);
    }

    /// Waits until there is memory for a trial. One that needs more than all of it waits to be alone.
    fn reserve(&self, wanted: u64) -> u64 {
        let bytes = wanted.min(self.memory);
        let mut free = lock(&self.free);
        while *free < bytes {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        bytes
    }

    fn outcomes(self, experiments: usize) -> Vec<Vec<Done>> {
        let mut done = self.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(experiment, place, _)| (*experiment, *place));
        let mut all = vec![Vec::new(); experiments];
        for (experiment, _, one) in done {
            all[experiment].push(one);
        }
        all
    }
}

/// How much work a trial is, beside others: what floods asks every node in every step.
fn size(trial: &Trial) -> u64 {
    let each = if trial.scenario.mode == ModeName::Flooding { u64::from(trial.scenario.nodes) } else { 1 };
    trial.steps.saturating_mul(each)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
