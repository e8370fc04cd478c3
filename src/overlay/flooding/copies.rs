//! Copies of what was found, kept in passing: by whoever sought it, along its way, or anywhere.
//!
//! Nothing is kept that does not verify. Leaves out when copies leave again, which is the store's affair.

use super::config::Replication;
use super::core::Core;
use super::message::{Copied, Message};
use crate::id::NodeId;
use crate::limits;
use crate::message::block::Block;
use crate::overlay::mode::routes::Guid;
use crate::overlay::mode::{Offence, Output, StoreWork};

/// A search of this node's own has found something so many hops away.
pub(super) fn on_found(core: &mut Core, block: &Block, hops: u16) {
    match core.config.replication {
        Replication::None => {}
        Replication::Owner | Replication::Path => keep(core, block.clone()),
        Replication::Random => {
            let left = hops.min(limits::WALK_STEPS) * limits::SCATTER_STEPS;
            scatter(core, None, left, block);
        }
    }
}

/// A copy on its way back to whoever sought it.
pub(super) fn handle_copy(core: &mut Core, from: NodeId, id: Guid, copy: Box<Copied>) {
    let is_wanted = core.config.replication == Replication::Path && core.standing.contains(&from);
    if !is_wanted || core.routes.back(id).is_none() {
        return;
    }
    match copy.parcel.clone().open(&copy.key) {
        Ok(block) => {
            core.send_back(id, Message::Copy { id, copy });
            keep(core, block);
        }
        Err(_) => core.calls.offence(from, Offence::BadBlock),
    }
}

/// A copy that walks.
pub(super) fn handle_scatter(core: &mut Core, from: NodeId, left: u16, copy: &Copied) {
    if core.config.replication != Replication::Random || !core.standing.contains(&from) {
        return;
    }
    match copy.parcel.clone().open(&copy.key) {
        Ok(block) => {
            scatter(core, Some(from), left - 1, &block);
            if (left - 1).is_multiple_of(limits::SCATTER_STEPS) {
                keep(core, block);
            }
        }
        Err(_) => core.calls.offence(from, Offence::BadBlock),
    }
}

fn scatter(core: &mut Core, from: Option<NodeId>, left: u16, block: &Block) {
    if left == 0 {
        return;
    }
    if let Some(to) = core.standing.draw(&mut core.dice, from) {
        let copy = Box::new(Copied { key: block.key(), parcel: block.parcel() });
        core.calls.push(Output::Send { to, message: Message::Scatter { left, copy } });
    }
}

fn keep(core: &mut Core, block: Block) {
    if core.shares {
        core.calls.push(Output::Store(StoreWork::Cache { block }));
    }
}
