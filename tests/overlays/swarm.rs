//! The swarm: the suite, downloads of many pieces over limited access links, what peers can do to each other.

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::RoutingKey;
use bolthole::limits;
use bolthole::message::block::Block;
use bolthole::message::contact::Contact;
use bolthole::message::fragment::Fragment;
use bolthole::overlay::mode::calls::CallId;
use bolthole::overlay::mode::{Answer, Command, Input, Mode, Offence, Output, Ticket};
use bolthole::overlay::swarm::{Bits, Claim, Config, Listing, Message, Place, Stage, Swarm, Tag};
use bolthole::sim::engine::address_of;
use bolthole::sim::fault::Verdict;
use bolthole::sim::mesh::Mesh;
use bolthole::sim::overlays::run_with;
use bolthole::sim::report::Report;
use bolthole::sim::scenario::{FidelityChoice, ModeName, PieceChoiceName, Scenario, SchemeName};
use bolthole::sim::shelf::Shelf;
use bolthole::time::Instant;

use crate::suite::{self, run_quietly, suite};
use crate::support::block;

const MODE: ModeName = ModeName::Swarm;

// With one copy a document goes with its node, unless somebody has fetched it.
suite!(MODE, after_loss: 1.0, with_churn: 0.8);

/// Leechers that arrive within a second and download `pieces` of 256 KiB.
fn downloads(leechers: u32, pieces: u64, seed: u64) -> Scenario {
    let mut scenario = Scenario { seed, fidelity: FidelityChoice::Values, ..Scenario::defaults(MODE, leechers) };
    scenario.workload.object_bytes = pieces << 18;
    scenario.workload.lookups_per_second = f64::from(leechers);
    if let Some(table) = &mut scenario.swarm {
        table.leave_on_finish = true;
    }
    scenario
}

fn mean_seconds(report: &Report) -> f64 {
    report.completion_seconds.expect("downloads").mean
}

#[test]
fn everybody_gets_the_document_and_nobody_before_the_bound() {
    for (leechers, pieces, seed_kbit) in [(2, 8, 6_000.0), (10, 20, 6_000.0), (30, 20, 400.0), (40, 12, 40_000.0)] {
        let mut scenario = downloads(leechers, pieces, 1);
        let table = scenario.swarm.as_mut().expect("a swarm");
        table.seed_upload_kbit = seed_kbit;
        let report = run_quietly(&scenario);
        assert_eq!((report.success, report.failed_inserts), (Some(1.0), 0));
        // max(F/us, F/d, NF/(us + sum of u)), in seconds; the crowd arrives within one.
        let (bits, count) = ((pieces << 21) as f64 / 1_000.0, f64::from(leechers));
        let bound = (bits / seed_kbit).max(bits / 1_500.0).max(count * bits / (seed_kbit + count * 400.0));
        let last = report.completion_seconds.expect("downloads").max;
        assert!(last + 1.0 >= bound, "{leechers} leechers: {last} s, at least {bound} s");
        // A seed as slow as a leecher sends about three copies before every piece has left it once.
        assert!(last < 4.0 * bound + 60.0, "{leechers} leechers: {last} s, at least {bound} s");
    }
}

#[test]
fn both_fidelities_trade_alike() {
    let quiet = &mut |_, _| {};
    let ideal = downloads(8, 3, 2);
    let real = Scenario { fidelity: FidelityChoice::Bytes, ..ideal.clone() };
    let bytes = run_with(&real, true, quiet).expect("an overlay of the comparison");
    let mut values = run_with(&ideal, true, quiet).expect("an overlay of the comparison");
    assert_eq!(bytes.success, Some(1.0));
    assert_ne!(values.stand_ins, bytes.stand_ins);
    values.scenario = bytes.scenario.clone();
    values.fidelity = bytes.fidelity;
    values.stand_ins.clone_from(&bytes.stand_ins);
    assert_eq!(format!("{bytes:?}"), format!("{values:?}"));
}

/// Check C19 in small: 60 leechers, 100 pieces.
#[test]
fn a_strong_seed_and_its_leechers_use_nearly_all_they_can_send() {
    let report = run_quietly(&downloads(60, 100, 3));
    assert!(report.uplink_utilisation.is_some_and(|share| share > 0.8), "{:?}", report.uplink_utilisation);
    // The seed alone is worth fifteen leechers, so this is below F/u.
    assert!(mean_seconds(&report) <= 1.10 * (100 << 18) as f64 * 8.0 / 400_000.0);
}

/// Check C21 in small: a seed of twice a leecher's rate, 60 leechers, 100 pieces.
#[test]
fn rarest_first_is_faster_than_any_piece_where_the_seed_is_weak() {
    let times = [PieceChoiceName::Rarest, PieceChoiceName::Random].map(|choice| {
        let mut scenario = downloads(60, 100, 4);
        let table = scenario.swarm.as_mut().expect("a swarm");
        (table.seed_upload_kbit, table.piece_choice) = (800.0, choice);
        mean_seconds(&run_quietly(&scenario))
    });
    assert!(times[1] > times[0] * 1.02, "{times:?}");
}

/// A free rider is unchoked in turn only, and waits for it.
#[test]
fn free_riders_finish_later_than_those_who_give() {
    let mut scenario = downloads(60, 40, 5);
    scenario.faults.free_riders = 0.2;
    let report = run_quietly(&scenario);
    let riders = report.rider_completion_seconds.expect("twelve riders").mean;
    assert!(riders > 1.05 * mean_seconds(&report), "{riders} against {}", mean_seconds(&report));
}

fn contact(number: u32) -> Contact {
    Contact::new(NodeId([number as u8 + 1; 32]), address_of(number))
}

fn id(number: u32) -> NodeId {
    contact(number).id()
}

/// A peer that may put wrong bytes into every part it sends.
struct Bent {
    inner: Swarm,
    lies: bool,
}

impl Mode for Bent {
    type Message = Message;

    fn handle_input(&mut self, now: Instant, input: Input<Message>) {
        self.inner.handle_input(now, input);
    }

    fn poll_output(&mut self) -> Option<Output<Message>> {
        let output = self.inner.poll_output()?;
        match output {
            Output::Send { to, message: Message::Part { tag, place, .. } } if self.lies => {
                let fragment = Fragment::of(&block(200), false);
                Some(Output::Send { to, message: Message::Part { tag, place, fragment } })
            }
            output => Some(output),
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.inner.poll_timeout()
    }
}

/// The tracker, number 0, and peers, those of `liars` bent.
fn mesh(peers: u32, liars: &[u32], seed: u64) -> Mesh<Bent> {
    let mut mesh = Mesh::new(seed);
    mesh.add(id(0), contact(0).address(), Bent { inner: Swarm::tracker(contact(0), [0; 32]), lies: false });
    for number in 1..=peers {
        let inner = Swarm::peer(Config::default(), contact(number), contact(0), [number as u8; 32]);
        mesh.add(id(number), contact(number).address(), Bent { inner, lies: liars.contains(&number) });
    }
    mesh
}

/// Publishes a document of so many pieces of two blocks at a peer; gives its blocks and its key.
fn publish(mesh: &mut Mesh<Bent>, at: u32, pieces: u32) -> (Vec<Block>, RoutingKey) {
    let blocks: Vec<Block> = (1..=pieces * 2).map(block).collect();
    let keys: Vec<RoutingKey> = blocks.iter().map(Block::key).collect();
    let listing = Listing::block(&keys, 2).expect("a listing");
    let key = listing.key();
    let tickets: Vec<Ticket> =
        blocks.iter().cloned().chain([listing]).map(|block| mesh.command(id(at), Command::Insert { block })).collect();
    for ticket in tickets {
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(60));
        assert!(matches!(answer, Some(Answer::Inserted { stores: 1, wanted: 1 })), "{answer:?}");
    }
    (blocks, key)
}

fn fetch(mesh: &mut Mesh<Bent>, at: u32, key: RoutingKey) -> Ticket {
    mesh.command(id(at), Command::Fetch { key, own_store: true })
}

fn holds_all(mesh: &Mesh<Bent>, at: u32, blocks: &[Block]) -> bool {
    mesh.shelf(&id(at)).is_some_and(|shelf| blocks.iter().all(|block| shelf.keeps(&block.key())))
}

#[test]
fn one_distributed_copy_is_enough_when_the_seed_is_gone() {
    let mut mesh = mesh(6, &[], 6);
    let (blocks, key) = publish(&mut mesh, 1, 20);
    // Between the others a part takes two seconds, so that nobody is done when everything has left the seed.
    mesh.set_fault(|_, from, _, message: &Message| match message {
        Message::Part { .. } if from == id(1) => Verdict::Delay(Duration::from_millis(200)),
        Message::Part { .. } => Verdict::Delay(Duration::from_secs(2)),
        _ => Verdict::Pass,
    });
    let tickets: Vec<Ticket> = (2..=6).map(|number| fetch(&mut mesh, number, key)).collect();
    let has = |mesh: &Mesh<Bent>, block: &Block| {
        (2..=6).any(|number| mesh.shelf(&id(number)).is_some_and(|shelf| shelf.keeps(&block.key())))
    };
    while !blocks.iter().all(|block| has(&mesh, block)) {
        mesh.run_for(Duration::from_millis(10));
    }
    assert!((2..=6).any(|number| !holds_all(&mesh, number, &blocks)), "somebody still needs the others");
    mesh.kill(id(1));
    for (ticket, number) in tickets.into_iter().zip(2..) {
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(3_600));
        assert!(matches!(answer, Some(Answer::Found { .. })), "node {number}: {answer:?}");
        assert!(holds_all(&mesh, number, &blocks));
    }
}

#[test]
fn a_document_is_found_again_from_those_who_fetched_it() {
    let mut mesh = mesh(3, &[], 7);
    let (blocks, key) = publish(&mut mesh, 1, 5);
    let ticket = fetch(&mut mesh, 2, key);
    assert!(mesh.run_until_answered(ticket, Duration::from_secs(600)).is_some());
    mesh.run_for(Duration::from_secs(5));
    mesh.kill(id(1));
    let ticket = fetch(&mut mesh, 3, key);
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(600));
    assert!(matches!(answer, Some(Answer::Found { own_store: false, .. })), "{answer:?}");
    assert!(holds_all(&mesh, 3, &blocks));
    let again = fetch(&mut mesh, 3, key);
    let answer = mesh.run_until_answered(again, Duration::from_secs(1));
    assert!(matches!(answer, Some(Answer::Found { own_store: true, .. })), "{answer:?}");
}

#[test]
fn a_peer_that_sends_wrong_bytes_is_found_out_and_the_document_is_whole() {
    let mut mesh = mesh(4, &[2], 8);
    let (blocks, key) = publish(&mut mesh, 1, 12);
    // The liar has an honest copy and gives a bent one.
    let first = fetch(&mut mesh, 2, key);
    assert!(mesh.run_until_answered(first, Duration::from_secs(600)).is_some());
    let tickets = [3, 4].map(|number| fetch(&mut mesh, number, key));
    for (ticket, number) in tickets.into_iter().zip(3..) {
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(3_600));
        assert!(matches!(answer, Some(Answer::Found { .. })), "{answer:?}");
        assert!(holds_all(&mesh, number, &blocks));
    }
    let blamed: Vec<_> = mesh.offences().iter().filter(|(_, _, offence)| *offence == Offence::BadBlock).collect();
    assert!(!blamed.is_empty() && blamed.iter().all(|(_, peer, _)| *peer == id(2)), "{blamed:?}");
}

/// Messages may pass each other: the first word of interest comes before the greeting and is not heard, or the answer is not.
#[test]
fn a_word_that_was_not_heard_is_said_again() {
    for is_answer in [false, true] {
        let mut mesh = mesh(2, &[], 14);
        let (blocks, key) = publish(&mut mesh, 1, 6);
        let mut unheard = 1;
        mesh.set_fault(move |_, _, _, message: &Message| {
            let is_it = match message {
                Message::Interest { interested, .. } => *interested && !is_answer,
                Message::Choking { choked, .. } => !*choked && is_answer,
                _ => false,
            };
            match is_it && unheard > 0 {
                true => {
                    unheard -= 1;
                    Verdict::Drop
                }
                false => Verdict::Pass,
            }
        });
        let ticket = fetch(&mut mesh, 2, key);
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(300));
        assert!(matches!(answer, Some(Answer::Found { .. })), "{answer:?}");
        assert!(holds_all(&mesh, 2, &blocks));
    }
}

#[test]
fn a_peer_that_is_silent_when_asked_holds_nobody_up() {
    let mut mesh = mesh(3, &[], 9);
    let (blocks, key) = publish(&mut mesh, 1, 12);
    let first = fetch(&mut mesh, 2, key);
    assert!(mesh.run_until_answered(first, Duration::from_secs(600)).is_some());
    let begun = mesh.now();
    mesh.set_fault(|_, from, _, message: &Message| match message {
        Message::Part { .. } if from == id(1) => Verdict::Drop,
        // Slow enough that the other does not do everything at once.
        Message::Part { .. } => Verdict::Delay(Duration::from_secs(1)),
        _ => Verdict::Pass,
    });
    let ticket = fetch(&mut mesh, 3, key);
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(3_600));
    assert!(matches!(answer, Some(Answer::Found { .. })), "{answer:?}");
    assert!(holds_all(&mesh, 3, &blocks));
    // Endgame asks the other at once for what the silent one owes: nobody waits a minute for it.
    assert!(mesh.now().since(begun) < Duration::from_secs(60), "{:?}", mesh.now().since(begun));
}

#[test]
fn what_breaks_a_rule_becomes_an_offence() {
    let mut mesh = mesh(3, &[], 10);
    let (_, key) = publish(&mut mesh, 1, 4);
    let ticket = fetch(&mut mesh, 2, key);
    mesh.run_until_answered(ticket, Duration::from_secs(600)).expect("it ends");
    let (never, tag) = (CallId(u32::MAX), Tag::of(&key));
    let hello = |count| Message::Hello { tag, bits: Bits::all(count) };
    mesh.inject(id(3), id(1), Message::Hello { tag, bits: Bits::default() });
    for (to, message, offence) in [
        (1, Message::Missing { call: never }, Offence::Unasked),
        (1, Message::Peers { call: never, contacts: vec![contact(2); limits::SWARM_NAMED + 1] }, Offence::Flood),
        (1, hello(limits::SWARM_PIECES as u16 + 2), Offence::Flood),
        (1, hello(200), Offence::OutOfTurn),
        (1, Message::Announce { call: never, key, sender: contact(3), stage: Stage::Leech }, Offence::OutOfTurn),
        (0, Message::Announce { call: never, key, sender: contact(2), stage: Stage::Leech }, Offence::OutOfTurn),
    ] {
        suite::is_an_offence(&mut mesh, id(3), id(to), message, offence);
    }
}

#[test]
fn no_node_trades_with_more_peers_than_the_bound() {
    let mut mesh = mesh(1, &[], 11);
    let (_, key) = publish(&mut mesh, 1, 4);
    for number in 0..200_u8 {
        let stranger = NodeId([number; 32].map(|byte| byte ^ 0x55));
        mesh.inject(stranger, id(1), Message::Hello { tag: Tag::of(&key), bits: Bits::none(4) });
    }
    assert_eq!(mesh.mode(&id(1)).map(|bent| bent.inner.entries().0), Some(limits::SWARM_PEERS));
}

/// The store answers nothing while the peer asks.
#[test]
fn a_peer_that_asks_without_end_is_cut_short() {
    let (mut swarm, mut shelf) = (Swarm::peer(Config::default(), contact(1), contact(0), [1; 32]), Shelf::default());
    let now = Instant::from_micros(1_795_348_800_000_000);
    let mut drain = |swarm: &mut Swarm, answers: bool| {
        let mut offences = Vec::new();
        while let Some(output) = swarm.poll_output() {
            match output {
                Output::Store(work) if answers => {
                    if let Some(answer) = shelf.perform(work) {
                        swarm.handle_input(now, Input::Store(answer));
                    }
                }
                Output::Offence { peer, offence } => offences.push((peer, offence)),
                _ => {}
            }
        }
        offences
    };
    let blocks: Vec<Block> = (1..=2).map(block).collect();
    let listing = Listing::block(&blocks.iter().map(Block::key).collect::<Vec<_>>(), 2).expect("a listing");
    let tag = Tag::of(&listing.key());
    for (ticket, block) in blocks.into_iter().chain([listing]).enumerate() {
        let command = Command::Insert { block };
        swarm.handle_input(now, Input::Command { ticket: Ticket(ticket as u64), command });
        drain(&mut swarm, true);
    }
    let mut say = |message| {
        swarm.handle_input(now, Input::Message { from: id(2), message });
        let offences = drain(&mut swarm, false);
        (offences, swarm.open())
    };
    say(Message::Hello { tag, bits: Bits::none(1) });
    say(Message::Interest { tag, order: 1, interested: true });
    let (_, before) = say(Message::Request { tag, place: Place { piece: 0, part: 0 } });
    for number in 0..100 {
        let (offences, open) = say(Message::Request { tag, place: Place { piece: 0, part: 1 } });
        let expected = if number < limits::SWARM_ASKED { vec![] } else { vec![(id(2), Offence::Flood)] };
        assert_eq!((offences, open), (expected, before), "request {number}");
    }
}

#[test]
fn the_largest_messages_fit_their_class_and_come_back_as_they_were() {
    let (call, key, parcel) = (CallId(u32::MAX), RoutingKey([255; 32]), block(1).parcel());
    let (sender, tag, order) = (suite::longest_contact(), Tag(u64::MAX), u32::MAX);
    let place = Place { piece: u16::MAX, part: u16::MAX };
    let all = [
        Message::Announce { call, key, sender: sender.clone(), stage: Stage::Gone },
        Message::Peers { call, contacts: vec![sender.clone(); limits::CALL_CONTACTS] },
        Message::Peers { call, contacts: vec![sender; limits::SWARM_NAMED] },
        Message::Ask { call, key },
        Message::Metadata { call, parcel },
        Message::Taken { call },
        Message::Missing { call },
        Message::Hello { tag, bits: Bits::all(limits::SWARM_PIECES as u16) },
        Message::Bye { tag },
        Message::Have { tag, piece: u16::MAX },
        Message::Claim { tag, claim: Claim { level: u16::MAX, name: u64::MAX } },
        Message::Choking { tag, order, choked: true },
        Message::Interest { tag, order, interested: true },
        Message::Request { tag, place },
        Message::Cancel { tag, place },
        Message::Part { tag, place, fragment: Fragment::of(&block(1), true) },
    ];
    suite::fit_and_come_back(all);
}

/// Mean seconds of free riders, a tenth of 40 leechers, and of those who give.
fn riders(scheme: SchemeName, cheat: bool) -> (f64, f64) {
    let mut scenario = downloads(40, 60, 12);
    scenario.faults.free_riders = 0.1;
    let table = scenario.swarm.as_mut().expect("a swarm");
    (table.scheme, table.riders_cheat) = (scheme, cheat);
    let report = run_quietly(&scenario);
    assert_eq!(report.success, Some(1.0));
    (report.rider_completion_seconds.expect("four riders").mean, mean_seconds(&report))
}

/// Whoever believes what a peer says of its own participation serves those who lie first.
#[test]
fn lying_pays_where_participation_is_reported_and_gains_nothing_under_tit_for_tat() {
    let (honest, _) = riders(SchemeName::Reported, false);
    let (lying, others) = riders(SchemeName::Reported, true);
    assert!(lying < honest, "{lying} s lying, {honest} s honest, others {others} s");
    let tit_for_tat = [false, true].map(|cheat| riders(SchemeName::TitForTat, cheat));
    assert_eq!(tit_for_tat[0], tit_for_tat[1], "where nobody is asked there is nothing to lie about");
}

/// Who could gain by trading mostly trades with somebody else already; shares are of linked pairs.
#[test]
fn how_trade_stands_is_noted_every_minute() {
    let report = run_quietly(&downloads(40, 60, 13));
    let trades = report.trades.expect("samples");
    assert!(trades.len() > 2, "{trades:?}");
    assert!(trades.iter().all(|sample| sample.trading + sample.could_gain <= 1.0 + 1e-9));
    assert!(trades.iter().any(|sample| sample.trading > 0.02 && sample.pairs > 0), "{trades:?}");
}
