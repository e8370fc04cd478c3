//! The node secret, and what is kept under it: the node's identity, its subspaces, what its overlay remembers.
//!
//! Guarantees: everything it writes is sealed under the node secret, bound to its file name. The secret itself lies in
//! the data directory, sealed under a passphrase if there is one; without one whoever has the disk has the secret, and
//! `protected` says so (protocol.md §8).

use std::path::PathBuf;

use crypto::hash::{Label, derive};
use crypto::identity::NodeKey;
use crypto::secret::Secret;
use crypto::slot::{self, SlotKey};
use crypto::vault::{self, UnlockError};
use zeroize::Zeroizing;

use super::chance;
use super::data_dir::{DataDir, DataError};

/// An open node secret.
#[derive(Debug)]
pub struct Keeper {
    data: DataDir,
    secret: Secret<32>,
    key: SlotKey,
    protected: bool,
}

/// A passphrase, wiped after use.
pub type Passphrase = Zeroizing<String>;

/// Why the node secret, or what is kept under it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The directory does not give it.
    #[error(transparent)]
    Data(#[from] DataError),
    /// There is a passphrase, and nobody said it.
    #[error("{0} is sealed under a passphrase: set BOLTHOLE_PASSPHRASE")]
    Sealed(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(PathBuf),
    /// The file is not what it was written as.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
}

impl Keeper {
    /// Opens the node secret in `data`, or makes one. `passphrase` is asked only if one is needed or may be set: with
    /// `true` if the secret cannot be opened without.
    ///
    /// # Errors
    /// When the passphrase is missing or wrong, the file is damaged or the system refuses.
    pub fn open(data: &DataDir, passphrase: impl FnOnce(bool) -> Option<Passphrase>) -> Result<Self, KeeperError> {
        let path = data.file(SECRET);
        let (secret, protected) = match data.read(SECRET)? {
            None => create(data, passphrase(false))?,
            Some(bytes) => match bytes.strip_prefix(PLAIN) {
                Some(plain) => (exact(plain, &path)?, protect(data, plain, passphrase(false))?),
                None => (unseal(&bytes, passphrase(true), &path)?, true),
            },
        };
        let key = SlotKey::new(&derive(Label::Vault, &[secret.expose(), b"files of the node"]));
        Ok(Self { data: data.clone(), secret, key, protected })
    }

    /// Whether a passphrase stands between the disk and the secret.
    pub const fn protected(&self) -> bool {
        self.protected
    }

    /// The node secret.
    pub const fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// The node's signing key; made the first time.
    ///
    /// # Errors
    /// When the file is damaged or the system refuses.
    pub fn identity(&self) -> Result<NodeKey, KeeperError> {
        if let Some(bytes) = self.read(IDENTITY)? {
            return exact(&bytes, &self.data.file(IDENTITY)).map(NodeKey::from_seed);
        }
        let identity = NodeKey::generate(&mut chance::generator());
        self.write(IDENTITY, identity.seed().expose())?;
        Ok(identity)
    }

    /// The key of a file of its own that belongs to whatever has `seed`.
    pub fn key_of(&self, purpose: &[u8], seed: &[u8; 32]) -> SlotKey {
        SlotKey::new(&derive(Label::Vault, &[self.secret.expose(), b"file of a job", seed, purpose]))
    }

    /// What is kept in the file `name`.
    ///
    /// # Errors
    /// When the file is damaged or the system refuses.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperError> {
        let Some(file) = self.data.read(name)? else { return Ok(None) };
        let damaged = || KeeperError::Damaged(self.data.file(name));
        let (nonce, rest) = file.split_first_chunk::<{ slot::NONCE_BYTES }>().ok_or_else(damaged)?;
        let (tag, sealed) = rest.split_first_chunk::<{ slot::TAG_BYTES }>().ok_or_else(damaged)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        slot::open_in_place(&self.key, nonce, name.as_bytes(), &mut plain, tag).map_err(|_| damaged())?;
        Ok(Some(plain))
    }

    /// Keeps `plain` in the file `name`, in place of what was there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, name: &str, plain: &[u8]) -> Result<(), KeeperError> {
        let nonce = chance::bytes::<{ slot::NONCE_BYTES }>();
        let mut body = plain.to_vec();
        let tag = slot::seal_in_place(&self.key, &nonce, name.as_bytes(), &mut body);
        let file = [&nonce[..], &tag, &body].concat();
        Ok(self.data.replace(name, &file)?)
    }
}

fn create(data: &DataDir, passphrase: Option<Passphrase>) -> Result<(Secret<32>, bool), KeeperError> {
    let secret = Secret::from_bytes(chance::bytes());
    let file = match &passphrase {
        Some(passphrase) => seal(secret.expose(), passphrase),
        None => Zeroizing::new([PLAIN, secret.expose()].concat()),
    };
    data.replace(SECRET, &file)?;
    Ok((secret, passphrase.is_some()))
}

/// A secret that lay open is sealed as soon as a passphrase is given.
fn protect(data: &DataDir, plain: &[u8], passphrase: Option<Passphrase>) -> Result<bool, KeeperError> {
    let Some(passphrase) = passphrase else { return Ok(false) };
    data.replace(SECRET, &seal(plain, &passphrase))?;
    Ok(true)
}

fn seal(secret: &[u8], passphrase: &Passphrase) -> Zeroizing<Vec<u8>> {
    let parameters = vault::Parameters::default();
    Zeroizing::new(vault::lock(secret, passphrase.as_bytes(), parameters, &chance::bytes(), &chance::bytes()))
}

fn unseal(vault: &[u8], passphrase: Option<Passphrase>, path: &std::path::Path) -> Result<Secret<32>, KeeperError> {
    let passphrase = passphrase.ok_or_else(|| KeeperError::Sealed(path.to_owned()))?;
    match vault::unlock(vault, passphrase.as_bytes()) {
        Ok(plain) => exact(&plain, path),
        Err(UnlockError::NotVerified) => Err(KeeperError::WrongPassphrase(path.to_owned())),
        Err(_) => Err(KeeperError::Damaged(path.to_owned())),
    }
}

fn exact(bytes: &[u8], path: &std::path::Path) -> Result<Secret<32>, KeeperError> {
    bytes.try_into().map(Secret::from_bytes).map_err(|_| KeeperError::Damaged(path.to_owned()))
}

const SECRET: &str = "secret";
const IDENTITY: &str = "identity";
/// Opens a secret file that is not sealed, so that the two are told apart and a reader of the disk sees what it is.
const PLAIN: &[u8] = b"bolthole node secret, unsealed\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Passphrase> {
        Some(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn an_identity_outlives_its_process_and_an_open_secret_is_sealed_on_request() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path());
        let first = Keeper::open(&data, |_| None).unwrap();
        let id = first.identity().unwrap().id();
        assert!(!first.protected());
        assert!(Keeper::open(&data, |_| said("open sesame")).unwrap().protected());
        assert!(matches!(Keeper::open(&data, |_| None), Err(KeeperError::Sealed(_))));
        assert!(matches!(Keeper::open(&data, |_| said("wrong")), Err(KeeperError::WrongPassphrase(_))));
        assert_eq!(Keeper::open(&data, |_| said("open sesame")).unwrap().identity().unwrap().id(), id);
    }

    #[test]
    fn a_file_that_was_changed_or_renamed_is_damaged() {
        let place = tempfile::tempdir().unwrap();
        let data = DataDir::new(place.path());
        let keeper = Keeper::open(&data, |_| None).unwrap();
        keeper.write("one", b"state").unwrap();
        assert_eq!(keeper.read("one").unwrap().unwrap().as_slice(), b"state");
        assert!(keeper.read("none").unwrap().is_none());
        let mut bytes = data.read("one").unwrap().unwrap();
        data.replace("two", &bytes).unwrap();
        assert!(matches!(keeper.read("two"), Err(KeeperError::Damaged(_))));
        bytes[30] ^= 1;
        data.replace("one", &bytes).unwrap();
        assert!(matches!(keeper.read("one"), Err(KeeperError::Damaged(_))));
        data.replace("one", b"short").unwrap();
        assert!(matches!(keeper.read("one"), Err(KeeperError::Damaged(_))));
    }
}
