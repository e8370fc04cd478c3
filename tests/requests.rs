//! Requests and inserts in a mesh: the claims of protocol.md §3 and §4, on the production machine.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bolthole::id::NodeId;
use bolthole::limits;
use bolthole::overlay::freenet::Message;
use bolthole::overlay::mode::{Answer, CloseReason, Command, Offence, Output, Ticket};
use bolthole::sim::fault::Verdict;
use support::{
    Bend, block, block_nearest, block_nearest_trusted, fetch, founders, founders_with, insert, is_found, signed,
    trusted, trusted_with,
};

#[test]
fn a_block_inserted_in_networks_of_two_five_and_sixteen_is_found_from_every_other_node() {
    for count in [2, 5, 16] {
        let (mut mesh, ids) = founders(count, u64::from(count));
        for number in 0..10 {
            let block = block(number);
            let origin = ids[number as usize % ids.len()];
            let (stores, wanted) = insert(&mut mesh, origin, &block).expect("the insert is answered");
            assert_eq!(wanted, 3.min(u32::from(count) - 1), "{count} nodes");
            assert!(stores >= wanted, "{count} nodes: {stores} of {wanted} stores");
            for reader in ids.iter().filter(|id| **id != origin) {
                let answer = fetch(&mut mesh, *reader, &block);
                assert!(is_found(answer.as_ref(), &block), "{count} nodes: {answer:?}");
            }
        }
        assert_eq!(mesh.offences(), [], "honest nodes offend nobody");
    }
}

#[test]
fn a_block_survives_the_death_of_its_inserter() {
    let (mut mesh, ids) = founders(16, 1);
    let block = block(1);
    insert(&mut mesh, ids[3], &block).expect("the insert is answered");
    mesh.kill(ids[3]);
    let answer = fetch(&mut mesh, ids[9], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn a_search_for_what_nobody_has_ends_in_bounded_time() {
    let (mut mesh, ids) = founders(16, 2);
    let begun = mesh.now();
    let answer = fetch(&mut mesh, ids[0], &block(77));
    assert_eq!(answer, Some(Answer::NotFound));
    assert!(mesh.now().since(begun) < Duration::from_secs(10), "took {:?}", mesh.now().since(begun));
}

#[test]
fn answers_to_what_a_client_gave_up_are_no_offence_and_cost_nobody_a_rest() {
    let (mut mesh, ids) = founders(8, 4);
    let blocks: Vec<_> = (0..60).map(block).collect();
    for block in &blocks[..30] {
        insert(&mut mesh, ids[1], block).expect("the insert is answered");
    }
    let fetches = blocks[..30].iter().map(|block| Command::Fetch { key: block.key(), own_store: false });
    let inserts = blocks[30..].iter().map(|block| Command::Insert { block: block.clone() });
    let tickets: Vec<Ticket> = fetches.chain(inserts).map(|command| mesh.command(ids[0], command)).collect();
    mesh.run_for(Duration::from_millis(20));
    for ticket in tickets {
        mesh.cancel(ids[0], ticket);
    }
    mesh.run_for(Duration::from_secs(1));
    assert_eq!(mesh.offences(), [], "late answers are honest");
    let begun = mesh.now();
    let answer = fetch(&mut mesh, ids[0], &blocks[0]);
    assert!(is_found(answer.as_ref(), &blocks[0]), "{answer:?}");
    assert!(mesh.now().since(begun) < Duration::from_secs(1), "nobody rests: {:?}", mesh.now().since(begun));
}

#[test]
fn a_request_backtracks_when_the_closest_neighbour_is_silent() {
    let (mut mesh, ids) = founders(8, 3);
    let block = block_nearest(8, 5);
    insert(&mut mesh, ids[0], &block).expect("the insert is answered");
    let silent = ids[5];
    mesh.set_fault(
        move |_, from, to, _: &Message| if from == silent || to == silent { Verdict::Drop } else { Verdict::Pass },
    );
    let answer = fetch(&mut mesh, ids[1], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

/// Says of every block it has that the search for it goes on, and nothing more.
fn stall() -> Bend {
    Box::new(|output| match output {
        Output::Send { to, message: Message::Found { id, .. } | Message::NotFound { id } } => {
            Some(Output::Send { to, message: Message::Accepted { id } })
        }
        Output::Send { message: Message::RouteNotFound { .. } | Message::Refused { .. }, .. } => None,
        other => Some(other),
    })
}

#[test]
fn a_neighbour_that_takes_requests_on_and_never_answers_hides_nothing_from_those_beside_it() {
    for bad in 0..8 {
        let (mut mesh, ids) = founders_with(8, 15, bad, stall());
        let block = block_nearest(8, bad);
        let others: Vec<NodeId> =
            (0..8).filter(|number| *number != bad).map(|number| ids[usize::from(number)]).collect();
        insert(&mut mesh, others[0], &block).expect("the insert is answered");
        for reader in &others[1..] {
            let begun = mesh.now();
            let answer = fetch(&mut mesh, *reader, &block);
            assert!(is_found(answer.as_ref(), &block), "the bad one is {bad}: {answer:?}");
            assert!(mesh.now().since(begun) < Duration::from_secs(10), "took {:?}", mesh.now().since(begun));
        }
    }
}

#[test]
fn a_neighbour_that_takes_requests_on_and_never_answers_hides_nothing_from_those_further_off() {
    // A chain of five; at its end the bad one, nearest to the key, and beside it an honest one.
    let edges = [(0, 1), (1, 2), (2, 3), (3, 4), (3, 5)];
    for seed in 0..10 {
        let (mut mesh, ids) = trusted_with(6, &edges, seed, 4, stall());
        // Until everybody has told its neighbours of its neighbours.
        mesh.run_for(Duration::from_secs(60));
        let block = block_nearest_trusted(6, 4);
        insert(&mut mesh, ids[3], &block).expect("the insert is answered");
        assert!(mesh.shelf(&ids[5]).expect("alive").holds(&block.key()), "seed {seed}");
        let begun = mesh.now();
        // What is sought lies beyond the bad one and beside it, nowhere else.
        ids[..4].iter().for_each(|id| mesh.lose(id, &block.key()));
        let answer = fetch(&mut mesh, ids[0], &block);
        assert!(is_found(answer.as_ref(), &block), "seed {seed}: {answer:?}");
        assert!(mesh.now().since(begun) < Duration::from_secs(10), "took {:?}", mesh.now().since(begun));
    }
}

#[test]
fn an_answer_that_comes_after_the_search_has_gone_on_still_counts() {
    let asked = Rc::new(RefCell::new(None));
    let held_back = asked.clone();
    let slow: Bend = Box::new(move |output| match output {
        Output::Send { to, message: Message::Found { id, .. } } => {
            held_back.replace(Some(id));
            Some(Output::Send { to, message: Message::Accepted { id } })
        }
        other => Some(other),
    });
    let (mut mesh, ids) = trusted_with(3, &[(0, 1), (0, 2)], 16, 1, slow);
    let block = block_nearest_trusted(3, 1);
    insert(&mut mesh, ids[1], &block).expect("the insert is answered");
    [0, 2].iter().for_each(|number| mesh.lose(&ids[*number], &block.key()));
    let ticket = mesh.command(ids[0], Command::Fetch { key: block.key(), own_store: false });
    mesh.run_for(Duration::from_secs(15));
    let id = asked.take().expect("the slow one was asked");
    mesh.inject(ids[1], ids[0], Message::Found { id, parcel: block.parcel(), source: None, hops: 0 });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(1));
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
    assert_eq!(mesh.offences(), []);
}

#[test]
fn a_request_backtracks_when_the_closest_neighbour_dies_half_way() {
    let (mut mesh, ids) = founders(8, 4);
    let block = block_nearest(8, 5);
    insert(&mut mesh, ids[0], &block).expect("the insert is answered");
    let ticket = mesh.command(ids[1], Command::Fetch { key: block.key(), own_store: false });
    mesh.run_for(Duration::from_millis(3));
    mesh.kill(ids[5]);
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(60));
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn wrong_data_is_dropped_counted_and_another_neighbour_is_tried() {
    let lie = |output: Output<Message>| match output {
        Output::Send { to, message: Message::Found { id, source, hops, .. } } => {
            Some(Output::Send { to, message: Message::Found { id, parcel: block(666).parcel(), source, hops } })
        }
        other => Some(other),
    };
    let (mut mesh, ids) = founders_with(8, 5, 5, Box::new(lie));
    let block = block_nearest(8, 5);
    insert(&mut mesh, ids[0], &block).expect("the insert is answered");
    let answer = fetch(&mut mesh, ids[1], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
    assert!(mesh.offences().contains(&(ids[1], ids[5], Offence::BadBlock)), "{:?}", mesh.offences());
}

#[test]
fn a_peer_that_keeps_sending_wrong_data_is_disconnected() {
    let lie = |output: Output<Message>| match output {
        Output::Send { to, message: Message::Found { id, source, hops, .. } } => {
            Some(Output::Send { to, message: Message::Found { id, parcel: block(666).parcel(), source, hops } })
        }
        other => Some(other),
    };
    let (mut mesh, ids) = founders_with(5, 6, 2, Box::new(lie));
    for number in 0..40 {
        let block = block(number);
        insert(&mut mesh, ids[0], &block).expect("the insert is answered");
        let answer = fetch(&mut mesh, ids[1], &block);
        assert!(is_found(answer.as_ref(), &block), "{answer:?}");
        mesh.run_for(limits::REST_AFTER_FAULT);
    }
    assert!(mesh.closes().contains(&(ids[1], ids[2], CloseReason::Offence(Offence::BadBlock))), "{:?}", mesh.closes());
}

#[test]
fn a_popular_key_reaches_every_asker_at_once() {
    let count = 16;
    let (mut mesh, ids) = founders(count, 7);
    let block = block_nearest(count, 0);
    insert(&mut mesh, ids[1], &block).expect("the insert is answered");
    let tickets: Vec<Ticket> = ids
        .iter()
        .flat_map(|id| [*id; 4])
        .map(|id| mesh.command(id, Command::Fetch { key: block.key(), own_store: false }))
        .collect();
    for ticket in tickets {
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(60));
        assert!(is_found(answer.as_ref(), &block), "{answer:?}");
    }
}

#[test]
fn a_loop_of_pending_keys_is_broken_and_the_miss_is_quick() {
    // Three nodes in a triangle, each asking for a key that nobody has at the same moment.
    let (mut mesh, ids) = trusted(3, &[(0, 1), (1, 2), (2, 0)], 8);
    let begun = mesh.now();
    let missing = block(4711);
    let tickets: Vec<Ticket> =
        ids.iter().map(|id| mesh.command(*id, Command::Fetch { key: missing.key(), own_store: false })).collect();
    for ticket in tickets {
        assert_eq!(mesh.run_until_answered(ticket, Duration::from_secs(60)), Some(Answer::NotFound));
    }
    assert!(mesh.now().since(begun) < Duration::from_secs(5), "took {:?}", mesh.now().since(begun));
}

#[test]
fn a_chain_of_five_finds_what_lies_at_its_far_end() {
    let (mut mesh, ids) = trusted(5, &[(0, 1), (1, 2), (2, 3), (3, 4)], 9);
    for number in 0..20 {
        let block = block(number);
        let (stores, wanted) = insert(&mut mesh, ids[0], &block).expect("the insert is answered");
        assert!(stores >= 1 && wanted >= 1);
        let answer = fetch(&mut mesh, ids[4], &block);
        assert!(is_found(answer.as_ref(), &block), "block {number}: {answer:?}");
    }
}

#[test]
fn a_failure_is_forgotten_when_the_block_is_inserted() {
    let (mut mesh, ids) = founders(8, 10);
    let block = block(1);
    assert_eq!(fetch(&mut mesh, ids[0], &block), Some(Answer::NotFound));
    insert(&mut mesh, ids[1], &block).expect("the insert is answered");
    let answer = fetch(&mut mesh, ids[0], &block);
    assert!(is_found(answer.as_ref(), &block), "{answer:?}");
}

#[test]
fn an_insert_under_a_taken_name_meets_what_stands_there_and_spreads_it() {
    let (mut mesh, ids) = founders(8, 11);
    let (first, second) = (signed("name", b"first"), signed("name", b"second"));
    assert_eq!(first.key(), second.key());
    insert(&mut mesh, ids[0], &first).expect("the insert is answered");
    let ticket = mesh.command(ids[4], Command::Insert { block: second });
    let answer = mesh.run_until_answered(ticket, Duration::from_secs(60));
    assert_eq!(answer, Some(Answer::Collision { existing: first.clone() }));
    let answer = fetch(&mut mesh, ids[6], &first);
    assert!(is_found(answer.as_ref(), &first), "the first still stands: {answer:?}");
}

#[test]
fn an_insert_survives_the_death_of_any_node_on_its_way() {
    for victim in 1..8 {
        let (mut mesh, ids) = founders(8, 12);
        let block = block_nearest(8, victim);
        let ticket = mesh.command(ids[0], Command::Insert { block: block.clone() });
        mesh.run_for(Duration::from_millis(18));
        mesh.kill(ids[usize::from(victim)]);
        let answer = mesh.run_until_answered(ticket, Duration::from_secs(90));
        assert!(matches!(answer, Some(Answer::Inserted { stores, wanted }) if stores >= wanted), "{answer:?}");
    }
}

#[test]
fn own_fetches_never_enter_the_shared_store() {
    let (mut mesh, ids) = founders(12, 13);
    for number in 0..20 {
        let block = block(number);
        insert(&mut mesh, ids[0], &block).expect("the insert is answered");
        let readers: Vec<NodeId> =
            ids.iter().copied().filter(|id| !mesh.shelf(id).expect("alive").holds(&block.key())).collect();
        for reader in readers {
            fetch(&mut mesh, reader, &block);
            assert!(!mesh.shelf(&reader).expect("alive").holds(&block.key()));
        }
    }
}

#[test]
fn a_lone_node_says_that_nobody_can_be_reached() {
    let (mut mesh, ids) = founders(1, 14);
    assert_eq!(fetch(&mut mesh, ids[0], &block(1)), Some(Answer::Unavailable));
    let ticket = mesh.command(ids[0], Command::Insert { block: block(1) });
    assert_eq!(mesh.run_until_answered(ticket, Duration::from_secs(60)), Some(Answer::Unavailable));
}
