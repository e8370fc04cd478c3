//! What each operation costs beside the least it could cost: the bare primitive on the same bytes, in the same run.
//!
//! Run with `cargo bench -p crypto`. Each pair is measured by criterion one after the other; the last lines give the
//! ratios of the medians, 1.00 being the limit itself. Leaves out Argon2id, whose cost is its purpose.

#![allow(missing_docs, reason = "criterion's macros write undocumented items")]
#![allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
#![allow(clippy::print_stdout, reason = "a benchmark reports on the terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag, XChaCha20Poly1305, XNonce};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crypto::content::{self, ContentKey, PAYLOAD_BYTES, PLAIN_BYTES, SEALED_BYTES};
use crypto::hash::Label;
use crypto::identity::{self, NodeKey};
use crypto::secret::Secret;
use crypto::signed::{self, Subspace};
use crypto::slot::{self, SlotKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

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
    fn measure(&mut self, name: &str, bytes: usize, ours: impl FnMut(), limit: (&str, impl FnMut())) {
        let ours = self.median(name, "ours", bytes, ours);
        let (limit_name, limit) = limit;
        let limit = self.median(name, limit_name, bytes, limit);
        let ratio = ours / limit;
        self.ratios.push(format!(
            "{name:<28} {:>9.2} us   {limit_name:<34} {:>9.2} us   ratio {ratio:.2}",
            ours * 1e6,
            limit * 1e6,
        ));
    }

    /// Seconds per call.
    fn median(&mut self, group: &str, name: &str, bytes: usize, mut call: impl FnMut()) -> f64 {
        let mut samples = Vec::new();
        let mut group = self.criterion.benchmark_group(group);
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let begin = Instant::now();
                (0..times).for_each(|_| call());
                let spent = begin.elapsed();
                samples.push(spent.as_secs_f64() / times as f64);
                spent
            });
        });
        group.finish();
        // The first samples are criterion's warm-up, of few calls.
        let mut measured = samples.split_off(samples.len().saturating_sub(20));
        measured.sort_by(f64::total_cmp);
        measured[measured.len() / 2]
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
    let raw = XChaCha20Poly1305::new(&[1; 32].into());
    let mut ours = vec![7; SEALED_BYTES];
    let mut bare = ours.clone();
    pairs.measure(
        "seal a slot",
        SEALED_BYTES,
        || _ = black_box(slot::seal_in_place(&key, &[2; 24], &[3; 8], &mut ours)),
        ("XChaCha20-Poly1305 in place", || {
            let nonce = XNonce::from([2; 24]);
            _ = black_box(raw.encrypt_inout_detached(&nonce, &[3; 8], bare.as_mut_slice().into()));
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
