//! A sealed file that grows: pieces one behind the other, each sealed for its place.
//!
//! Guarantees that what is read is what was written, in its order, and that a tail torn off by a crash is left out and
//! overwritten. Leaves out durability: what was not synced may be missing after a power cut, never wrong.
//!
//! | bytes | of each piece |
//! |---|---|
//! | 4 | length *n* of what is sealed, little-endian, at most `PIECE_BYTES` |
//! | 24 | nonce |
//! | 16 | tag, which covers the number of the piece too |
//! | *n* | sealed |

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crypto::slot::{self, NONCE_BYTES, SlotKey, TAG_BYTES};
use zeroize::Zeroizing;

use crate::daemon::chance;

/// Appends pieces.
#[derive(Debug)]
pub(super) struct PieceWriter {
    file: File,
    key: SlotKey,
    place: u64,
}

/// Reads pieces from the first on.
#[derive(Debug)]
pub struct PieceReader {
    file: BufReader<File>,
    key: SlotKey,
    place: u64,
    good: u64,
}

impl PieceWriter {
    /// An empty file, in place of what was there.
    pub(super) fn create(path: &Path, key: SlotKey) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
        Ok(Self { file, key, place: 0 })
    }

    /// Goes on behind the last piece that `reader` has read.
    pub(super) fn behind(reader: PieceReader, path: &Path) -> io::Result<Self> {
        let PieceReader { key, place, good, .. } = reader;
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(good)?;
        file.seek(SeekFrom::Start(good))?;
        Ok(Self { file, key, place })
    }

    /// Appends a piece.
    pub(super) fn append(&mut self, plain: &[u8]) -> io::Result<()> {
        debug_assert!(plain.len() <= PIECE_BYTES, "pieces are cut by whoever writes them");
        let nonce = chance::bytes::<NONCE_BYTES>();
        let mut sealed = plain.to_vec();
        let tag = slot::seal_in_place(&self.key, &nonce, &self.place.to_le_bytes(), &mut sealed);
        let length = (plain.len() as u32).to_le_bytes();
        // One write: what a crash of the process leaves is a whole piece or none.
        self.file.write_all(&[&length[..], &nonce, &tag, &sealed].concat())?;
        self.place += 1;
        Ok(())
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl PieceReader {
    pub(super) fn open(path: &Path, key: SlotKey) -> io::Result<Self> {
        Ok(Self { file: BufReader::with_capacity(PIECE_BYTES, File::open(path)?), key, place: 0, good: 0 })
    }

    /// The next piece; none at the end, and where what follows is torn or was not written here.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn next_piece(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        match self.read() {
            Ok(Some(plain)) => {
                self.good += (HEADER_BYTES + plain.len()) as u64;
                self.place += 1;
                Ok(Some(plain))
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            other => other,
        }
    }

    fn read(&mut self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let (mut length, mut nonce, mut tag) = ([0; 4], [0; NONCE_BYTES], [0; TAG_BYTES]);
        self.file.read_exact(&mut length)?;
        self.file.read_exact(&mut nonce)?;
        self.file.read_exact(&mut tag)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > PIECE_BYTES {
            return Ok(None);
        }
        let mut plain = Zeroizing::new(vec![0; length]);
        self.file.read_exact(&mut plain)?;
        let opened = slot::open_in_place(&self.key, &nonce, &self.place.to_le_bytes(), &mut plain, &tag);
        Ok(opened.is_ok().then_some(plain))
    }
}

/// The longest piece. Chosen: a read of a disk that is worth its while.
pub(super) const PIECE_BYTES: usize = 256 << 10;
const HEADER_BYTES: usize = 4 + NONCE_BYTES + TAG_BYTES;

#[cfg(test)]
mod tests {
    use crypto::secret::Secret;

    use super::*;

    fn key(number: u8) -> SlotKey {
        SlotKey::new(&Secret::from_bytes([number; 32]))
    }

    fn read(path: &Path, number: u8) -> Vec<Vec<u8>> {
        let mut reader = PieceReader::open(path, key(number)).unwrap();
        std::iter::from_fn(|| reader.next_piece().unwrap().map(|piece| piece.to_vec())).collect()
    }

    #[test]
    fn a_torn_tail_is_left_out_and_overwritten() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        let mut writer = PieceWriter::create(&path, key(1)).unwrap();
        writer.append(b"one").unwrap();
        writer.append(b"two").unwrap();
        drop(writer);
        assert_eq!(read(&path, 1), [b"one", b"two"]);
        assert!(read(&path, 2).is_empty(), "another key opens nothing");
        let whole = std::fs::read(&path).unwrap();
        assert!(!whole.windows(3).any(|bytes| bytes == b"one"), "nothing lies in clear");
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let mut reader = PieceReader::open(&path, key(1)).unwrap();
        assert!(reader.next_piece().unwrap().is_some() && reader.next_piece().unwrap().is_none());
        PieceWriter::behind(reader, &path).unwrap().append(b"TWO").unwrap();
        assert_eq!(read(&path, 1), [b"one", b"TWO"]);
        let mut turned = whole.split_at(whole.len() / 2).1.to_vec();
        turned.extend_from_slice(whole.split_at(whole.len() / 2).0);
        std::fs::write(&path, turned).unwrap();
        assert!(read(&path, 1).is_empty(), "a piece counts in its place only");
    }
}
