//! Documents sealed to readers: their readers alone open what the URI names, and the network sees nothing of it.

mod document_support;

use bolthole::document::fetch::{Fetcher, Why};
use bolthole::document::header::{Opener, Top};
use bolthole::document::insert::{Inserter, Receipt};
use bolthole::document::root::top_key;
use bolthole::document::signed::Writer;
use bolthole::key::RoutingKey;
use bolthole::key::uri::{Name, Uri};
use bolthole::message::block::Block;
use crypto::content::{self, Root};
use crypto::envelope::Envelope;
use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use crypto::signed::Subspace;
use document_support::{
    Fetched, Network, SMALL, WINDOW, drive_fetch, drive_insert, fetch, fetch_options, insert, options, pattern, start,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

fn reader(number: u8) -> ReaderKey {
    ReaderKey::from_secret(Secret::from_bytes([number; 32]))
}

fn insert_sealed(length: u64, readers: &[u8], writer: Option<Writer>) -> (Receipt, Network) {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let public: Vec<[u8; 32]> = readers.iter().map(|number| reader(*number).public()).collect();
    let mut inserter_options = options(SMALL);
    inserter_options.writer = writer;
    let inserter = Inserter::new(inserter_options, &mut rng).sealed_to(&public, &mut rng).expect("readers");
    let mut network = Network::default();
    let receipt = drive_insert(inserter, WINDOW, 3, length, &mut network).expect("the insert succeeds");
    (receipt, network)
}

fn fetch_as(readers: &[u8], uri: &Uri, network: &Network) -> Result<Fetched, Why> {
    let keys = readers.iter().map(|number| reader(*number)).collect();
    drive_fetch(Fetcher::new(start(uri), fetch_options(SMALL)).for_readers(keys), WINDOW, network)
}

#[test]
fn each_reader_opens_it_and_whoever_has_only_the_uri_does_not() {
    for length in [0, 5, 32_000, 400_000] {
        let (receipt, network) = insert_sealed(length, &[1, 2, 3], None);
        assert_eq!(receipt.bytes, length);
        for number in 1..=3 {
            let fetched = fetch_as(&[9, number], &receipt.uri, &network).expect("a reader's fetch succeeds");
            assert_eq!(fetched.bytes, pattern(3, 0..length));
        }
        assert_eq!(fetch_as(&[9], &receipt.uri, &network).unwrap_err(), Why::SealedToOthers);
        assert_eq!(fetch(&receipt.uri, &network, SMALL).unwrap_err(), Why::SealedToOthers);
    }
}

#[test]
fn a_name_leads_to_an_envelope_even_if_the_document_would_fit_beside_it() {
    let subspace = Subspace::from_secret_bytes([8; 64]);
    let name = Name::new("letter").expect("a name");
    let (receipt, network) = insert_sealed(5, &[1], Some(Writer::Name { subspace, name }));
    assert!(matches!(receipt.uri, Uri::Ssk { .. }));
    assert_eq!(fetch_as(&[1], &receipt.uri, &network).expect("its reader").bytes, pattern(3, 0..5));
    assert_eq!(fetch(&receipt.uri, &network, SMALL).unwrap_err(), Why::SealedToOthers);
}

#[test]
fn the_network_holds_blocks_as_of_any_other_document_and_one_more_kind_of_top() {
    let (sealed, network) = insert_sealed(400_000, &[1, 2], None);
    let (plain, other) = insert(3, 400_000, options(SMALL));
    // The envelope's block, its two standbys, and the two signed blocks that name them.
    assert_eq!(sealed.blocks, plain.blocks + 5);
    let lengths = |network: &Network| -> Vec<usize> {
        let mut lengths: Vec<usize> = network.blocks.values().map(|block| block.body().len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    };
    assert_eq!(lengths(&network), lengths(&other));
}

#[test]
fn the_block_of_an_envelope_may_be_lost_and_is_made_again() {
    let (receipt, mut network) = insert_sealed(400_000, &[1], None);
    let Uri::Chk { routing, .. } = receipt.uri else { panic!("a content URI") };
    network.lose([routing]);
    let fetched = fetch_as(&[1], &receipt.uri, &network).expect("a standby is there");
    assert_eq!(fetched.bytes, pattern(3, 0..400_000));
    assert!(fetched.repaired.iter().any(|block| block.key() == routing));
}

/// Puts a top block of the writer's choice into the network.
fn put(network: &mut Network, root: &Root, top: &Top) -> RoutingKey {
    let sealed = content::seal(&top_key(root), &top.encode()).expect("it fits");
    let block = Block::new(sealed.into()).expect("a content block");
    let key = block.key();
    network.put(block);
    key
}

#[test]
fn an_envelope_in_an_envelope_is_refused_and_so_is_one_that_leads_nowhere() {
    let (receipt, mut network) = insert_sealed(5, &[1], None);
    let Uri::Chk { routing, root } = receipt.uri else { panic!("a content URI") };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut around = |opener: Opener| {
        let envelope = Envelope::to(&[reader(1).public()], &mut rng).expect("a reader").seal(&opener.to_bytes());
        let root = Root::from_bytes([6; 32]);
        let routing = put(&mut network, &root, &Top::Sealed { envelope: envelope.into() });
        Uri::Chk { routing, root }
    };
    let nested = around(Opener { routing, root });
    let nowhere = around(Opener { routing: RoutingKey([1; 32]), root: Root::from_bytes([2; 32]) });
    assert_eq!(fetch_as(&[1], &nested, &network).unwrap_err(), Why::EnvelopeInEnvelope);
    assert_eq!(fetch_as(&[1], &nowhere, &network).unwrap_err(), Why::NotFound);
}
