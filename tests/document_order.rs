//! The order in which a document's blocks go out and are asked for is drawn by chance, and nothing is missing for it.

mod document_support;

use std::collections::BTreeMap;

use bolthole::document::fetch::{self, Fetcher};
use bolthole::document::layout::Geometry;
use bolthole::key::RoutingKey;
use bolthole::time::Instant;
use document_support::{Network, WINDOW, fetch_options, insert, listed, options, start};

/// Two segments and a half of the standard geometry.
const LENGTH: u64 = 320 * 32_736;

/// The places in `listed` of those that are in it, in the order of `keys`.
fn places(keys: &[RoutingKey], listed: &[RoutingKey]) -> Vec<usize> {
    let of: BTreeMap<&RoutingKey, usize> = listed.iter().enumerate().map(|(place, key)| (key, place)).collect();
    keys.iter().filter_map(|key| of.get(key).copied()).collect()
}

/// How many of a hundred steps lead forward: all in order, half by chance.
fn forward(places: &[usize]) -> usize {
    100 * places.windows(2).filter(|two| two[0] < two[1]).count() / (places.len() - 1)
}

/// The keys that a fetch asks for, in that order.
fn asked(network: &Network, uri: &bolthole::key::uri::Uri, order: u64) -> Vec<RoutingKey> {
    let options = fetch::Options { order, window: WINDOW, ..fetch_options(Geometry::STANDARD) };
    let mut fetcher = Fetcher::new(start(uri), options);
    let (mut asked, mut untaken) = (Vec::new(), 0);
    loop {
        let input = match fetcher.poll_output() {
            Some(fetch::Output::Fetch { handle, key }) => {
                asked.push(key);
                fetch::Input::BlockFound { handle, block: network.blocks[&key].clone() }
            }
            Some(fetch::Output::Deliver(bytes)) => {
                untaken += bytes.len();
                continue;
            }
            Some(fetch::Output::Done(summary)) => {
                assert_eq!(summary.bytes, LENGTH);
                return asked;
            }
            Some(fetch::Output::Failed(why)) => panic!("{why}"),
            Some(_) => continue,
            None => fetch::Input::Delivered { bytes: std::mem::take(&mut untaken) },
        };
        fetcher.handle_input(Instant::EPOCH, input);
    }
}

#[test]
fn blocks_leave_in_another_order_than_they_were_made_in() {
    let (receipt, network) = insert(1, LENGTH, options(Geometry::STANDARD));
    let listed = listed(&receipt.uri, &network, Geometry::STANDARD);
    let data: Vec<RoutingKey> = listed.segments.iter().flat_map(|(data, _)| data.clone()).collect();
    let places = places(&network.order, &data);
    assert_eq!(places.len(), data.len(), "all of them leave, each once");
    assert!((40..=65).contains(&forward(&places)), "{} of 100 steps lead forward", forward(&places));
    let top = network
        .order
        .iter()
        .position(|key| matches!(&receipt.uri, bolthole::key::uri::Uri::Chk { routing, .. } if routing == key));
    assert!(top.expect("it left") >= network.order.len() - 5, "the top and its standbys come last");
}

#[test]
fn blocks_of_a_segment_are_asked_for_in_another_order_each_time() {
    let (receipt, network) = insert(1, LENGTH, options(Geometry::STANDARD));
    let listed = listed(&receipt.uri, &network, Geometry::STANDARD);
    let (first, second) = (asked(&network, &receipt.uri, 1), asked(&network, &receipt.uri, 2));
    let segments = listed.segments.iter().map(|(data, _)| data);
    for data in segments {
        let (one, other) = (places(&first, data), places(&second, data));
        assert_eq!((one.len(), other.len()), (data.len(), data.len()), "every data block is asked for, once");
        assert!((30..=70).contains(&forward(&one)), "{} of 100 steps lead forward", forward(&one));
        assert_ne!(one, other);
    }
    // Segments still come one after the other: what is read first comes first.
    let segment = |key: &RoutingKey| listed.segments.iter().position(|(data, _)| data.contains(key));
    let order: Vec<usize> = first.iter().filter_map(segment).collect();
    assert!(order.windows(2).all(|two| two[0] <= two[1]), "with eight blocks under way no segment runs ahead");
    let checks: Vec<RoutingKey> = listed.segments.iter().flat_map(|(_, checks)| checks.clone()).collect();
    assert!(places(&first, &checks).is_empty(), "nothing is missing, so nothing is rebuilt");
}
