//! A link in rhythm over real sockets: the same datagrams leave whatever is said, both ways, and all of it is heard.

mod link_support;
mod wire_support;

use std::time::Duration;

use bolthole::link::links::LinkStatistics;
use bolthole::link::tempo::RhythmStatistics;
use bolthole::overlay::mode::CloseReason;
use bolthole::wire::rhythm::Rate;
use link_support::Node;
use tokio::time::sleep;
use wire_support::Example;

/// What a node has sent: cells of its rhythm, padding among them, and datagrams of any kind.
#[derive(Clone, Copy, Debug)]
struct Sent {
    cells: u64,
    padding: u64,
    datagrams: u64,
}

fn link(node: &Node) -> LinkStatistics {
    node.links.statistics().links.into_iter().next().expect("it is linked")
}

fn sent(node: &Node) -> Sent {
    let beats = link(node).rhythm.expect("it keeps a rhythm").beats;
    Sent { cells: beats.cells, padding: beats.padding, datagrams: node.links.statistics().datagrams_sent }
}

/// Two nodes whose link keeps a rhythm in both directions.
async fn in_rhythm(first: u8, second: u8, rate: Rate) -> (Node, Node) {
    let (mut one, mut other) = (Node::start(first), Node::start(second));
    one.links.keep_rhythm(Some((other.id, rate)));
    one.link_to(&mut other).await;
    while ![&one, &other].iter().all(|node| link(node).rhythm.is_some_and(|rhythm| rhythm.is_returned)) {
        sleep(Duration::from_millis(5)).await;
    }
    (one, other)
}

/// What both have sent while the first sent so many cells.
async fn while_cells_pass(nodes: [&Node; 2], cells: u64) -> [Sent; 2] {
    let before = nodes.map(sent);
    while sent(nodes[0]).cells < before[0].cells + cells {
        sleep(Duration::from_millis(2)).await;
    }
    let after = nodes.map(sent);
    [0, 1].map(|at| Sent {
        cells: after[at].cells - before[at].cells,
        padding: after[at].padding - before[at].padding,
        datagrams: after[at].datagrams - before[at].datagrams,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_datagrams_leave_in_either_direction_whatever_is_said() {
    let (one, mut other) = in_rhythm(171, 172, Rate::Fastest).await;
    while_cells_pass([&one, &other], 64).await;
    let idle = while_cells_pass([&one, &other], CELLS).await;
    assert!(idle.iter().all(|sent| sent.padding == sent.cells), "{idle:?}");
    // As when blocks are fetched: small questions one way, blocks the other.
    for number in 0..20 {
        assert!(one.links.send(other.id, Example::note(number)));
        assert!(other.links.send(one.id, Example::load(number)));
    }
    let busy = while_cells_pass([&one, &other], CELLS).await;
    assert!(busy[1].padding < busy[1].cells / 10, "{busy:?}");
    for (idle, busy) in idle.iter().zip(&busy) {
        let of_cell = |sent: &Sent| sent.datagrams as f64 / sent.cells as f64;
        let change = of_cell(busy) / of_cell(idle);
        assert!((0.85..1.15).contains(&change), "datagrams a cell: {} then {}", of_cell(idle), of_cell(busy));
        // Neither direction runs ahead of the other.
        assert!((0.8..1.25).contains(&(busy.cells as f64 / idle.cells as f64)), "{idle:?} {busy:?}");
    }
    for number in 0..20 {
        assert_eq!(other.message().await, Example::note(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rhythm_begins_and_ends_between_messages_and_loses_none() {
    let (mut one, mut other) = (Node::start(173), Node::start(174));
    one.link_to(&mut other).await;
    for turn in 0..6 {
        one.links.keep_rhythm((turn % 2 == 0).then_some((other.id, Rate::Fastest)));
        for number in 0..3 {
            assert!(one.links.send(other.id, Example::load(10 * turn + number)));
            assert!(one.links.send(other.id, Example::note(10 * turn + number)));
        }
        let mut came = Vec::new();
        for _ in 0..6 {
            came.push(other.message().await);
        }
        let expected: Vec<Example> =
            (0..3).flat_map(|number| [Example::load(10 * turn + number), Example::note(10 * turn + number)]).collect();
        assert!(expected.iter().all(|message| came.contains(message)), "turn {turn}");
    }
    one.links.close(other.id, CloseReason::Done);
    assert!(matches!(other.event().await, bolthole::link::event::LinkEvent::Down { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rhythm_is_told_by_both_ends_and_returned_by_the_one_that_did_not_choose_it() {
    let (one, other) = in_rhythm(175, 176, Rate::Fast).await;
    let told = |node: &Node| link(node).rhythm.map(|RhythmStatistics { rate, is_own, .. }| (rate, is_own));
    assert_eq!(told(&one), Some((Rate::Fast, true)));
    assert_eq!(told(&other), Some((Rate::Fast, false)));
}

/// Two seconds of the fastest rhythm.
const CELLS: u64 = 640;
