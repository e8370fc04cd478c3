//! Exchange ids of late: what tells a late answer from one that nobody asked for.
//!
//! A question may be given up before its answer comes, because its time is over or a client lost interest; whoever answers
//! then is honest. Ids are drawn at random, so nobody else can name one. Guarantees that each id excuses one last word,
//! which may overtake those before it, and bounds what is remembered: for [`limits::ISSUED_LIFE`] at least and twice as long at
//! most, and beyond [`limits::ISSUED_IDS`] the older half is forgotten. A late answer to what is forgotten counts as unasked.

use crate::limits;
use crate::overlay::freenet::message::ExchangeId;
use crate::time::Instant;

/// Ids that answers may still come for: of this span of time, and of the one before.
#[derive(Debug)]
pub(super) struct Issued {
    now: Span,
    before: Span,
    since: Instant,
}

#[derive(Debug, Default)]
struct Span {
    open: Vec<ExchangeId>,
    /// Those whose last word has come late and is excused.
    excused: Vec<ExchangeId>,
}

impl Default for Issued {
    fn default() -> Self {
        Self { now: Span::default(), before: Span::default(), since: Instant::EPOCH }
    }
}

impl Issued {
    /// An exchange begins, or ends here while the peer may still speak of it.
    pub(super) fn remember(&mut self, id: ExchangeId) {
        if self.now.len() >= limits::ISSUED_IDS / 2 {
            self.turn();
        }
        self.now.open.push(id);
    }

    /// Forgets what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        if now.since(self.since) >= limits::ISSUED_LIFE {
            self.since = now;
            self.turn();
        }
    }

    /// Whether this exchange is one of late.
    pub(super) fn knows(&self, id: ExchangeId) -> bool {
        [&self.now, &self.before].iter().any(|span| span.open.contains(&id) || span.excused.contains(&id))
    }

    /// Whether an answer to this exchange is late and no more than that. Asked only when nobody waits for it.
    pub(super) fn excuse(&mut self, id: ExchangeId) -> bool {
        self.now.excuse(id) || self.before.excuse(id)
    }

    fn turn(&mut self) {
        self.before = std::mem::take(&mut self.now);
        self.before.open.shrink_to_fit();
    }
}

impl Span {
    const fn len(&self) -> usize {
        self.open.len() + self.excused.len()
    }

    fn excuse(&mut self, id: ExchangeId) -> bool {
        let Some(at) = self.open.iter().rposition(|open| *open == id) else { return false };
        self.excused.push(self.open.swap_remove(at));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_excuses_one_answer_and_the_older_half_is_forgotten() {
        let mut issued = Issued::default();
        for id in 0..=limits::ISSUED_IDS as u64 {
            issued.remember(ExchangeId(id));
        }
        assert!(!issued.excuse(ExchangeId(0)), "forgotten");
        assert!(issued.excuse(ExchangeId(limits::ISSUED_IDS as u64)));
        let young = ExchangeId(limits::ISSUED_IDS as u64 / 2 + 1);
        assert!(issued.excuse(young) && !issued.excuse(young));
        assert!(!issued.excuse(ExchangeId(u64::MAX)), "nobody drew it");
        assert!(issued.now.len() + issued.before.len() <= limits::ISSUED_IDS);
    }

    #[test]
    fn an_id_is_known_for_its_life_and_not_for_good() {
        let (mut issued, start) = (Issued::default(), Instant::from_micros(1 << 40));
        issued.expire(start);
        issued.remember(ExchangeId(7));
        for passed in [limits::ISSUED_LIFE / 2, limits::ISSUED_LIFE, limits::ISSUED_LIFE * 3 / 2] {
            issued.expire(start + passed);
            assert!(issued.knows(ExchangeId(7)), "after {passed:?}");
        }
        issued.expire(start + limits::ISSUED_LIFE * 2);
        assert!(!issued.knows(ExchangeId(7)));
    }

    #[test]
    fn a_word_that_its_last_word_has_overtaken_is_still_known() {
        let mut issued = Issued::default();
        issued.remember(ExchangeId(7));
        assert!(issued.excuse(ExchangeId(7)) && issued.knows(ExchangeId(7)));
        assert!(!issued.knows(ExchangeId(8)));
    }
}
