//! The loop that drives a node: whatever happens goes in, whatever comes out is done.
//!
//! Guarantees that nothing in it waits for a peer, a disk or a client. Sleeps until the next event or the machine's own
//! timer; an idle node does not wake for anything else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tracing::{debug, info, trace, warn};

use super::clock::Clock;
use super::data_dir::Lock;
use super::dialler::Dialler;
use super::handle::{Request, Way};
use super::memory::Memory;
use super::overlay::{Overlay, last_links};
use super::report;
use super::status::{Made, Peer, Requests};
use crate::disk;
use crate::gateway::Errand;
use crate::id::NodeId;
use crate::key::Location;
use crate::link::event::LinkEvent;
use crate::link::links::Links;
use crate::message::contact::Contact;
use crate::node::envelope::Envelope;
use crate::node::{Input, Node, Output};
use crate::onion::Onion;
use crate::overlay::mode::{Answer, Command, Ticket};
use crate::store::work::DiskDone;
use crate::time::Instant;
use crate::wire::rhythm::Rate;

/// Everything a running node is made of.
pub(super) struct EventLoop<O: Overlay> {
    pub(super) clock: Clock,
    pub(super) node: Node<O>,
    pub(super) links: Links<Envelope<O::Message>>,
    pub(super) events: mpsc::Receiver<LinkEvent<Envelope<O::Message>>>,
    pub(super) disk: disk::Handle,
    pub(super) disk_done: mpsc::UnboundedReceiver<DiskDone>,
    pub(super) requests: mpsc::UnboundedReceiver<Request>,
    pub(super) memory: Memory,
    /// What pre-routing wants remembered.
    pub(super) guards: Memory,
    pub(super) relays: Memory,
    pub(super) place: watch::Sender<Option<Location>>,
    pub(super) about: Arc<report::About>,
    pub(super) dialler: Dialler,
    pub(super) waiting: BTreeMap<Ticket, oneshot::Sender<Answer>>,
    pub(super) linked: BTreeMap<NodeId, Linked>,
    /// Where a gateway's errands go.
    pub(super) errands: Option<mpsc::UnboundedSender<Errand>>,
    /// What was asked for local clients.
    pub(super) made: Made,
    /// The rhythm that is kept with the guard.
    pub(super) cover: Option<Rate>,
    /// With whom it is kept.
    pub(super) covered: Option<NodeId>,
    /// Held until everything is closed.
    pub(super) lock: Lock,
}

/// An open link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Linked {
    address: SocketAddr,
    inbound: bool,
    since: Instant,
    /// Messages each way.
    sent: u64,
    received: u64,
}

impl<O: Overlay> EventLoop<O> {
    /// Runs until asked to stop, then saves and closes everything.
    pub(super) async fn run(mut self) {
        self.tell(Input::Timeout);
        while self.step().await {}
        self.stop().await;
    }

    /// Waits for one thing to happen; whether to go on.
    async fn step(&mut self) -> bool {
        let timer = self.node.poll_timeout().map(|due| self.clock.timer(due));
        tokio::select! {
            request = self.requests.recv() => match request {
                Some(Request::Stop) | None => return false,
                Some(request) => self.on_request(request),
            },
            Some(event) = self.events.recv() => self.on_links(event),
            Some(done) = self.disk_done.recv() => self.on_disk(done),
            () = rings(timer) => self.tell(Input::Timeout),
        }
        true
    }

    fn tell(&mut self, input: Input<O::Message>) {
        self.node.handle_input(self.clock.now(), input);
        self.perform_all();
    }

    fn perform_all(&mut self) {
        while let Some(output) = self.node.poll_output() {
            self.perform(output);
        }
        if let Some(errands) = &self.errands {
            while let Some(errand) = self.node.tell_overlay(self.clock.now(), O::poll_errand) {
                // Whoever does them ends with the gateway.
                let _ = errands.send(errand);
            }
        }
        self.keep_cover();
        self.place.send_if_modified(|known| {
            let place = self.node.overlay().place();
            std::mem::replace(known, place) != place
        });
    }

    /// The rhythm follows the guard, and nothing else.
    fn keep_cover(&mut self) {
        let Some(rate) = self.cover else { return };
        let guard = self.node.onion().and_then(Onion::guard);
        if guard.is_some() && guard != self.covered {
            self.covered = guard;
            self.links.keep_rhythm(guard.map(|guard| (guard, rate)));
        }
    }

    fn perform(&mut self, output: Output<O::Message>) {
        match output {
            Output::Send { to, message } => {
                // Without a link, or with too much waiting, the message is dropped: the overlay's timers notice.
                if !self.links.send(to, message) {
                    trace!(peer = %to.short(), "a message was dropped");
                } else if let Some(link) = self.linked.get_mut(&to) {
                    link.sent += 1;
                }
            }
            Output::Dial { peer, address } => self.dial(peer, address),
            Output::Close { peer, reason } => {
                debug!(peer = %peer.short(), ?reason, "closing a link");
                self.links.close(peer, reason);
            }
            Output::Disk(work) => self.disk.submit(work),
            Output::Answer { ticket, answer } => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    // Whoever asked may have gone.
                    let _ = reply.send(answer);
                }
            }
            Output::Offence { peer, offence } => warn!(peer = %peer.short(), ?offence, "a peer broke a rule"),
            Output::Health(Ok(())) => info!("the store can be written again"),
            Output::Health(Err(fault)) => warn!(%fault, "the store cannot be written"),
            Output::Remember(state) => self.memory.keep(state),
            Output::RememberGuards(state) => self.guards.keep(state),
            Output::RememberRelays(state) => self.relays.keep(state),
        }
    }

    fn dial(&mut self, peer: NodeId, address: SocketAddr) {
        if self.dialler.may_dial(self.clock.now(), &peer) {
            debug!(peer = %peer.short(), %address, "dialling");
            self.links.dial(peer, address);
        } else {
            self.node.handle_input(self.clock.now(), Input::DialFailed { peer });
        }
    }

    /// What has happened on the links, and what has gathered since: waiting for each event anew costs more than most
    /// events do.
    fn on_links(&mut self, first: LinkEvent<Envelope<O::Message>>) {
        self.on_link(first);
        for _ in 1..EVENTS_AT_ONCE {
            let Ok(event) = self.events.try_recv() else { break };
            self.on_link(event);
        }
    }

    /// What the disk has done, and what it has done since.
    fn on_disk(&mut self, first: DiskDone) {
        self.tell(Input::Disk(first));
        for _ in 1..EVENTS_AT_ONCE {
            let Ok(done) = self.disk_done.try_recv() else { break };
            self.tell(Input::Disk(done));
        }
    }

    fn on_link(&mut self, event: LinkEvent<Envelope<O::Message>>) {
        let now = self.clock.now();
        match event {
            LinkEvent::Up { peer, address, inbound } => {
                debug!(peer = %peer.short(), %address, inbound, "a link is open");
                self.dialler.on_up(&peer);
                self.linked.insert(peer, Linked { address, inbound, since: now, sent: 0, received: 0 });
                self.remember_links();
                self.tell(Input::LinkUp { peer, address, inbound });
            }
            LinkEvent::Down { peer, reason } => {
                debug!(peer = %peer.short(), %reason, "a link is gone");
                self.linked.remove(&peer);
                self.tell(Input::LinkDown { peer });
            }
            LinkEvent::DialFailed { peer, why } => {
                info!(peer = %peer.short(), %why, "a node cannot be reached");
                self.dialler.on_failed(now, peer);
                self.tell(Input::DialFailed { peer });
            }
            LinkEvent::Message { from, message } => {
                if let Some(link) = self.linked.get_mut(&from) {
                    link.received += 1;
                }
                self.tell(Input::Message { from, message });
            }
            LinkEvent::Congestion { peer, behind } => self.tell(Input::Congestion { peer, behind }),
            LinkEvent::Offence { peer, offence, detail } => {
                warn!(peer = %peer.short(), ?offence, %detail, "a peer broke a rule of its link");
            }
        }
    }

    fn remember_links(&self) {
        if O::REMEMBERS_LINKS {
            let mut linked: Vec<(&NodeId, &Linked)> = self.linked.iter().collect();
            linked.sort_by_key(|(_, link)| link.since);
            let contacts: Vec<Contact> = linked.iter().map(|(id, link)| Contact::new(**id, link.address)).collect();
            self.memory.keep(last_links(&contacts));
        }
    }

    fn on_request(&mut self, request: Request) {
        match request {
            Request::Command { ticket, command, way, reply } => {
                self.waiting.insert(ticket, reply);
                self.made.fetches += u64::from(matches!(command, Command::Fetch { .. }));
                self.made.inserts += u64::from(matches!(command, Command::Insert { .. }));
                self.tell(match way {
                    Way::Direct => Input::Command { ticket, command },
                    Way::Routed => Input::Routed { ticket, command },
                });
            }
            Request::Cancel(ticket) => {
                if self.waiting.remove(&ticket).is_some() {
                    self.tell(Input::Command { ticket, command: Command::Cancel });
                }
            }
            Request::Return(came) => {
                let now = self.clock.now();
                self.node.tell_overlay(now, |overlay| overlay.handle_return(now, came));
                self.perform_all();
            }
            Request::Status(reply) => {
                let requests = Requests { jobs: 0, commands: self.waiting.len() as u64, made: self.made };
                let status = report::status(&self.about, &self.clock, &self.node, &self.links.statistics(), requests);
                let _ = reply.send(status);
            }
            Request::Prerouting(reply) => {
                let _ = reply.send(report::prerouting(&self.about, &self.node));
            }
            Request::Relays(reply) => {
                let _ = reply.send(report::relays(self.clock.now(), &self.node));
            }
            Request::Peers(reply) => {
                let _ = reply.send(self.peers());
            }
            Request::Stop => {}
        }
    }

    fn peers(&self) -> Vec<Peer> {
        let now = self.clock.now();
        let places: BTreeMap<NodeId, Location> = self.node.overlay().places().into_iter().collect();
        let trips = self.links.statistics().links;
        let trips: BTreeMap<NodeId, f64> =
            trips.iter().map(|link| (link.peer, link.round_trip.as_secs_f64() * 1_000.0)).collect();
        let describe = |(id, link): (&NodeId, &Linked)| Peer {
            node: id.to_string(),
            address: link.address.to_string(),
            inbound: link.inbound,
            seconds: now.since(link.since).as_secs_f64(),
            location: places.get(id).map(ToString::to_string),
            sent: link.sent,
            received: link.received,
            round_trip_ms: trips.get(id).copied(),
        };
        self.linked.iter().map(describe).collect()
    }

    async fn stop(mut self) {
        self.waiting.clear();
        self.tell(Input::Stop);
        let links = self.links.clone();
        let closing = links.shutdown();
        tokio::pin!(closing);
        loop {
            // Events must be taken while links close, and the disk may still answer.
            tokio::select! {
                () = &mut closing => break,
                Some(event) = self.events.recv() => self.on_link(event),
                Some(done) = self.disk_done.recv() => self.tell(Input::Disk(done)),
            }
        }
        let disk = self.disk;
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || disk.close()).await {
            warn!(%error, "the store could not be closed cleanly");
        }
        self.memory.close().await;
        self.guards.close().await;
        self.relays.close().await;
        drop(self.lock);
        info!("stopped");
    }
}

async fn rings(timer: Option<tokio::time::Instant>) {
    match timer {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Events of links, or of the disk, between two looks at everything else.
const EVENTS_AT_ONCE: usize = 16;
