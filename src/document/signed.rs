//! Tops that are signed: a name or a word that holds a small document or points to a larger one.

use std::borrow::Cow;

use bytes::Bytes;
use crypto::content::Root;
use crypto::signed::{Subspace, SubspaceReader, open_block, sign_block};
use crypto::{keyword, standby};

use crate::document::header::{Malformed, Message};
use crate::key::RoutingKey;
use crate::key::uri::{Edition, Name, Uri};
use crate::message::block::Block;

/// The right to write under one name.
#[derive(Debug)]
pub enum Writer {
    /// A name in a subspace: `SSK@`.
    Name {
        /// The subspace.
        subspace: Subspace,
        /// The name.
        name: Name,
    },
    /// An edition of a site: `USK@`.
    Edition {
        /// The subspace.
        subspace: Subspace,
        /// The site.
        site: Name,
        /// Its number.
        edition: Edition,
    },
    /// A word: `KSK@`.
    Word {
        /// The word.
        word: Name,
        /// What [`keyword::subspace`] makes of it. That takes 50 to 100 ms, so the caller does it where it may.
        subspace: Subspace,
    },
}

/// The signed block that says where the standby `number` of a document's top is; `nonce` is drawn once for a document.
#[must_use]
pub fn pointer(root: &Root, number: u8, routing: RoutingKey, nonce: &[u8; 24]) -> Block {
    let message = Message::Redirect { routing, root: root.duplicate() };
    signed(&standby::subspace(root, number), standby::NAME, &message, nonce)
}

fn signed(subspace: &Subspace, name: &str, message: &Message, nonce: &[u8; 24]) -> Block {
    let bytes = sign_block(subspace, name, &message.encode(), nonce).expect("the message fits");
    Block::new(Bytes::copy_from_slice(&bytes)).expect("what we sign verifies")
}

/// The right to read what stands under one name.
#[derive(Debug, PartialEq, Eq)]
pub struct Reader {
    subspace: SubspaceReader,
    name: String,
}

/// A signed block that cannot be read as the top of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The block is another name's, or sealed otherwise.
    #[error("the block does not open under this name")]
    Sealed,
    /// What it says makes no sense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Writer {
    /// The block that says `message` under the name. Draw `nonce` at random, every time.
    ///
    /// # Panics
    /// If the message is longer than a signed block holds: [`crate::document::header::Header::signed_room`] says how long
    /// a document may be.
    #[must_use]
    pub fn block(&self, message: &Message, nonce: &[u8; 24]) -> Block {
        let (subspace, name) = self.parts();
        signed(subspace, &name, message, nonce)
    }

    /// What readers need.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let (subspace, name) = self.parts();
        Reader { subspace: subspace.public(), name: name.into_owned() }
    }

    /// The name under which the document will be found.
    #[must_use]
    pub fn uri(&self) -> Uri {
        match self {
            Self::Name { subspace, name } => Uri::Ssk { subspace: subspace.public(), name: name.clone() },
            Self::Edition { subspace, site, edition } => {
                Uri::Usk { subspace: subspace.public(), site: site.clone(), edition: *edition }
            }
            Self::Word { word, .. } => Uri::Ksk { word: word.clone() },
        }
    }

    /// Writes the edition after this one from now on; whether there is one.
    pub fn go_to_next_edition(&mut self) -> bool {
        let Self::Edition { edition, .. } = self else { return false };
        let next = edition.checked_add(1);
        *edition = next.unwrap_or(*edition);
        next.is_some()
    }

    fn parts(&self) -> (&Subspace, Cow<'_, str>) {
        match self {
            Self::Name { subspace, name } => (subspace, name.as_str().into()),
            Self::Edition { subspace, site, edition } => (subspace, of_edition(site, *edition).into()),
            Self::Word { subspace, .. } => (subspace, keyword::NAME.into()),
        }
    }
}

impl Reader {
    /// Reads `name` in `subspace`.
    #[must_use]
    pub fn of_name(subspace: SubspaceReader, name: &Name) -> Self {
        Self { subspace, name: name.as_str().to_owned() }
    }

    /// Reads the edition `edition` of `site` in `subspace`.
    #[must_use]
    pub fn of_edition(subspace: SubspaceReader, site: &Name, edition: Edition) -> Self {
        Self { subspace, name: of_edition(site, edition) }
    }

    /// Reads what stands under a word, given what [`keyword::subspace`] makes of it.
    #[must_use]
    pub fn of_word(subspace: &Subspace) -> Self {
        Self { subspace: subspace.public(), name: keyword::NAME.to_owned() }
    }

    /// Reads where the standby `number` of a document's top is.
    #[must_use]
    pub fn of_standby(root: &Root, number: u8) -> Self {
        Self { subspace: standby::subspace(root, number).public(), name: standby::NAME.to_owned() }
    }

    /// Where the block is.
    #[must_use]
    pub fn routing_key(&self) -> RoutingKey {
        RoutingKey(self.subspace.routing_key(&self.name))
    }

    /// What `block` says under the name.
    ///
    /// # Errors
    /// When it was not written under this name, or makes no sense.
    pub fn open(&self, block: &Block) -> Result<Message, Unreadable> {
        let message = open_block(&self.subspace, &self.name, block.body()).map_err(|_| Unreadable::Sealed)?;
        Ok(Message::decode(&message)?)
    }
}

/// What an edition is signed under. No [`Name`] has control characters, so no name in the subspace is an edition of a site.
fn of_edition(site: &Name, edition: Edition) -> String {
    format!("{}\0{edition}", site.as_str())
}
