//! What the messages of each overlay are for.

use crate::overlay::{classic, freenet};
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
}
