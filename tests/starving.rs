//! Load at one place takes nothing from those who had no part in it: a flood starves neither the node it hits nor its
//! other neighbours, and what could not be asked for load is told apart from what is not there (protocol.md §9).

mod support;

use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::key::{Location, RoutingKey};
use bolthole::limits;
use bolthole::message::block::{Block, BlockKind};
use bolthole::overlay::freenet::{ExchangeId, Freenet, Message, Refusal};
use bolthole::overlay::mode::{Answer, Command, Output};
use bolthole::sim::fault::Verdict;
use bolthole::sim::mesh::Mesh;
use support::{Bend, block, block_nearest_trusted, fetch, insert, is_found, trusted, trusted_with};

/// The victim 0 lies between the flooding neighbour 1, an honest one, 4, and the way to all else: 2, and 3 behind it.
const EDGES: [(u8, u8); 4] = [(0, 1), (0, 2), (2, 3), (0, 4)];

/// A key that nobody has, nearest to node 3: what is sought leads the way that the victim's own requests go.
fn key(near: Location, number: u64) -> RoutingKey {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&near.0.wrapping_add(number).to_be_bytes());
    RoutingKey(bytes)
}

fn request(near: Location, number: u64) -> Message {
    Message::Request { id: ExchangeId(number), key: key(near, number), htl: 18, detours: 4 }
}

/// Node 1 floods node 0 with thirty messages a millisecond, more than can be answered in time, for a while and until
/// `command` of `node` is answered.
fn under_flood(
    message: impl Fn(Location, u64) -> Message,
    node: usize,
    command: impl Fn(Block) -> Command,
) -> (Block, Option<Answer>) {
    let (mut mesh, ids) = trusted(5, &EDGES, 21);
    mesh.run_for(Duration::from_secs(60));
    let block = block_nearest_trusted(5, 3);
    insert(&mut mesh, ids[3], &block).expect("the insert is answered");
    [0, 1, 2, 4].iter().for_each(|number| mesh.lose(&ids[*number], &block.key()));
    // The real node 1 is honest: it must not hear the answers to what it never asked. And what the flood asks for lies at
    // a slow place, so that it stays open for a second wherever it came by.
    let (victim, flooder, key) = (ids[0], ids[1], block.key());
    mesh.set_fault(move |_, from, to, message: &Message| match message {
        _ if from == victim && to == flooder => Verdict::Drop,
        Message::Request { key: sought, .. } if *sought != key && from != victim => {
            Verdict::Delay(Duration::from_secs(1))
        }
        _ => Verdict::Pass,
    });
    let mut numbers = 0..;
    let mut flood = |mesh: &mut Mesh<Freenet>| {
        for number in numbers.by_ref().take(30) {
            mesh.inject(ids[1], ids[0], message(block.key().location(), number));
        }
        mesh.run_for(Duration::from_millis(1));
    };
    (0..100).for_each(|_| flood(&mut mesh));
    let ticket = mesh.command(ids[node], command(block.clone()));
    for _ in 0..10_000 {
        if mesh.answer(ticket).is_some() {
            break;
        }
        flood(&mut mesh);
    }
    let answer = mesh.answer(ticket).map(|(_, answer)| answer.clone());
    (block, answer)
}

#[test]
fn a_flood_of_requests_does_not_starve_the_fetches_of_the_node_it_hits() {
    let (block, answer) = under_flood(request, 0, |block| Command::Fetch { key: block.key(), own_store: false });
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_flood_of_requests_does_not_starve_the_other_neighbours_of_the_node_it_hits() {
    let (block, answer) = under_flood(request, 4, |block| Command::Fetch { key: block.key(), own_store: false });
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_flood_of_inserts_does_not_starve_the_inserts_of_the_node_it_hits() {
    let kind = BlockKind::Content;
    let insert = |near, number| Message::Insert { id: ExchangeId(number), key: key(near, number), kind, htl: 18 };
    let (_, answer) = under_flood(insert, 0, |_| Command::Insert { block: block_nearest_trusted(5, 2) });
    assert!(matches!(answer, Some(Answer::Inserted { stores, wanted }) if stores >= wanted), "{answer:?}");
}

/// Refuses every request for load.
fn overloaded() -> Bend {
    Box::new(|output| match output {
        Output::Send {
            to,
            message: Message::Found { id, .. } | Message::NotFound { id } | Message::RouteNotFound { id, .. },
        } => Some(Output::Send { to, message: Message::Refused { id, refusal: Refusal::Overload } }),
        other => Some(other),
    })
}

#[test]
fn a_fetch_that_was_only_refused_for_load_ends_as_unavailable_wherever_it_was_refused() {
    for length in 2..5 {
        let edges: Vec<(u8, u8)> = (1..length).map(|number| (number - 1, number)).collect();
        let (mut mesh, ids) = trusted_with(length, &edges, 22, length - 1, overloaded());
        let answer = fetch(&mut mesh, ids[0], &block_nearest_trusted(length, length - 1));
        assert_eq!(answer, Some(Answer::Unavailable), "a chain of {length}");
    }
}

#[test]
fn a_neighbour_that_refuses_for_load_hides_nothing_that_others_have() {
    let edges = [(0, 1), (1, 2), (1, 3)];
    let (mut mesh, ids) = trusted_with(4, &edges, 23, 2, overloaded());
    mesh.run_for(Duration::from_secs(60));
    let block = block_nearest_trusted(4, 2);
    insert(&mut mesh, ids[1], &block).expect("the insert is answered");
    [0, 1].iter().for_each(|number| mesh.lose(&ids[*number], &block.key()));
    let answer = fetch(&mut mesh, ids[0], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_document_s_worth_of_fetches_through_one_neighbour_is_answered_in_full() {
    // More at once than a neighbour takes from one link: those beyond wait their turn, none is lost.
    let (mut mesh, ids) = trusted(3, &[(0, 1), (1, 2)], 24);
    mesh.run_for(Duration::from_secs(60));
    let blocks: Vec<Block> = (0..2 * limits::REQUESTS_PER_LINK as u32).map(block).collect();
    for block in &blocks {
        insert(&mut mesh, ids[2], block).expect("the insert is answered");
    }
    let ids: Vec<NodeId> = ids;
    let mut left = blocks;
    // The driver of a document tries again what was unavailable.
    for _ in 0..10 {
        let tickets: Vec<_> = left
            .iter()
            .map(|block| mesh.command(ids[0], Command::Fetch { key: block.key(), own_store: false }))
            .collect();
        let answers: Vec<_> =
            tickets.iter().map(|ticket| mesh.run_until_answered(*ticket, Duration::from_secs(60))).collect();
        assert!(answers.iter().all(|answer| *answer != Some(Answer::NotFound)), "what is there was called absent");
        left = left
            .iter()
            .zip(&answers)
            .filter(|(block, answer)| !is_found(answer.as_ref(), block))
            .map(|(block, _)| block.clone())
            .collect();
    }
    assert_eq!(left.len(), 0);
}
