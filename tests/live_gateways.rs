//! A gateway between every overlay and the store, with real sockets: documents of the store are fetched in the overlay,
//! documents of the overlay in the store, at nodes other than the gateway; what may not cross does not.

mod network_support;

use std::sync::Arc;
use std::time::Duration;

use bolthole::daemon::config::{Cover, Profile};
use bolthole::daemon::data_dir::DataDir;
use bolthole::daemon::gateway::Gateway;
use bolthole::daemon::job::{FetchRequest, InsertRequest, Inserted, JobRequest, JobState};
use bolthole::daemon::jobs::Feed;
use bolthole::daemon::keeper::Keeper;
use bolthole::daemon::overlay::OverlayName;
use bolthole::daemon::served::Served;
use bolthole::daemon::settings::Settings;
use bolthole::gateway::Policy;
use bolthole::message::reference::Introduction;
use network_support::{Network, within};
use tempfile::TempDir;
use tokio::time::sleep;

/// Two networks and what lies between them.
struct Bridge {
    overlay: Network,
    store: Network,
    gateway: Gateway,
    place: TempDir,
}

impl Bridge {
    async fn between(overlay: OverlayName, policy: Policy) -> Self {
        let place = TempDir::new().expect("a temporary directory");
        let (there, store) = tokio::join!(Network::of_overlay(3, overlay), Network::of(2));
        let settings = |name: &str, overlay, known: &Introduction| {
            let data = DataDir::new(place.path().join(name));
            data.create().expect("a writable directory");
            Settings {
                lock: data.lock().expect("a directory of its own"),
                keeper: Arc::new(Keeper::open(&data, |_| None).expect("a fresh directory")),
                data,
                network: None,
                join: vec![known.clone()],
                listen: None,
                advertise: None,
                overlay,
                profile: Some(Profile::Local),
                store_bytes: 32 << 20,
                bandwidth: None,
                cover: Cover::Off,
            }
        };
        let (one, other) = (
            settings("overlay", overlay, &there.nodes[0].introduction),
            settings("store", OverlayName::Freenet, &store.nodes[0].introduction),
        );
        let gateway = within(30, Gateway::start(one, other, policy)).await.expect("the gateway starts");
        within(30, gateway.overlay().placed()).await.expect("it joins the overlay");
        within(30, gateway.node().placed()).await.expect("it joins the store");
        let bridge = Self { overlay: there, store, gateway, place };
        within(30, bridge.known()).await;
        bridge
    }

    /// Waits until the user's nodes have heard of the gateway, and its node in the store's network has neighbours.
    async fn known(&self) {
        for node in &self.overlay.nodes[1..] {
            while node.handle.status().await.expect("the node runs").gateways == 0 {
                sleep(Duration::from_millis(50)).await;
            }
        }
        while self.gateway.node().handle().peers().await.expect("the node runs").len() < 2 {
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What serves the clients of a node.
    fn served(&self, network: &Network, node: usize) -> Served {
        let data = DataDir::new(self.place.path().join("clients"));
        data.create().expect("a writable directory");
        let keeper = Arc::new(Keeper::open(&data, |_| None).expect("a directory"));
        Served::new(&network.nodes[node].handle, data, keeper)
    }

    async fn insert(&self, network: &Network, node: usize, document: &[u8]) -> Inserted {
        let served = self.served(network, node);
        let id = served
            .jobs()
            .start(JobRequest::Insert(InsertRequest { direct: true, ..InsertRequest::default() }))
            .expect("a job")
            .id;
        let input = served.jobs().input(id).expect("an insert");
        input.send(Feed::Chunk(document.to_vec().into())).await.expect("the job runs");
        input.send(Feed::End).await.expect("the job runs");
        let mut view = served.jobs().watch(id).expect("the job");
        let end = within(60, view.wait_for(|view| view.state.is_end())).await.expect("it ends").clone();
        let JobState::Inserted(inserted) = end.state else { panic!("{end:?}") };
        inserted
    }

    /// Fetches a document at a node: its bytes, if it is found.
    async fn fetch(&self, network: &Network, node: usize, uri: &str) -> Option<Vec<u8>> {
        let served = self.served(network, node);
        let request = FetchRequest { direct: true, ..FetchRequest::of(uri.to_owned()) };
        let id = served.jobs().start(JobRequest::Fetch(request)).expect("a job").id;
        let mut output = served.jobs().output(id).expect("a fetch");
        let mut document = Vec::new();
        within(60, async {
            while let Some(piece) = output.recv().await {
                document.extend_from_slice(&piece);
            }
        })
        .await;
        let mut view = served.jobs().watch(id).expect("the job");
        let end = within(60, view.wait_for(|view| view.state.is_end())).await.expect("it ends").clone();
        matches!(end.state, JobState::Fetched(_)).then_some(document)
    }

    /// Waits until the gateway has carried so many blocks into the store.
    async fn carried(&self, blocks: u64) {
        let carried = async || {
            let status = self.gateway.overlay().handle().status().await.expect("the node runs");
            status.gateway.expect("it is a gateway").carried
        };
        within(60, async {
            while carried().await < blocks {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    }

    async fn stop(self) {
        within(20, self.gateway.stop()).await;
        tokio::join!(self.overlay.stop(), self.store.stop());
    }
}

/// Content that is nobody else's, long enough for a manifest, data and check blocks.
fn document(number: u8, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at % 251) as u8 ^ number).collect()
}

fn both_ways() -> Policy {
    Policy { answers: true, inserts: true, ..Policy::default() }
}

async fn carries_both_ways(overlay: OverlayName) {
    let bridge = Bridge::between(overlay, both_ways()).await;
    // From the store to whoever asks in the overlay.
    let ours = document(1, 100_000);
    let uri = bridge.insert(&bridge.store, 1, &ours).await.uri;
    assert_eq!(bridge.fetch(&bridge.overlay, 2, &uri).await, Some(ours), "a document of the store, in {overlay}");
    // From whoever publishes in the overlay to the store.
    let theirs = document(2, 100_000);
    let Inserted { uri, blocks, .. } = bridge.insert(&bridge.overlay, 1, &theirs).await;
    bridge.carried(blocks).await;
    assert_eq!(bridge.fetch(&bridge.store, 1, &uri).await, Some(theirs), "a document of {overlay}, in the store");
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn central() {
    carries_both_ways(OverlayName::Central).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chord() {
    carries_both_ways(OverlayName::Chord).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kademlia() {
    carries_both_ways(OverlayName::Kademlia).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn can() {
    carries_both_ways(OverlayName::Can).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flooding() {
    carries_both_ways(OverlayName::Flooding).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn supernode() {
    carries_both_ways(OverlayName::Supernode).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swarm() {
    carries_both_ways(OverlayName::Swarm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_listed_or_too_large_does_not_cross_and_named_documents_do() {
    let policy = Policy { allow: Some(std::collections::BTreeSet::new()), ..both_ways() };
    let bridge = Bridge::between(OverlayName::Kademlia, policy).await;
    let small = document(3, 40_000);
    let uri = bridge.insert(&bridge.store, 1, &small).await.uri;
    assert_eq!(bridge.fetch(&bridge.overlay, 2, &uri).await, None, "it is not listed");
    let refused = bridge.gateway.allow(&uri, Some(39_999)).await.expect_err("it is too large to be listed");
    assert!(refused.sentence.contains("40000 bytes"), "{}", refused.sentence);
    assert_eq!(bridge.fetch(&bridge.overlay, 2, &uri).await, None, "and is not listed still");
    bridge.gateway.allow(&uri, Some(40_000)).await.expect("it is found in the store");
    assert_eq!(bridge.fetch(&bridge.overlay, 2, &uri).await, Some(small), "now it is");
    // A document that the operator names is published and found without the gateway's list.
    let named = document(4, 70_000);
    let uri = bridge.insert(&bridge.store, 1, &named).await.uri;
    assert!(bridge.gateway.publish(&uri, Some(69_999)).await.is_err());
    assert_eq!(bridge.fetch(&bridge.overlay, 1, &uri).await, None, "none of it was published");
    bridge.gateway.publish(&uri, None).await.expect("it is published");
    assert_eq!(bridge.fetch(&bridge.overlay, 1, &uri).await, Some(named));
    // And the other way round.
    let theirs = document(5, 70_000);
    let uri = bridge.insert(&bridge.overlay, 1, &theirs).await.uri;
    assert_eq!(bridge.fetch(&bridge.store, 1, &uri).await, None, "it is not listed");
    bridge.gateway.insert(&uri, None).await.expect("it is found in the overlay");
    assert_eq!(bridge.fetch(&bridge.store, 1, &uri).await, Some(theirs));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_of_bytes_is_kept() {
    let three = 3 * crypto::content::SEALED_BYTES as u64;
    let bridge = Bridge::between(OverlayName::Chord, Policy { hourly_bytes: Some(three), ..both_ways() }).await;
    let long = document(6, 100_000);
    let uri = bridge.insert(&bridge.store, 1, &long).await.uri;
    assert_eq!(bridge.fetch(&bridge.overlay, 2, &uri).await, None, "five blocks are needed");
    let status = bridge.gateway.overlay().handle().status().await.expect("the node runs");
    assert_eq!(status.gateway.map(|done| done.given), Some(3));
    bridge.stop().await;
}
