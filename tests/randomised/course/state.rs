//! What a course remembers: the network, what was asked of it, what has happened to its nodes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bolthole::message::block::Block;
use bolthole::overlay::mode::Ticket;
use bolthole::sim::engine::Engine;
use bolthole::time::Instant;
use rand::rngs::ChaCha8Rng;

use crate::breach::Breach;
use crate::plan::Plan;
use crate::subject::Subject;
use crate::walled::{Bend, Wall, Walled};
use crate::watch::Watch;

/// What bends the words of the node with a number, if anything does.
pub type Bends<'a, S> = &'a dyn Fn(u32) -> Option<Box<dyn Bend<<S as bolthole::overlay::mode::Mode>::Message>>>;

pub(super) struct Course<'a, S: Subject> {
    pub(super) plan: &'a Plan,
    pub(super) bends: Bends<'a, S>,
    pub(super) engine: Engine<Walled<S>>,
    pub(super) random: ChaCha8Rng,
    pub(super) wall: Rc<Wall>,
    pub(super) watch: Rc<RefCell<Watch>>,
    pub(super) blocks: Vec<Block>,
    pub(super) stored: BTreeSet<u32>,
    pub(super) open: BTreeMap<Ticket, Asked>,
    pub(super) gone: Vec<u32>,
    pub(super) starts: BTreeMap<u32, u32>,
    pub(super) breaches: Vec<Breach>,
    pub(super) answered: u64,
    pub(super) longest: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) node: u32,
    pub(super) what: What,
    pub(super) at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Insert(u32),
    Fetch(u32),
    /// What nobody has ever inserted.
    FetchAbsent(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Deed {
    Ask(What),
    Kill,
    Leave,
    Restart { wiped: bool },
    Join,
    Look,
}
