//! What the store promises of who stays and who leaves, whatever the disk does (protocol.md §3.5).

use bolthole::key::RoutingKey;
use bolthole::limits::{STORE_READS, STORE_WAITERS, STORE_WRITES};
use bolthole::message::block::{Block, BlockKind};
use bolthole::store::work::{Area, DiskDone, DiskFault, DiskWork};
use bolthole::store::{Capacity, Held, Input, Output, Store, Token};
use bolthole::time::{Duration, Instant};
use bytes::Bytes;
use crypto::content::SEALED_BYTES;

const SLOTS: u32 = 64;

#[test]
fn passing_traffic_never_evicts_what_is_kept() {
    let mut bench = Bench::new();
    bench.fill_kept();
    let kept: Vec<_> = bench.kept();
    for number in 1_000..2_000 {
        bench.cache(number);
        assert!(bench.held().cache > 0, "the cache has room of its own");
    }
    assert_eq!(bench.kept(), kept);
}

#[test]
fn junk_inserts_do_not_flush_what_was_asked_for() {
    let mut bench = Bench::new();
    for number in 0..20 {
        assert!(bench.keep(number));
        assert!(bench.read(number));
    }
    for number in 1_000..3_000 {
        assert!(bench.keep(number), "junk is kept like anything else");
    }
    for number in 0..20 {
        assert!(bench.read(number), "junk flushed block {number}");
    }
    assert!(!bench.read(1_000), "junk displaced older junk");
}

#[test]
fn junk_that_is_offered_again_and_again_is_still_junk() {
    let mut bench = Bench::new();
    assert!(bench.keep(0) && bench.read(0));
    for round in 0..4 {
        for number in 1_000..1_100 {
            bench.contains(number);
            assert!(bench.keep(number), "round {round}");
        }
    }
    assert_eq!(bench.held().established, 1);
    assert!(bench.read(0));
}

#[test]
fn kept_takes_the_room_that_the_cache_does_not_use_and_leaves_it_an_eighth() {
    let mut bench = Bench::new();
    bench.fill_kept();
    assert_eq!(bench.held(), Held { cache: 0, fresh: SLOTS - SLOTS / 8, established: 0 });
    (1_000..1_100).for_each(|number| bench.cache(number));
    assert_eq!(bench.held().cache, SLOTS / 8);
}

#[test]
fn kept_takes_its_half_back_from_the_cache_and_no_more() {
    let mut bench = Bench::new();
    (1_000..1_100).for_each(|number| bench.cache(number));
    assert_eq!(bench.held().cache, SLOTS);
    (0..100).for_each(|number| assert!(bench.keep(number)));
    assert_eq!(bench.held(), Held { cache: SLOTS / 2, fresh: SLOTS / 2, established: 0 });
}

#[test]
fn what_was_asked_for_longest_ago_makes_room_for_what_is_new() {
    let mut bench = Bench::new();
    for number in 0..SLOTS.into() {
        assert!(bench.keep(number));
        bench.read(number);
    }
    let held = bench.held();
    assert!(
        held.established <= (held.fresh + held.established) * 3 / 4,
        "new blocks have room to be asked for: {held:?}"
    );
    assert!(bench.keep(1_000) && bench.read(1_000));
}

#[test]
fn the_least_recently_used_leaves_the_cache_and_asking_whether_it_is_held_is_no_use() {
    let mut bench = Bench::new();
    (0..SLOTS.into()).for_each(|number| bench.cache(number));
    bench.contains(0);
    assert!(bench.read(1));
    bench.cache(1_000);
    bench.cache(1_001);
    assert_eq!([0, 1, 2, 3].map(|number| bench.contains(number)), [false, true, false, true]);
}

#[test]
fn a_block_of_both_regions_is_stored_once() {
    let mut bench = Bench::new();
    bench.cache(0);
    assert!(bench.keep(0));
    bench.cache(0);
    assert_eq!(bench.held(), Held { cache: 0, fresh: 1, established: 0 });
    assert_eq!(bench.writes, 1, "its body was written once");
}

#[test]
fn a_block_on_its_way_to_the_disk_can_be_read() {
    let mut bench = Bench::new();
    bench.input(Input::Cache { block: block(0) });
    bench.input(Input::Read { token: Token(7), key: block(0).key() });
    assert!(matches!(bench.answers.as_slice(), [Output::Read { block: Some(read), .. }] if *read == block(0)));
    assert_eq!(bench.work.len(), 1, "the disk is not asked");
}

#[test]
fn when_the_disk_falls_behind_the_cache_gives_way_first_and_then_nothing_is_kept() {
    let mut bench = Bench::with(Capacity { content: 4_000, signed: 0 });
    let blocks: Vec<_> = (0..STORE_WRITES as u64 + 2).map(block).collect();
    for block in &blocks {
        bench.input(Input::Cache { block: block.clone() });
    }
    assert_eq!(bench.work.len(), STORE_WRITES / 2);
    for block in blocks.iter().rev() {
        bench.input(Input::Keep { token: Token(1), block: block.clone() });
    }
    assert_eq!(bench.work.len(), STORE_WRITES);
    assert!(bench.answers.iter().all(|answer| matches!(answer, Output::Kept { durable: false, .. })));
    assert!(!bench.answers.is_empty());
}

#[test]
fn waiting_readers_and_keepers_are_bounded() {
    let mut bench = Bench::new();
    for _ in 0..STORE_WAITERS + 1 {
        bench.input(Input::Keep { token: Token(1), block: block(0) });
    }
    assert!(matches!(bench.answers.as_slice(), [Output::Kept { durable: false, .. }]));
    bench.run();
    bench.answers.clear();
    for _ in 0..STORE_READS + 1 {
        bench.input(Input::Read { token: Token(1), key: block(0).key() });
    }
    assert!(matches!(bench.answers.as_slice(), [Output::Read { block: None, .. }]));
    assert_eq!(bench.work.len(), 1, "one read of the disk serves all that wait");
    bench.run();
    assert_eq!(bench.answers.len(), STORE_READS + 1);
}

#[test]
fn a_write_that_fails_is_told_and_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.fault = Some(DiskFault::Full);
    assert!(!bench.keep(0));
    assert!(!bench.contains(0));
    bench.fault = None;
    assert!(bench.keep(0));
    assert_eq!(bench.health, [Err(DiskFault::Full), Ok(())]);
}

#[test]
fn a_damaged_block_is_absent_counted_and_can_be_kept_again() {
    let mut bench = Bench::new();
    assert!(bench.keep(0));
    bench.damaged = true;
    assert!(!bench.read(0));
    bench.damaged = false;
    assert_eq!(bench.store.counts().damaged, 1);
    assert!(bench.keep(0) && bench.read(0));
}

#[test]
fn the_order_is_saved_once_a_minute_and_only_what_was_used_since() {
    let mut bench = Bench::new();
    assert_eq!(bench.store.poll_timeout(), None);
    (0..3).for_each(|number| bench.cache(number));
    assert_eq!(bench.store.poll_timeout(), Some(Instant::EPOCH + Duration::from_secs(60)));
    bench.now = Instant::EPOCH + Duration::from_secs(59);
    bench.input(Input::Timeout);
    assert!(bench.work.is_empty());
    bench.now = Instant::EPOCH + Duration::from_secs(60);
    bench.input(Input::Timeout);
    assert!(matches!(bench.work.as_slice(), [DiskWork::Order { used }] if used.len() == 3));
    bench.run();
    assert_eq!(bench.store.poll_timeout(), None);
    bench.read(1);
    bench.input(Input::Save);
    assert!(matches!(bench.work.as_slice(), [DiskWork::Order { used }] if used.len() == 1));
}

/// A store and a disk that does at once what it is told.
struct Bench {
    now: Instant,
    store: Store,
    work: Vec<DiskWork>,
    answers: Vec<Output>,
    health: Vec<Result<(), DiskFault>>,
    disk: Vec<Block>,
    writes: u32,
    fault: Option<DiskFault>,
    damaged: bool,
}

impl Bench {
    fn new() -> Self {
        Self::with(Capacity { content: SLOTS, signed: 0 })
    }

    fn with(capacity: Capacity) -> Self {
        Self {
            now: Instant::EPOCH,
            store: Store::new(capacity),
            work: Vec::new(),
            answers: Vec::new(),
            health: Vec::new(),
            disk: Vec::new(),
            writes: 0,
            fault: None,
            damaged: false,
        }
    }

    fn input(&mut self, input: Input) {
        self.store.handle_input(self.now, input);
        while let Some(output) = self.store.poll_output() {
            match output {
                Output::Disk(work) => self.work.push(work),
                Output::Health(health) => self.health.push(health),
                answer => self.answers.push(answer),
            }
        }
    }

    fn run(&mut self) {
        while !self.work.is_empty() {
            for work in std::mem::take(&mut self.work) {
                let Some(done) = self.perform(work) else { continue };
                self.input(Input::Disk(done));
            }
        }
    }

    fn perform(&mut self, work: DiskWork) -> Option<DiskDone> {
        let result = self.fault.map_or(Ok(()), Err);
        match work {
            DiskWork::Read { place, key } => {
                let found = self.disk.iter().rev().find(|block| block.key() == key);
                Some(DiskDone::Read { place, key, block: found.filter(|_| !self.damaged).cloned() })
            }
            DiskWork::Write { place, block, .. } => {
                let key = block.key();
                self.writes += 1;
                self.disk.push(block);
                Some(DiskDone::Written { place, key, result })
            }
            DiskWork::Mark { place, key, .. } => Some(DiskDone::Marked { place, key, result }),
            DiskWork::Erase { .. } | DiskWork::Order { .. } => None,
        }
    }

    fn ask(&mut self, input: Input) -> Output {
        self.input(input);
        self.run();
        let answer = self.answers.pop().expect("an answer is due");
        assert!(self.answers.is_empty(), "one answer for each question");
        answer
    }

    fn keep(&mut self, number: u64) -> bool {
        let answer = self.ask(Input::Keep { token: Token(1), block: block(number) });
        matches!(answer, Output::Kept { durable: true, .. })
    }

    fn read(&mut self, number: u64) -> bool {
        let answer = self.ask(Input::Read { token: Token(1), key: block(number).key() });
        matches!(answer, Output::Read { block: Some(read), .. } if read == block(number))
    }

    fn contains(&mut self, number: u64) -> bool {
        let answer = self.ask(Input::Contains { token: Token(1), key: block(number).key() });
        matches!(answer, Output::Contains { held: true, .. })
    }

    fn cache(&mut self, number: u64) {
        self.input(Input::Cache { block: block(number) });
        self.run();
    }

    fn fill_kept(&mut self) {
        (0..u64::from(SLOTS)).for_each(|number| assert!(self.keep(number)));
    }

    fn held(&self) -> Held {
        self.store.held(BlockKind::Content)
    }

    fn kept(&self) -> Vec<RoutingKey> {
        let keys = |area| self.store.keys(BlockKind::Content, area).copied();
        keys(Area::Fresh).chain(keys(Area::Established)).collect()
    }
}

fn block(number: u64) -> Block {
    let mut body = vec![0; SEALED_BYTES];
    body[..8].copy_from_slice(&number.to_le_bytes());
    Block::new(Bytes::from(body)).expect("any bytes of that length are a content block")
}
