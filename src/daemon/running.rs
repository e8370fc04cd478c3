//! Starting a node and stopping it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use crypto::identity::NodeKey;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinHandle};
use tracing::{info, warn};

use super::chance;
use super::clock::Clock;
use super::config::Profile;
use super::data_dir::DataError;
use super::dialler::Dialler;
use super::event_loop::EventLoop;
use super::handle::Handle;
use super::joining::{self, JoinError};
use super::keeper::KeeperError;
use super::listen;
use super::memory::Memory;
use super::overlay::{Beginning, NoWayIn, Overlay, OverlayName};
use super::report::{About, Offer};
use super::settings::Settings;
use super::status::Made;
use crate::disk::{Disk, OpenError};
use crate::gateway::{Bridged, Errand, Policy};
use crate::id::{NetworkId, NodeId};
use crate::key::Location;
use crate::link::config::LinkConfig;
use crate::link::event::{BindError, LinkEvent};
use crate::link::links::Links;
use crate::message::class::Message;
use crate::message::contact::Contact;
use crate::message::genesis::Genesis;
use crate::message::reference::Introduction;
use crate::node::Node;
use crate::node::envelope::Envelope;
use crate::onion::{self, Onion};
use crate::overlay::can::Can;
use crate::overlay::central::Central;
use crate::overlay::chord::Chord;
use crate::overlay::flooding::Flooding;
use crate::overlay::freenet::Freenet;
use crate::overlay::kademlia::Kademlia;
use crate::overlay::supernode::Supernode;
use crate::overlay::swarm::Swarm;
use crate::store::Store;
use crate::store::geometry::Capacity;

/// A node that runs.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    about: Arc<About>,
    place: watch::Receiver<Option<Location>>,
    task: JoinHandle<()>,
}

/// Why a node cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no network for it.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// Its directory does not give what it needs.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Its secret does not open.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Its store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] io::Error),
    /// It knows nobody of the network.
    #[error(transparent)]
    NoWayIn(#[from] NoWayIn),
    /// It listens everywhere and does not know what to tell others.
    #[error("{0} is no address that others can dial: say which one is with --advertise")]
    NoAddress(SocketAddr),
}

/// What makes a node a gateway: its rules, and where its errands go.
type Gateway = (Policy, mpsc::UnboundedSender<Errand>);

type Bound<M> = (Links<Envelope<M>>, mpsc::Receiver<LinkEvent<Envelope<M>>>);

impl Running {
    /// Starts a node of the overlay that the settings name. Needs a tokio runtime.
    ///
    /// # Errors
    /// When anything it needs is missing, damaged or taken; what was begun is undone.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::choose(settings, None).await
    }

    /// The same of a node that is a gateway; what it wants done behind it comes out of `errands`.
    pub(super) async fn start_gateway(
        settings: Settings,
        policy: Policy,
        errands: mpsc::UnboundedSender<Errand>,
    ) -> Result<Self, StartError> {
        Self::choose(settings, Some((policy, errands))).await
    }

    async fn choose(settings: Settings, gateway: Option<Gateway>) -> Result<Self, StartError> {
        match settings.overlay {
            OverlayName::Freenet => Self::begin::<Freenet>(settings, gateway).await,
            OverlayName::Central => Self::begin::<Bridged<Central>>(settings, gateway).await,
            OverlayName::Chord => Self::begin::<Bridged<Chord>>(settings, gateway).await,
            OverlayName::Kademlia => Self::begin::<Bridged<Kademlia>>(settings, gateway).await,
            OverlayName::Can => Self::begin::<Bridged<Can>>(settings, gateway).await,
            OverlayName::Flooding => Self::begin::<Bridged<Flooding>>(settings, gateway).await,
            OverlayName::Supernode => Self::begin::<Bridged<Supernode>>(settings, gateway).await,
            OverlayName::Swarm => Self::begin::<Bridged<Swarm>>(settings, gateway).await,
        }
    }

    async fn begin<O: Overlay>(settings: Settings, gateway: Option<Gateway>) -> Result<Self, StartError> {
        let clock = Clock::start();
        let key = settings.keeper.identity()?;
        let genesis = joining::network(&settings, &key).await?;
        let (links, events) = bind::<O>(&settings, duplicate(&key), &genesis)?;
        let address = address(&settings, &links)?;
        let introduction = Introduction { network: genesis.network(), id: NodeId(key.id()), address };
        let (disk, store) = open_store(&settings).await?;
        let (done, disk_done) = mpsc::unbounded_channel();
        // The loop may have ended; then nobody waits for the disk.
        let disk = disk.start(move |answer| drop(done.send(answer)))?;
        let about = About {
            introduction,
            store_limit_bytes: settings.store_bytes,
            protected: settings.keeper.protected(),
            genesis: genesis.clone(),
            prerouting: offer::<O>(profile(&settings, &genesis)),
        };
        let onion = onion(&settings, about.prerouting, &about.introduction, duplicate(&key))?;
        let mut overlay = O::begin(beginning(&settings, O::NAME, genesis, address, key)?)?;
        let errands = gateway.map(|(policy, errands)| {
            overlay.open_gateway(policy);
            errands
        });
        let (handle, requests) = Handle::new();
        let (place, placed) = watch::channel(None);
        let about = Arc::new(about);
        let event_loop = EventLoop {
            clock,
            node: compose(overlay, store, onion),
            links,
            events,
            disk,
            disk_done,
            requests,
            memory: Memory::new(settings.keeper.clone(), O::NAME.to_owned()),
            guards: Memory::new(settings.keeper.clone(), GUARDS.to_owned()),
            relays: Memory::new(settings.keeper, RELAYS.to_owned()),
            place,
            about: about.clone(),
            dialler: Dialler::new(),
            waiting: std::collections::BTreeMap::new(),
            linked: std::collections::BTreeMap::new(),
            errands,
            made: Made::default(),
            cover: settings.cover.rate(),
            covered: None,
            lock: settings.lock,
        };
        Ok(Self { handle, about, place: placed, task: tokio::spawn(event_loop.run()) })
    }

    /// The way into the node.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What does not change while it runs.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// Waits until the node has a place on the ring; `None` if it stops before.
    pub async fn placed(&self) -> Option<Location> {
        let mut place = self.place.clone();
        place.wait_for(Option::is_some).await.ok().and_then(|place| *place)
    }

    /// Waits until the node has ended, by itself or because it was told to.
    pub async fn ended(&self) {
        let mut place = self.place.clone();
        while place.changed().await.is_ok() {}
    }

    /// Stops the node and waits until everything is saved and closed.
    pub async fn stop(self) {
        self.handle.stop();
        // A panic of the loop was reported where it happened.
        let _ = self.task.await;
    }
}

fn bind<O: Overlay>(settings: &Settings, key: NodeKey, genesis: &Genesis) -> Result<Bound<O::Message>, StartError> {
    let (key, network) = (Arc::new(key), genesis.network());
    let config = |listen| LinkConfig {
        listen,
        mode: O::NAME.to_owned(),
        bandwidth: settings.bandwidth,
        genesis: Bytes::from(genesis.to_bytes()),
    };
    if let Some(listen) = settings.listen {
        return Ok(Links::bind(config(listen), key, network)?);
    }
    bind_anywhere(settings, config, &key, network)
}

/// The address of the last run, or the first free one.
fn bind_anywhere<M: Message + Sync>(
    settings: &Settings,
    config: impl Fn(SocketAddr) -> LinkConfig,
    key: &Arc<NodeKey>,
    network: NetworkId,
) -> Result<Bound<M>, StartError> {
    let last = settings.data.read(ADDRESS)?.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
    let mut refused = None;
    for listen in listen::candidates(last) {
        match Links::bind(config(listen), key.clone(), network) {
            Ok(bound) => {
                remember_address(settings, &bound.0);
                return Ok(bound);
            }
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.expect("there is at least one candidate").into())
}

fn remember_address<M: Message + Sync>(settings: &Settings, links: &Links<Envelope<M>>) {
    let Ok(address) = links.local_address() else { return };
    if listen::counts_ports(&address) {
        warn!(%address, "this system has one loopback address, so nodes here are told apart by port");
    }
    // A convenience: without it the next run may listen elsewhere.
    let _ = settings.data.replace(ADDRESS, address.to_string().as_bytes());
}

/// The address that others are told.
fn address<M: Message + Sync>(settings: &Settings, links: &Links<Envelope<M>>) -> Result<SocketAddr, StartError> {
    let address = match settings.advertise {
        Some(address) => address,
        None => links.local_address()?,
    };
    if address.ip().is_unspecified() || address.port() == 0 { Err(StartError::NoAddress(address)) } else { Ok(address) }
}

async fn open_store(settings: &Settings) -> Result<(Disk, Store), StartError> {
    let (path, limit) = (settings.data.file(STORE), settings.store_bytes);
    let secret = settings.keeper.secret().duplicate();
    let opened = task::spawn_blocking(move || Disk::open(&path, &secret, limit)).await;
    let (disk, found, report) = opened.map_err(io::Error::other)??;
    if report.damaged + report.unfinished + report.displaced + report.repaired_files > 0 {
        warn!(
            blocks = report.blocks,
            damaged = report.damaged,
            unfinished = report.unfinished,
            displaced = report.displaced,
            repaired_files = report.repaired_files,
            "the store was not whole; what can be read is there"
        );
    } else {
        info!(blocks = report.blocks, "the store is open");
    }
    Ok((disk, Store::recover(Capacity::of_limit(limit), &found)))
}

fn beginning(
    settings: &Settings,
    memory: &str,
    genesis: Genesis,
    address: SocketAddr,
    key: NodeKey,
) -> Result<Beginning, StartError> {
    let profile = profile(settings, &genesis);
    Ok(Beginning {
        genesis,
        profile,
        address,
        key,
        join: settings.join.iter().map(|known| Contact::new(known.id, known.address)).collect(),
        remembered: settings.keeper.read(memory)?.map(|bytes| bytes.to_vec()),
        seed: chance::bytes(),
    })
}

fn profile(settings: &Settings, genesis: &Genesis) -> Profile {
    settings.profile.unwrap_or(if genesis.local { Profile::Local } else { Profile::Open })
}

const fn offer<O: Overlay>(profile: Profile) -> Offer {
    match profile {
        _ if !O::PREROUTES => Offer::NotHere,
        Profile::Trusted => Offer::NotAmongFriends,
        Profile::Local => Offer::Local,
        Profile::Open => Offer::Open,
    }
}

/// Pre-routing of this node, if it is offered.
fn onion(
    settings: &Settings,
    offer: Offer,
    introduction: &Introduction,
    key: NodeKey,
) -> Result<Option<Onion>, StartError> {
    if !matches!(offer, Offer::Local | Offer::Open) {
        return Ok(None);
    }
    let remembered = settings.keeper.read(GUARDS)?;
    let (network, address) = (introduction.network, introduction.address);
    let config =
        onion::Config { network, address, local: offer == Offer::Local, loops: settings.cover.rate().is_some() };
    let relays = settings.keeper.read(RELAYS)?;
    let onion = Onion::new(config, key, chance::bytes(), remembered.as_ref().map(|bytes| bytes.as_slice()));
    Ok(Some(match relays {
        Some(relays) => onion.recalling(&relays),
        None => onion,
    }))
}

fn compose<O: Overlay>(overlay: O, store: Store, onion: Option<Onion>) -> Node<O> {
    let node = Node::new(overlay, store);
    match onion {
        Some(onion) => node.with_onion(onion),
        None => node,
    }
}

fn duplicate(key: &NodeKey) -> NodeKey {
    NodeKey::from_seed(key.seed())
}

/// Which guards and middles were pinned.
const GUARDS: &str = "guards";
/// Since when relays are known.
const RELAYS: &str = "relays";
/// The directory of the store.
const STORE: &str = "store";
/// Where the node listened last, if nobody said where.
const ADDRESS: &str = "address";
