//! What is here, what is under way, and what is asked for next.
//!
//! A piece that was begun is finished before another is begun (strict priority); but a seed is asked first for what was
//! begun at a seed or not at all, as in the original client: its time is for what others lack. The first piece is any;
//! after it comes the one that fewest peers have (rarest first). When every part that is missing has been asked for,
//! parts are asked for once more of others (endgame). Leaves out who is asked, and whether a piece is what it should be.

use std::collections::BTreeMap;

use super::bits::Bits;
use super::config::PieceChoice;
use super::listing::Listing;
use super::message::Place;
use crate::id::NodeId;
use crate::message::fragment::Fragment;
use crate::overlay::mode::dice::Dice;

/// The pieces of one document at one node.
#[derive(Debug)]
pub(super) struct Pieces {
    choice: PieceChoice,
    /// Parts of every piece.
    parts: Vec<u16>,
    have: Bits,
    /// Neither here nor begun.
    fresh: Bits,
    begun: BTreeMap<u16, Begun>,
    /// Those that did not match though several peers had sent them: each is asked of one peer alone.
    suspect: Bits,
    /// Whole and not yet stored.
    settling: usize,
    /// Peers that have each piece.
    seen: Vec<u16>,
    left: u16,
}

#[derive(Debug)]
struct Begun {
    parts: Vec<Part>,
    fresh: u16,
    missing: u16,
    /// The only peer that is asked, if there is to be one.
    sole: Option<NodeId>,
    /// Whether the first that was asked is a seed.
    at_seed: bool,
}

impl Begun {
    fn may_ask(&self, peer: &NodeId) -> bool {
        self.sole.is_none_or(|sole| sole == *peer)
    }
}

#[derive(Clone, Debug)]
enum Part {
    /// Nobody is asked.
    Fresh,
    /// So many peers are asked.
    Asked(u16),
    /// Here, from this peer.
    Got(NodeId, Fragment),
}

/// What a part that arrived was good for.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Nothing.
    Unwanted,
    /// It was missing; so many other peers are still asked for it.
    Taken(u16),
    /// The same, and it was the last of its piece: all parts, and who sent them.
    Completed(u16, Vec<(NodeId, Fragment)>),
}

impl Pieces {
    /// Of a document of which nothing is here, or everything.
    pub(super) fn new(listing: &Listing, choice: PieceChoice, is_complete: bool) -> Self {
        let count = listing.pieces();
        let (all, none) = (Bits::all(count), Bits::none(count));
        let (have, fresh) = if is_complete { (all, none) } else { (none, all) };
        Self {
            choice,
            parts: (0..count).map(|piece| listing.blocks_of(piece) * PARTS_PER_BLOCK).collect(),
            have,
            fresh,
            begun: BTreeMap::new(),
            suspect: Bits::none(count),
            settling: 0,
            seen: vec![0; count.into()],
            left: if is_complete { 0 } else { count },
        }
    }

    pub(super) const fn have(&self) -> &Bits {
        &self.have
    }

    pub(super) const fn count(&self) -> u16 {
        self.parts.len() as u16
    }

    pub(super) const fn is_complete(&self) -> bool {
        self.left == 0
    }

    /// Whether there is such a part.
    pub(super) fn is_part(&self, place: Place) -> bool {
        self.parts.get(usize::from(place.piece)).is_some_and(|parts| place.part < *parts)
    }

    /// A peer with these pieces has come.
    pub(super) fn saw(&mut self, bits: &Bits) {
        bits.iter().for_each(|piece| self.saw_one(piece));
    }

    /// A peer has got another piece.
    pub(super) fn saw_one(&mut self, piece: u16) {
        if let Some(seen) = self.seen.get_mut(usize::from(piece)) {
            *seen += 1;
        }
    }

    /// A peer with these pieces has gone.
    pub(super) fn lost(&mut self, bits: &Bits) {
        for piece in bits.iter() {
            if let Some(seen) = self.seen.get_mut(usize::from(piece)) {
                *seen -= 1;
            }
        }
    }

    /// What to ask of `peer`, which has `theirs` and is asked for `outstanding`; counts as asked from now on.
    pub(super) fn next(
        &mut self,
        peer: &NodeId,
        (theirs, outstanding): (&Bits, &[Place]),
        dice: &mut Dice,
    ) -> Option<Place> {
        let is_seed = theirs.count() == self.count();
        if let Some(place) = self.go_on(peer, theirs, is_seed) {
            return Some(place);
        }
        if let Some(piece) = self.choose(theirs, dice) {
            return Some(self.begin(piece, peer, is_seed));
        }
        if let Some(place) = self.go_on(peer, theirs, false) {
            return Some(place);
        }
        let is_end = usize::from(self.left) == self.begun.len() + self.settling;
        if is_end && self.begun.values().all(|begun| begun.fresh == 0) {
            return self.once_more(peer, theirs, outstanding);
        }
        None
    }

    /// The next part of a piece that was begun, by any peer or by a seed.
    fn go_on(&mut self, peer: &NodeId, theirs: &Bits, by_seed: bool) -> Option<Place> {
        let is_it = |(at, begun): &(&u16, &mut Begun)| {
            begun.fresh > 0 && theirs.has(**at) && begun.may_ask(peer) && (begun.at_seed || !by_seed)
        };
        let (piece, begun) = self.begun.iter_mut().find(is_it)?;
        let part = begun.parts.iter().position(|part| matches!(part, Part::Fresh))?;
        begun.parts[part] = Part::Asked(1);
        begun.fresh -= 1;
        Some(Place { piece: *piece, part: part as u16 })
    }

    fn choose(&self, theirs: &Bits, dice: &mut Dice) -> Option<u16> {
        let is_rarest = self.choice == PieceChoice::Rarest && self.left < self.count();
        let (mut best, mut ties) = (None, 0);
        for piece in self.fresh.both(theirs) {
            let seen = if is_rarest { self.seen[usize::from(piece)] } else { 0 };
            match best {
                Some((_, least)) if seen > least => continue,
                Some((_, least)) if seen == least => ties += 1,
                _ => ties = 1,
            }
            if dice.below(ties) == 0 {
                best = Some((piece, seen));
            }
        }
        best.map(|(piece, _)| piece)
    }

    fn begin(&mut self, piece: u16, peer: &NodeId, at_seed: bool) -> Place {
        self.fresh.clear(piece);
        let sole = self.suspect.has(piece).then_some(*peer);
        let count = self.parts[usize::from(piece)];
        let mut parts = vec![Part::Fresh; count.into()];
        parts[0] = Part::Asked(1);
        self.begun.insert(piece, Begun { parts, fresh: count - 1, missing: count, sole, at_seed });
        Place { piece, part: 0 }
    }

    /// Endgame: the part that fewest are asked for.
    fn once_more(&mut self, peer: &NodeId, theirs: &Bits, outstanding: &[Place]) -> Option<Place> {
        let mut best: Option<(u16, Place)> = None;
        for (piece, begun) in self.begun.iter().filter(|(piece, b)| theirs.has(**piece) && b.may_ask(peer)) {
            for (part, state) in begun.parts.iter().enumerate() {
                let (Part::Asked(times), place) = (state, Place { piece: *piece, part: part as u16 }) else { continue };
                if best.is_none_or(|(least, _)| *times < least) && !outstanding.contains(&place) {
                    best = Some((*times, place));
                }
            }
        }
        let (_, place) = best?;
        if let Some(Part::Asked(times)) = self.part(place) {
            *times += 1;
        }
        Some(place)
    }

    fn part(&mut self, place: Place) -> Option<&mut Part> {
        self.begun.get_mut(&place.piece)?.parts.get_mut(usize::from(place.part))
    }

    /// One peer is no longer asked for a part.
    pub(super) fn release(&mut self, place: Place) {
        let Some(begun) = self.begun.get_mut(&place.piece) else { return };
        let Some(Part::Asked(times)) = begun.parts.get_mut(usize::from(place.part)) else { return };
        *times -= 1;
        if *times == 0 {
            begun.parts[usize::from(place.part)] = Part::Fresh;
            begun.fresh += 1;
        }
    }

    /// A part has arrived from a peer, which is still counted among those asked or not.
    pub(super) fn arrived(&mut self, place: Place, from: NodeId, fragment: Fragment, is_asked: bool) -> Arrival {
        let Some(begun) = self.begun.get_mut(&place.piece) else { return Arrival::Unwanted };
        let Some(part) = begun.parts.get_mut(usize::from(place.part)) else { return Arrival::Unwanted };
        let others = match part {
            Part::Got(..) => return Arrival::Unwanted,
            Part::Fresh => {
                begun.fresh -= 1;
                0
            }
            Part::Asked(times) => *times - u16::from(is_asked),
        };
        *part = Part::Got(from, fragment);
        begun.missing -= 1;
        if begun.missing > 0 {
            return Arrival::Taken(others);
        }
        let whole = self.begun.remove(&place.piece).map(|begun| begun.parts).unwrap_or_default();
        self.settling += 1;
        let got = |part| match part {
            Part::Got(from, fragment) => Some((from, fragment)),
            Part::Fresh | Part::Asked(_) => None,
        };
        Arrival::Completed(others, whole.into_iter().filter_map(got).collect())
    }

    /// A whole piece is stored.
    pub(super) fn stored(&mut self, piece: u16) {
        self.settling -= 1;
        self.left -= 1;
        self.have.set(piece);
    }

    /// A whole piece was not what it should be, or could not be stored; with `suspect` it is asked of one peer next time.
    pub(super) fn failed(&mut self, piece: u16, suspect: bool) {
        self.settling -= 1;
        self.fresh.set(piece);
        if suspect {
            self.suspect.set(piece);
        }
    }

    /// A peer is asked for nothing any more: what was to come from it alone begins anew.
    pub(super) fn abandon(&mut self, peer: &NodeId) {
        let fresh = &mut self.fresh;
        self.begun.retain(|piece, begun| {
            let stays = begun.sole != Some(*peer);
            if !stays {
                fresh.set(*piece);
            }
            stays
        });
    }
}

/// A block is asked for in halves.
pub(super) const PARTS_PER_BLOCK: u16 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::RoutingKey;
    use crate::message::block::Block;

    const FROM: NodeId = NodeId([1; 32]);

    /// Of a document of `count` pieces of two blocks, each asked for in four parts.
    fn pieces(count: u32, choice: PieceChoice) -> Pieces {
        let keys: Vec<RoutingKey> = (0..count * 2).map(|number| RoutingKey([number as u8; 32])).collect();
        let block = Listing::block(&keys, 2).expect("a listing");
        Pieces::new(&Listing::read(&block).expect("a listing"), choice, false)
    }

    fn fragment() -> Fragment {
        Fragment::of(&Block::stand_in(RoutingKey([0; 32])), false)
    }

    fn of(all: &[u16], count: u16) -> Bits {
        let mut bits = Bits::none(count);
        all.iter().for_each(|piece| bits.set(*piece));
        bits
    }

    fn take_piece(pieces: &mut Pieces, theirs: &Bits, dice: &mut Dice) -> u16 {
        let places: Vec<Place> =
            (0..4).map(|_| pieces.next(&FROM, (theirs, &[]), dice).expect("more to ask")).collect();
        assert!(places.iter().all(|place| place.piece == places[0].piece), "a piece that was begun is finished first");
        let mut done = false;
        for place in &places {
            let arrival = pieces.arrived(*place, FROM, fragment(), true);
            done = matches!(arrival, Arrival::Completed(0, parts) if parts.len() == 4);
        }
        assert!(done);
        pieces.stored(places[0].piece);
        places[0].piece
    }

    #[test]
    fn the_first_piece_is_any_and_then_the_rarest_is_next() {
        let mut firsts = Vec::new();
        for seed in 0..40 {
            let (mut pieces, mut dice) = (pieces(6, PieceChoice::Rarest), Dice::new(&[seed; 32]));
            let all = Bits::all(6);
            [&all, &of(&[0, 1, 2, 3, 4], 6), &of(&[0, 1, 2, 3], 6)].into_iter().for_each(|bits| pieces.saw(bits));
            let first = take_piece(&mut pieces, &all, &mut dice);
            let rarest = if first == 5 { 4 } else { 5 };
            assert_eq!(take_piece(&mut pieces, &all, &mut dice), rarest);
            firsts.push(first);
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert!(firsts.len() > 3, "of forty first pieces, six kinds are likely: {firsts:?}");
    }

    #[test]
    fn a_seed_is_not_asked_for_what_others_have_begun_while_it_has_something_else() {
        let (mut pieces, mut dice) = (pieces(3, PieceChoice::Rarest), Dice::new(&[7; 32]));
        let (all, some, seed) = (Bits::all(3), of(&[1], 3), NodeId([2; 32]));
        assert_eq!(pieces.next(&FROM, (&some, &[]), &mut dice), Some(Place { piece: 1, part: 0 }));
        let asked: Vec<u16> =
            (0..11).map(|_| pieces.next(&seed, (&all, &[]), &mut dice).expect("more to ask").piece).collect();
        assert!(!asked[..8].contains(&1) && asked[0] == asked[3] && asked[4] == asked[7], "{asked:?}");
        assert_eq!(asked[8..], [1, 1, 1], "and then for the rest of it");
    }

    #[test]
    fn what_was_released_is_asked_again_and_at_the_end_everything_of_everybody() {
        let (mut pieces, mut dice) = (pieces(1, PieceChoice::Rarest), Dice::new(&[3; 32]));
        let all = Bits::all(1);
        let asked: Vec<Place> = (0..4).map(|_| pieces.next(&FROM, (&all, &[]), &mut dice).expect("fresh")).collect();
        pieces.release(asked[2]);
        assert_eq!(pieces.next(&FROM, (&all, &asked), &mut dice), Some(asked[2]));
        // All are asked for: another peer is asked once more for each, the same one for none.
        let again: Vec<Place> = (0..4).filter_map(|_| pieces.next(&FROM, (&all, &[]), &mut dice)).collect();
        assert_eq!(again.len(), 4);
        assert_eq!(pieces.next(&FROM, (&all, &asked), &mut dice), None);
        assert!(matches!(pieces.arrived(asked[0], FROM, fragment(), true), Arrival::Taken(1)));
        assert!(matches!(pieces.arrived(asked[0], FROM, fragment(), true), Arrival::Unwanted));
        assert_eq!(pieces.next(&FROM, (&Bits::none(1), &[]), &mut dice), None);
    }

    #[test]
    fn a_piece_that_failed_is_fresh_again() {
        let (mut pieces, mut dice) = (pieces(2, PieceChoice::Random), Dice::new(&[4; 32]));
        let theirs = of(&[1], 2);
        for _ in 0..4 {
            let place = pieces.next(&FROM, (&theirs, &[]), &mut dice).expect("fresh");
            pieces.arrived(place, FROM, fragment(), true);
        }
        assert_eq!(pieces.next(&FROM, (&theirs, &[]), &mut dice), None, "it is being stored");
        pieces.failed(1, false);
        assert_eq!(pieces.next(&FROM, (&theirs, &[]), &mut dice), Some(Place { piece: 1, part: 0 }));
        assert!(!pieces.is_complete() && pieces.have().count() == 0);
    }

    #[test]
    fn a_suspect_piece_is_asked_of_one_peer_and_anew_when_that_is_gone() {
        let (mut pieces, mut dice) = (pieces(1, PieceChoice::Rarest), Dice::new(&[5; 32]));
        let (all, other) = (Bits::all(1), NodeId([2; 32]));
        for _ in 0..4 {
            let place = pieces.next(&FROM, (&all, &[]), &mut dice).expect("fresh");
            pieces.arrived(place, FROM, fragment(), true);
        }
        pieces.failed(0, true);
        assert!(pieces.next(&FROM, (&all, &[]), &mut dice).is_some());
        assert_eq!(pieces.next(&other, (&all, &[]), &mut dice), None);
        pieces.abandon(&FROM);
        assert_eq!(pieces.next(&other, (&all, &[]), &mut dice), Some(Place { piece: 0, part: 0 }));
    }
}
