//! Nodes that a node has heard of and may link to one day.
//!
//! The oldest leaves when there are too many. Leaves out whether they are still there.

use std::collections::VecDeque;

use crate::id::NodeId;
use crate::limits;
use crate::message::contact::Contact;
use crate::overlay::mode::dice::Dice;

/// The cache of hosts.
#[derive(Debug, Default)]
pub struct Hosts(VecDeque<Contact>);

impl Hosts {
    /// A node has been heard of.
    pub fn add(&mut self, host: Contact) {
        if self.0.contains(&host) {
            return;
        }
        if self.0.len() >= limits::FLOOD_HOSTS {
            self.0.pop_front();
        }
        self.0.push_back(host);
    }

    /// Takes out one that `may` be linked to; those that may not are forgotten on the way.
    pub fn draw(&mut self, dice: &mut Dice, may: impl Fn(&NodeId) -> bool) -> Option<Contact> {
        self.0.retain(|host| may(&host.id()));
        self.0.swap_remove_back(dice.below(self.0.len()))
    }

    /// Up to so many of them, the newest first.
    pub fn newest(&self, most: usize) -> Vec<Contact> {
        self.0.iter().rev().take(most).cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
