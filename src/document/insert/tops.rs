//! The last blocks of a document: standbys of its top, its top, the same of its envelope if it is sealed to readers, and the
//! signed block that points to the last of them or holds the document whole.
//!
//! Made when all else is stored, and handed out one group after the other. Leaves out waiting for what came before.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use crypto::content::Root;
use crypto::envelope::Envelope;

use crate::document::header::{Header, Message, Opener, Top};
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

/// For whom a document is sealed, and what the block of its envelope is derived from.
pub(super) struct Seal {
    pub(super) envelope: Envelope,
    pub(super) root: Root,
}

impl Tops {
    /// Those of a document that fits: into its signed block, if it has one, is short and not sealed, else into its top.
    pub(super) fn inline(maker: &Maker<'_>, seal: Option<Seal>, header: Header, content: Bytes) -> Self {
        match maker.writer {
            Some(writer) if seal.is_none() && content.len() <= Header::signed_room(&header.mime) => {
                let signed = maker.sign(writer, Message::Inline { header, content });
                Self { groups: [vec![signed]].into(), uri: writer.uri() }
            }
            _ => Self::new(maker, seal, &Top::Inline { header, content }),
        }
    }

    /// Those of a document with this top, and of its envelope if it is sealed.
    pub(super) fn new(maker: &Maker<'_>, seal: Option<Seal>, top: &Top) -> Self {
        let has_standbys = matches!(top, Top::Split { .. });
        let mut groups = VecDeque::new();
        let mut opener = maker.top(top, has_standbys, &mut groups);
        if let Some(Seal { envelope, root }) = seal {
            let envelope = Top::Sealed { envelope: envelope.seal(&opener.to_bytes()).into() };
            opener = Maker { root: &root, ..*maker }.top(&envelope, has_standbys, &mut groups);
        }
        let Opener { routing, root } = opener;
        let uri = match maker.writer {
            Some(writer) => {
                groups.push_back(vec![maker.sign(writer, Message::Redirect { routing, root })]);
                writer.uri()
            }
            None => Uri::Chk { routing, root },
        };
        Self { groups, uri }
    }

    /// The next blocks to be stored; none when all have been handed out.
    pub(super) fn next(&mut self) -> Option<Vec<(Block, Part)>> {
        self.groups.pop_front()
    }

    /// The document has another name than was thought.
    pub(super) fn rename(&mut self, uri: Uri) {
        self.uri = uri;
    }

    /// The name of the document.
    pub(super) fn uri(&self) -> Uri {
        self.uri.duplicate()
    }
}

impl Maker<'_> {
    /// A top block, after its standbys if it has any, and what opens it.
    fn top(&self, top: &Top, has_standbys: bool, groups: &mut VecDeque<Vec<(Block, Part)>>) -> Opener {
        let payload = top.encode();
        let standbys = if has_standbys { STANDBYS } else { 0 };
        groups.push_back((1..=standbys).flat_map(|number| self.standby(number, &payload)).collect());
        let block = self.sealed(0, &payload);
        let routing = block.key();
        groups.push_back(vec![(block, Part::Top)]);
        Opener { routing, root: self.root.duplicate() }
    }

    pub(super) fn sign(&self, writer: &Writer, message: Message) -> (Block, Part) {
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
