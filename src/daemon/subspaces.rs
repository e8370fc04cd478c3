//! The keys of a node's owner: under each name a subspace to write in and a reader key that documents can be sealed to,
//! each in a file of its own, sealed under the node secret.

use std::fs;
use std::io;

use crypto::reader::ReaderKey;
use crypto::secret::Secret;
use crypto::signed::Subspace;
use crypto::vault::{self, UnlockError};
use serde::Serialize;
use zeroize::Zeroizing;

use super::chance;
use super::data_dir::{DataDir, DataError};
use super::keeper::{Keeper, KeeperError, Passphrase};
use crate::key::recipient::Recipient;
use crate::key::uri::{Name, Uri};

/// The subspaces kept in one data directory.
#[derive(Debug)]
pub struct Subspaces<'a> {
    data: &'a DataDir,
    keeper: &'a Keeper,
}

/// What of a subspace is shown to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What it is called here.
    pub name: String,
    /// What stands before the names of its documents.
    pub request_uri: String,
    /// Whom documents are sealed to for this owner.
    pub recipient: String,
}

/// Why a subspace cannot be made or had.
#[derive(Debug, thiserror::Error)]
pub enum SubspaceError {
    /// The directory or the secret does not give it.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The name cannot name a file.
    #[error("\"{0}\" is no name for a subspace: 1 to 64 of a-z A-Z 0-9 - _ . and no dot first")]
    BadName(String),
    /// There is one of that name.
    #[error("there is a subspace \"{0}\" already")]
    Exists(String),
    /// An export does not open under the passphrase.
    #[error("the passphrase does not open this export, or the export is damaged")]
    WrongPassphrase,
    /// Bytes that are no export.
    #[error("this is no export of a subspace, or it is damaged")]
    NoExport,
    /// There is none of that name.
    #[error("there is no subspace \"{0}\": make it with `bolthole keys new {0}`")]
    Missing(String),
}

impl<'a> Subspaces<'a> {
    /// Those in `data`, opened with `keeper`.
    pub const fn new(data: &'a DataDir, keeper: &'a Keeper) -> Self {
        Self { data, keeper }
    }

    /// Makes a subspace, and a reader key of the same name.
    ///
    /// # Errors
    /// When the name is bad or taken, or the system refuses.
    pub fn make(&self, name: &str) -> Result<(), SubspaceError> {
        let rng = &mut chance::generator();
        self.keep(name, &Subspace::generate(rng), &ReaderKey::generate(rng))
    }

    /// The subspace and the reader key `name`, sealed under a passphrase of their own: what another node needs to write and
    /// read in this one's place.
    ///
    /// # Errors
    /// As [`Subspaces::get`].
    pub fn export(&self, name: &str, passphrase: &Passphrase) -> Result<Vec<u8>, SubspaceError> {
        let (subspace, reader) = (self.get(name)?.secret_bytes(), self.reader(name)?);
        let both = Zeroizing::new([&subspace.expose()[..], reader.secret().expose()].concat());
        let parameters = vault::Parameters::default();
        Ok(vault::lock(&both, passphrase.as_bytes(), parameters, &chance::bytes(), &chance::bytes()))
    }

    /// Takes in what [`Subspaces::export`] wrote, under a name of this node's.
    ///
    /// # Errors
    /// When it is no export or opens otherwise, the name is bad or taken, or the system refuses.
    pub fn import(&self, name: &str, export: &[u8], passphrase: &Passphrase) -> Result<(), SubspaceError> {
        let both = vault::unlock(export, passphrase.as_bytes()).map_err(|error| match error {
            UnlockError::NotVerified => SubspaceError::WrongPassphrase,
            UnlockError::Malformed | UnlockError::Unacceptable | UnlockError::OutOfMemory => SubspaceError::NoExport,
        })?;
        let (subspace, reader) = both.split_first_chunk::<64>().ok_or(SubspaceError::NoExport)?;
        let reader: [u8; 32] = reader.try_into().map_err(|_| SubspaceError::NoExport)?;
        self.keep(name, &Subspace::from_secret_bytes(*subspace), &ReaderKey::from_secret(Secret::from_bytes(reader)))
    }

    fn keep(&self, name: &str, subspace: &Subspace, reader: &ReaderKey) -> Result<(), SubspaceError> {
        let file = file_of(name)?;
        if self.data.file(&file).exists() {
            return Err(SubspaceError::Exists(name.to_owned()));
        }
        self.data.subdirectory(DIRECTORY).map_err(KeeperError::Data)?;
        self.data.subdirectory(READERS).map_err(KeeperError::Data)?;
        self.keeper.write(&format!("{READERS}/{name}"), reader.secret().expose())?;
        // The subspace last: where it stands, both stand.
        Ok(self.keeper.write(&file, subspace.secret_bytes().expose())?)
    }

    /// The subspace `name`.
    ///
    /// # Errors
    /// When there is none, its file is damaged or the system refuses.
    pub fn get(&self, name: &str) -> Result<Subspace, SubspaceError> {
        let file = file_of(name)?;
        let bytes = self.keeper.read(&file)?.ok_or_else(|| SubspaceError::Missing(name.to_owned()))?;
        let damaged = || KeeperError::Damaged(self.data.file(&file));
        Ok(Subspace::from_secret_bytes(bytes.as_slice().try_into().map_err(|_| damaged())?))
    }

    /// The reader key `name`.
    ///
    /// # Errors
    /// When there is none, its file is damaged or the system refuses.
    pub fn reader(&self, name: &str) -> Result<ReaderKey, SubspaceError> {
        file_of(name)?;
        let file = format!("{READERS}/{name}");
        let bytes = self.keeper.read(&file)?.ok_or_else(|| SubspaceError::Missing(name.to_owned()))?;
        let damaged = || KeeperError::Damaged(self.data.file(&file));
        Ok(ReaderKey::from_secret(Secret::from_bytes(bytes.as_slice().try_into().map_err(|_| damaged())?)))
    }

    /// What the owner of `name` gives to others.
    ///
    /// # Errors
    /// As [`Subspaces::get`].
    pub fn shown(&self, name: &str) -> Result<Shown, SubspaceError> {
        let (subspace, reader) = (self.get(name)?, self.reader(name)?);
        let document = Name::new("-").expect("a dash is a name");
        let mut request_uri = Uri::Ssk { subspace: subspace.public(), name: document }.to_string();
        request_uri.pop();
        Ok(Shown { name: name.to_owned(), request_uri, recipient: Recipient(reader.public()).to_string() })
    }

    /// What the owner gives to others, of every name.
    ///
    /// # Errors
    /// As [`Subspaces::get`].
    pub fn all_shown(&self) -> Result<Vec<Shown>, SubspaceError> {
        Self::names_in(self.data)?.iter().map(|name| self.shown(name)).collect()
    }

    /// The names of all in `data`, in order; no secret is needed for them.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn names_in(data: &DataDir) -> Result<Vec<String>, SubspaceError> {
        let path = data.file(DIRECTORY);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(KeeperError::Data(DataError::System { verb: "read", path, source }).into()),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| is_name(name))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn file_of(name: &str) -> Result<String, SubspaceError> {
    if is_name(name) { Ok(format!("{DIRECTORY}/{name}")) } else { Err(SubspaceError::BadName(name.to_owned())) }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.chars().all(plain)
}

const DIRECTORY: &str = "keys";
const READERS: &str = "readers";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_moves_the_right_to_write_and_read_under_its_own_passphrase() {
        let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let data = places.each_ref().map(|place| DataDir::new(place.path()));
        let keepers = data.each_ref().map(|data| Keeper::open(data, |_| None).unwrap());
        let [from, to] = [0, 1].map(|one: usize| Subspaces::new(&data[one], &keepers[one]));
        let [right, wrong] = ["open sesame", "open barley"].map(|text| Passphrase::new(text.to_owned()));
        from.make("diary").unwrap();
        let export = from.export("diary", &right).unwrap();
        assert!(matches!(to.import("moved", &export, &wrong), Err(SubspaceError::WrongPassphrase)));
        assert!(matches!(to.import("moved", &export[..50], &right), Err(SubspaceError::NoExport)));
        assert!(matches!(from.import("diary", &export, &right), Err(SubspaceError::Exists(_))));
        to.import("moved", &export, &right).unwrap();
        assert_eq!(to.get("moved").unwrap().public(), from.get("diary").unwrap().public());
        assert_eq!(to.reader("moved").unwrap().public(), from.reader("diary").unwrap().public());
    }

    #[test]
    fn a_subspace_is_found_again_by_its_name_and_never_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path());
        let keeper = Keeper::open(&data, |_| None).unwrap();
        let subspaces = Subspaces::new(&data, &keeper);
        assert!(Subspaces::names_in(&data).unwrap().is_empty());
        subspaces.make("diary").unwrap();
        assert_eq!(subspaces.reader("diary").unwrap().public(), subspaces.reader("diary").unwrap().public());
        assert!(matches!(subspaces.reader("other"), Err(SubspaceError::Missing(_))));
        assert!(matches!(subspaces.make("diary"), Err(SubspaceError::Exists(_))));
        assert!(matches!(subspaces.get("other"), Err(SubspaceError::Missing(_))));
        assert_eq!(Subspaces::names_in(&data).unwrap(), ["diary"]);
        for bad in ["", "../secret", ".hidden", "a/b", "a b"] {
            assert!(matches!(subspaces.make(bad), Err(SubspaceError::BadName(_))), "{bad}");
        }
    }
}
