//! Where a job writes how far it is, and whoever watches reads it.

use tokio::sync::watch;

use crate::daemon::job::{About, JobId, JobState, JobView, Opened, Progress};

/// Where a job writes how far it is.
#[derive(Clone, Debug)]
pub struct Report(watch::Sender<JobView>);

impl Report {
    /// That of a job that stands at `view`; the other end tells how far it is.
    pub(super) fn new(view: JobView) -> (Self, watch::Receiver<JobView>) {
        let (sender, watcher) = watch::channel(view);
        (Self(sender), watcher)
    }

    /// One that nobody reads: for a part of a job that is not what the client waits for.
    pub fn unseen() -> Self {
        Self::alone().0
    }

    /// Of a job that has no client; the other end tells how far it is.
    pub fn alone() -> (Self, watch::Receiver<JobView>) {
        let (id, state, progress) = (JobId(0), JobState::Running, Progress::default());
        Self::new(JobView { id, state, progress, opened: None, about: About::default() })
    }

    /// Changes how far the job is.
    pub fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.0.send_modify(|view| change(&mut view.progress));
    }

    /// The document says what it is.
    pub fn opened(&self, opened: Opened) {
        self.0.send_modify(|view| view.opened = Some(opened));
    }

    /// Where the job stands from now on.
    pub(super) fn stands(&self, state: JobState) {
        self.0.send_modify(|view| view.state = state);
    }

    /// Changes what it is about.
    pub(super) fn about(&self, change: impl FnOnce(&mut About)) {
        self.0.send_modify(|view| change(&mut view.about));
    }

    /// How it stands.
    pub fn view(&self) -> JobView {
        self.0.borrow().clone()
    }

    /// Another end to watch it by.
    pub(super) fn watcher(&self) -> watch::Receiver<JobView> {
        self.0.subscribe()
    }
}
