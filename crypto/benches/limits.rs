//! What each operation costs beside the least it could cost: the bare primitive on the same bytes, in the same run.
//!
//! Run with `cargo bench -p crypto`. Criterion measures each side alone; then both take turns, and the last lines
//! give the median of their ratios, 1.00 being the limit itself. Leaves out Argon2id, whose cost is its purpose.

#![allow(missing_docs, reason = "criterion's macros write undocumented items")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
#![allow(clippy::print_stdout, reason = "a benchmark reports on the terminal")]

use std::array;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crypto::content::{self, ContentKey, PAYLOAD_BYTES, PLAIN_BYTES, SEALED_BYTES};
use crypto::hash::Label;
use crypto::identity::{self, NodeKey};
use crypto::onion::build::{Hop, Purpose, Request, build};
use crypto::onion::layout::Class;
use crypto::onion::process::{Arrival, OnionKey, Step};
use crypto::secret::Secret;
use crypto::signed::{self, Subspace};
use crypto::slot::{self, SlotKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, UnboundKey};
use x25519_dalek::StaticSecret;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800));
    targets = all
}
criterion_main!(benches);

fn all(criterion: &mut Criterion) {
    let mut pairs = Pairs { criterion, ratios: Vec::new() };
    hashing(&mut pairs);
    content_blocks(&mut pairs);
    slots(&mut pairs);
    signatures(&mut pairs);
    for class in [Class::Small, Class::Block] {
        onions(&mut pairs, class);
    }
    for ratio in pairs.ratios {
        println!("{ratio}");
    }
}

/// Measures operations against their limits and remembers the ratios.
struct Pairs<'a> {
    criterion: &'a mut Criterion,
    ratios: Vec<String>,
}

impl Pairs<'_> {
    fn measure(&mut self, name: &str, bytes: usize, mut ours: impl FnMut(), limit: (&str, impl FnMut())) {
        let (limit_name, mut limit) = limit;
        self.compare(name, bytes, |times| timed(times, &mut ours), (limit_name, |times| timed(times, &mut limit)));
    }

    /// Like [`Self::measure`], for calls that are made in bulk and say themselves what they took.
    fn compare<O, L>(&mut self, name: &str, bytes: usize, mut ours: O, limit: (&str, L))
    where
        O: FnMut(u64) -> Duration,
        L: FnMut(u64) -> Duration,
    {
        let (limit_name, mut limit) = limit;
        let mut group = self.criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("ours", |bencher| bencher.iter_custom(&mut ours));
        group.bench_function(limit_name, |bencher| bencher.iter_custom(&mut limit));
        group.finish();

        // Taking short turns, who is first changing, both meet the same load; the median of the neighbours' ratios
        // then holds on a busy machine. Turns as long as a time slice would always charge the switch to one side.
        let calls = (300_000 / (limit(16).as_nanos() / 16).max(1)).clamp(1, 10_000) as u64;
        let mut rounds: Vec<_> = (0..201)
            .map(|round| {
                if round % 2 == 0 {
                    let first = ours(calls).as_secs_f64();
                    return (first, limit(calls).as_secs_f64());
                }
                let first = limit(calls).as_secs_f64();
                (ours(calls).as_secs_f64(), first)
            })
            .collect();
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (ours, limit) = rounds[rounds.len() / 2];
        self.ratios.push(format!(
            "{name:<28} {:>9.2} us   {limit_name:<34} {:>9.2} us   ratio {:.2}",
            ours / calls as f64 * 1e6,
            limit / calls as f64 * 1e6,
            ours / limit,
        ));
    }
}

fn hashing(pairs: &mut Pairs<'_>) {
    let block = vec![7; SEALED_BYTES];
    let mut copy = vec![0; SEALED_BYTES];
    pairs.measure(
        "routing key",
        SEALED_BYTES,
        || _ = black_box(content::routing_key(black_box(&block))),
        ("BLAKE3", || _ = black_box(blake3::hash(black_box(&block)))),
    );
    pairs.measure(
        "routing key",
        SEALED_BYTES,
        || _ = black_box(content::routing_key(black_box(&block))),
        ("memcpy", || black_box(&mut copy).copy_from_slice(black_box(&block))),
    );
}

fn content_blocks(pairs: &mut Pairs<'_>) {
    let key = ContentKey::from_bytes([1; 32]);
    let raw = ChaCha20Poly1305::new(&[1; 32].into());
    let payload = vec![7; PAYLOAD_BYTES];
    let mut block = Box::new([0; SEALED_BYTES]);
    content::seal_into(&key, &payload, &mut block).expect("it fits");
    let sealed = block.to_vec();
    let mut buffer = vec![0; PLAIN_BYTES];
    pairs.measure(
        "seal a block",
        SEALED_BYTES,
        || content::seal_into(&key, black_box(&payload), &mut block).expect("it fits"),
        ("ChaCha20-Poly1305 in place", || {
            _ = black_box(raw.encrypt_inout_detached(&Nonce::default(), &[], buffer.as_mut_slice().into()));
        }),
    );
    let (text, tag) = sealed.split_at(PLAIN_BYTES);
    let tag = Tag::try_from(tag).expect("a tag");
    let mut target = sealed.clone();
    pairs.measure(
        "open a block in place",
        SEALED_BYTES,
        || {
            target.copy_from_slice(black_box(&sealed));
            black_box(content::open_in_place(&key, &mut target).expect("its own key"));
        },
        ("memcpy + ChaCha20-Poly1305", || {
            buffer.copy_from_slice(black_box(text));
            raw.decrypt_inout_detached(&Nonce::default(), &[], buffer.as_mut_slice().into(), &tag)
                .expect("its own key");
        }),
    );
    pairs.measure(
        "open a block to a vector",
        SEALED_BYTES,
        || _ = black_box(content::open(&key, black_box(&sealed)).expect("its own key")),
        ("to_vec + ChaCha20-Poly1305", || {
            let mut copy = black_box(text).to_vec();
            raw.decrypt_inout_detached(&Nonce::default(), &[], copy.as_mut_slice().into(), &tag).expect("its own key");
            black_box(copy);
        }),
    );
}

fn slots(pairs: &mut Pairs<'_>) {
    let key = SlotKey::new(&Secret::from_bytes([1; 32]));
    let raw = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).expect("32 bytes"));
    let mut ours = vec![7; SEALED_BYTES];
    let mut bare = ours.clone();
    pairs.measure(
        "seal a slot",
        SEALED_BYTES,
        || _ = black_box(slot::seal_in_place(&key, &[2; 24], &[3; 8], &mut ours)),
        ("AES-256-GCM in place", || {
            let nonce = ring::aead::Nonce::assume_unique_for_key([2; 12]);
            _ = black_box(raw.seal_in_place_separate_tag(nonce, Aad::from([3; 8]), &mut bare));
        }),
    );
}

fn signatures(pairs: &mut Pairs<'_>) {
    let node = NodeKey::from_seed(Secret::from_bytes([1; 32]));
    let raw = SigningKey::from_bytes(&[1; 32]);
    let message = [7; 640];
    let signature = node.sign(Label::NodeReference, &message);
    let raw_signature: Signature = raw.sign(&message);
    let raw_public = raw.verifying_key().to_bytes();
    let verify_raw = || {
        VerifyingKey::from_bytes(black_box(&raw_public))
            .and_then(|key| key.verify_strict(black_box(&message), &raw_signature))
            .expect("signed");
    };
    let id = node.id();
    pairs.measure(
        "sign",
        message.len(),
        || _ = black_box(node.sign(Label::NodeReference, black_box(&message))),
        ("Ed25519 sign", || _ = black_box(raw.sign(black_box(&message)))),
    );
    pairs.measure(
        "verify",
        message.len(),
        || identity::verify(&id, Label::NodeReference, black_box(&message), &signature).expect("signed"),
        ("Ed25519 strict verify", verify_raw),
    );
    let subspace = Subspace::from_secret_bytes([1; 64]);
    let block = signed::sign_block(&subspace, "name", &[7; 400], &[2; 24]).expect("it fits");
    pairs.measure(
        "verify a signed block",
        block.len(),
        || _ = black_box(signed::verify_block(black_box(&block)).expect("signed")),
        ("Ed25519 strict verify", verify_raw),
    );
}

/// A relay's work on a packet and on its answer.
fn onions(pairs: &mut Pairs<'_>, class: Class) {
    let keys: [_; 3] = array::from_fn(|at| OnionKey::from_secret(Secret::from_bytes([at as u8; 32])));
    let path = keys.each_ref().map(|key| Hop { id: key.public(), onion_key: key.public(), delay_ms: 0 });
    let request = Request { class, body: &[], purpose: Purpose::Deliver, reply_class: class, lifetime_s: 90 };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let packet = build(&path, &request, &mut rng).expect("a valid path").packet;
    let size = packet.len();
    let mut ours = packet.clone();
    let mut bare = packet.clone();
    let point = packet[..32].try_into().expect("32 bytes");
    let raw = ChaCha20Poly1305::new(&[1; 32].into());
    let relay = |packet: &mut [u8]| {
        Arrival::receive(&keys[0], &path[0].id, packet)
            .and_then(|arrival| arrival.open(packet)?.act(packet))
            .expect("its packet")
    };
    pairs.measure(
        &format!("onion hop, {class:?}"),
        size,
        || {
            ours.copy_from_slice(&packet);
            black_box(relay(&mut ours));
        },
        ("X25519 + ChaCha20-Poly1305", || {
            bare.copy_from_slice(&packet);
            black_box(x25519_dalek::x25519(black_box([7; 32]), point));
            _ = black_box(raw.encrypt_inout_detached(&Nonce::default(), &[], (&mut bare[48..]).into()));
        }),
    );
    pairs.measure(
        &format!("build for 3 hops, {class:?}"),
        size,
        || _ = black_box(build(&path, &request, &mut rng)),
        ("X25519 twice + the cipher, 3 times", || {
            for _ in 0..3 {
                black_box(x25519_dalek::x25519(black_box([7; 32]), point));
                black_box(x25519_dalek::PublicKey::from(&StaticSecret::from(black_box([7; 32]))));
                _ = black_box(raw.encrypt_inout_detached(&Nonce::default(), &[], (&mut bare[48..]).into()));
            }
        }),
    );
    // A relay's state answers once, so each is made anew, off the clock.
    let name = format!("onion reply hop, {class:?}");
    let mut answer = packet.clone();
    pairs.compare(
        &name,
        size,
        |times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                ours.copy_from_slice(&packet);
                let Step::Relay { reply: Some(state), .. } = relay(&mut ours) else {
                    panic!("it is relayed, with a way back");
                };
                answer[..16].copy_from_slice(&state.tag_in());
                let begin = Instant::now();
                state.pass_back(&mut answer).expect("its answer");
                spent += begin.elapsed();
            }
            spent
        },
        ("BLAKE3 + ChaCha20", |times| {
            timed(times, || {
                black_box(blake3::keyed_hash(&[1; 32], &bare[48..]));
                ChaCha20::new(&[1; 32].into(), &[0; 12].into()).apply_keystream(black_box(&mut bare[48..]));
            })
        }),
    );
}

fn timed(times: u64, mut call: impl FnMut()) -> Duration {
    let begin = Instant::now();
    (0..times).for_each(|_| call());
    begin.elapsed()
}
