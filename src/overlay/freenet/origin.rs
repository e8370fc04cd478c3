//! How much this node asks for itself at once: additive increase, multiplicative decrease (protocol.md §6).
//!
//! Until the first refusal the window doubles per round, as TCP's slow start does: answers come late (protocol.md §3.6), and a
//! window that grew by one a round would need a hundred rounds to fill a path.
//! Only refusals for load shrink the window; refusals of pending keys never reach it.

use std::collections::{BTreeSet, VecDeque};

use crate::limits;
use crate::overlay::mode::{Command, Ticket};

/// The origin's window and what waits for room in it.
#[derive(Debug)]
pub(super) struct Origin {
    /// Window in thousandths of a command.
    window_milli: u32,
    /// No neighbour has refused yet.
    probing: bool,
    open: BTreeSet<Ticket>,
    queue: VecDeque<(Ticket, Command)>,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            window_milli: limits::WINDOW_START * 1_000,
            probing: true,
            open: BTreeSet::new(),
            queue: VecDeque::new(),
        }
    }
}

impl Origin {
    /// Queues a command. Returns false if the queue is full.
    pub(super) fn queue(&mut self, ticket: Ticket, command: Command) -> bool {
        let has_room = self.queue.len() < limits::COMMANDS_QUEUED;
        if has_room {
            self.queue.push_back((ticket, command));
        }
        has_room
    }

    /// The next command for which there is room.
    pub(super) fn next(&mut self) -> Option<(Ticket, Command)> {
        if self.open.len() >= self.window() {
            return None;
        }
        let (ticket, command) = self.queue.pop_front()?;
        self.open.insert(ticket);
        Some((ticket, command))
    }

    /// Takes a command back, wherever it is. Returns whether it had begun.
    pub(super) fn cancel(&mut self, ticket: Ticket) -> bool {
        self.queue.retain(|(queued, _)| *queued != ticket);
        self.open.remove(&ticket)
    }

    /// A command has been answered: one more, after the first refusal one more per window's worth.
    pub(super) fn on_answered(&mut self, ticket: Ticket) {
        if self.open.remove(&ticket) {
            let gain = if self.probing { 1_000 } else { 1_000_000 / self.window_milli.max(1) };
            self.window_milli = (self.window_milli + gain).min(limits::WINDOW_MAX * 1_000);
        }
    }

    /// A neighbour refused for load.
    pub(super) fn on_overload(&mut self) {
        self.probing = false;
        self.window_milli = (self.window_milli / 100 * 97).max(limits::WINDOW_MIN * 1_000);
    }

    /// How many commands may be open at once.
    pub(super) const fn window(&self) -> usize {
        (self.window_milli / 1_000) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shrinks_on_overload_and_grows_by_one_per_window_of_answers() {
        let mut origin = Origin::default();
        let before = origin.window();
        (0..20).for_each(|_| origin.on_overload());
        let shrunk = origin.window();
        assert!(shrunk < before && shrunk >= limits::WINDOW_MIN as usize);
        for ticket in 0..=shrunk as u64 {
            assert!(origin.queue(Ticket(ticket), Command::Cancel));
            assert!(origin.next().is_some());
            origin.on_answered(Ticket(ticket));
        }
        assert_eq!(origin.window(), shrunk + 1);
        (0..10_000).for_each(|_| origin.on_overload());
        assert_eq!(origin.window(), limits::WINDOW_MIN as usize);
    }

    #[test]
    fn the_window_doubles_per_round_until_a_neighbour_refuses() {
        let mut origin = Origin::default();
        for ticket in 0..limits::WINDOW_START as u64 {
            assert!(origin.queue(Ticket(ticket), Command::Cancel) && origin.next().is_some());
            origin.on_answered(Ticket(ticket));
        }
        assert_eq!(origin.window(), 2 * limits::WINDOW_START as usize);
        origin.on_overload();
        let shrunk = origin.window();
        assert!(origin.queue(Ticket(1_000), Command::Cancel) && origin.next().is_some());
        origin.on_answered(Ticket(1_000));
        assert_eq!(origin.window(), shrunk);
    }

    #[test]
    fn no_more_commands_begin_than_the_window_allows() {
        let mut origin = Origin::default();
        for ticket in 0..100 {
            assert!(origin.queue(Ticket(ticket), Command::Cancel));
        }
        let begun = std::iter::from_fn(|| origin.next()).count();
        assert_eq!(begun, limits::WINDOW_START as usize);
        origin.on_answered(Ticket(0));
        assert!(origin.next().is_some());
    }
}
