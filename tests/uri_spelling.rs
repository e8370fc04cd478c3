//! A URI has one spelling, and what is wrong with another one is said with its position.

use bolthole::key::RoutingKey;
use bolthole::key::uri::{BadName, NAME_BYTES, Name, URI_CHARACTERS, Uri, UriErrorKind};
use crypto::content::Root;
use crypto::secret::Secret;
use crypto::signed::SubspaceReader;
use proptest::prelude::*;

const CHK: &str = "CHK@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,AQEA";
const SSK: &str =
    "SSK@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE,AQEA/notes";

fn parse(text: &str) -> Uri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `text` is refused at the character `position` (from 0) for the reason that `kind` accepts.
fn refused(text: &str, position: usize, kind: impl Fn(&UriErrorKind) -> bool) {
    let error = text.parse::<Uri>().expect_err(text);
    assert_eq!(error.position, position, "{text}: {error}");
    assert!(kind(&error.kind), "{text}: {error}");
    assert!(error.to_string().ends_with(&format!("(at character {})", position + 1)), "{error}");
}

#[test]
fn the_parts_of_a_content_uri_are_its_routing_key_and_its_root() {
    let Uri::Chk { routing, root } = parse(CHK) else { panic!("a content URI") };
    assert_eq!(routing, RoutingKey([0; 32]));
    assert_eq!(root.expose(), &[1; 32]);
}

#[test]
fn the_scheme_is_read_and_never_written() {
    for (spelled, canonical) in [("bolthole:KSK@word", "KSK@word"), ("BoltHole:KSK@a", "KSK@a")] {
        assert_eq!(parse(spelled).to_string(), canonical);
    }
    assert_eq!(parse(&format!("bolthole:{CHK}")).to_string(), CHK);
    refused(&format!("bolthole:bolthole:{CHK}"), 9, |kind| *kind == UriErrorKind::WrongType);
}

#[test]
fn a_uri_cut_anywhere_is_cut_short_there() {
    for whole in [CHK, SSK] {
        let nameless = whole.find("notes").unwrap_or(whole.len());
        for length in 0..nameless {
            refused(&whole[..length], length, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
        }
    }
    refused("KSK@", 4, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
    refused("bolthole:", 9, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
}

#[test]
fn a_doubled_uri_is_called_doubled() {
    for whole in [CHK, SSK, "KSK@word"] {
        refused(&format!("{whole}{whole}"), whole.len(), |kind| *kind == UriErrorKind::Doubled);
        refused(&format!("{whole} {CHK}"), whole.len() + 1, |kind| *kind == UriErrorKind::Doubled);
    }
    refused("CHK@abcCHK@abc", 7, |kind| *kind == UriErrorKind::Doubled);
}

#[test]
fn other_types_are_wrong() {
    for text in ["XHK@abc", "chk@abc", "http://localhost", " KSK@word", "@", "/home/me/file"] {
        refused(text, 0, |kind| *kind == UriErrorKind::WrongType);
    }
}

#[test]
fn an_edition_has_a_site_and_a_number_in_one_spelling() {
    let usk = |rest: &str| format!("{}{rest}", SSK[..SSK.find('/').expect("a name") + 1].replace("SSK@", "USK@"));
    let start = usk("").len();
    for right in ["site/0", "my%20site/17", "a/4294967295"] {
        let uri: Uri = usk(right).parse().expect("a URI");
        assert!(matches!(uri, Uri::Usk { .. }));
        assert_eq!(uri.to_string(), usk(right));
        assert_eq!(uri.duplicate(), uri);
    }
    refused(&usk(""), start, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
    refused(&usk("/1"), start, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
    refused(&usk("site"), start + 4, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
    refused(&usk("site/"), start + 5, |kind| matches!(kind, UriErrorKind::CutShort { .. }));
    refused(&usk("si te/1"), start + 2, |kind| matches!(kind, UriErrorKind::Spelling { .. }));
    refused(&usk("site/01"), start + 5, |kind| matches!(kind, UriErrorKind::Spelling { .. }));
    refused(&usk("site/-1"), start + 5, |kind| matches!(kind, UriErrorKind::Unexpected { found: '-', .. }));
    refused(&usk("site/1/"), start + 6, |kind| matches!(kind, UriErrorKind::Unexpected { found: '/', .. }));
    refused(&usk("site/4294967296"), start + 5, |kind| *kind == UriErrorKind::NoEdition);
}

#[test]
fn unknown_extras_are_named() {
    let with = |extra: &str| CHK.replace("AQEA", extra);
    let extra = CHK.len() - 4;
    refused(&with("AgEA"), extra, |kind| *kind == UriErrorKind::UnknownVersion { found: 2 });
    refused(&with("AQIA"), extra, |kind| *kind == UriErrorKind::UnknownAlgorithm { found: 2 });
    refused(&with("AQEE"), extra, |kind| *kind == UriErrorKind::UnknownFlags { found: 4 });
}

#[test]
fn what_follows_the_end_is_refused() {
    for tail in ["/name", ",", " ", "A", "\n"] {
        refused(&format!("{CHK}{tail}"), CHK.len(), |kind| matches!(kind, UriErrorKind::Unexpected { .. }));
    }
    refused(&format!("{SSK}/page"), SSK.len(), |kind| matches!(kind, UriErrorKind::Spelling { .. }));
}

#[test]
fn positions_count_characters_and_not_bytes() {
    refused("CHK@AAAéé", 7, |kind| matches!(kind, UriErrorKind::Unexpected { found: 'é', .. }));
    refused("KSK@%C3%A9é", 10, |kind| *kind == UriErrorKind::Spelling { canonical: "%C3%A9".to_owned() });
}

#[test]
fn bits_beyond_the_end_of_a_part_are_refused() {
    let bent = CHK.replacen("AAA,", "AAB,", 1);
    refused(&bent, 4 + 42, |kind| *kind == UriErrorKind::TrailingBits);
}

#[test]
fn escapes_have_one_spelling() {
    assert_eq!(parse("KSK@a%20b").to_string(), "KSK@a%20b");
    for (text, position) in [("KSK@%61", 4), ("KSK@%c3%a9", 4), ("KSK@a b", 5), ("KSK@a+b%2b", 5)] {
        refused(text, position, |kind| matches!(kind, UriErrorKind::Spelling { .. }));
    }
    for (text, position) in [("KSK@%", 4), ("KSK@ab%2", 6), ("KSK@%é", 4), ("KSK@%+1", 4)] {
        refused(text, position, |kind| *kind == UriErrorKind::BadEscape);
    }
    for (text, position) in [("KSK@%FF", 4), ("KSK@ab%C3", 6), ("KSK@%C3%A9%C3%28", 10)] {
        refused(text, position, |kind| *kind == UriErrorKind::NotUtf8);
    }
}

#[test]
fn names_are_bounded_and_free_of_control_characters() {
    let control = |code| UriErrorKind::BadName(BadName::Control(code));
    for (text, code) in [("KSK@a%0Ab", 10), ("KSK@%00", 0), ("KSK@%E2%80%AE", 0x202e), ("KSK@%7F", 0x7f)] {
        refused(text, 4, |kind| *kind == control(code));
    }
    let longest = "x".repeat(NAME_BYTES);
    assert_eq!(parse(&format!("KSK@{longest}")).to_string(), format!("KSK@{longest}"));
    refused(&format!("KSK@{longest}x"), 4, |kind| *kind == UriErrorKind::BadName(BadName::TooLong(NAME_BYTES + 1)));
    refused(&"é".repeat(URI_CHARACTERS + 1), URI_CHARACTERS, |kind| matches!(kind, UriErrorKind::TooLong { .. }));
    refused(&format!("{}/", &SSK[..SSK.len() - 6]), SSK.len() - 5, |kind| {
        matches!(kind, UriErrorKind::CutShort { .. })
    });
}

#[test]
fn debug_output_holds_no_secret() {
    for (text, secrets) in
        [(CHK, vec!["AQEB", "1, 1, 1"]), (SSK, vec!["AQEB", "notes", "1, 1, 1"]), ("KSK@hush", vec!["hush"])]
    {
        let printed = format!("{:?}", parse(text));
        assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    }
}

fn names() -> impl Strategy<Value = Name> {
    "\\PC{1,60}".prop_filter_map("a name", |text| Name::new(&text).ok())
}

fn uris() -> impl Strategy<Value = Uri> {
    prop_oneof![
        any::<([u8; 32], [u8; 32])>()
            .prop_map(|(routing, root)| Uri::Chk { routing: RoutingKey(routing), root: Root::from_bytes(root) }),
        (any::<([u8; 32], [u8; 32])>(), names()).prop_map(|((public_key_hash, reading_key), name)| {
            let reading_key = Secret::from_bytes(reading_key);
            Uri::Ssk { subspace: SubspaceReader { public_key_hash, reading_key }, name }
        }),
        names().prop_map(|word| Uri::Ksk { word }),
        (any::<[u8; 32]>(), any::<[u8; 32]>(), names(), any::<u32>()).prop_map(
            |(public_key_hash, key, site, edition)| {
                Uri::Usk {
                    subspace: SubspaceReader { public_key_hash, reading_key: Secret::from_bytes(key) },
                    site,
                    edition,
                }
            }
        ),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_parses_as_the_same(uri in uris()) {
        let printed = uri.to_string();
        prop_assert!(printed.is_ascii() && printed.len() <= URI_CHARACTERS);
        prop_assert_eq!(parse(&printed), uri);
    }

    #[test]
    fn whatever_parses_prints_as_it_was(text in "(bolthole:)?[CSKU][HS]K@[A-Za-z0-9_%,/~ é-]{0,110}") {
        if let Ok(uri) = text.parse::<Uri>() {
            prop_assert_eq!(uri.to_string(), text.trim_start_matches("bolthole:"));
        }
    }

    #[test]
    fn a_changed_character_never_parses_as_the_same(uri in uris(), at: prop::sample::Index, other in "[ -~]") {
        let printed = uri.to_string();
        let at = at.index(printed.len());
        let mut changed = printed.clone();
        changed.replace_range(at..=at, &other);
        if changed != printed && let Ok(parsed) = changed.parse::<Uri>() {
            prop_assert_ne!(&parsed, &uri);
            prop_assert_eq!(parsed.to_string(), changed);
        }
    }

    #[test]
    fn arbitrary_text_is_parsed_or_refused_within_itself(text in "\\PC{0,200}") {
        if let Err(error) = text.parse::<Uri>() {
            prop_assert!(error.position <= text.chars().count());
        }
    }
}
