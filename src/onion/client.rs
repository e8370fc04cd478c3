//! A client's own commands on their way through relays: what waits for which answer, and when it is tried again.
//!
//! Guarantees: a command is answered once; whatever goes wrong looks alike, on the wire and in time: the same wait, drawn
//! anew, then a packet built anew by another path; at most [`limits::ATTEMPTS`] packets for one command. Leaves out which
//! path (`guards`).

use std::collections::{BTreeMap, BTreeSet};

use crypto::onion::layout::REPLY_TAG_BYTES;
use crypto::onion::reply::ReplyOpener;
use rand::RngExt;
use rand::rngs::ChaCha20Rng;

use crate::id::NodeId;
use crate::limits;
use crate::onion::contract::{Attempt, RequestId};
use crate::onion::guards::Path;
use crate::onion::instruction::{Instruction, Outcome};
use crate::time::{Duration, Instant};

/// The commands of one client.
#[derive(Debug)]
pub(super) struct Client {
    open: BTreeMap<RequestId, Request>,
    waits: BTreeMap<Name, Wait>,
    due: BTreeSet<(Instant, RequestId)>,
    /// What an answer needed of late.
    typical: Duration,
}

/// Who will send the answer, and the tag it will bear.
type Name = (NodeId, [u8; REPLY_TAG_BYTES]);

#[derive(Debug)]
struct Request {
    instruction: Instruction,
    attempts: u8,
    /// When the next attempt is made.
    due: Instant,
    /// Whether the packet of that attempt is booked.
    booked: bool,
    /// The packets sent for it: a late answer is as good as another.
    waits: Vec<Name>,
}

#[derive(Debug)]
struct Wait {
    request: RequestId,
    opener: ReplyOpener,
    path: Path,
    sent: Instant,
    /// Whether it has been given up already.
    lost: bool,
}

/// What to do about a command whose time has come.
#[derive(Debug)]
pub(super) enum Due {
    /// Send a packet for it; the last one, if any, was lost by that path.
    Try(RequestId, Option<Path>),
    /// It was tried often enough; the last packet was lost by that path.
    GiveUp(RequestId, Option<Path>),
}

impl Default for Client {
    fn default() -> Self {
        Self { open: BTreeMap::new(), waits: BTreeMap::new(), due: BTreeSet::new(), typical: limits::ANSWER_START }
    }
}

impl Client {
    /// Begins a command; it is due at once. False if there are too many.
    pub(super) fn begin(&mut self, now: Instant, request: RequestId, instruction: Instruction) -> bool {
        if self.open.len() >= limits::ROUTED_COMMANDS {
            return false;
        }
        self.due.insert((now, request));
        self.open.insert(request, Request { instruction, attempts: 0, due: now, booked: false, waits: Vec::new() });
        true
    }

    /// Ends a command, answered or not.
    pub(super) fn end(&mut self, request: RequestId) -> Option<Instruction> {
        let ended = self.open.remove(&request)?;
        self.due.remove(&(ended.due, request));
        for name in &ended.waits {
            self.waits.remove(name);
        }
        Some(ended.instruction)
    }

    /// The next command whose time has come.
    pub(super) fn next_due(&mut self, now: Instant) -> Option<Due> {
        let (_, request) = self.due.first().copied().filter(|(due, _)| *due <= now)?;
        self.due.pop_first();
        let open = self.open.get(&request)?;
        let lost = open.waits.last().and_then(|name| self.waits.get_mut(name));
        let lost = lost.and_then(|wait| (!std::mem::replace(&mut wait.lost, true)).then_some(wait.path));
        if lost.is_some() {
            self.typical = (self.typical * 5 / 4).min(limits::ANSWER_PATIENCE.1);
        }
        Some(if open.attempts < limits::ATTEMPTS { Due::Try(request, lost) } else { Due::GiveUp(request, lost) })
    }

    /// What is asked for by a command.
    pub(super) fn instruction(&self, request: RequestId) -> Option<&Instruction> {
        self.open.get(&request).map(|open| &open.instruction)
    }

    /// A packet was sent for a command.
    pub(super) fn on_sent(
        &mut self,
        now: Instant,
        request: RequestId,
        (path, opener): (Path, ReplyOpener),
        random: &mut ChaCha20Rng,
    ) {
        let patience = (self.typical * 4).clamp(limits::ANSWER_PATIENCE.0, limits::ANSWER_PATIENCE.1);
        let jitter = Duration::from_millis(random.random_range(0..=patience.as_millis() as u64 / 2));
        let Some(open) = self.open.get_mut(&request) else { return };
        let name = (path.guard, opener.tag());
        open.attempts += 1;
        open.due = now + patience + jitter;
        open.waits.push(name);
        self.due.insert((open.due, request));
        self.waits.insert(name, Wait { request, opener, path, sent: now, lost: false });
    }

    /// A packet for a command is booked to leave `at` a later time: the command is due then.
    pub(super) fn on_booked(&mut self, request: RequestId, at: Instant) {
        let Some(open) = self.open.get_mut(&request) else { return };
        (open.due, open.booked) = (at, true);
        self.due.insert((at, request));
    }

    /// Whether the packet that a command sends now was booked for it; it is no longer.
    pub(super) fn take_booked(&mut self, request: RequestId) -> bool {
        self.open.get_mut(&request).is_some_and(|open| std::mem::take(&mut open.booked))
    }

    /// There is no path at present: the command waits as if it had been sent.
    pub(super) fn on_no_path(&mut self, now: Instant, request: RequestId) {
        let Some(open) = self.open.get_mut(&request) else { return };
        open.attempts += 1;
        open.due = now + NO_PATH_PAUSE;
        self.due.insert((open.due, request));
    }

    /// Whether a packet that `from` sent bears the tag of an answer that is waited for.
    pub(super) fn awaits(&self, from: NodeId, packet: &[u8]) -> bool {
        packet.first_chunk().is_some_and(|tag| self.waits.contains_key(&(from, *tag)))
    }

    /// An answer: which command it is to, what it says and by which path it came. None if it is damaged: then the command
    /// waits on as if nothing had come.
    pub(super) fn handle_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        packet: &mut [u8],
    ) -> Option<(RequestId, Outcome, Path)> {
        let wait = self.waits.remove(&(from, *packet.first_chunk()?))?;
        let message = wait.opener.open(packet).ok()?;
        let outcome = Outcome::from_message(&self.open.get(&wait.request)?.instruction, message)?;
        self.typical = (self.typical * 7 + now.since(wait.sent)) / 8;
        Some((wait.request, outcome, wait.path))
    }

    /// The link to a guard is gone, and with it what was to come over it: its commands are due now.
    pub(super) fn handle_link_down(&mut self, now: Instant, guard: &NodeId) {
        let lost = self.waits.iter_mut().filter(|((from, _), wait)| from == guard && !wait.lost);
        for (name, wait) in lost {
            // The guard's fault is its absence, not a dropped packet.
            wait.lost = true;
            if let Some(open) = self.open.get_mut(&wait.request).filter(|open| open.waits.last() == Some(name)) {
                self.due.remove(&(open.due, wait.request));
                open.due = now;
                self.due.insert((now, wait.request));
            }
        }
    }

    /// The packets that are out.
    pub(super) fn attempts(&self) -> impl Iterator<Item = Attempt> {
        self.waits.values().map(|wait| {
            let Path { guard, middle, exit } = wait.path;
            Attempt { request: wait.request, sent: wait.sent, relays: [guard, middle, exit] }
        })
    }

    /// When the next command is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// How many commands are open.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }
}

/// How long a command waits when there is no path. Chosen: a guard that was lost is replaced within a second or not soon.
const NO_PATH_PAUSE: Duration = Duration::from_secs(1);
