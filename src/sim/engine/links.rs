//! The links that a simulated node has open, each known by the number of the peer.
//!
//! Keeps one link for each peer. Each link has a number of its own, which both of its ends know: it tells a link from one
//! between the same nodes that was closed before.

/// One end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) peer: u32,
    pub(super) number: u32,
}

/// The links of one node, sorted by peer.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

impl Links {
    /// The number of the link to `peer`.
    pub(super) fn number(&self, peer: u32) -> Option<u32> {
        self.find(peer).ok().map(|at| self.0[at].number)
    }

    /// Enters one end of a link; replaces one that the other side has closed already.
    pub(super) fn open(&mut self, link: Link) {
        match self.find(link.peer) {
            Ok(at) => self.0[at] = link,
            Err(at) => {
                // An eighth more at a time: most nodes keep as many as they have.
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact((self.0.len() / 8).max(LEAST_GROWTH));
                }
                self.0.insert(at, link);
            }
        }
    }

    /// Takes out the link to `peer`.
    pub(super) fn close(&mut self, peer: u32) -> Option<Link> {
        self.find(peer).ok().map(|at| self.0.remove(at))
    }

    /// Takes out this very link; whether it was there.
    pub(super) fn lose(&mut self, link: Link) -> bool {
        let at = self.find(link.peer).ok().filter(|at| self.0[*at] == link);
        at.map(|at| self.0.remove(at)).is_some()
    }

    /// Who is at the other ends.
    pub(super) fn peers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|link| link.peer)
    }

    /// Takes out all of them.
    pub(super) fn close_all(&mut self) -> Vec<Link> {
        std::mem::take(&mut self.0)
    }

    fn find(&self, peer: u32) -> Result<usize, usize> {
        self.0.binary_search_by_key(&peer, |link| link.peer)
    }
}

const LEAST_GROWTH: usize = 4;
