//! Networks of any size for the tests of joining: founders and newcomers, seen from outside.
#![allow(dead_code, unreachable_pub, reason = "a test support module")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::Location;
use bolthole::limits;
use bolthole::message::certificate::Certificate;
use bolthole::message::genesis::{Genesis, PROTOCOL_VERSION};
use bolthole::overlay::freenet::{Config, Freenet, Message, Profile};
use bolthole::overlay::mode::{Input, Mode, Output};
use bolthole::sim::fault::Verdict;
use bolthole::sim::mesh::Mesh;
use bolthole::time::Instant;
use crypto::identity::NodeKey;
use crypto::secret::Secret;

/// A node whose links are counted.
pub struct Counted {
    pub inner: Freenet,
    links: Rc<Cell<u64>>,
    bends: Bends,
}

/// What becomes of the words of bent nodes.
type Bends = Rc<RefCell<BTreeMap<NodeId, Box<dyn Fn(Output<Message>) -> Output<Message>>>>>;

/// A network under test.
pub struct Network {
    pub mesh: Mesh<Counted>,
    pub genesis: Genesis,
    pub degree: usize,
    pub upkeep: Duration,
    count: u32,
    profile: Profile,
    began: Instant,
    links: Rc<Cell<u64>>,
    bends: Bends,
}

impl Mode for Counted {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        if matches!(input, Input::LinkUp { inbound: false, .. }) {
            self.links.set(self.links.get() + 1);
        }
        self.inner.handle_input(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        let output = self.inner.poll_output()?;
        match self.bends.borrow().get(&self.inner.id()) {
            Some(bend) => Some(bend(output)),
            None => Some(output),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }
}

impl Network {
    /// A network with `founders` founding members, none of them started.
    pub fn new(founders: u32, profile: Profile, seed: u64) -> Self {
        let mesh = Mesh::new(seed);
        let began = mesh.now();
        let genesis = Genesis {
            protocol: PROTOCOL_VERSION,
            name: "rings".to_owned(),
            nonce: [seed as u8; 16],
            work_bits: 0,
            local: profile == Profile::Local,
            members: (0..founders).map(id).collect(),
        };
        let (degree, upkeep) = (limits::DEGREE_MAX, limits::UPKEEP_LOCAL);
        Self {
            mesh,
            genesis,
            degree,
            upkeep,
            count: founders,
            profile,
            began,
            links: Rc::default(),
            bends: Bends::default(),
        }
    }

    /// Starts all founders; each knows the first.
    pub fn start_founders(&mut self) {
        (0..self.count).for_each(|number| self.start(number, None));
    }

    /// Starts the founder, and newcomers one after another until there are `count` nodes that form a ring.
    pub fn join_up_to(&mut self, count: u32) {
        self.start_founders();
        for number in 1..count {
            self.start(number, None);
            self.run(Duration::from_secs(1));
        }
        self.run_until(Duration::from_secs(60), Self::is_ring);
        self.assert_ring();
    }

    /// Starts the node with this number, knowing the first one, and what an earlier run remembered.
    pub fn start(&mut self, number: u32, remembered: Option<Vec<u8>>) {
        let known: &[u32] = if number == 0 { &[] } else { &[0] };
        self.launch(number, known, remembered);
    }

    /// Starts the node with this number, knowing those named.
    pub fn start_knowing(&mut self, number: u32, known: &[u32]) {
        self.launch(number, known, None);
    }

    /// From now on everything that `node` does passes through `bend`.
    pub fn bend(&mut self, node: NodeId, bend: impl Fn(Output<Message>) -> Output<Message> + 'static) {
        self.bends.borrow_mut().insert(node, Box::new(bend));
    }

    /// Collects the certificates that nodes show from now on.
    pub fn watch_certificates(&mut self) -> Rc<RefCell<BTreeMap<NodeId, Certificate>>> {
        let seen: Rc<RefCell<BTreeMap<NodeId, Certificate>>> = Rc::default();
        let sink = Rc::clone(&seen);
        self.mesh.set_fault(move |_, from, _, message: &Message| {
            if let Message::Hello(hello) = message
                && let Some(certificate) = &hello.certificate
            {
                sink.borrow_mut().insert(from, Certificate::clone(certificate));
            }
            Verdict::Pass
        });
        seen
    }

    fn launch(&mut self, number: u32, known: &[u32], remembered: Option<Vec<u8>>) {
        let mut config = Config::new(self.genesis.clone(), self.profile, address(number));
        config.degree = self.degree;
        config.upkeep = self.upkeep;
        config.bootstrap = known.iter().map(|other| (id(*other), address(*other))).collect();
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let inner = Freenet::new(config, key(number), seed, remembered);
        self.mesh.add(
            id(number),
            address(number),
            Counted { inner, links: Rc::clone(&self.links), bends: Rc::clone(&self.bends) },
        );
    }

    pub fn run(&mut self, span: Duration) {
        self.mesh.run_for(span);
    }

    /// Runs until `is_done`, at most for `span`.
    pub fn run_until(&mut self, span: Duration, is_done: impl Fn(&Self) -> bool) -> bool {
        let end = self.mesh.now() + span;
        while !is_done(self) && self.mesh.now() < end {
            self.mesh.run_for(Duration::from_millis(500));
        }
        is_done(self)
    }

    pub fn age(&self) -> Duration {
        self.mesh.now().since(self.began)
    }

    /// Links made so far.
    pub fn dials(&self) -> u64 {
        self.links.get()
    }

    /// Kills every `n`th node but the first.
    pub fn kill_every(&mut self, n: usize) {
        let doomed: Vec<NodeId> = self.mesh.ids().into_iter().filter(|node| *node != id(0)).step_by(n).collect();
        doomed.into_iter().for_each(|node| self.mesh.kill(node));
    }

    pub fn node(&self, node: &NodeId) -> &Freenet {
        &self.mesh.mode(node).expect("a live node").inner
    }

    /// Live nodes by place.
    pub fn ring(&self) -> BTreeMap<Location, NodeId> {
        let placed = |node: NodeId| self.node(&node).location().map(|location| (location, node));
        self.mesh.ids().into_iter().filter_map(placed).collect()
    }

    /// Whether every node has a place, and its nearest on either side as neighbours.
    pub fn is_ring(&self) -> bool {
        self.misplaced().is_empty()
    }

    /// Fails with the first that are missing to a ring.
    pub fn assert_ring(&self) {
        let missing = self.misplaced();
        assert!(
            missing.is_empty(),
            "{} missing after {:?}: {:?}",
            missing.len(),
            self.age(),
            &missing[..missing.len().min(5)]
        );
    }

    /// What is missing to a ring.
    pub fn misplaced(&self) -> Vec<String> {
        let ring: Vec<(Location, NodeId)> = self.ring().into_iter().collect();
        let count = ring.len();
        let mut missing: Vec<String> = Vec::new();
        if count < self.mesh.ids().len() {
            missing.push(format!("{} of {} nodes have a place", count, self.mesh.ids().len()));
        }
        for (index, (_, node)) in ring.iter().enumerate() {
            let linked: Vec<NodeId> = self.node(node).neighbours().into_iter().map(|(id, _)| id).collect();
            for step in 1..=limits::NEAR_PER_SIDE.min(count - 1) {
                for other in [ring[(index + step) % count].1, ring[(index + count - step) % count].1] {
                    if other != *node && !linked.contains(&other) {
                        missing.push(format!("{node:?} lacks {other:?}, {step} away"));
                    }
                }
            }
        }
        missing
    }
}

pub fn key(number: u32) -> NodeKey {
    let mut seed = [1; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    NodeKey::from_seed(Secret::from_bytes(seed))
}

pub fn id(number: u32) -> NodeId {
    NodeId(key(number).id())
}

/// An address in a group of its own.
pub fn address(number: u32) -> SocketAddr {
    format!("{}.{}.0.1:4000", 20 + number / 250, number % 250).parse().expect("a literal address")
}
