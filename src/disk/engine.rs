//! Performs work on four media, one group at a time, in the calling thread.
//!
//! A group is whatever has gathered: all of it is written, then each file that must be is synced once, then all of it
//! is answered. Nothing is called durable whose sync did not succeed. Opening takes in whatever the media hold: what
//! verifies is recovered, the rest is skipped, counted and its slots are free.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crypto::secret::Secret;
use crypto::slot::SlotKey;
use rand::rngs::ChaCha20Rng;

use crate::disk::label::{self, Label};
use crate::disk::medium::{Medium, fault};
use crate::disk::order::{Order, Remembered, Use};
use crate::disk::slots::{Scanned, SlotFile, SlotReader};
use crate::key::RoutingKey;
use crate::message::block::{Block, BlockKind};
use crate::store::geometry::Capacity;
use crate::store::work::{Area, DiskDone, DiskFault, DiskWork, Place, Recovered};

/// What a store is written on.
#[derive(Debug)]
pub struct Media<M> {
    /// Slots of content blocks.
    pub content: M,
    /// Slots of signed blocks.
    pub signed: M,
    /// The order of use, in two files that take turns.
    pub order: [M; 2],
}

/// What was found on opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Blocks that are there.
    pub blocks: u64,
    /// Slots whose header is damaged.
    pub damaged: u64,
    /// Slots that were being written when the node stopped, and are not whole.
    pub unfinished: u64,
    /// Blocks that left because the size limit is lower than before.
    pub displaced: u64,
    /// Pages of the order of use that cannot be read.
    pub damaged_order_pages: u64,
    /// Files whose head was damaged and is written anew.
    pub repaired_files: u64,
}

/// Why media cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nothing in the file can be read with this secret.
    #[error("nothing in it can be read with this node's secret: it belongs to another secret, or is no store file")]
    Secret,
    /// The file was written by another version.
    #[error("it has version {0}; this program knows version {known}", known = label::VERSION)]
    Version(u32),
}

/// Performs the store's work.
#[derive(Debug)]
pub struct Engine<M> {
    content: SlotFile<M>,
    signed: SlotFile<M>,
    order: Order<M>,
    /// The last sequence number that was given away.
    sequence: u64,
    rng: ChaCha20Rng,
}

/// Reads blocks while the engine writes.
#[derive(Debug)]
pub(super) struct Reader<M> {
    content: SlotReader<M>,
    signed: SlotReader<M>,
}

impl<M: Medium> Engine<M> {
    /// Opens what the media hold, least recently used first. `rng` makes the nonces of this run: seed it afresh.
    ///
    /// # Errors
    /// When a medium fails, or is no store file of this secret.
    pub fn open(
        media: Media<M>,
        node_secret: &Secret<32>,
        capacity: Capacity,
        mut rng: ChaCha20Rng,
    ) -> Result<(Self, Vec<Recovered>, OpenReport), Unusable> {
        let key = Arc::new(SlotKey::new(node_secret));
        let mut report = OpenReport::default();
        let (order, remembered) = Order::open(media.order, Arc::clone(&key), &capacity)?;
        report.damaged_order_pages = remembered.damaged_pages;
        // One readable label proves the secret: what cannot be read beside it is damaged, not foreign.
        let content_label = label::read(&media.content, &key, BlockKind::Content)?;
        let signed_label = label::read(&media.signed, &key, BlockKind::Signed)?;
        let proven = [content_label, signed_label].iter().any(|label| matches!(label, Label::Right | Label::Damaged));
        let mut found = Vec::new();
        let mut files = [(BlockKind::Content, media.content), (BlockKind::Signed, media.signed)].into_iter().map(
            |(kind, medium)| {
                let medium = Arc::new(medium);
                let file = SlotFile::new(Arc::clone(&medium), Arc::clone(&key), kind, capacity.slots(kind))?;
                let mut opening =
                    Opening { file, kind, proven, remembered: &remembered, report: &mut report, rng: &mut rng };
                found.extend(opening.take_in(medium.as_ref(), &key)?);
                Ok::<_, Unusable>(opening.file)
            },
        );
        let (content, signed) = (files.next().expect("two files")?, files.next().expect("two files")?);
        drop(files);
        found.sort_by_key(|block| block.recency);
        report.blocks = found.len() as u64;
        let used = remembered.uses.values().map(|(_, used)| used.sequence);
        let sequence = found.iter().map(|block| block.sequence).chain(used).max().unwrap_or(0);
        let engine = Self { content, signed, order, sequence, rng };
        Ok((engine, found.into_iter().map(|block| block.recovered).collect(), report))
    }

    /// Performs a group and answers all of it.
    pub fn perform(&mut self, group: Vec<DiskWork>) -> Vec<DiskDone> {
        let mut answers = Vec::new();
        let mut uses = Vec::new();
        let mut must_sync = BTreeMap::new();
        for work in group {
            if let DiskWork::Order { used } = work {
                let sequence = self.sequence;
                uses.extend(used.into_iter().map(|(place, established)| Use { place, established, sequence }));
                continue;
            }
            let (answer, durable) = self.perform_one(work);
            if let Some(kind) = durable {
                must_sync.insert(kind, Ok(()));
            }
            answers.extend(answer.map(|answer| (answer, durable)));
        }
        for kind in [BlockKind::Content, BlockKind::Signed] {
            if !uses.is_empty() || self.file(kind).unsynced_bytes() > MOST_UNSYNCED_BYTES {
                must_sync.insert(kind, Ok(()));
            }
        }
        for (kind, result) in &mut must_sync {
            let sequence = self.sequence;
            *result = self.file(*kind).sync(sequence).map_err(|error| fault(&error));
        }
        if !uses.is_empty() {
            // Nobody waits for the order, and nothing but the order is lost without it.
            let _ = self.order.append(&uses, &mut self.rng);
        }
        let synced = |kind: Option<BlockKind>| kind.map_or(Ok(()), |kind| must_sync[&kind]);
        answers.into_iter().map(|(answer, durable)| only_if(answer, synced(durable))).collect()
    }

    /// Makes everything durable that was written.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn sync(&mut self) -> io::Result<()> {
        let sequence = self.sequence;
        self.content.sync(sequence)?;
        self.signed.sync(sequence)
    }

    /// The media, once nobody reads any more.
    ///
    /// # Panics
    /// While a reader lives.
    pub fn into_media(self) -> Media<M> {
        Media { content: self.content.into_medium(), signed: self.signed.into_medium(), order: self.order.into_media() }
    }

    pub(super) fn reader(&self) -> Reader<M> {
        Reader { content: self.content.reader(), signed: self.signed.reader() }
    }

    /// The answer, if there is one, and the file whose sync it waits for.
    fn perform_one(&mut self, work: DiskWork) -> (Option<DiskDone>, Option<BlockKind>) {
        match work {
            DiskWork::Read { place, key } => {
                let block = self.file(place.kind).read(place.slot, &key);
                (Some(DiskDone::Read { place, key, block }), None)
            }
            DiskWork::Write { place, block, area, durable } => {
                let result = self.write(place, &block, area);
                (Some(DiskDone::Written { place, key: block.key(), result }), durable.then_some(place.kind))
            }
            DiskWork::Mark { place, key, area } => {
                let result = self.mark(place, &key, area);
                (Some(DiskDone::Marked { place, key, result }), Some(place.kind))
            }
            DiskWork::Erase { place } => {
                // If it fails the slot is found damaged once more.
                let _ = self.file(place.kind).erase(place.slot);
                (None, None)
            }
            DiskWork::Order { .. } => (None, None),
        }
    }

    fn write(&mut self, place: Place, block: &Block, area: Area) -> Result<(), DiskFault> {
        self.sequence += 1;
        let (file, sequence, rng) = self.file_and_rng(place.kind);
        file.write(place.slot, block, area, sequence, rng).map_err(|error| fault(&error))
    }

    fn mark(&mut self, place: Place, key: &RoutingKey, area: Area) -> Result<(), DiskFault> {
        self.sequence += 1;
        let (file, sequence, rng) = self.file_and_rng(place.kind);
        match file.mark(place.slot, key, area, sequence, rng) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DiskFault::Failed),
            Err(error) => Err(fault(&error)),
        }
    }

    const fn file_and_rng(&mut self, kind: BlockKind) -> (&mut SlotFile<M>, u64, &mut ChaCha20Rng) {
        let file = match kind {
            BlockKind::Content => &mut self.content,
            BlockKind::Signed => &mut self.signed,
        };
        (file, self.sequence, &mut self.rng)
    }

    const fn file(&mut self, kind: BlockKind) -> &mut SlotFile<M> {
        self.file_and_rng(kind).0
    }
}

impl<M: Medium> Reader<M> {
    pub(super) fn read(&self, place: Place, key: &RoutingKey) -> Option<Block> {
        match place.kind {
            BlockKind::Content => self.content.read(place.slot, key),
            BlockKind::Signed => self.signed.read(place.slot, key),
        }
    }
}

/// A slot file while it is taken in.
struct Opening<'a, M> {
    file: SlotFile<M>,
    kind: BlockKind,
    /// Whether the secret is known to be the right one.
    proven: bool,
    remembered: &'a Remembered,
    report: &'a mut OpenReport,
    rng: &'a mut ChaCha20Rng,
}

/// A block that was found, and when it was last used: the sequence number then, and its rank among equals.
struct FoundBlock {
    recovered: Recovered,
    sequence: u64,
    recency: (u64, u64),
}

impl<M: Medium> Opening<'_, M> {
    fn take_in(&mut self, medium: &M, key: &SlotKey) -> Result<Vec<FoundBlock>, Unusable> {
        let label = label::read(medium, key, self.kind)?;
        let (found, damaged) = self.file.scan()?;
        match label {
            Label::Right => {}
            // Beside a label of ours another version is damage: no version ever wrote one file and not the other.
            Label::Version(version) if !self.proven => return Err(Unusable::Version(version)),
            Label::Unreadable if found.is_empty() && !self.proven => return Err(Unusable::Secret),
            Label::Blank if found.is_empty() && !damaged.is_empty() && !self.proven => return Err(Unusable::Secret),
            Label::Blank if found.is_empty() && damaged.is_empty() => label::write(medium, key, self.kind, self.rng)?,
            Label::Blank | Label::Damaged | Label::Unreadable | Label::Version(_) => {
                label::write(medium, key, self.kind, self.rng)?;
                self.report.repaired_files += 1;
            }
        }
        self.report.damaged += damaged.len() as u64;
        for slot in damaged {
            self.file.erase(slot)?;
        }
        let whole = self.whole(found)?;
        let found = whole.iter().map(|scanned| self.found(scanned)).collect();
        let fitting = self.fit(found)?;
        self.file.cut()?;
        Ok(fitting)
    }

    /// Leaves out what was not whole when the node stopped, and the older of two slots with one key.
    fn whole(&mut self, mut found: Vec<Scanned>) -> io::Result<Vec<Scanned>> {
        found.sort_unstable_by_key(|scanned| (scanned.key, Reverse(scanned.sequence)));
        let mut whole: Vec<Scanned> = Vec::with_capacity(found.len());
        let mut followers = found.iter().skip(1).map(|scanned| scanned.key);
        for scanned in &found {
            let has_double = followers.next() == Some(scanned.key);
            if whole.last().is_some_and(|newer| newer.key == scanned.key) {
                self.file.erase(scanned.slot)?;
            } else if (has_double || self.file.is_doubtful(scanned)) && !self.file.verifies(scanned) {
                self.report.unfinished += 1;
                self.file.erase(scanned.slot)?;
            } else {
                whole.push(*scanned);
            }
        }
        Ok(whole)
    }

    /// Brings what lies beyond the last slot into free ones; what was used least recently leaves if there are too few.
    fn fit(&mut self, mut found: Vec<FoundBlock>) -> io::Result<Vec<FoundBlock>> {
        let slots = self.file.slots();
        if found.iter().all(|block| block.recovered.place.slot < slots) {
            return Ok(found);
        }
        // What is kept leaves after what is cached, what was asked for after what was not.
        found.sort_by_key(|block| (block.recovered.area, block.recency));
        let leaving = found.len().saturating_sub(slots as usize);
        self.report.displaced += leaving as u64;
        let (mut stay, beyond): (Vec<_>, Vec<_>) =
            found.split_off(leaving).into_iter().partition(|block| block.recovered.place.slot < slots);
        let mut taken = vec![false; slots as usize];
        stay.iter().for_each(|block| taken[block.recovered.place.slot as usize] = true);
        let mut free = (0..slots).filter(|slot| !taken[*slot as usize]);
        let used = self.remembered.uses.values().map(|(_, used)| used.sequence);
        let mut sequence = stay.iter().chain(&beyond).map(|block| block.sequence).chain(used).max().unwrap_or(0);
        for mut block in beyond {
            let slot = free.next().expect("no more blocks than slots are left");
            sequence += 1;
            let Recovered { place, key, area } = block.recovered;
            if self.file.relocate(place.slot, slot, &key, area, sequence, self.rng)? {
                block.recovered.place.slot = slot;
                stay.push(FoundBlock { sequence, ..block });
            } else {
                self.report.damaged += 1;
            }
        }
        self.file.sync(sequence)?;
        Ok(stay)
    }

    /// When the block was last used: the last use that was saved counts if the slot was not written since.
    fn found(&self, scanned: &Scanned) -> FoundBlock {
        let place = Place { kind: self.kind, slot: scanned.slot };
        let Scanned { key, sequence, area, .. } = *scanned;
        let saved = self.remembered.uses.get(&place).filter(|(_, used)| used.sequence >= sequence);
        let (recency, area) = match (saved, area) {
            (None, area) => ((sequence, 0), area),
            (Some((rank, used)), Area::Cache) => ((used.sequence, *rank), Area::Cache),
            (Some((rank, used)), _) if used.established => ((used.sequence, *rank), Area::Established),
            (Some((rank, used)), _) => ((used.sequence, *rank), Area::Fresh),
        };
        let recovered = Recovered { place, key, area };
        FoundBlock { recovered, sequence, recency }
    }
}

/// Turns a success into the fault of the sync it waited for.
fn only_if(answer: DiskDone, synced: Result<(), DiskFault>) -> DiskDone {
    match answer {
        DiskDone::Written { place, key, result } => DiskDone::Written { place, key, result: result.and(synced) },
        DiskDone::Marked { place, key, result } => DiskDone::Marked { place, key, result: result.and(synced) },
        read @ DiskDone::Read { .. } => read,
    }
}

/// Bytes of cached blocks that may wait for a sync: on opening after a crash they are all read. Chosen: 0.1 s of disk.
const MOST_UNSYNCED_BYTES: u64 = 64 << 20;
