//! A node behind a wall: its machine is the production one; what reaches it may be cut off, what it says may be bent.
//!
//! While the network is in two, dials across fail, and links across are gone once they have been silent for as long as QUIC
//! lets them. What was said over them meanwhile is judged by the weather.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bolthole::id::NodeId;
use bolthole::limits;
use bolthole::overlay::mode::{CloseReason, Input, Mode, Output};
use bolthole::time::Instant;

/// When the network is in two, and who is on the one side.
#[derive(Clone, Debug, Default)]
pub struct Wall {
    pub span: Option<(Instant, Instant)>,
    pub side: BTreeSet<NodeId>,
}

/// What becomes of the words of a node that does not keep to the protocol.
pub trait Bend<M> {
    /// It hears.
    fn hear(&mut self, _input: &Input<M>) {}

    /// What it says of its own accord, after it has heard something.
    fn interject(&mut self) -> Option<Output<M>> {
        None
    }

    /// It would say `output`; what it says.
    fn bend(&mut self, output: Output<M>) -> Vec<Output<M>>;
}

impl<M, F: FnMut(Output<M>) -> Vec<Output<M>>> Bend<M> for F {
    fn bend(&mut self, output: Output<M>) -> Vec<Output<M>> {
        self(output)
    }
}

/// A node behind a wall.
pub struct Walled<M: Mode> {
    inner: M,
    me: NodeId,
    now: Instant,
    wall: Rc<Wall>,
    links: BTreeMap<NodeId, Instant>,
    failing: BTreeMap<NodeId, Instant>,
    bend: Option<Box<dyn Bend<M::Message>>>,
    said: VecDeque<Output<M::Message>>,
}

impl Wall {
    /// Whether two nodes cannot reach each other.
    pub fn separates(&self, now: Instant, a: &NodeId, b: &NodeId) -> bool {
        let stands = self.span.is_some_and(|(start, end)| (start..end).contains(&now));
        stands && self.side.contains(a) != self.side.contains(b)
    }

    /// When a link across that is up since `up` is gone, if the wall still stands then.
    fn cuts(&self, me: &NodeId, peer: &NodeId, up: Instant) -> Option<Instant> {
        let (start, end) = self.span?;
        let across = self.side.contains(me) != self.side.contains(peer);
        (across && up < end).then_some(up.max(start) + limits::LINK_IDLE).filter(|cut| *cut < end)
    }
}

impl<M: Mode> Walled<M> {
    pub fn new(inner: M, me: NodeId, wall: Rc<Wall>, bend: Option<Box<dyn Bend<M::Message>>>) -> Self {
        Self {
            inner,
            me,
            now: Instant::EPOCH,
            wall,
            links: BTreeMap::new(),
            failing: BTreeMap::new(),
            bend,
            said: VecDeque::new(),
        }
    }

    /// The machine within.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    fn tell(&mut self, input: Input<M::Message>) {
        if let Some(bend) = &mut self.bend {
            bend.hear(&input);
        }
        self.inner.handle_input(self.now, input);
        self.said.extend(self.bend.as_mut().and_then(|bend| bend.interject()));
        while let Some(output) = self.inner.poll_output() {
            match &mut self.bend {
                Some(bend) => self.said.extend(bend.bend(output)),
                None => self.said.push_back(output),
            }
        }
    }

    fn on_timeout(&mut self) {
        let failed: Vec<NodeId> =
            self.failing.extract_if(.., |_, due| *due <= self.now).map(|(peer, _)| peer).collect();
        failed.into_iter().for_each(|peer| self.tell(Input::DialFailed { peer }));
        let is_cut = |peer: &NodeId, up: Instant| self.wall.cuts(&self.me, peer, up).is_some_and(|cut| cut <= self.now);
        let cut: Vec<NodeId> =
            self.links.iter().filter(|(peer, up)| is_cut(peer, **up)).map(|(peer, _)| *peer).collect();
        for peer in cut {
            self.links.remove(&peer);
            self.said.push_back(Output::Close { peer, reason: CloseReason::Shutdown });
        }
        if self.inner.poll_timeout().is_none_or(|due| due <= self.now) {
            self.tell(Input::Timeout);
        }
    }
}

impl<M: Mode> Mode for Walled<M> {
    type Message = M::Message;

    fn handle_input(&mut self, now: Instant, input: Input<M::Message>) {
        self.now = now;
        match &input {
            Input::LinkUp { peer, .. } => {
                self.links.insert(*peer, now);
            }
            Input::LinkDown { peer } => {
                self.links.remove(peer);
            }
            Input::Timeout => return self.on_timeout(),
            _ => {}
        }
        self.tell(input);
    }

    fn poll_output(&mut self) -> Option<Output<M::Message>> {
        loop {
            match self.said.pop_front()? {
                Output::Dial { peer, .. } if self.wall.separates(self.now, &self.me, &peer) => {
                    self.failing.insert(peer, self.now + limits::HANDSHAKE_TIME);
                }
                other => return Some(other),
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let cuts = self.links.iter().filter_map(|(peer, up)| self.wall.cuts(&self.me, peer, *up));
        let failures = self.failing.values().copied();
        self.inner.poll_timeout().into_iter().chain(failures).chain(cuts).min()
    }
}
