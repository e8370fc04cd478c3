//! Textual names: of documents, and of files in sites.
//!
//! `grammar` is the URI of a document, `link` the same with a path behind it. Names, words and segments of paths share one
//! way of escaping.

mod error;
mod grammar;
mod link;
mod name;
mod path;

pub use self::error::{BadName, BadPath, NAME_BYTES, PATH_BYTES, UriError, UriErrorKind};
pub use self::grammar::{Edition, URI_CHARACTERS, Uri};
pub use self::link::{LINK_CHARACTERS, Link};
pub use self::name::Name;
pub use self::path::SitePath;
