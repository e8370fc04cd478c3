//! The document of the demo: a file, or generated; read in pieces, never held whole.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use bytes::Bytes;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use tokio::sync::mpsc;

use super::super::failure::Failure;
use crate::daemon::jobs::Feed;

/// A document that can be read several times.
#[derive(Debug)]
pub(super) struct Document {
    file: File,
    length: u64,
}

impl Document {
    /// The file at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Failure::failed(format!("{name} does not exist")),
            _ => Failure::failed(format!("cannot read {name}: {error}")),
        };
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() {
            return Err(Failure::failed(format!("{name} is not a file")));
        }
        Ok(Self { file, length: found.len() })
    }

    /// 1 MiB that follows from `seed`.
    pub(super) fn generated(seed: u64) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot write a temporary file: {error}"));
        let mut bytes = vec![0; GENERATED_BYTES];
        ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
        let mut file = tempfile::tempfile().map_err(failed)?;
        io::Write::write_all(&mut file, &bytes).map_err(failed)?;
        Ok(Self { file, length: GENERATED_BYTES as u64 })
    }

    /// Its length in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Reads it from the start.
    fn reader(&self) -> io::Result<BufReader<File>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::with_capacity(PIECE_BYTES, file))
    }

    /// Sends it into a job, from a thread that may wait.
    pub(super) fn feed(&self, input: mpsc::Sender<Feed>) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot read the document: {error}"));
        let mut reader = self.reader().map_err(failed)?;
        tokio::task::spawn_blocking(move || {
            loop {
                let mut piece = vec![0; PIECE_BYTES];
                // A file that cannot be read any more ends without `End`, and the job with it.
                let Ok(count) = reader.read(&mut piece) else { return };
                piece.truncate(count);
                let feed = if count == 0 { Feed::End } else { Feed::Chunk(Bytes::from(piece)) };
                if input.blocking_send(feed).is_err() || count == 0 {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Whether what a job hands out is the document, byte for byte.
    pub(super) async fn compare(&self, mut output: mpsc::Receiver<Bytes>) -> Result<bool, Failure> {
        let failed = |error: io::Error| Failure::failed(format!("cannot read the document: {error}"));
        let mut reader = self.reader().map_err(failed)?;
        let compared = tokio::task::spawn_blocking(move || {
            let mut equal = true;
            while let Some(piece) = output.blocking_recv() {
                let mut expected = vec![0; piece.len()];
                // A document that is too long differs where the file has ended.
                equal = equal && reader.read_exact(&mut expected).is_ok() && expected == piece;
            }
            equal && matches!(reader.read(&mut [0]), Ok(0))
        });
        compared.await.map_err(|error| Failure::failed(format!("the comparison broke: {error}")))
    }
}

/// The default of the command contract.
const GENERATED_BYTES: usize = 1 << 20;
const PIECE_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_bytes_are_equal() {
        let document = Document::generated(7).unwrap();
        let mut whole = Vec::new();
        document.reader().unwrap().read_to_end(&mut whole).unwrap();
        let mut changed = whole.clone();
        changed[500_000] ^= 1;
        let longer = [&whole[..], b"x"].concat();
        let cases =
            [(whole.clone(), true), (changed, false), (longer, false), (whole[1..].to_vec(), false), (vec![], false)];
        for (bytes, equal) in cases {
            let (sender, receiver) = mpsc::channel(4);
            let pieces: Vec<_> = bytes.chunks(300_000).map(Bytes::copy_from_slice).collect();
            let sending = async move {
                for piece in pieces {
                    sender.send(piece).await.unwrap();
                }
            };
            let (compared, ()) = tokio::join!(document.compare(receiver), sending);
            assert_eq!(compared.unwrap(), equal);
        }
    }
}
