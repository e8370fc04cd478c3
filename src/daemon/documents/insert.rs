//! One insert: bytes from the client into the machine, blocks from the machine into the network.
//!
//! Memory is bounded by the machine, which asks for bytes when it has room; blocks under way by the window. The
//! machine's heavier steps run where they hold up nobody else. Blocks that the job's book knows to be stored are not sent
//! again.

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};

use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

use super::carrier::{Carrier, Stored};
use crate::daemon::handle::Stopped;
use crate::daemon::job::{FailureKind, InsertRequest, Inserted, JobFailure};
use crate::daemon::jobs::book::Book;
use crate::daemon::jobs::feed::{Feed, next_piece};
use crate::daemon::jobs::report::Report;
use crate::daemon::quantity::Size;
use crate::document::handle::Handle;
use crate::document::header::Message;
use crate::document::insert::{Input, Inserter, Keys, Options, Output, Receipt, Why};
use crate::document::layout::{Copies, Geometry, Redundancy};
use crate::document::mime::Mime;
use crate::document::signed::{Reader, Writer};
use crate::key::RoutingKey;
use crate::key::recipient::Recipient;
use crate::key::uri::Uri;
use crate::message::block::Block;

/// Inserts the document that comes out of `input`.
pub(super) async fn run(
    carrier: Carrier,
    request: InsertRequest,
    writer: Option<Writer>,
    report: Report,
    input: mpsc::Receiver<Feed>,
    ground: Ground,
) -> Result<Inserted, JobFailure> {
    let Ground { mut rng, book } = ground;
    let (clock, start) = (carrier.clone(), carrier.now());
    let name = writer.as_ref().map(Writer::reader);
    let options = options(&request, writer, carrier.window())?;
    report.progress(|progress| progress.total_bytes = request.length);
    let machine = sealed(Inserter::new(options, &mut rng), &request.readers, &mut rng)?;
    let expected = machine.expected_blocks();
    report.progress(|progress| progress.total_blocks = expected);
    let taken = Taken { name, existing: None };
    let (piece, out) = (Bytes::new(), JoinSet::new());
    let job = Insert {
        carrier,
        machine,
        report,
        input,
        piece,
        wanted: 0,
        ended: false,
        out,
        taken,
        book,
        before: 0,
        expected,
    };
    let receipt = job.run().await?;
    Ok(Inserted {
        uri: receipt.uri.to_string(),
        bytes: receipt.bytes,
        blocks: receipt.blocks,
        check_blocks: receipt.check_blocks,
        stored_at_least: receipt.stored_at_least,
        seconds: clock.now().since(start).as_secs_f64(),
        direct: clock.is_direct(),
    })
}

/// Blocks of a document of so many bytes, where a request says nothing else of it.
pub(super) fn expected(mime: &Mime, length: u64) -> u64 {
    let request = InsertRequest { length: Some(length), ..InsertRequest::default() };
    let options = options(&request, None, 1).map(|options| Options { mime: mime.clone(), ..options });
    let machine = options.ok().map(|options| Inserter::new(options, &mut ChaCha20Rng::from_seed([0; 32])));
    machine.and_then(|machine| machine.expected_blocks()).unwrap_or(0)
}

/// What an insert starts from.
pub(super) struct Ground {
    /// All keys of the document come from it.
    pub(super) rng: ChaCha20Rng,
    /// What is stored already, and where it is written down; for an insert that lasts.
    pub(super) book: Option<Book>,
}

fn options(request: &InsertRequest, writer: Option<Writer>, window: usize) -> Result<Options, JobFailure> {
    let mime = match &request.mime {
        Some(text) => Mime::new(text).map_err(|error| bad(error.to_string()))?,
        None => Mime::default(),
    };
    let redundancy = match request.redundancy {
        Some(ratio) if (0.0..=10.0).contains(&ratio) => {
            Redundancy::percent((ratio * 100.0).round() as u16).map_err(|error| bad(error.to_string()))?
        }
        Some(ratio) => return Err(bad(format!("{ratio} is no share of check blocks"))),
        None => Redundancy::DEFAULT,
    };
    let keys =
        if request.convergent { Keys::Convergent { digest: digest(request)?, secret: None } } else { Keys::Random };
    Ok(Options {
        mime,
        redundancy,
        copies: Copies::DEFAULT,
        length: request.length,
        keys,
        writer,
        window,
        geometry: Geometry::STANDARD,
    })
}

fn sealed(machine: Inserter, readers: &[String], rng: &mut ChaCha20Rng) -> Result<Inserter, JobFailure> {
    if readers.is_empty() {
        return Ok(machine);
    }
    let read = |text: &String| text.parse().map(|Recipient(key)| key);
    let keys: Vec<[u8; 32]> =
        readers.iter().map(read).collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?;
    machine.sealed_to(&keys, rng).map_err(|error| bad(error.to_string()))
}

fn digest(request: &InsertRequest) -> Result<[u8; 32], JobFailure> {
    let text = request.digest.as_ref().ok_or_else(|| bad("a convergent insert needs the document's digest".into()))?;
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| bad("a digest is 32 bytes in base64url".into()))
}

struct Insert {
    carrier: Carrier,
    machine: Inserter,
    report: Report,
    input: mpsc::Receiver<Feed>,
    /// Received from the client and not yet wanted by the machine.
    piece: Bytes,
    wanted: usize,
    ended: bool,
    out: JoinSet<(Handle, RoutingKey, Result<Stored, Stopped>)>,
    taken: Taken,
    book: Option<Book>,
    /// Blocks that were stored before this start.
    before: u64,
    /// Blocks in all, if the length of the document is known.
    expected: Option<u64>,
}

/// What stands already where the document was to stand.
struct Taken {
    /// The name it is to have.
    name: Option<Reader>,
    existing: Option<Block>,
}

impl Insert {
    async fn run(mut self) -> Result<Receipt, JobFailure> {
        loop {
            if let Some(end) = self.drain().await {
                return end;
            }
            if self.hand_in() {
                continue;
            }
            self.wait().await?;
        }
    }

    /// Does what the machine wants; how the insert ended, if it has.
    async fn drain(&mut self) -> Option<Result<Receipt, JobFailure>> {
        self.machine.set_window(self.carrier.window());
        loop {
            // A step seals or codes for up to a few milliseconds; others of this thread have their turn between two.
            yield_now().await;
            match self.machine.poll_output()? {
                Output::WantData { bytes } => self.wanted += bytes,
                Output::Insert { handle, block } => {
                    let key = block.key();
                    if let Some(stores) = self.book.as_ref().and_then(|book| book.stored(&key)) {
                        self.before += 1;
                        self.machine.handle_input(self.carrier.now(), Input::BlockStored { handle, stores });
                        continue;
                    }
                    let carrier = self.carrier.clone();
                    self.out.spawn(async move { (handle, key, carrier.insert(block).await) });
                }
                Output::Progress { bytes, stored, made } => {
                    let (total, before) = (self.expected.or(self.ended.then_some(made)), self.before);
                    self.report.progress(|progress| {
                        (progress.bytes, progress.blocks, progress.total_blocks) = (bytes, stored, total);
                        progress.stored_before = before;
                    });
                }
                Output::Done(receipt) => return Some(Ok(receipt)),
                Output::Failed(why) => return Some(Err(failure(why, &self.taken))),
            }
        }
    }

    /// Hands in what lies ready and is wanted; whether there was anything.
    fn hand_in(&mut self) -> bool {
        let bytes = self.wanted.min(self.piece.len());
        if bytes == 0 {
            return false;
        }
        self.wanted -= bytes;
        let data = self.piece.split_to(bytes);
        self.machine.handle_input(self.carrier.now(), Input::Data(data));
        true
    }

    /// Waits for the client, the network or the machine's own timer.
    async fn wait(&mut self) -> Result<(), JobFailure> {
        let hungry = self.wanted > 0 && self.piece.is_empty() && !self.ended;
        let timer = self.machine.poll_timeout().map(|due| self.carrier.timer(due));
        tokio::select! {
            fed = next_piece(&mut self.input), if hungry => match fed? {
                Feed::Chunk(bytes) => self.piece = bytes,
                Feed::End => {
                    self.ended = true;
                    self.input.close();
                    self.machine.handle_input(self.carrier.now(), Input::EndOfData);
                }
                Feed::Broken(failure) => return Err(failure),
            },
            Some(Ok((handle, key, stored))) = self.out.join_next() => {
                self.on_stored(handle, key, stored.map_err(|_| stopping())?)?;
            }
            () = super::fetch::rings(timer) => self.machine.handle_input(self.carrier.now(), Input::Timeout),
        }
        Ok(())
    }

    fn on_stored(&mut self, handle: Handle, key: RoutingKey, stored: Stored) -> Result<(), JobFailure> {
        let input = match stored {
            Stored::Enough(stores) => {
                if let Some(book) = &self.book {
                    book.on_stored(&key, stores)?;
                }
                Input::BlockStored { handle, stores }
            }
            Stored::Collided(existing) => {
                self.taken.existing = Some(existing.clone());
                Input::BlockCollided { handle, existing }
            }
            Stored::TooFew => Input::BlockFailed { handle },
            Stored::Nobody => return Err(nobody()),
        };
        self.machine.handle_input(self.carrier.now(), input);
        Ok(())
    }
}

fn failure(why: Why, taken: &Taken) -> JobFailure {
    let sentence = match why {
        Why::NameTaken => format!("{} stands under this name already; it was not changed", taken.what()),
        other => other.to_string(),
    };
    JobFailure { kind: FailureKind::Failed, sentence }
}

impl Taken {
    /// What a reader of the name would get.
    fn what(&self) -> String {
        let message = self.name.as_ref().zip(self.existing.as_ref()).and_then(|(name, block)| name.open(block).ok());
        match message {
            Some(Message::Inline { header, .. }) => {
                format!("another document ({} of {})", Size(header.length), header.mime)
            }
            Some(Message::Redirect { routing, root }) => {
                format!("another document ({})", Uri::Chk { routing, root })
            }
            None => "something else".to_owned(),
        }
    }
}

fn nobody() -> JobFailure {
    JobFailure {
        kind: FailureKind::Unavailable,
        sentence: "no other node could take the document: is this node linked to any?".to_owned(),
    }
}

fn stopping() -> JobFailure {
    JobFailure { kind: FailureKind::Unavailable, sentence: "the node is stopping".to_owned() }
}

const fn bad(sentence: String) -> JobFailure {
    JobFailure { kind: FailureKind::BadRequest, sentence }
}
