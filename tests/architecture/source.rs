//! One Rust file as the architecture sees it: which module it is and which paths it names.
//!
//! Comments and literals are no source. `super` inside an inline module (tests, mostly) means what it means to the
//! compiler. Paths of use trees are spelled out: `a::{b, c::d}` names `a::b` and `a::c::d`.

use std::path::Path;

/// A file of a crate.
pub(crate) struct Source {
    /// Its module path: empty for `lib.rs`, `["main"]` for `main.rs`.
    pub(crate) module: Vec<String>,
    /// Every path it names, `crate`, `self` and `super` resolved to an absolute one that starts with `crate`.
    pub(crate) paths: Vec<Vec<String>>,
    /// Its text without comments.
    pub(crate) code: String,
}

impl Source {
    /// Reads the file at `path`, counted from the source folder of its crate.
    pub(crate) fn parse(path: &Path, text: &str) -> Self {
        let module = module_of(path);
        let code = without_comments(text);
        let paths = paths(&tokens(&code), &module);
        Self { module, paths, code }
    }

    /// The module whose rules bind this file: a file of tests counts to the module it tests.
    pub(crate) fn owner(&self) -> &[String] {
        let end = self.module.iter().position(|name| name == "tests").unwrap_or(self.module.len());
        &self.module[..end]
    }
}

fn module_of(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let last = names.last().map(String::as_str);
    // These two compose a folder and bear its name.
    if last == Some("mod") || (names.len() == 1 && last == Some("lib")) {
        names.pop();
    }
    names
}

/// The text with comments and the insides of string and character literals blanked out.
fn without_comments(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut kept = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        let rest = &chars[i..];
        let skipped = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
        match skipped {
            Some(length) => {
                kept.extend(rest[..length].iter().filter(|c| **c == '\n'));
                kept.push(' ');
                i += length;
            }
            None => {
                let word = rest.iter().take_while(|c| is_word(**c)).count().max(1);
                kept.extend(&rest[..word]);
                i += word;
            }
        }
    }
    kept
}

fn comment(rest: &[char]) -> Option<usize> {
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => {
            let (mut depth, mut i) = (0, 0);
            while i < rest.len() {
                match rest[i..] {
                    ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
                    ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 {
                    break;
                }
            }
            Some(i)
        }
        _ => None,
    }
}

fn string(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|c| matches!(c, 'b' | 'c' | 'r')).count();
    let raw = rest[..prefix].contains(&'r');
    let hashes = if raw { rest[prefix..].iter().take_while(|c| **c == '#').count() } else { 0 };
    let start = prefix + hashes;
    if prefix > 2 || rest.get(start) != Some(&'"') {
        return None;
    }
    let mut i = start + 1;
    while i < rest.len() {
        let closes = rest[i] == '"' && rest[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
        match rest[i] {
            '\\' if !raw => i += 2,
            _ if closes => return Some(i + 1 + hashes),
            _ => i += 1,
        }
    }
    Some(rest.len())
}

/// A character literal; a lifetime is none.
fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => Some(tail.iter().position(|c| *c == '\'')? + 4),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words, `::` and single marks.
fn tokens(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        found.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    found
}

fn paths(tokens: &[&str], module: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // The inline modules around the current token: at which depth of braces each opened.
    let (mut depth, mut inline) = (0_usize, Vec::new());
    let mut i = 0;
    while i < tokens.len() {
        match tokens[i..] {
            ["mod", _, "{", ..] => {
                inline.push(depth);
                depth += 1;
                i += 3;
            }
            // `pub(in crate::a)` widens a visibility, it imports nothing.
            ["(", "in", ..] => i += tokens[i..].iter().position(|token| *token == ")").unwrap_or(1),
            [first, "::", ..] if first.starts_with(is_word) && (i == 0 || tokens[i - 1] != "::") => {
                let (trees, length) = tree(&tokens[i..]);
                found.extend(trees.iter().filter_map(|path| resolve(path, module, inline.len())));
                i += length;
            }
            ["{", ..] => (depth, i) = (depth + 1, i + 1),
            ["}", ..] => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                }
                i += 1;
            }
            _ => i += 1,
        }
    }
    found
}

/// The paths of the use tree or path at the start of `tokens`, and how many tokens it takes.
fn tree<'a>(tokens: &[&'a str]) -> (Vec<Vec<&'a str>>, usize) {
    let mut prefix = Vec::new();
    let mut i = 0;
    loop {
        match tokens[i..] {
            ["{", ..] if i > 0 => {
                let (branches, length) = branches(&tokens[i..]);
                let whole = branches.into_iter().map(|branch| [prefix.clone(), branch].concat()).collect();
                return (whole, i + length);
            }
            [word, "::", ..] if word.starts_with(is_word) => (prefix, i) = ([prefix, vec![word]].concat(), i + 2),
            [word, ..] if word == "*" || word.starts_with(is_word) => {
                let last = if word == "self" { vec![] } else { vec![word] };
                return (vec![[prefix, last].concat()], i + 1);
            }
            _ => return (vec![prefix], i.max(1)),
        }
    }
}

fn branches<'a>(tokens: &[&'a str]) -> (Vec<Vec<&'a str>>, usize) {
    let mut found = Vec::new();
    let mut i = 1;
    while i < tokens.len() && tokens[i] != "}" {
        match tokens[i] {
            "," => i += 1,
            "as" => i += 2,
            _ => {
                let (paths, length) = tree(&tokens[i..]);
                found.extend(paths);
                i += length;
            }
        }
    }
    (found, i + 1)
}

/// Spells out `crate`, `self` and `super`. A `super` that stays inside the file names nothing outside it.
fn resolve(path: &[&str], module: &[String], mut inline: usize) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut rest = path;
    match *path.first()? {
        "crate" | "bolthole" => (base, rest) = (vec![], &path[1..]),
        "self" if inline > 0 => return None,
        "self" => rest = &path[1..],
        "super" => {
            while rest.first() == Some(&"super") {
                rest = &rest[1..];
                if inline > 0 {
                    inline -= 1;
                } else {
                    base.pop();
                }
            }
            if base == module {
                return None;
            }
        }
        _ => return Some(path.iter().map(ToString::to_string).collect()),
    }
    let absolute = base.into_iter().chain(rest.iter().map(ToString::to_string));
    Some(std::iter::once("crate".to_owned()).chain(absolute).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let source = Source::parse(Path::new("overlay/freenet/search.rs"), text);
        let found: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn use_trees_are_spelled_out() {
        check(
            "use crate::a::{b, c::{d as e, self}, f::*};",
            &["crate::a::b", "crate::a::c::d", "crate::a::c", "crate::a::f::*"],
        );
        check("use crate::a; fn x() -> crate::b::C<'a> { d::e() }", &["crate::a", "crate::b::C", "d::e"]);
        check("use super::table::Entry;", &["crate::overlay::freenet::table::Entry"]);
        check("use super::super::mode;", &["crate::overlay::mode"]);
    }

    #[test]
    fn super_inside_an_inline_module_is_the_file_itself() {
        check("mod tests { use super::*; use super::super::X; }", &["crate::overlay::freenet::X"]);
        check("mod tests { fn a() {} } use super::X;", &["crate::overlay::freenet::X"]);
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        check("//! crate::a\n/* crate::b /* */ crate::c */ const A: &str = \"crate::d\";", &[]);
        check("const B: &str = r#\"crate::\"e\"#; const C: char = '\"'; crate::f::g();", &["crate::f::g"]);
        check("fn lifetimes<'a>(x: &'a u8) { crate::f::g('\\''); }", &["crate::f::g"]);
    }

    #[test]
    fn a_restricted_visibility_is_no_import() {
        check("pub(in crate::overlay::freenet) struct A; pub(crate) struct B;", &[]);
    }
}
