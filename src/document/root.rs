//! What the keys of all blocks of a document are derived from.
//!
//! One root seals one document in one form. A random root is that by itself. A convergent one must be bound to all that
//! decides what is sealed: two inserts of the same bytes under different media types would otherwise seal two top blocks
//! under one key.

use crypto::content::{BlockKind, ContentKey, Root, block_key, convergent_root};
use crypto::hash::{Digester, Label, hash};
use crypto::secret::Secret;

use crate::document::layout::{Copies, Geometry, Redundancy};
use crate::document::mime::Mime;
use crate::document::tree::{Node, Tree};

/// The digest of a document, computed over its bytes as they pass.
#[must_use]
pub fn digester() -> Digester {
    Digester::new(Label::DocumentDigest)
}

/// The root of a document that everyone who has it (and the secret, if any) finds alike.
#[must_use]
pub fn convergent(
    digest: &[u8; 32],
    mime: &Mime,
    redundancy: Redundancy,
    copies: Copies,
    secret: Option<&Secret<32>>,
) -> Root {
    let percent = redundancy.as_percent().to_le_bytes();
    let form = hash(Label::DocumentDigest, &[digest, mime.as_str().as_bytes(), &percent, &[copies.count()]]);
    convergent_root(&form, secret)
}

/// The key of the top block.
#[must_use]
pub fn top_key(root: &Root) -> ContentKey {
    standby_key(root, 0)
}

/// The key of the standby `number` of the top block, from 1.
#[must_use]
pub fn standby_key(root: &Root, number: u8) -> ContentKey {
    block_key(root, BlockKind::Top, 0, u32::from(number))
}

/// The key of the data block `block`, counted through the document.
///
/// Blocks are numbered in groups of a full segment. The segments of the end may be cut otherwise, which is not known yet
/// when a stream's blocks are sealed.
#[must_use]
pub fn data_key(root: &Root, geometry: Geometry, block: u64) -> ContentKey {
    let size = u64::from(geometry.segment_blocks());
    let [group, index] = [block / size, block % size].map(|part| u32::try_from(part).expect("a document is bounded"));
    block_key(root, BlockKind::Data, group, index)
}

/// The key of a copy of a manifest block.
#[must_use]
pub fn node_key(root: &Root, tree: &Tree, node: Node, copy: usize) -> ContentKey {
    block_key(root, BlockKind::Manifest, u32::from(node.level), tree.copy_index(node, copy))
}
