//! What of a directory is inserted, and in what: large files alone, small ones together, what has not changed not at all.
//!
//! Files are packed in the order of their paths, so that those of one directory stand together. Leaves out reading files and
//! inserting: whoever does that turns a plan into an index.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::mime::Mime;
use crate::document::site::index::{Body, File, Index, Pack, Place};
use crate::key::uri::SitePath;
use crate::limits::{SITE_PACK_BYTES, SITE_PACKED_BYTES};

/// A file as it lies in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path in the site.
    pub path: SitePath,
    /// What it is.
    pub mime: Mime,
    /// Its length.
    pub length: u64,
    /// Digest of its bytes, as of a document.
    pub digest: [u8; 32],
}

/// What to insert.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Files that stay where an earlier edition put them; packs are counted as that edition counts them.
    pub kept: Vec<File>,
    /// Files to insert, each as a document.
    pub alone: Vec<Found>,
    /// Files to insert together, several documents.
    pub packed: Vec<Vec<Found>>,
}

impl Plan {
    /// Plans the insert of `files`, in the order of their paths, after the edition `earlier`.
    #[must_use]
    pub fn new(files: Vec<Found>, earlier: &Index) -> Self {
        let mut known: BTreeMap<([u8; 32], u64), Vec<&File>> = BTreeMap::new();
        for file in &earlier.files {
            known.entry((file.digest, file.length)).or_default().push(file);
        }
        let mut plan = Self::default();
        let mut pack_bytes = 0;
        for file in files {
            if let Some(stands) = known.get_mut(&(file.digest, file.length)).and_then(|stands| take(stands, &file)) {
                let Found { path, mime, length, digest } = file;
                plan.kept.push(File { path, mime, length, digest, body: stands });
            } else if file.length > SITE_PACKED_BYTES {
                plan.alone.push(file);
            } else {
                if plan.packed.is_empty() || pack_bytes + file.length > SITE_PACK_BYTES {
                    plan.packed.push(Vec::new());
                    pack_bytes = 0;
                }
                pack_bytes += file.length;
                plan.packed.last_mut().expect("there is one").push(file);
            }
        }
        plan
    }

    /// The index, once everything is inserted: `alone` and `packs` say where, in the order of the plan.
    #[must_use]
    pub fn index(self, earlier: &Index, alone: Vec<Place>, packs: Vec<Place>, default: Option<SitePath>) -> Index {
        let mut index = Index { default, ..Index::default() };
        let wanted: BTreeSet<u32> = self.kept.iter().filter_map(|file| packed_in(&file.body)).collect();
        // Packs of which nothing is left any more are not listed any more.
        let numbers: BTreeMap<u32, u32> = wanted.iter().copied().zip(0..).collect();
        index.packs.extend(wanted.iter().map(|pack| earlier.packs[*pack as usize].clone()));
        for mut file in self.kept {
            if let Body::Packed { pack, .. } = &mut file.body {
                *pack = numbers[pack];
            }
            index.files.push(file);
        }
        for (file, place) in self.alone.into_iter().zip(alone) {
            index.files.push(file.at(Body::Own(place)));
        }
        for (files, place) in self.packed.into_iter().zip(packs) {
            let pack = u32::try_from(index.packs.len()).expect("packs are fewer than files");
            let mut offset = 0;
            for file in files {
                let length = file.length;
                index.files.push(file.at(Body::Packed { pack, offset }));
                offset += length;
            }
            index.packs.push(Pack { place, length: offset });
        }
        index.files.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        index
    }
}

impl Found {
    fn at(self, body: Body) -> File {
        let Self { path, mime, length, digest } = self;
        File { path, mime, length, digest, body }
    }
}

/// Where the bytes of `file` stand already. A part of a pack is one file's only; a document may be several files'.
fn take(stands: &mut Vec<&File>, file: &Found) -> Option<Body> {
    let same_path = stands.iter().position(|known| known.path == file.path);
    let at = same_path.or_else(|| (!stands.is_empty()).then_some(0))?;
    let body = stands[at].body.clone();
    if matches!(body, Body::Packed { .. }) {
        stands.swap_remove(at);
    }
    Some(body)
}

const fn packed_in(body: &Body) -> Option<u32> {
    match body {
        Body::Own(_) => None,
        Body::Packed { pack, .. } => Some(*pack),
    }
}

#[cfg(test)]
mod tests {
    use crate::key::RoutingKey;
    use crate::key::uri::Uri;
    use crypto::content::Root;

    use super::*;

    fn found(path: &str, content: u8, length: u64) -> Found {
        let (path, mime) = (SitePath::new(path).expect("a path"), Mime::default());
        Found { path, mime, length, digest: [content; 32] }
    }

    fn place(byte: u8) -> Place {
        Place::of(&Uri::Chk { routing: RoutingKey([byte; 32]), root: Root::from_bytes([byte; 32]) }).expect("a place")
    }

    fn first() -> Index {
        let plan = Plan::new(
            vec![found("a", 1, 10), found("b", 2, SITE_PACKED_BYTES + 1), found("c", 3, 20)],
            &Index::default(),
        );
        assert_eq!((plan.kept.len(), plan.alone.len(), plan.packed.len()), (0, 1, 1));
        plan.index(&Index::default(), vec![place(1)], vec![place(2)], None)
    }

    #[test]
    fn an_index_of_a_plan_is_one() {
        let index = first();
        assert_eq!(Index::decode(&index.encode()), Ok(index));
    }

    #[test]
    fn what_has_not_changed_stays_where_it_is_even_under_another_path() {
        let earlier = first();
        let now = vec![
            found("a", 9, 10),
            found("moved", 3, 20),
            found("twice", 3, 20),
            found("x", 2, SITE_PACKED_BYTES + 1),
            found("y", 2, SITE_PACKED_BYTES + 1),
        ];
        let plan = Plan::new(now, &earlier);
        let kept: Vec<&str> = plan.kept.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(kept, ["moved", "x", "y"], "one part of a pack is one file's, a document any number's");
        let index = plan.index(&earlier, Vec::new(), vec![place(3)], None);
        assert_eq!(Index::decode(&index.encode()).as_ref(), Ok(&index));
        assert_eq!(index.packs.len(), 2);
    }

    #[test]
    fn a_pack_of_which_nothing_is_left_is_not_listed() {
        let earlier = first();
        let plan = Plan::new(vec![found("b", 2, SITE_PACKED_BYTES + 1)], &earlier);
        let index = plan.index(&earlier, Vec::new(), Vec::new(), None);
        assert_eq!((index.packs.len(), index.files.len()), (0, 1));
    }

    #[test]
    fn packs_are_bounded() {
        let files = (0..2_000).map(|number| found(&format!("{number:04}"), 1, 4_096)).collect();
        let plan = Plan::new(files, &Index::default());
        let most = plan.packed.iter().map(|pack| pack.iter().map(|file| file.length).sum::<u64>()).max();
        assert!(plan.packed.len() > 1 && most <= Some(SITE_PACK_BYTES));
    }
}
