//! The list of what a gateway may carry: a URI or a routing key on each line, and remarks after `#`.
//!
//! A URI stands for all blocks of its document, which are known once the document has been found; a routing key for one.

use std::fs;
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;

use super::super::failure::Failure;
use crate::key::RoutingKey;
use crate::key::uri::Uri;
use crate::limits;

/// What the list names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    pub(super) keys: Vec<RoutingKey>,
    pub(super) uris: Vec<String>,
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<List, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("--allow: cannot read {}: {error}", path.display())))?;
    parse(&text).map_err(|(line, problem)| Failure::usage(format!("{} line {line}: {problem}", path.display())))
}

/// The list, or the line that is neither and why.
fn parse(text: &str) -> Result<List, (usize, String)> {
    let mut list = List::default();
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        if list.keys.len() + list.uris.len() >= limits::GATEWAY_ALLOWED {
            return Err((number + 1, format!("a list has at most {} lines", limits::GATEWAY_ALLOWED)));
        }
        match key(entry) {
            Some(key) => list.keys.push(key),
            None => {
                entry.parse::<Uri>().map_err(|error| (number + 1, format!("no routing key, and no URI: {error}")))?;
                list.uris.push(entry.to_owned());
            }
        }
    }
    Ok(list)
}

fn key(text: &str) -> Option<RoutingKey> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(RoutingKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_uris_are_told_apart_and_remarks_are_skipped() {
        let key = RoutingKey([7; 32]);
        let list = parse(&format!("# a list\n\n{key}  # one block\nKSK@word\n")).expect("a list");
        assert_eq!(list, List { keys: vec![key], uris: vec!["KSK@word".to_owned()] });
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let (line, problem) = parse("KSK@word\n\nnonsense\n").expect_err("a bad line");
        assert_eq!(line, 3);
        assert!(problem.contains("URI"), "{problem}");
    }
}
