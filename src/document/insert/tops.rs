//! The last blocks of a document: standbys of its top, its top, and the signed block that points to it or holds it whole.
//!
//! Made when all else is stored, and handed out one group after the other. Leaves out waiting for what came before.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use crypto::content::Root;

use crate::document::header::{Header, Message, Top};
use crate::document::insert::outbox::Part;
use crate::document::insert::page::Page;
use crate::document::root;
use crate::document::signed::{Reader, Writer, pointer};
use crate::key::uri::Uri;
use crate::limits::STANDBYS;
use crate::message::block::Block;

/// What is still to be handed out when all else is stored.
pub(super) struct Tops {
    groups: VecDeque<Vec<(Block, Part)>>,
    uri: Uri,
}

/// What tops are made with.
pub(super) struct Maker<'a> {
    pub(super) root: &'a Root,
    pub(super) nonce: &'a [u8; 24],
    pub(super) writer: Option<&'a Writer>,
}

impl Tops {
    /// Those of a document that fits: into its signed block, if it has one and is short, else into its top.
    pub(super) fn inline(maker: &Maker<'_>, header: Header, content: Bytes) -> Self {
        match maker.writer {
            Some(writer) if content.len() <= Header::signed_room(&header.mime) => {
                let signed = maker.sign(writer, Message::Inline { header, content });
                Self { groups: [vec![signed]].into(), uri: writer.uri() }
            }
            _ => Self::new(maker, &Top::Inline { header, content }),
        }
    }

    /// Those of a document with this top.
    pub(super) fn new(maker: &Maker<'_>, top: &Top) -> Self {
        let payload = top.encode();
        let standbys = match top {
            Top::Inline { .. } => Vec::new(),
            Top::Split { .. } => (1..=STANDBYS).flat_map(|number| maker.standby(number, &payload)).collect(),
        };
        let block = maker.sealed(0, &payload);
        let routing = block.key();
        let redirect = || Message::Redirect { routing, root: maker.root.duplicate() };
        let signed = maker.writer.map(|writer| maker.sign(writer, redirect())).into_iter().collect();
        let uri = match maker.writer {
            Some(writer) => writer.uri(),
            None => Uri::Chk { routing, root: maker.root.duplicate() },
        };
        Self { groups: [standbys, vec![(block, Part::Top)], signed].into(), uri }
    }

    /// The next blocks to be stored; none when all have been handed out.
    pub(super) fn next(&mut self) -> Option<Vec<(Block, Part)>> {
        self.groups.pop_front()
    }

    /// The name of the document.
    pub(super) fn uri(&self) -> Uri {
        self.uri.duplicate()
    }
}

impl Maker<'_> {
    fn sign(&self, writer: &Writer, message: Message) -> (Block, Part) {
        (writer.block(&message, self.nonce), Part::Signed(Arc::new((writer.reader(), message))))
    }

    /// A standby of the top, and the signed block that says where it is.
    fn standby(&self, number: u8, payload: &[u8]) -> [(Block, Part); 2] {
        let block = self.sealed(number, payload);
        let (routing, root) = (block.key(), self.root.duplicate());
        let pointer = pointer(self.root, number, routing, self.nonce);
        let told = (Reader::of_standby(self.root, number), Message::Redirect { routing, root });
        [(block, Part::Top), (pointer, Part::Signed(Arc::new(told)))]
    }

    fn sealed(&self, number: u8, payload: &[u8]) -> Block {
        let mut page = Page::default();
        let beyond = page.fill(payload).len();
        assert_eq!(beyond, 0, "a top is made to fit its block");
        page.seal(&root::standby_key(self.root, number))
    }
}
