//! The threads that perform the store's work, and the handle by which they are given it.
//!
//! One thread writes: it takes whatever has gathered, performs it as one group and answers. Two others read, so that
//! no read waits for a sync. A read that finds a slot damaged is asked once more of the writing thread, whose order is
//! the true one: two system calls on one header may overlap. Leaves out who waits for what; the channels are bounded,
//! and the store asks for no more than they take.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::{fmt, io};

use crate::disk::engine::{Engine, Reader};
use crate::disk::medium::Medium;
use crate::limits::{STORE_READS, STORE_WRITES};
use crate::store::work::{DiskDone, DiskFault, DiskWork};

/// Gives work to a disk whose threads run. Dropping it finishes what was given and makes it durable.
pub struct Handle {
    reads: Option<SyncSender<DiskWork>>,
    writes: Option<SyncSender<DiskWork>>,
    readers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<io::Result<()>>>,
    done: Arc<dyn Fn(DiskDone) + Send + Sync>,
}

impl Handle {
    /// Starts the threads; each answer is given to `done`, which must not wait. `keep` lives as long as they run.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start<M: Medium>(
        mut engine: Engine<M>,
        keep: impl Send + 'static,
        done: impl Fn(DiskDone) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let done: Arc<dyn Fn(DiskDone) + Send + Sync> = Arc::new(done);
        let (reads, read_queue) = sync_channel(STORE_READS + SPARE);
        let (writes, write_queue) = sync_channel(STORE_WRITES + STORE_READS + SPARE);
        let read_queue = Arc::new(Mutex::new(read_queue));
        let mut handle = Self {
            reads: Some(reads),
            writes: Some(writes.clone()),
            readers: Vec::new(),
            writer: None,
            done: Arc::clone(&done),
        };
        for number in 0..READERS {
            let (reader, queue) = (engine.reader(), Arc::clone(&read_queue));
            let (writes, done) = (writes.clone(), Arc::clone(&done));
            let thread = Builder::new().name(format!("disk-read-{number}"));
            handle.readers.push(thread.spawn(move || read(&reader, &queue, &writes, done.as_ref()))?);
        }
        let thread = Builder::new().name("disk-write".to_owned());
        handle.writer = Some(thread.spawn(move || {
            let result = write(&mut engine, &write_queue, done.as_ref());
            drop((engine, keep));
            result
        })?);
        Ok(handle)
    }

    /// Asks for work. Never waits: what does not fit is answered as failed.
    pub fn submit(&self, work: DiskWork) {
        let queue = if matches!(work, DiskWork::Read { .. }) { &self.reads } else { &self.writes };
        let queue = queue.as_ref().expect("the queues live as long as the handle");
        if let Err(TrySendError::Full(work) | TrySendError::Disconnected(work)) = queue.try_send(work)
            && let Some(answer) = refused(work)
        {
            (self.done)(answer);
        }
    }

    /// Finishes what was given, makes it durable, and ends the threads.
    ///
    /// # Errors
    /// When the last sync fails: what was answered as durable is durable all the same.
    pub fn close(mut self) -> io::Result<()> {
        self.stop()
    }

    fn stop(&mut self) -> io::Result<()> {
        // First the readers, for they hand reads on to the writer.
        self.reads = None;
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        self.writes = None;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread has panicked")))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handle").finish_non_exhaustive()
    }
}

fn read<M: Medium>(
    reader: &Reader<M>,
    queue: &Mutex<Receiver<DiskWork>>,
    writes: &SyncSender<DiskWork>,
    done: &(dyn Fn(DiskDone) + Send + Sync),
) {
    loop {
        let work = queue.lock().expect("no reader panics while it waits").recv();
        let Ok(DiskWork::Read { place, key }) = work else { return };
        match reader.read(place, &key) {
            Some(block) => done(DiskDone::Read { place, key, block: Some(block) }),
            None => {
                if writes.send(DiskWork::Read { place, key }).is_err() {
                    return;
                }
            }
        }
    }
}

fn write<M: Medium>(
    engine: &mut Engine<M>,
    queue: &Receiver<DiskWork>,
    done: &(dyn Fn(DiskDone) + Send + Sync),
) -> io::Result<()> {
    while let Ok(first) = queue.recv() {
        let group = std::iter::once(first).chain(queue.try_iter()).take(STORE_WRITES).collect();
        engine.perform(group).into_iter().for_each(done);
    }
    engine.sync()
}

/// How work that is not even tried is answered.
fn refused(work: DiskWork) -> Option<DiskDone> {
    let result = Err(DiskFault::Failed);
    match work {
        DiskWork::Read { place, key } => Some(DiskDone::Read { place, key, block: None }),
        DiskWork::Write { place, block, .. } => Some(DiskDone::Written { place, key: block.key(), result }),
        DiskWork::Mark { place, key, .. } => Some(DiskDone::Marked { place, key, result }),
        DiskWork::Erase { .. } | DiskWork::Order { .. } => None,
    }
}

/// Two, so that one slow sector does not hold up all reads.
const READERS: usize = 2;
/// Room for work that is not answered and therefore not counted.
const SPARE: usize = 64;
