//! How closely it is looked into whether a peer holds its place: the nearer it comes, the closer (docs/protocol.md §5.3).
//!
//! Who comes to lie near is examined; who gets a long link has been found by routing to its place, or one question is asked
//! there. Says what is found; whether there is room is for others.

use crate::id::NodeId;
use crate::key::Location;
use crate::limits;
use crate::overlay::freenet::announcement::Digest;
use crate::overlay::freenet::core::Core;
use crate::overlay::freenet::inquiry::Inquiries;
use crate::overlay::freenet::message::Reply;
use crate::overlay::freenet::neighbours::{Neighbour, Standing};
use crate::overlay::freenet::query::Queries;
use crate::overlay::freenet::shape::{is_established, is_near, is_small_network, near_among_members};
use crate::overlay::freenet::vouch::{self, Examined, Finding, Vouching};
use crate::time::Instant;

/// Everything that is looked into.
#[derive(Debug, Default)]
pub(super) struct Scrutiny {
    vouching: Vouching,
    inquiries: Inquiries,
}

/// What was found of a peer, and how good a standing that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) peer: NodeId,
    pub(super) finding: Finding,
    pub(super) standing: Standing,
}

impl Scrutiny {
    /// When [`Self::handle_timeout`] is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.vouching.deadline(), self.inquiries.deadline()].into_iter().flatten().min()
    }

    /// A deadline may have come.
    pub(super) fn handle_timeout(&mut self, core: &mut Core, queries: &mut Queries, now: Instant) {
        self.vouching.handle_timeout(core, queries, now);
        self.inquiries.handle_timeout(core, queries, now);
    }

    /// A link is gone.
    pub(super) fn handle_link_down(&mut self, peer: &NodeId) {
        self.vouching.handle_link_down(peer);
        self.inquiries.handle_link_down(peer);
    }

    /// Looks into a peer whose signatures are right.
    pub(super) fn consider(&mut self, core: &mut Core, queries: &mut Queries, now: Instant, peer: NodeId) -> Verdict {
        let verdict = |finding, standing| Verdict { peer, finding, standing };
        let place_of = |neighbour: &Neighbour| neighbour.reference().map(|reference| reference.location);
        let Some(neighbour) = core.neighbours.get(&peer) else { return verdict(Finding::Pending, Standing::Entered) };
        let Some(place) = place_of(neighbour) else { return verdict(Finding::Pending, Standing::Entered) };
        let Some(certificate) = neighbour.certificate.clone() else {
            return verdict(Finding::Rightful, Standing::Examined);
        };
        if !is_established(core) {
            return verdict(Finding::Rightful, Standing::Entered);
        }
        if is_near(core, place, &peer) || is_small_network(core) {
            verdict(self.vouching.examine(core, queries, now, peer, certificate), Standing::Examined)
        } else if neighbour.was_sought_at(place) {
            verdict(Finding::Rightful, Standing::Known)
        } else {
            verdict(self.inquiries.begin(core, queries, now, peer, certificate), Standing::Known)
        }
    }

    /// Neighbours of which too little is known for what they are by now; a few at a time.
    pub(super) fn open(&self, core: &Core) -> Vec<NodeId> {
        if !is_established(core) {
            return Vec::new();
        }
        let is_near = near_among_members(core);
        let is_open = |(id, neighbour, place): &(&NodeId, &Neighbour, Location)| match neighbour.standing {
            Standing::Entered | Standing::Moved => true,
            Standing::Known => is_near(*place, id),
            Standing::Examined => false,
        };
        let open = core.neighbours.members().filter(is_open).map(|(peer, _, _)| *peer);
        open.take(limits::VOUCHERS_ASKED).collect()
    }

    // -- what neighbours say, and are told ------------------------------------------------------------------------------

    /// A neighbour asks whether this node vouches for a certificate.
    pub(super) fn handle_vouch_for(&self, core: &mut Core, from: NodeId, certificate: Digest) {
        self.vouching.handle_vouch_for(core, from, certificate);
    }

    /// A neighbour vouches for a certificate, or does not.
    pub(super) fn handle_vouched_for(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        from: NodeId,
        answer: (Digest, Option<u8>),
    ) -> Option<Verdict> {
        let examined = self.vouching.handle_vouched_for(core, queries, now, from, answer)?;
        of_shown(core, examined, Standing::Examined)
    }

    /// A witness place has answered.
    pub(super) fn handle_witness_place(
        &mut self,
        core: &mut Core,
        queries: &mut Queries,
        now: Instant,
        asked: (u64, u8),
        reply: Option<Reply>,
    ) -> Option<Verdict> {
        let examined = self.vouching.handle_reply(core, queries, now, asked, reply)?;
        of_shown(core, examined, Standing::Examined)
    }

    /// The place that a peer claims has answered.
    pub(super) fn handle_claimed_place(
        &mut self,
        core: &Core,
        now: Instant,
        inquiry: u64,
        reply: Option<Reply>,
    ) -> Option<Verdict> {
        let examined = self.inquiries.handle_reply(core, now, inquiry, reply)?;
        of_shown(core, examined, Standing::Known)
    }

    /// This node's answer about a witness that must lie at `target`.
    pub(super) fn vouched(&self, core: &Core, target: Location, witness: &NodeId) -> Reply {
        vouch::vouched(core, target, witness)
    }

    /// This node's answer about the holder of a certificate that lies near it.
    pub(super) fn known(&self, core: &Core, holder: &NodeId, certificate: &Digest) -> Reply {
        self.vouching.known(core, holder, certificate)
    }
}

/// What was found counts if the peer shows the same certificate still.
fn of_shown(core: &Core, examined: Examined, standing: Standing) -> Option<Verdict> {
    let Examined { peer, certificate, finding } = examined;
    let shown = core.neighbours.get(&peer)?.certificate.as_ref()?;
    (shown.digest() == certificate).then_some(Verdict { peer, finding, standing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::certificate::{Certificate, Claim};
    use crate::overlay::freenet::config::Profile;
    use crate::overlay::freenet::fixture::{NOON, node, reference};
    use crate::overlay::freenet::message::{LocationList, Message};
    use crate::overlay::mode::Output;

    /// A founder with sixty neighbours, the farthest at half the ring, all of one standing.
    fn founder(standing: Standing) -> Core {
        let distances: Vec<u64> = (1..=60).map(|step| step << 57).collect();
        let mut core = node(Profile::Open, &distances);
        let ids: Vec<NodeId> = core.neighbours.members().map(|(id, _, _)| *id).collect();
        for id in ids {
            core.neighbours.get_mut(&id).expect("linked").standing = standing;
        }
        core
    }

    #[test]
    fn who_was_not_examined_is_no_witness_and_stands_in_nobodys_way() {
        let mut core = founder(Standing::Examined);
        let scrutiny = Scrutiny::default();
        let at = |core: &Core, number: u8| reference(core, number, u64::from(number - 1) << 57);
        let (third, eighth) = (at(&core, 3), at(&core, 8));
        let is_witness = |core: &Core, witness: &NodeId, target| {
            matches!(scrutiny.vouched(core, target, witness), Reply::Vouched { reference: Some(_) })
        };
        assert!(is_witness(&core, &third.id, third.location));
        assert!(!is_witness(&core, &eighth.id, third.location), "four are nearer");
        core.neighbours.get_mut(&third.id).expect("linked").standing = Standing::Known;
        assert!(!is_witness(&core, &third.id, third.location));
        for number in 4..8 {
            let id = at(&core, number).id;
            core.neighbours.get_mut(&id).expect("linked").standing = Standing::Known;
        }
        assert!(is_witness(&core, &eighth.id, third.location), "those that are nearer do not count");
    }

    #[test]
    fn only_examined_neighbours_around_a_place_are_asked_to_vouch_for_its_holder() {
        for (standing, teller, is_asked) in [
            (Standing::Examined, 3, true),
            (Standing::Entered, 3, true),
            (Standing::Known, 3, false),
            (Standing::Moved, 3, false),
            (Standing::Examined, 30, false),
        ] {
            let mut core = founder(standing);
            let place = Location(core.location().0.wrapping_add(5 << 56));
            let tellers = [teller, teller + 1].map(|number| reference(&core, number, u64::from(number - 1) << 57).id);
            for teller in &tellers {
                core.neighbours.tell(teller, LocationList::new(vec![place]));
            }
            let asked = vouch::acquainted(&core, &NodeId([0; 32]), place);
            assert_eq!(tellers.iter().all(|teller| asked.contains(teller)), is_asked, "{standing:?} {teller}");
        }
    }

    #[test]
    fn a_peer_is_taken_unasked_only_at_the_place_where_a_search_found_it() {
        for (errs_by, finding) in [(0, Finding::Rightful), (1, Finding::Pending)] {
            let mut core = founder(Standing::Examined);
            let far = reference(&core, 32, 31 << 57);
            let beside = [30, 32].map(|step| reference(&core, step as u8 + 1, step << 57).id);
            let claim = Claim { node: far.id, location: far.location, day: NOON.day(), group: far.group() };
            let certificate = Certificate { claim, testimonies: Vec::new() };
            let peer = core.neighbours.get_mut(&far.id).expect("linked");
            peer.certificate = Some(certificate.into());
            peer.seek_at(Some(Location(far.location.0 + errs_by)));
            let verdict = Scrutiny::default().consider(&mut core, &mut Queries::default(), NOON, far.id);
            assert_eq!((verdict.finding, verdict.standing), (finding, Standing::Known));
            let is_asked =
                |output| matches!(output, Output::Send { to, message: Message::Query(_) } if beside.contains(&to));
            assert_eq!(core.pop().is_some_and(is_asked), finding == Finding::Pending, "one beside the place is asked");
        }
    }
}
