//! How nodes bring their directories to the same state: set reconciliation over the links there are.
//!
//! A node says of a range of ids how many descriptors it has and what their hashes add up to, part by part; where two
//! nodes differ the range is cut finer, and where few are left they are listed and exchanged. Every word fits one small
//! message, and one word is answered by a bounded number. Leaves out whether a descriptor is taken: `directory` does.

use crypto::hash::{Label, hash};
use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::limits;
use crate::message::class::{Class, Message};
use crate::onion::descriptor::Descriptor;
use crate::onion::directory::Directory;
use crate::time::Instant;

/// What nodes say to each other about relays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gossip {
    /// What the parts of a range hold; [`limits::SKETCH_PARTS`] of them.
    Sketch {
        /// The range.
        range: Range,
        /// Its parts, in their order.
        parts: Vec<Part>,
    },
    /// All that a range holds, by the first bytes of the id and by sequence; the first [`limits::LISTED`].
    List {
        /// The range.
        range: Range,
        /// The entries, in the order of ids.
        entries: Vec<(u64, u64)>,
    },
    /// Give me the descriptors of these, named by the first bytes of their ids.
    Want(Vec<u64>),
    /// Descriptors; at most [`limits::DESCRIPTORS_PER_MESSAGE`].
    Give(Vec<Descriptor>),
    /// For how long have you been able to connect to these?
    AskAges(Vec<u64>),
    /// To these for so many hours; to what is left out not at all.
    Ages(Vec<(u64, u16)>),
}

/// All ids that begin with the first `bits` bits of `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    start: u64,
    bits: u8,
}

/// What a part of a range holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    count: u32,
    sum: u64,
}

impl Message for Gossip {
    fn class(&self) -> Class {
        Class::Small
    }
}

impl Gossip {
    /// Whether the word keeps to its bounds, as every word of an honest node does.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Sketch { range, parts } => range.is_sound() && parts.len() == limits::SKETCH_PARTS,
            Self::List { range, entries } => range.is_sound() && entries.len() <= limits::LISTED,
            Self::Want(tags) | Self::AskAges(tags) => tags.len() <= limits::LISTED,
            Self::Ages(ages) => ages.len() <= limits::LISTED,
            Self::Give(descriptors) => descriptors.len() <= limits::DESCRIPTORS_PER_MESSAGE,
        }
    }
}

impl Range {
    /// Everything.
    pub const ALL: Self = Self { start: 0, bits: 0 };

    const fn is_sound(&self) -> bool {
        self.bits <= DEEPEST && self.bits.is_multiple_of(PART_BITS) && self.start & !mask(self.bits) == 0
    }

    /// The first and the last id of the range.
    fn ends(&self) -> (NodeId, NodeId) {
        let (mut first, mut last) = ([0; 32], [255; 32]);
        first[..8].copy_from_slice(&self.start.to_be_bytes());
        last[..8].copy_from_slice(&(self.start | !mask(self.bits)).to_be_bytes());
        (NodeId(first), NodeId(last))
    }

    fn part(&self, number: usize) -> Self {
        let bits = self.bits + PART_BITS;
        Self { start: self.start | (number as u64) << (64 - bits), bits }
    }

    fn part_of(&self, tag: u64) -> usize {
        (tag << self.bits >> (64 - PART_BITS)) as usize
    }

    fn held<'a>(&self, directory: &'a Directory) -> impl Iterator<Item = &'a Descriptor> + use<'a> {
        let (first, last) = self.ends();
        directory.range(first, last)
    }
}

/// What this node holds of a range, part by part.
pub fn sketch(directory: &Directory, range: Range) -> Gossip {
    Gossip::Sketch { range, parts: parts(directory, range) }
}

/// What to answer to a sound sketch, list or question; descriptors that are given are for the directory.
pub fn answer(directory: &Directory, word: &Gossip, random: &mut ChaCha20Rng) -> Vec<Gossip> {
    match word {
        Gossip::Sketch { range, parts } => on_sketch(directory, *range, parts, random),
        Gossip::List { range, entries } => on_list(directory, *range, entries),
        Gossip::Want(tags) => {
            let named = tags.iter().flat_map(|tag| Range { start: *tag, bits: 64 }.held(directory));
            give(named.take(limits::LISTED))
        }
        Gossip::Give(_) | Gossip::AskAges(_) | Gossip::Ages(_) => Vec::new(),
    }
}

/// For how long this node has been able to connect to relays, as far as it has tried.
pub fn ages(directory: &Directory, tags: &[u64], now: Instant) -> Gossip {
    let hours = |since: Instant| u16::try_from(now.since(since).as_secs() / 3_600).unwrap_or(u16::MAX);
    let age = |tag: &u64| Some((*tag, hours(directory.reached(&directory.tagged(*tag)?)?)));
    Gossip::Ages(tags.iter().filter_map(age).collect())
}

/// Descriptors in as few messages as they fit.
pub fn give<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<Gossip> {
    let all: Vec<&Descriptor> = descriptors.collect();
    let few = all.chunks(limits::DESCRIPTORS_PER_MESSAGE);
    few.map(|few| Gossip::Give(few.iter().copied().cloned().collect())).collect()
}

fn on_sketch(directory: &Directory, range: Range, theirs: &[Part], random: &mut ChaCha20Rng) -> Vec<Gossip> {
    let mine = parts(directory, range);
    let differing: Vec<usize> = (0..limits::SKETCH_PARTS).filter(|part| mine[*part] != theirs[*part]).collect();
    let held = |parts: &[Part]| parts.iter().map(|part| part.count as usize).fold(0, usize::saturating_add);
    if differing.is_empty() {
        return Vec::new();
    }
    if held(&mine).saturating_add(held(theirs)) <= limits::LISTED || range.bits == DEEPEST {
        return vec![list(directory, range)];
    }
    // Another start each time, so that no part is behind the bound for good.
    let start = random.random_range(0..differing.len());
    let some = differing[start..].iter().chain(&differing[..start]).take(limits::SKETCH_ANSWERS);
    let closer = |part: &usize| {
        let few = held(&mine[*part..=*part]).saturating_add(held(&theirs[*part..=*part])) <= limits::LISTED;
        if few { list(directory, range.part(*part)) } else { sketch(directory, range.part(*part)) }
    };
    some.map(closer).collect()
}

fn on_list(directory: &Directory, range: Range, entries: &[(u64, u64)]) -> Vec<Gossip> {
    let sequence_of = |tag: u64| entries.iter().find(|(other, _)| *other == tag).map(|(_, sequence)| *sequence);
    let is_news = |descriptor: &&Descriptor| {
        sequence_of(tag(&descriptor.words.id)).is_none_or(|theirs| theirs < descriptor.words.sequence)
    };
    let mut answers = give(range.held(directory).filter(is_news).take(limits::LISTED));
    let is_wanted = |(tag, sequence): &&(u64, u64)| {
        Range { start: *tag, bits: 64 }.held(directory).all(|mine| mine.words.sequence < *sequence)
    };
    let wanted: Vec<u64> = entries.iter().filter(is_wanted).map(|(tag, _)| *tag).collect();
    if !wanted.is_empty() {
        answers.push(Gossip::Want(wanted));
    }
    answers
}

fn list(directory: &Directory, range: Range) -> Gossip {
    let entry = |descriptor: &Descriptor| (tag(&descriptor.words.id), descriptor.words.sequence);
    Gossip::List { range, entries: range.held(directory).map(entry).take(limits::LISTED).collect() }
}

fn parts(directory: &Directory, range: Range) -> Vec<Part> {
    let mut parts = vec![Part::default(); limits::SKETCH_PARTS];
    for descriptor in range.held(directory) {
        let part = &mut parts[range.part_of(tag(&descriptor.words.id))];
        part.count += 1;
        part.sum = part.sum.wrapping_add(print(descriptor));
    }
    parts
}

/// What a descriptor adds to the sum of its part.
fn print(descriptor: &Descriptor) -> u64 {
    let digest = hash(Label::RelayDescriptor, &[&descriptor.words.id.0, &descriptor.words.sequence.to_be_bytes()]);
    first_bytes(&digest)
}

/// What names a node in words that list many.
pub(super) fn tag(id: &NodeId) -> u64 {
    first_bytes(&id.0)
}

fn first_bytes(bytes: &[u8; 32]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&bytes[..8]);
    u64::from_be_bytes(first)
}

const fn mask(bits: u8) -> u64 {
    match bits {
        0 => 0,
        1..64 => !(u64::MAX >> bits),
        _ => u64::MAX,
    }
}

/// Bits of the id that tell the parts of a range apart.
const PART_BITS: u8 = 6;
/// Ranges are cut no finer. Ids are spread evenly, so 48 bits tell millions of relays apart.
const DEEPEST: u8 = 48;

const _: () = assert!(1 << PART_BITS == limits::SKETCH_PARTS && DEEPEST.is_multiple_of(PART_BITS));

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use rand::SeedableRng;

    use super::*;
    use crate::onion::fixture::{NETWORK, START, at, descriptor, id, key};
    use crate::time::Duration;

    fn directory(numbers: impl Iterator<Item = u16>) -> Directory {
        let mut directory = Directory::new(id(0), Duration::ZERO);
        for number in numbers {
            take(&mut directory, &[descriptor(number, number as u8, START)]);
        }
        directory
    }

    fn take(directory: &mut Directory, descriptors: &[Descriptor]) {
        for descriptor in descriptors {
            directory.admit(at(1), descriptor.clone(), &key(0), &NETWORK);
        }
    }

    /// Lets two nodes talk from one sketch on until both are silent; how many words that took.
    fn talk(first: &mut Directory, second: &mut Directory) -> usize {
        let mut random = ChaCha20Rng::from_seed([1; 32]);
        let mut words = VecDeque::from([(true, sketch(first, Range::ALL))]);
        let mut said = 0;
        while let Some((to_second, word)) = words.pop_front() {
            assert!(word.is_sound(), "{word:?}");
            assert!(postcard::to_stdvec(&word).expect("encodes").len() <= limits::CELL_PAYLOAD_BYTES);
            said += 1;
            let hearer = if to_second { &mut *second } else { &mut *first };
            words.extend(answer(hearer, &word, &mut random).into_iter().map(|answer| (!to_second, answer)));
            if let Gossip::Give(descriptors) = word {
                take(hearer, &descriptors);
            }
        }
        said
    }

    fn all(directory: &Directory) -> Vec<Descriptor> {
        Range::ALL.held(directory).cloned().collect()
    }

    #[test]
    fn two_nodes_that_agree_say_one_word_and_no_more() {
        let (mut first, mut second) = (directory(1..80), directory(1..80));
        assert_eq!(talk(&mut first, &mut second), 1);
    }

    #[test]
    fn what_one_of_two_nodes_knows_both_know_in_the_end() {
        for (mine, theirs) in [(1..5, 5..9), (1..1, 1..16), (1..300, 290..420), (1..400, 400..401)] {
            let (mut first, mut second) = (directory(mine), directory(theirs.clone()));
            for _ in 0..64 {
                talk(&mut first, &mut second);
                talk(&mut second, &mut first);
            }
            assert_eq!(all(&first), all(&second), "{theirs:?}");
        }
    }

    #[test]
    fn a_newer_word_of_a_relay_replaces_the_older_at_both() {
        let (mut first, mut second) = (directory(1..30), directory(1..30));
        take(&mut second, &[descriptor(7, 9, at(1))]);
        talk(&mut first, &mut second);
        assert_eq!(first.get(&id(7)).map(|entry| entry.descriptor.clone()), Some(descriptor(7, 9, at(1))));
        assert_eq!(all(&first), all(&second));
    }

    #[test]
    fn words_beyond_their_bounds_are_not_sound() {
        let entries = vec![(0, 0); limits::LISTED + 1];
        let parts = vec![Part::default(); limits::SKETCH_PARTS];
        let unsound = [
            Gossip::List { range: Range::ALL, entries },
            Gossip::Sketch { range: Range { start: 0, bits: 3 }, parts: parts.clone() },
            Gossip::Sketch { range: Range { start: 1, bits: 6 }, parts: parts.clone() },
            Gossip::Sketch { range: Range { start: 0, bits: 64 }, parts: parts.clone() },
            Gossip::Sketch { range: Range::ALL, parts: parts[1..].to_vec() },
            Gossip::Want(vec![0; limits::LISTED + 1]),
            Gossip::AskAges(vec![0; limits::LISTED + 1]),
            Gossip::Ages(vec![(0, 0); limits::LISTED + 1]),
            Gossip::Give(vec![descriptor(1, 1, START); limits::DESCRIPTORS_PER_MESSAGE + 1]),
        ];
        assert!(unsound.iter().all(|word| !word.is_sound()));
    }
}
