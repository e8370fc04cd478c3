//! Sites: a directory as one document that lists the files, of which small ones stand together in packs.
//!
//! `index` is the list and its form; `plan` decides what of a directory is inserted, in what, and what of an earlier edition
//! stays where it is. Leaves out reading directories, inserting and fetching.

pub mod index;
pub mod plan;
