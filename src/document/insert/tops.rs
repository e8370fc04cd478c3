//! The last blocks of a document: its top, and the signed block that points to it or holds it whole.
//!
//! Made when all else is stored, and handed out one after the other. Leaves out waiting for what came before.

use std::sync::Arc;

use bytes::Bytes;
use crypto::content::Root;

use crate::document::header::{Header, Message, Top};
use crate::document::insert::outbox::Part;
use crate::document::insert::page::Page;
use crate::document::root;
use crate::document::signed::Writer;
use crate::key::uri::Uri;
use crate::message::block::Block;

/// What is still to be handed out when all else is stored.
pub(super) struct Tops {
    content: Option<Block>,
    signed: Option<(Block, Part)>,
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
                Self { content: None, signed: Some(signed), uri: writer.uri() }
            }
            _ => Self::new(maker, &Top::Inline { header, content }),
        }
    }

    /// Those of a document with this top.
    pub(super) fn new(maker: &Maker<'_>, top: &Top) -> Self {
        let mut page = Page::default();
        let beyond = page.fill(&top.encode()).len();
        assert_eq!(beyond, 0, "a top is made to fit its block");
        let block = page.seal(&root::top_key(maker.root));
        let routing = block.key();
        let redirect = || Message::Redirect { routing, root: maker.root.duplicate() };
        let signed = maker.writer.map(|writer| maker.sign(writer, redirect()));
        let uri = match maker.writer {
            Some(writer) => writer.uri(),
            None => Uri::Chk { routing, root: maker.root.duplicate() },
        };
        Self { content: Some(block), signed, uri }
    }

    /// The next block to be stored; none when all have been handed out.
    pub(super) fn next(&mut self) -> Option<(Block, Part)> {
        self.content.take().map(|block| (block, Part::Top)).or_else(|| self.signed.take())
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
}
