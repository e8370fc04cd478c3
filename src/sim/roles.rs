//! What the messages of each overlay are for.

use crate::key::RoutingKey;
use crate::overlay::freenet::{Question, Refusal};
use crate::overlay::{can, central, chord, classic, flooding, freenet, kademlia, supernode, swarm};
use crate::sim::betrayal::Betrayal;
use crate::sim::tap::{Sight, SightKind};
use crate::sim::traffic::{Role, Roles};

impl Roles for classic::Message {
    fn role(&self) -> Role {
        match self {
            Self::Request { .. } => Role::Query,
            Self::NotFound { .. } | Self::Continue { .. } | Self::Restart { .. } => Role::Answer,
            Self::Data { .. } | Self::InsertData { .. } => Role::Content,
            Self::Insert { .. } | Self::AllClear { .. } => Role::Publication,
            Self::Announce { .. } | Self::Reveal { .. } | Self::Assign { .. } => Role::Maintenance,
        }
    }

    fn sight(&self) -> Option<Sight> {
        let told = |kind, id: &classic::TransactionId, key: Option<&RoutingKey>, htl: u16, depth: Option<u16>| {
            Some(Sight { kind, id: id.0, key: key.copied(), htl, depth })
        };
        match self {
            Self::Request { id, htl, depth, key } => told(SightKind::Request, id, Some(key), *htl, Some(*depth)),
            Self::Insert { id, htl, depth, key } => told(SightKind::Insert, id, Some(key), *htl, Some(*depth)),
            Self::Data { id, htl, .. } => told(SightKind::Found, id, None, *htl, None),
            Self::NotFound { id } => told(SightKind::Missing, id, None, 0, None),
            Self::Continue { id, htl } => told(SightKind::Known, id, None, *htl, None),
            _ => None,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Request { key, depth: 1, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for central::Message {
    fn role(&self) -> Role {
        match self {
            Self::Search { .. } => Role::Query,
            Self::Hits { .. } | Self::Missing { .. } => Role::Answer,
            // To ask for the download is no search: the paper's two messages are the question to the server and its answer.
            Self::Get { .. } | Self::Data { .. } => Role::Content,
            Self::Share { .. } | Self::Noted { .. } => Role::Publication,
            Self::Login { .. } | Self::Ping { .. } | Self::Pong { .. } => Role::Maintenance,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Search { key, .. } | Self::Get { key, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for kademlia::Message {
    fn role(&self) -> Role {
        match self {
            Self::FindValue { .. } => Role::Query,
            Self::Nodes { value: true, .. } | Self::Providers { .. } => Role::Answer,
            Self::Value { .. } | Self::Store { .. } => Role::Content,
            Self::Provide { .. } | Self::Stored { .. } => Role::Publication,
            // Lookups of publication are counted with those of upkeep: the wire does not tell them apart.
            Self::FindNode { .. } | Self::Nodes { value: false, .. } => Role::Maintenance,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::FindValue { key, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for flooding::Message {
    fn role(&self) -> Role {
        match self {
            Self::Query { .. } | Self::Walk(_) => Role::Query,
            Self::Hit { .. } | Self::Found { .. } | Self::Check { .. } | Self::Wanted { .. } | Self::Missing { .. } => {
                Role::Answer
            }
            Self::Get { .. } | Self::Data { .. } | Self::Copy { .. } | Self::Scatter { .. } => Role::Content,
            Self::Connect { .. } | Self::Connected { .. } | Self::Bye | Self::Ping { .. } | Self::Pong { .. } => {
                Role::Maintenance
            }
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Query { key, hops: 0, .. } | Self::Get { key, .. } => Betrayal::of_sender(key.location()),
            Self::Walk(walker) => Some(Betrayal { key: walker.key.location(), origin: Some(walker.origin.id()) }),
            _ => None,
        }
    }
}

impl Roles for supernode::Message {
    fn role(&self) -> Role {
        match self {
            Self::Search { .. } | Self::Query { .. } => Role::Query,
            Self::Hit { .. } | Self::Over { .. } | Self::Missing { .. } => Role::Answer,
            Self::Get { .. } | Self::Data { .. } => Role::Content,
            Self::Share { .. } | Self::Noted { .. } => Role::Publication,
            Self::Connect { .. } | Self::Connected { .. } | Self::Bye | Self::Rise { .. } => Role::Maintenance,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Search { key, .. } | Self::Get { key, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for chord::Message {
    fn role(&self) -> Role {
        match self {
            Self::Around { upkeep: false, .. } | Self::Seek { .. } | Self::Get { .. } => Role::Query,
            Self::Nodes { upkeep: false, .. }
            | Self::Taken { .. }
            | Self::Owners { .. }
            | Self::Stuck { .. }
            | Self::Held { .. }
            | Self::Missing { .. } => Role::Answer,
            Self::Data { .. } | Self::Put { .. } => Role::Content,
            Self::Refer { .. } | Self::Stored { .. } => Role::Publication,
            Self::Around { .. }
            | Self::Nodes { .. }
            | Self::Neighbours { .. }
            | Self::NeighboursAre { .. }
            | Self::Notify { .. }
            | Self::Leaving { .. } => Role::Maintenance,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Around { key, upkeep: false, .. } => Betrayal::of_sender(*key),
            Self::Seek { key, way, .. } if way.hops == 1 => Betrayal::of_sender(*key),
            Self::Get { key, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for can::Message {
    fn role(&self) -> Role {
        match self {
            Self::Route { upkeep: false, .. } | Self::Get { .. } => Role::Query,
            Self::Taken { upkeep: false, .. }
            | Self::Arrived { upkeep: false, .. }
            | Self::Stuck { upkeep: false, .. }
            | Self::Held { .. }
            | Self::Missing { .. } => Role::Answer,
            Self::Data { .. } | Self::Put { .. } => Role::Content,
            Self::Refer { .. } | Self::Stored { .. } => Role::Publication,
            Self::Route { .. }
            | Self::Taken { .. }
            | Self::Arrived { .. }
            | Self::Stuck { .. }
            | Self::Join { .. }
            | Self::Given { .. }
            | Self::Elsewhere { .. }
            | Self::Update { .. }
            | Self::Leave { .. } => Role::Maintenance,
        }
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Route { goal, trail, upkeep: false, .. } if trail.hops == 1 => Betrayal::of_sender(goal.place),
            Self::Get { key, .. } => Betrayal::of_sender(key.location()),
            _ => None,
        }
    }
}

impl Roles for swarm::Message {
    fn role(&self) -> Role {
        match self {
            Self::Announce { stage: swarm::Stage::Seed | swarm::Stage::Gone, .. } => Role::Publication,
            Self::Announce { .. } => Role::Query,
            Self::Peers { .. } => Role::Answer,
            // To ask for what was found is no search.
            Self::Ask { .. }
            | Self::Taken { .. }
            | Self::Missing { .. }
            | Self::Metadata { .. }
            | Self::Request { .. }
            | Self::Cancel { .. }
            | Self::Part { .. } => Role::Content,
            Self::Hello { .. }
            | Self::Bye { .. }
            | Self::Have { .. }
            | Self::Claim { .. }
            | Self::Choking { .. }
            | Self::Interest { .. } => Role::Maintenance,
        }
    }

    fn link_bytes(&self) -> u64 {
        self.bare_bytes()
    }

    fn betrays(&self) -> Option<Betrayal> {
        match self {
            Self::Announce { key, stage: swarm::Stage::Looking | swarm::Stage::Leech, .. } | Self::Ask { key, .. } => {
                Betrayal::of_sender(key.location())
            }
            _ => None,
        }
    }
}

impl Roles for freenet::Message {
    fn role(&self) -> Role {
        match self {
            Self::Request { .. } => Role::Query,
            Self::Accepted { .. } | Self::Refused { .. } | Self::NotFound { .. } | Self::RouteNotFound { .. } => {
                Role::Answer
            }
            Self::Found { .. } | Self::InsertData { .. } | Self::OfferData { .. } => Role::Content,
            Self::Insert { .. }
            | Self::AllClear { .. }
            | Self::Stored { .. }
            | Self::Offer { .. }
            | Self::Want { .. }
            | Self::Kept { .. } => Role::Publication,
            _ => Role::Maintenance,
        }
    }

    const KINDS: &'static [&'static str] = &[
        "search",
        "publication",
        "hello",
        "accept",
        "locations",
        "query_seek",
        "query_commit",
        "query_reveal",
        "query_certify",
        "query_vouch",
        "query_accepted_or_refused",
        "reply",
        "vouch_for",
        "vouched_for",
        "unconfirmed",
        "query_known",
    ];

    fn kind(&self) -> usize {
        match self {
            Self::Hello(_) => 2,
            Self::Accept => 3,
            Self::Locations(_) => 4,
            Self::Query(query) => match query.question {
                Question::Seek { .. } => 5,
                Question::Commit(_) => 6,
                Question::Reveal(_) => 7,
                Question::Certify(_) => 8,
                Question::Vouch { .. } => 9,
                Question::Known { .. } => 15,
            },
            // Searches are rare while a network grows: then these are what questions are told on their way.
            Self::Accepted { .. } | Self::Refused { .. } => 10,
            Self::Reply { .. } => 11,
            Self::VouchFor { .. } => 12,
            Self::VouchedFor { .. } => 13,
            Self::Unconfirmed => 14,
            other if other.role() == Role::Publication => 1,
            _ => 0,
        }
    }

    fn sight(&self) -> Option<Sight> {
        let told = |kind, id: &freenet::ExchangeId, key: Option<&RoutingKey>, htl: u8| {
            Some(Sight { kind, id: id.0, key: key.copied(), htl: htl.into(), depth: None })
        };
        match self {
            Self::Request { id, key, htl, .. } => told(SightKind::Request, id, Some(key), *htl),
            Self::Insert { id, key, htl, .. } => told(SightKind::Insert, id, Some(key), *htl),
            Self::Offer { id, key, .. } => told(SightKind::Offer, id, Some(key), 0),
            Self::Found { id, .. } => told(SightKind::Found, id, None, 0),
            Self::NotFound { id } | Self::RouteNotFound { id, .. } => told(SightKind::Missing, id, None, 0),
            Self::Refused { id, refusal: Refusal::Pending } => told(SightKind::Known, id, None, 0),
            Self::Refused { id, refusal: Refusal::Overload } => told(SightKind::Busy, id, None, 0),
            _ => None,
        }
    }
}
