//! What has been asked for and is not answered yet.

use std::collections::BTreeMap;

use crate::document::handle::Handle;
use crate::document::tree::Node;
use crate::key::RoutingKey;

/// A question to the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) place: Place,
    pub(super) key: RoutingKey,
}

/// Where in its document a block belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The signed block or the top block, whichever is being looked for.
    Top,
    /// A copy of a manifest block.
    Node { node: Node, copy: usize },
    /// A data or check block, by its index in its segment.
    Share { segment: u64, index: usize },
}

/// Open questions, at most a window of them.
pub(super) struct Asks {
    window: usize,
    next: u64,
    open: BTreeMap<Handle, Asked>,
}

impl Asks {
    pub(super) const fn new(window: usize) -> Self {
        Self { window, next: 0, open: BTreeMap::new() }
    }

    pub(super) const fn set_window(&mut self, blocks: usize) {
        self.window = blocks;
    }

    pub(super) fn is_full(&self) -> bool {
        self.open.len() >= self.window
    }

    pub(super) fn ask(&mut self, asked: Asked) -> Handle {
        let handle = Handle(self.next);
        self.next += 1;
        self.open.insert(handle, asked);
        handle
    }

    /// What was asked under `handle`, if it still is.
    pub(super) fn answered(&mut self, handle: Handle) -> Option<Asked> {
        self.open.remove(&handle)
    }

    pub(super) fn cancel_segment(&mut self, wanted: u64) -> Vec<Handle> {
        self.cancel(|place| matches!(place, Place::Share { segment, .. } if *segment == wanted))
    }

    pub(super) fn cancel_all(&mut self) -> Vec<Handle> {
        self.cancel(|_| true)
    }

    fn cancel(&mut self, which: impl Fn(&Place) -> bool) -> Vec<Handle> {
        self.open.extract_if(.., |_, asked| which(&asked.place)).map(|(handle, _)| handle).collect()
    }
}
