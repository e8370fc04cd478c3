//! What the disk is written on: a file, or memory.
//!
//! A medium reads and writes at offsets, grows, and makes durable what was written. Everything above it works alike on
//! a real file, on memory, and on the simulated disk of the tests that loses what was not synced.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard};

use crate::store::work::DiskFault;

/// One file of the store.
pub trait Medium: Send + Sync + 'static {
    /// Its length, bytes.
    ///
    /// # Errors
    /// As the system reports them.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on; what lies beyond the end reads as zeros.
    ///
    /// # Errors
    /// As the system reports them.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`. Not durable until `sync`.
    ///
    /// # Errors
    /// As the system reports them; part of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes durable everything that was written, and the length.
    ///
    /// # Errors
    /// As the system reports them; then nothing that was written since the last success can be relied on.
    fn sync(&self) -> io::Result<()>;

    /// Cuts or grows to `bytes`; what is new reads as zeros. Growing reserves the room, where the system can.
    ///
    /// # Errors
    /// As the system reports them; the length is then what it was.
    fn set_bytes(&self, bytes: u64) -> io::Result<()>;
}

impl Medium for File {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match FileExt::read_at(self, buffer, offset) {
                Ok(0) => {
                    buffer.fill(0);
                    break;
                }
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        let before = Medium::bytes(self)?;
        let grown = if bytes > before { reserve(self, before, bytes) } else { self.set_len(bytes) };
        if grown.is_err() {
            // A failed reservation may have taken part of the room: give it back.
            self.set_len(before)?;
        }
        grown
    }
}

/// Reserves the room, so that a full disk shows itself here and not when pages are written back.
#[cfg(target_os = "linux")]
fn reserve(file: &File, before: u64, bytes: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::empty(), before, bytes - before) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(bytes),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(file: &File, _before: u64, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)
}

/// A file in memory: always durable, never full.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Vec<u8>>);

impl Memory {
    /// A file with this content.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(Mutex::new(bytes))
    }

    /// What the file holds.
    pub fn content(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Medium for Memory {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.content().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.content();
        let rest = content.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        buffer[count..].fill(0);
        Ok(())
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let (mut content, offset) = (self.content(), offset as usize);
        let end = offset + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset..end].copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_bytes(&self, bytes: u64) -> io::Result<()> {
        self.content().resize(bytes as usize, 0);
        Ok(())
    }
}

/// What an error means to the store.
pub(super) fn fault(error: &io::Error) -> DiskFault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => DiskFault::Full,
        _ => DiskFault::Failed,
    }
}
