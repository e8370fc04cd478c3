//! The way into the event loop for everyone else in the process.
//!
//! A command that nobody waits for any more is cancelled: dropping the future is enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::status::{Peer, Prerouting, Relay, Status};
use crate::gateway::Return;
use crate::key::RoutingKey;
use crate::message::block::Block;
use crate::overlay::mode::{Answer, Command, Ticket};

/// Speaks to a running node; cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    // Unbounded, because a cancellation is sent from `drop` and must not wait. What can pile up is bounded by the jobs
    // and their windows.
    requests: mpsc::UnboundedSender<Request>,
    tickets: Arc<AtomicU64>,
}

/// What the event loop is asked.
#[derive(Debug)]
pub(super) enum Request {
    /// Run a command of the overlay.
    Command { ticket: Ticket, command: Command, way: Way, reply: oneshot::Sender<Answer> },
    /// Nobody waits for the command any more.
    Cancel(Ticket),
    /// Something has come of a gateway's errand.
    Return(Return),
    /// Describe yourself.
    Status(oneshot::Sender<Status>),
    /// Say how you stand with pre-routing.
    Prerouting(oneshot::Sender<Prerouting>),
    /// List the relays that you know.
    Relays(oneshot::Sender<Vec<Relay>>),
    /// List your links.
    Peers(oneshot::Sender<Vec<Peer>>),
    /// Save what a restart should find, close the links and end.
    Stop,
}

/// How a command leaves the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As a request of the node itself, which its neighbours see.
    Direct,
    /// Through three relays.
    Routed,
}

/// The node has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node has stopped")]
pub struct Stopped;

impl Handle {
    pub(super) fn new() -> (Self, mpsc::UnboundedReceiver<Request>) {
        let (requests, receiver) = mpsc::unbounded_channel();
        (Self { requests, tickets: Arc::default() }, receiver)
    }

    /// Looks for a block, directly.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn fetch(&self, key: RoutingKey, own_store: bool) -> Result<Answer, Stopped> {
        self.command(Command::Fetch { key, own_store }, Way::Direct).await
    }

    /// Stores a block in the network, directly.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn insert(&self, block: Block) -> Result<Answer, Stopped> {
        self.command(Command::Insert { block }, Way::Direct).await
    }

    /// Looks for a block, by that way.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn fetch_by(&self, way: Way, key: RoutingKey, own_store: bool) -> Result<Answer, Stopped> {
        self.command(Command::Fetch { key, own_store }, way).await
    }

    /// Stores a block in the network, by that way.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn insert_by(&self, way: Way, block: Block) -> Result<Answer, Stopped> {
        self.command(Command::Insert { block }, way).await
    }

    /// How the node stands with pre-routing.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn prerouting(&self) -> Result<Prerouting, Stopped> {
        self.ask(Request::Prerouting).await
    }

    /// The relays that the node knows.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn relays(&self) -> Result<Vec<Relay>, Stopped> {
        self.ask(Request::Relays).await
    }

    /// Tells a gateway what came of an errand.
    pub fn hand_back(&self, came: Return) {
        self.send(Request::Return(came));
    }

    /// The node's state.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn status(&self) -> Result<Status, Stopped> {
        self.ask(Request::Status).await
    }

    /// The node's links.
    ///
    /// # Errors
    /// When the node has stopped.
    pub async fn peers(&self) -> Result<Vec<Peer>, Stopped> {
        self.ask(Request::Peers).await
    }

    /// Asks the node to end. What it still has to do is done by the task that `Running` waits for.
    pub fn stop(&self) {
        self.send(Request::Stop);
    }

    async fn command(&self, command: Command, way: Way) -> Result<Answer, Stopped> {
        let ticket = Ticket(self.tickets.fetch_add(1, Ordering::Relaxed));
        let (reply, answer) = oneshot::channel();
        self.send(Request::Command { ticket, command, way, reply });
        let mut guard = CancelOnDrop { handle: self, ticket: Some(ticket) };
        let answer = answer.await.map_err(|_| Stopped);
        guard.ticket = None;
        answer
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply));
        answer.await.map_err(|_| Stopped)
    }

    fn send(&self, request: Request) {
        // A node that has stopped drops the request and with it the reply, which tells whoever waits.
        let _ = self.requests.send(request);
    }
}

struct CancelOnDrop<'a> {
    handle: &'a Handle,
    ticket: Option<Ticket>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.handle.send(Request::Cancel(ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_nobody_waits_for_is_cancelled() {
        let (handle, mut requests) = Handle::new();
        let waiting = tokio::spawn(async move { handle.fetch(RoutingKey([1; 32]), false).await });
        let Some(Request::Command { ticket, .. }) = requests.recv().await else { panic!("a command comes first") };
        waiting.abort();
        assert!(matches!(requests.recv().await, Some(Request::Cancel(cancelled)) if cancelled == ticket));
    }

    #[tokio::test]
    async fn a_stopped_node_answers_nobody() {
        let (handle, requests) = Handle::new();
        drop(requests);
        assert_eq!(handle.status().await.unwrap_err(), Stopped);
    }
}
