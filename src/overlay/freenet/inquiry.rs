//! Whether the holder of a certificate is known at the place that it claims: what a long link is given on
//! (docs/protocol.md §5.3).
//!
//! One small routed question to the node nearest that place, the holder left out; once more when the answer is no or none comes,
//! since a newcomer may be under examination there. Weaker than an examination, by as much as one node is weaker than
//! three witnesses and those around them: whoever was taken on such an answer is no witness and vouches for nobody.

use crate::id::NodeId;
use crate::limits;
use crate::message::certificate::Shown;
use crate::overlay::freenet::core::{Core, Purpose};
use crate::overlay::freenet::message::{Question, Reply};
use crate::overlay::freenet::query::Queries;
use crate::overlay::freenet::schedule::Schedule;
use crate::overlay::freenet::sparse::Sparse;
use crate::overlay::freenet::vouch::{Examined, Finding};
use crate::time::Instant;

/// The certificates that are asked about.
#[derive(Debug, Default)]
pub(super) struct Inquiries {
    open: Sparse<u64, Inquiry>,
    /// When to ask once more.
    again: Schedule<u64>,
    next_id: u64,
}

#[derive(Debug)]
struct Inquiry {
    peer: NodeId,
    certificate: Shown,
    /// When the first answer was no, or none: to be asked again then.
    again: Option<Instant>,
}

impl Inquiries {
    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again.next()
    }

    /// Asks about the certificate that a linked peer has shown.
    pub(super) fn begin(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        peer: NodeId,
        certificate: Shown,
    ) -> Finding {
        let is_open = |inquiry: &Inquiry| inquiry.peer == peer && inquiry.certificate == certificate;
        if self.open.values().any(is_open) {
            return Finding::Pending;
        }
        if self.open.len() >= limits::EXAMINATIONS {
            return Finding::Unknown;
        }
        self.next_id += 1;
        self.open.insert(self.next_id, Inquiry { peer, certificate, again: None });
        self.ask(core, queries, now, self.next_id);
        Finding::Pending
    }

    /// An answer from the place.
    pub(super) fn handle_reply(
        &mut self,
        core: &Core,
        now: Instant,
        id: u64,
        reply: Option<Reply>,
    ) -> Option<Examined> {
        let inquiry = self.open.get_mut(&id)?;
        let claim = &inquiry.certificate.claim;
        let finding = match reply {
            Some(Reply::Vouched { reference: Some(reference) })
                if reference.id == claim.node
                    && reference.location == claim.location
                    && core.me.has_signed(&reference) =>
            {
                Finding::Rightful
            }
            Some(Reply::Vouched { .. }) => Finding::False,
            _ => Finding::Unknown,
        };
        if finding != Finding::Rightful && inquiry.again.is_none() {
            let due = now + limits::VOUCH_AGAIN;
            inquiry.again = Some(due);
            self.again.add(due, id);
            return None;
        }
        let Inquiry { peer, certificate, .. } = self.open.remove(&id)?;
        Some(Examined { peer, certificate: certificate.digest(), finding })
    }

    /// What was not known may be known by now.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        while let Some(id) = self.again.pop_due(now) {
            self.ask(core, queries, now, id);
        }
    }

    /// A link is gone.
    pub(super) fn handle_link_down(&mut self, peer: &NodeId) {
        let again = &mut self.again;
        self.open.retain(|id, inquiry| {
            if let (true, Some(due)) = (inquiry.peer == *peer, inquiry.again) {
                again.cancel(due, *id);
            }
            inquiry.peer != *peer
        });
    }

    fn ask(&self, core: &mut Core, queries: &mut Queries, now: Instant, id: u64) {
        let Some(Inquiry { peer, certificate, .. }) = self.open.get(&id) else { return };
        let question = Question::Known { holder: *peer, certificate: certificate.digest() };
        queries.ask(core, now, Purpose::Inquire { inquiry: id }, certificate.claim.location, question, None);
    }
}
