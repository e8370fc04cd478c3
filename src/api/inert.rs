//! HTML that a browser may show without turning to anybody: a filter over the bytes of a document, in place.
//!
//! A Content-Security-Policy keeps a page from loading anything, and not from opening connections or looking up names ahead,
//! which would tell somebody outside who reads: Chromium connects for `preconnect`, and for a frame before it refuses to
//! load it. So a `link` whose relation is not known to be harmless, and whatever holds another document, becomes an element
//! without meaning. Guarantees that this holds wherever in the document the tag stands, however its attributes are written,
//! and that lengths stay as they are. Rests on an encoding in which ASCII is written as
//! ASCII, which [`charset`] sees to. Leaves out what the policy holds down.

use axum::body::Bytes;
use futures_util::{Stream, StreamExt, stream};

/// The bytes of `document`, harmless.
pub(super) fn filtered<E, S>(document: S) -> impl Stream<Item = Result<Bytes, E>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Send,
{
    stream::unfold(Some((document, Filter::default())), |state| async move {
        let (mut document, mut filter) = state?;
        match document.next().await {
            Some(Ok(piece)) => Some((Ok(filter.take(&piece)), Some((document, filter)))),
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((Ok(filter.end()), None)),
        }
    })
}

/// The media type under which HTML is shown: its encoding is fixed, and never one that hides ASCII.
pub(super) fn charset(mime: &str) -> String {
    let parameter = mime.split(';').skip(1).filter_map(|part| part.trim().split_once('='));
    let named = parameter.filter(|(name, _)| name.eq_ignore_ascii_case("charset")).map(|(_, value)| value);
    let label = named.map(|value| value.trim_matches('"').to_ascii_lowercase()).next().unwrap_or_default();
    // In these every byte is a character of its own, and the ASCII ones are ASCII.
    let is_plain = ["iso-8859-", "windows-125", "koi8-"].iter().any(|plain| label.starts_with(plain));
    format!("text/html; charset={}", if is_plain { &label } else { "utf-8" })
}

#[derive(Default)]
struct Filter {
    /// Taken and not yet judged.
    held: Vec<u8>,
    /// Bytes given out.
    given: u64,
}

impl Filter {
    /// Takes the next bytes; what can be given out by now.
    fn take(&mut self, piece: &[u8]) -> Bytes {
        self.held.extend_from_slice(piece);
        self.give(false)
    }

    /// There are no more.
    fn end(&mut self) -> Bytes {
        self.give(true)
    }

    fn give(&mut self, is_last: bool) -> Bytes {
        if self.given == 0 && self.held.len() < 2 && !is_last {
            return Bytes::new();
        }
        if self.given == 0 && matches!(self.held[..], [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) {
            // The mark of UTF-16, which a browser believes before anything else.
            self.held[..2].fill(b' ');
        }
        let mut at = 0;
        while let Some(found) = self.held[at..].iter().position(|byte| *byte == b'<') {
            at += found + 1;
            match judge(&self.held[at..]) {
                Judgement::Harmless => {}
                // A tag that the end breaks off is none.
                Judgement::Short if is_last => {}
                Judgement::Short => return self.give_to(at - 1),
                Judgement::Refused(name_bytes) => self.held[at..at + name_bytes].fill(b'x'),
            }
        }
        self.give_to(self.held.len())
    }

    fn give_to(&mut self, end: usize) -> Bytes {
        let rest = self.held.split_off(end);
        let given = std::mem::replace(&mut self.held, rest);
        self.given += given.len() as u64;
        given.into()
    }
}

/// What is to be thought of the bytes behind a `<`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// No tag that matters, or one that does nothing by itself.
    Harmless,
    /// More bytes are needed to tell.
    Short,
    /// A tag with a name of so many bytes that is to be none.
    Refused(usize),
}

fn judge(bytes: &[u8]) -> Judgement {
    let mut judgement = Judgement::Harmless;
    for name in FRAMES.iter().chain([&LINK]) {
        let begins = bytes.iter().zip(*name).all(|(byte, expected)| byte.eq_ignore_ascii_case(expected));
        match bytes.get(name.len()) {
            None if begins => judgement = Judgement::Short,
            Some(byte) if begins && (is_space(*byte) || matches!(byte, b'/' | b'>')) => {
                return if *name == LINK { judge_link(&bytes[name.len()..]) } else { Judgement::Refused(name.len()) };
            }
            _ => {}
        }
    }
    judgement
}

fn judge_link(attributes: &[u8]) -> Judgement {
    match is_harmless(attributes) {
        Some(true) => Judgement::Harmless,
        None if attributes.len() < LONGEST_TAG => Judgement::Short,
        _ => Judgement::Refused(LINK.len()),
    }
}

/// Whether a link with these attributes does nothing by itself; they are read as browsers do (HTML §13.2.5.32 and on). None if
/// the tag does not end here.
fn is_harmless(mut rest: &[u8]) -> Option<bool> {
    let mut relation = None;
    loop {
        rest = &rest[rest.iter().position(|byte| !is_space(*byte) && *byte != b'/')?..];
        if rest[0] == b'>' {
            break;
        }
        // An equals sign may be the first character of a name.
        let ends = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>' | b'=');
        let length = 1 + rest[1..].iter().position(ends)?;
        let (name, after) = rest.split_at(length);
        rest = &after[after.iter().position(|byte| !is_space(*byte))?..];
        let mut value: &[u8] = b"";
        if rest[0] == b'=' {
            rest = &rest[1..];
            rest = &rest[rest.iter().position(|byte| !is_space(*byte))?..];
            (value, rest) = match rest[0] {
                quote @ (b'"' | b'\'') => {
                    let length = rest[1..].iter().position(|byte| *byte == quote)?;
                    (&rest[1..=length], &rest[length + 2..])
                }
                _ => rest.split_at(rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?),
            };
        }
        if name.eq_ignore_ascii_case(b"rel") {
            if relation.is_some() {
                return Some(false);
            }
            relation = Some(value);
        }
    }
    let harmless = |word: &[u8]| HARMLESS.iter().any(|known| word.eq_ignore_ascii_case(known));
    Some(
        relation.is_some_and(|value| value.split(|byte| is_space(*byte)).all(|word| word.is_empty() || harmless(word))),
    )
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

const LINK: &[u8] = b"link";
/// Elements that hold another document, which no view may.
const FRAMES: &[&[u8]] = &[b"iframe", b"frame", b"object", b"embed", b"fencedframe", b"portal"];
/// Relations that load what the policy lets a view load, or nothing. Chosen: those that pages are made with.
const HARMLESS: &[&[u8]] =
    &[b"stylesheet", b"alternate", b"icon", b"shortcut", b"apple-touch-icon", b"canonical", b"author", b"license"];
/// Longest tag that is waited for; a longer one is refused. Chosen.
const LONGEST_TAG: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a document that arrives in pieces of so many bytes.
    fn shown(document: &str, piece: usize) -> String {
        let mut filter = Filter::default();
        let mut bytes = Vec::new();
        for piece in document.as_bytes().chunks(piece) {
            bytes.extend(filter.take(piece));
        }
        bytes.extend(filter.end());
        assert_eq!(bytes.len(), document.len(), "lengths stay");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn links_that_reach_out_are_none_any_more_however_they_are_written() {
        for link in [
            "<link rel=preconnect href=http://a.example>",
            "<LINK\tREL='dns-prefetch' href=//a.example>",
            "<link/rel=preconnect/href=//a.example>",
            "<link rel=pre&#99;onnect href=//a.example>",
            "<link rel='icon preconnect' href=//a.example>",
            "<link rel=icon rel=preconnect href=//a.example>",
            "<link title='>' rel=preconnect href=//a.example>",
            "<link = rel=preconnect href=//a.example>",
            "<link title = rel=icon rel=preconnect href=//a.example>",
            "<noscript><link rel=preconnect href=//a.example></noscript>",
            "<!-- <link rel=preconnect> -->",
            "<link rel\n=\r'prefetch'>",
            "<link href=//a.example>",
        ] {
            for piece in [1, 2, 3, 7, 1_000] {
                let shown = shown(link, piece).to_ascii_lowercase();
                assert!(shown.contains("<xxxx") && !shown.contains("<link"), "{link} in pieces of {piece}: {shown}");
            }
        }
        for piece in [1, 3, 1_000] {
            let frames = "<IFrame src=//a.example><frame/><frameset>";
            assert_eq!(shown(frames, piece), "<xxxxxx src=//a.example><xxxxx/><frameset>");
        }
        let long = format!("<link title='{}' rel=icon>", "x".repeat(2 * LONGEST_TAG));
        assert!(!shown(&long, 100).contains("<link"));
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for document in [
            "<!doctype html><link rel=stylesheet href=style.css><p>preconnect &lt;link",
            "<link rel=\"shortcut icon\" href='a>b'><linked><lin k>",
            "<LINK title=\"rel=preconnect\" REL=Stylesheet><p><",
            "<link rel=preconnect href=//a.example",
            "<lin",
            "",
        ] {
            for piece in [1, 2, 5, 1_000] {
                assert_eq!(shown(document, piece), document);
            }
        }
    }

    #[test]
    fn the_encoding_is_one_in_which_ascii_is_ascii() {
        for (mime, shown) in [
            ("text/html", "utf-8"),
            ("text/html; charset=\"ISO-8859-1\"", "iso-8859-1"),
            ("text/html;charset=utf-16le", "utf-8"),
            ("text/html; charset=iso-2022-jp", "utf-8"),
        ] {
            assert_eq!(charset(mime), format!("text/html; charset={shown}"));
        }
        let mut filter = Filter::default();
        let given = [filter.take(&[0xff]), filter.take(&[0xfe, b'<']), filter.end()].concat();
        assert_eq!(given, b"  <", "the mark of UTF-16 is none any more");
    }
}
