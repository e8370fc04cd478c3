//! What the node's owner has published under names of their own: the newest of each name, for the owner to find again.
//!
//! Guarantees that the list is sealed under the node secret and bounded: at `NAMES` the oldest goes. Leaves out documents
//! without a name and those under words, which are nobody's own.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::keeper::{Keeper, KeeperError};
use crate::key::uri::Uri;

/// The list of one node.
#[derive(Clone, Debug)]
pub struct Published {
    keeper: Arc<Keeper>,
    /// Held while the list is changed.
    turn: Arc<Mutex<()>>,
}

/// One name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// As its owner wrote it: the subspace and the name in it.
    pub name: String,
    /// Under which URI it is found.
    pub uri: String,
    /// The edition, of what has editions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<u32>,
    /// Length of the document; of a site, of the list of its files.
    pub bytes: u64,
    /// When, in seconds since 1970.
    pub published: u64,
}

impl Published {
    /// The list that `keeper` keeps.
    pub fn new(keeper: Arc<Keeper>) -> Self {
        Self { keeper, turn: Arc::default() }
    }

    /// All of them, the newest first.
    ///
    /// # Errors
    /// When the list is damaged or the system refuses.
    pub fn list(&self) -> Result<Vec<Publication>, KeeperError> {
        let bytes = self.keeper.read(FILE)?;
        // What another version wrote is begun anew.
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// Takes in what was published as `kind` (`usk:press/pages`) and is found under `uri`.
    ///
    /// # Errors
    /// When the list is damaged or the system refuses.
    pub fn note(&self, kind: &str, uri: &str, bytes: u64, unix_seconds: u64) -> Result<(), KeeperError> {
        let edition = match uri.parse() {
            Ok(Uri::Usk { edition, .. }) => Some(edition),
            Ok(Uri::Ssk { .. }) => None,
            _ => return Ok(()),
        };
        let name = kind.split_once(':').map_or(kind, |(_, name)| name).to_owned();
        let new = Publication { name, uri: uri.to_owned(), edition, bytes, published: unix_seconds };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.list()?;
        all.retain(|one| place(one) != place(&new));
        all.insert(0, new);
        all.truncate(NAMES);
        self.keeper.write(FILE, &serde_json::to_vec(&all).expect("a list holds only plain values"))
    }
}

/// What stays the same from one edition to the next.
fn place(publication: &Publication) -> &str {
    let uri = &publication.uri[..];
    if publication.edition.is_some() { uri.rsplit_once('/').map_or(uri, |(site, _)| site) } else { uri }
}

const FILE: &str = "published";
/// Names that are remembered. Chosen: more than a person keeps in mind; about 200 kB.
const NAMES: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::data_dir::DataDir;

    #[test]
    fn the_newest_edition_stands_for_its_site_and_words_are_left_out() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path());
        let list = Published::new(Arc::new(Keeper::open(&data, |_| None).unwrap()));
        let subspace = crypto::signed::Subspace::generate(&mut crate::daemon::chance::generator());
        let name = || crate::key::uri::Name::new("pages").unwrap();
        let edition = |edition| Uri::Usk { subspace: subspace.public(), site: name(), edition }.to_string();
        let named = Uri::Ssk { subspace: subspace.public(), name: name() }.to_string();
        list.note("usk:press/pages", &edition(0), 10, 1).unwrap();
        list.note("ssk:press/pages", &named, 20, 2).unwrap();
        list.note("usk:press/pages", &edition(1), 30, 3).unwrap();
        list.note("ksk:word", "KSK@word", 40, 4).unwrap();
        let all = list.list().unwrap();
        assert_eq!(
            all.iter().map(|one| (&one.uri, one.edition)).collect::<Vec<_>>(),
            [(&edition(1), Some(1)), (&named, None)]
        );
        assert_eq!((all[0].name.as_str(), all[0].published), ("press/pages", 3));
    }
}
