//! Documents: bytes of any length to blocks and back (`protocol.md` §2).
//!
//! A document that fits is one block. A longer one is a splitfile: segments of data blocks with Reed–Solomon check
//! blocks, a manifest that lists their routing keys, and a top block that says what the whole is. `insert` and `fetch`
//! are machines: values in, values out, no socket, file, clock or thread. Their memory is bounded by a window, not by
//! the document, and no call of theirs does more than one segment's coding (a few milliseconds).
//! Which edition of a name is the newest, and what a name is for a day or a week, is here too.
//! Directories are documents that list documents: `site`.
//! Leaves out how blocks travel; the formats are in `docs/documents.md`.

pub mod coding;
pub mod editions;
pub mod fetch;
pub mod handle;
pub mod header;
pub mod insert;
pub mod layout;
pub mod mime;
pub mod period;
pub mod root;
pub mod signed;
pub mod site;
pub mod tree;

mod backoff;
mod keys;
