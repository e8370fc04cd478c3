//! Exchange ids of late: what tells a late answer from one that nobody asked for.
//!
//! A question may be given up before its answer comes, because its time is over or a client lost interest; whoever answers
//! then is honest. Ids are drawn at random, so nobody else can name one. Guarantees that each id excuses one last word,
//! which may overtake those before it, and bounds what is remembered: beyond it the oldest is forgotten, and its late
//! answer counts as unasked.

use std::collections::VecDeque;

use crate::limits;
use crate::overlay::freenet::message::ExchangeId;

/// Ids that answers may still come for.
#[derive(Clone, Debug, Default)]
pub(super) struct Issued(VecDeque<Exchange>);

#[derive(Clone, Copy, Debug)]
struct Exchange {
    id: ExchangeId,
    /// Whether its last word has come late and is excused.
    excused: bool,
}

impl Issued {
    /// An exchange begins, or ends here while the peer may still speak of it.
    pub(super) fn remember(&mut self, id: ExchangeId) {
        if self.0.len() >= limits::ISSUED_IDS {
            self.0.pop_front();
        }
        self.0.push_back(Exchange { id, excused: false });
    }

    /// Whether this exchange is one of late.
    pub(super) fn knows(&self, id: ExchangeId) -> bool {
        self.0.iter().any(|issued| issued.id == id)
    }

    /// Whether an answer to this exchange is late and no more than that. Asked only when nobody waits for it.
    pub(super) fn excuse(&mut self, id: ExchangeId) -> bool {
        let issued = self.0.iter_mut().rfind(|issued| issued.id == id && !issued.excused);
        issued.map(|issued| issued.excused = true).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_excuses_one_answer_and_the_oldest_is_forgotten() {
        let mut issued = Issued::default();
        for id in 0..=limits::ISSUED_IDS as u64 {
            issued.remember(ExchangeId(id));
        }
        assert!(!issued.excuse(ExchangeId(0)), "forgotten");
        assert!(issued.excuse(ExchangeId(1)) && !issued.excuse(ExchangeId(1)));
        assert!(issued.excuse(ExchangeId(limits::ISSUED_IDS as u64)));
        assert!(!issued.excuse(ExchangeId(u64::MAX)), "nobody drew it");
    }

    #[test]
    fn a_word_that_its_last_word_has_overtaken_is_still_known() {
        let mut issued = Issued::default();
        issued.remember(ExchangeId(7));
        assert!(issued.excuse(ExchangeId(7)) && issued.knows(ExchangeId(7)));
        assert!(!issued.knows(ExchangeId(8)));
    }
}
