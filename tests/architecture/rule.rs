//! The clauses of the rule, each a function from sources and table to the sentences that say what breaks it.
//!
//! The tests below give each clause an invented tree that breaks it and one that does not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::source::Source;
use crate::table::Table;

/// Imports that the table does not allow: between modules, and inside their folders.
pub(crate) fn imports(sources: &[Source], table: &Table) -> Vec<String> {
    let mut found = inside_folders(sources);
    for edge in edges(sources) {
        let (Some(from), Some(to)) = (edge.from.first(), edge.to.first()) else {
            if !edge.from.is_empty() && edge.from[0] != "main" {
                found.push(format!("{edge} takes an item of the crate's root"));
            }
            continue;
        };
        if from == to || from == "main" {
            continue;
        }
        let allowed = match (table.present.get(from), table.present.get(to)) {
            (Some(low), Some(high)) => high.layer < low.layer || low.beside.contains(to),
            _ => false,
        };
        if !allowed {
            found.push(format!("{edge} is not in the table"));
        }
    }
    found
}

/// Imports inside the folders of a crate that go up to the composing file, across overlays, or in a circle.
pub(crate) fn inside_folders(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for edge in edges(sources) {
        let shared = edge.from.iter().zip(&edge.to).take_while(|(a, b)| a == b).count();
        // What a whole crate shares is the table's matter.
        if shared == 0 && edge.to.is_empty() {
            continue;
        }
        if shared == edge.to.len() && shared < edge.from.len() {
            found.push(format!("{edge} goes up to the file that composes it"));
        }
        if crosses_overlays(&edge) {
            found.push(format!("{edge} lets one overlay know another"));
        }
        if shared < edge.from.len() && shared < edge.to.len() {
            let folder = folders.entry(edge.from[..shared].to_vec()).or_default();
            folder.entry(edge.from[shared].clone()).or_default().insert(edge.to[shared].clone());
        }
    }
    found.extend(folders.iter().filter_map(|(folder, edges)| {
        let circle = circle(edges)?;
        Some(format!("a circle in `{}`: {}", folder.join("/"), circle.join(" → ")))
    }));
    found
}

/// Modules that the table does not name, names too much, or puts on the wrong side of the feature `daemon`.
pub(crate) fn inventory(sources: &[Source], table: &Table) -> Vec<String> {
    let tops: BTreeSet<&String> = sources.iter().filter_map(|source| source.module.first()).collect();
    let root = sources.iter().find(|source| source.module.is_empty()).map_or("", |source| &source.code);
    let mut found = Vec::new();
    for name in tops.iter().filter(|name| **name != "main") {
        match table.present.get(*name) {
            None => found.push(format!("`{name}` exists, but is no row under Layers")),
            Some(row) if row.daemon != is_conditional(root, name) => {
                found.push(format!("`{name}`: the table and lib.rs disagree on the feature `daemon`"));
            }
            Some(_) => {}
        }
    }
    let missing = table.present.keys().filter(|name| *name != "crypto" && !tops.contains(name));
    found.extend(missing.map(|name| format!("`{name}` is a row under Layers, but does not exist")));
    let early = table.to_come.iter().filter(|name| tops.contains(name));
    found.extend(early.map(|name| format!("`{name}` exists, but is listed as to come")));
    found
}

/// Pure modules that name a socket, a file, a clock, a thread or hidden randomness.
pub(crate) fn purity(sources: &[Source], table: &Table) -> Vec<String> {
    purity_of(sources, |path| !table.is_daemon(path))
}

/// The same for the modules that `is_pure` chooses.
pub(crate) fn purity_of(sources: &[Source], is_pure: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| is_pure(&source.module)) {
        let impure = source
            .paths
            .iter()
            .map(|path| path.join("::"))
            .filter(|path| IMPURE.iter().any(|prefix| path == prefix || path.starts_with(&format!("{prefix}::"))));
        found.extend(impure.map(|path| format!("{} is pure, but names {path}", name(&source.module))));
        if is_asynchronous(&source.code) {
            found.push(format!("{} is pure, but asynchronous", name(&source.module)));
        }
    }
    found
}

/// Whether code waits: `.await` is a keyword, `.awaits(…)` may be anybody's method.
fn is_asynchronous(code: &str) -> bool {
    let goes_on =
        |at: usize| code[at + ".await".len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_');
    code.contains("async fn ") || code.match_indices(".await").any(|(at, _)| !goes_on(at))
}

/// Pure modules that lift a ban of `clippy.toml`.
pub(crate) fn lifted_bans(sources: &[Source], table: &Table) -> Vec<String> {
    lifted_bans_of(sources, |path| !table.is_daemon(path))
}

/// The same for the modules that `is_pure` chooses.
pub(crate) fn lifted_bans_of(sources: &[Source], is_pure: impl Fn(&[String]) -> bool) -> Vec<String> {
    let lifts = |source: &&Source| is_pure(&source.module) && source.code.contains("clippy::disallowed_");
    sources.iter().filter(lifts).map(|source| format!("{} lifts a ban of clippy.toml", name(&source.module))).collect()
}

/// Files that do not open with what they are.
pub(crate) fn headers(texts: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let bare = texts.iter().filter(|(_, text)| !text.starts_with("//! "));
    bare.map(|(path, _)| format!("{} does not open with `//!`", path.display())).collect()
}

/// Citations of paragraphs that the protocol does not have.
pub(crate) fn citations(texts: &BTreeMap<PathBuf, String>, protocol: &str) -> Vec<String> {
    let headings: BTreeSet<&str> = protocol
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .filter_map(|heading| heading.split_whitespace().next())
        .collect();
    let mut found = Vec::new();
    for (path, text) in texts {
        let cited = text.split(CITATION).skip(1).filter_map(|after| after.trim_start_matches('`').strip_prefix(" §"));
        let cited = cited.flat_map(|after| {
            let end = after.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '–'))).unwrap_or(after.len());
            after[..end].split('–').map(|number| number.trim_end_matches('.'))
        });
        let absent = cited.filter(|number| !headings.contains(number));
        found.extend(absent.map(|number| format!("{} cites §{number}, which is not there", path.display())));
    }
    found
}

/// One file imports from another.
struct Edge {
    from: Vec<String>,
    to: Vec<String>,
}

impl std::fmt::Display for Edge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} → {}", name(&self.from), name(&self.to))
    }
}

fn edges(sources: &[Source]) -> Vec<Edge> {
    let modules: BTreeSet<&[String]> = sources.iter().map(|source| source.module.as_slice()).collect();
    let mut found = BTreeSet::new();
    for source in sources {
        for path in source.paths.iter().filter(|path| path[0] == "crate") {
            let named = &path[1..];
            let longest = (0..=named.len()).rev().find(|end| modules.contains(&named[..*end])).unwrap_or(0);
            found.insert((source.owner().to_vec(), named[..longest].to_vec()));
        }
    }
    // A file that names itself, or what it composes, imports nothing.
    let within = |from: &[String], to: &[String]| to.starts_with(from);
    found.into_iter().filter(|(from, to)| !within(from, to)).map(|(from, to)| Edge { from, to }).collect()
}

fn crosses_overlays(edge: &Edge) -> bool {
    let mode_of = |path: &[String]| (path.first()? == "overlay").then(|| path.get(1).cloned())?;
    match (mode_of(&edge.from), mode_of(&edge.to)) {
        (Some(from), Some(to)) => from != to && to != "mode",
        _ => false,
    }
}

/// Some circle of the graph, if there is one.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut left: BTreeMap<&String, BTreeSet<&String>> =
        edges.iter().map(|(from, to)| (from, to.iter().filter(|to| edges.contains_key(*to)).collect())).collect();
    // Whatever imports nothing that is left cannot be on a circle.
    loop {
        let free: Vec<&String> = left.iter().filter(|(_, to)| to.is_empty()).map(|(from, _)| *from).collect();
        if free.is_empty() {
            break;
        }
        left.retain(|from, _| !free.contains(from));
        left.values_mut().for_each(|to| to.retain(|name| !free.contains(name)));
    }
    let mut walk = vec![*left.keys().next()?];
    loop {
        let next = *left[walk[walk.len() - 1]].first().expect("all that is left imports something that is left");
        let met = walk.iter().position(|name| *name == next);
        walk.push(next);
        if let Some(start) = met {
            return Some(walk[start..].iter().map(ToString::to_string).collect());
        }
    }
}

fn is_conditional(root: &str, module: &str) -> bool {
    let lines: Vec<&str> = root.lines().map(str::trim).collect();
    let declared = lines.iter().position(|line| line.ends_with(&format!("mod {module};")));
    declared.is_some_and(|line| line > 0 && lines[line - 1].starts_with("#[cfg(feature"))
}

fn name(path: &[String]) -> String {
    if path.is_empty() { "the crate's root".to_owned() } else { path.join("::") }
}

const CITATION: &str = "protocol.md";

/// What pure code must not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::mpsc",
    "tokio",
    "quinn",
    "rustls",
    "axum",
    "ureq",
    "getrandom",
    "rand::rng",
    "rand::random",
    "rand::rngs::SysRng",
    "rand::rngs::ThreadRng",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const TABLE: &str = "\n## Layers\n| 1 | `low` | | x |\n| 2 | `overlay` | | x |\n| 3 | `high`, `twin` | `high` | x |\n\
                         | 4 | `link`* | | x |\n### To come\n| 4 | `later` | | x |\n";
    const ROOT: (&str, &str) = ("lib.rs", "pub mod low;\n#[cfg(feature = \"daemon\")]\npub mod link;\n");

    fn check(rule: impl Fn(&[Source], &Table) -> Vec<String>, files: &[(&str, &str)], expected: &[&str]) {
        let table = Table::parse(TABLE).expect("a table");
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::parse(Path::new(path), text)).collect();
        assert_eq!(rule(&sources, &table), expected, "{files:?}");
    }

    #[test]
    fn an_import_from_a_higher_layer_is_found() {
        let high = ("high.rs", "pub struct X;");
        check(imports, &[high, ("low.rs", "use crate::high::X;")], &["low → high is not in the table"]);
        check(imports, &[high, ("low.rs", "fn f(_: crate::high::X) {}")], &["low → high is not in the table"]);
        check(imports, &[("low.rs", ""), ("high.rs", "use crate::low::X;")], &[]);
    }

    #[test]
    fn an_import_within_a_layer_needs_its_own_entry() {
        let both = |from, to| [(from, ""), (to, "")];
        let [high, twin] = both("high.rs", "twin.rs");
        check(imports, &[high, ("twin.rs", "use crate::high::X;")], &[]);
        check(imports, &[twin, ("high.rs", "use crate::twin::X;")], &["high → twin is not in the table"]);
    }

    #[test]
    fn an_item_of_the_root_is_nobodys_to_take() {
        check(
            imports,
            &[("lib.rs", ""), ("low.rs", "use crate::X;")],
            &["low → the crate's root takes an item of the crate's root"],
        );
    }

    #[test]
    fn a_child_that_goes_up_to_its_composition_is_found() {
        let up = ["low::a → low goes up to the file that composes it"];
        check(imports, &[("low/mod.rs", ""), ("low/a.rs", "use super::X;")], &up);
        check(imports, &[("low/mod.rs", ""), ("low/a.rs", "use crate::low::X;")], &up);
        check(imports, &[("low/mod.rs", ""), ("low/a.rs", "use super::b::X;"), ("low/b.rs", "")], &[]);
        check(imports, &[("low/mod.rs", ""), ("low/a.rs", "mod tests { use super::*; }")], &[]);
        check(imports, &[("low/mod.rs", ""), ("low/tests.rs", "use super::*;")], &[]);
    }

    #[test]
    fn an_overlay_that_knows_another_is_found() {
        let files = |text| [("overlay/a/mod.rs", text), ("overlay/b/mod.rs", ""), ("overlay/mode.rs", "")];
        check(imports, &files("use crate::overlay::mode::Mode;"), &[]);
        check(imports, &files("use crate::overlay::b::X;"), &["overlay::a → overlay::b lets one overlay know another"]);
    }

    #[test]
    fn a_circle_in_a_folder_is_found() {
        let files = |last| [("low/a.rs", "use super::b::X;"), ("low/b.rs", "use super::c::X;"), ("low/c.rs", last)];
        check(imports, &files("use crate::low::a::X;"), &["a circle in `low`: a → b → c → a"]);
        check(imports, &files(""), &[]);
    }

    #[test]
    fn the_inventory_is_exact() {
        let all = [ROOT, ("low.rs", ""), ("overlay/mod.rs", ""), ("high.rs", ""), ("twin.rs", ""), ("link.rs", "")];
        check(inventory, &all, &[]);
        check(inventory, &all[..5], &["`link` is a row under Layers, but does not exist"]);
        check(inventory, &[&all[..], &[("odd.rs", "")]].concat(), &["`odd` exists, but is no row under Layers"]);
        check(
            inventory,
            &[&all[..], &[("later.rs", "")]].concat(),
            &["`later` exists, but is no row under Layers", "`later` exists, but is listed as to come"],
        );
        let unconditional = [&[("lib.rs", "pub mod low;\npub mod link;\n")], &all[1..]].concat();
        check(inventory, &unconditional, &["`link`: the table and lib.rs disagree on the feature `daemon`"]);
    }

    #[test]
    fn impure_names_in_pure_modules_are_found() {
        check(purity, &[("low.rs", "use std::fs::File;")], &["low is pure, but names std::fs::File"]);
        check(
            purity,
            &[("low.rs", "fn f() { std::thread::spawn(g) }")],
            &["low is pure, but names std::thread::spawn"],
        );
        check(purity, &[("low.rs", "async fn f() {}")], &["low is pure, but asynchronous"]);
        check(purity, &[("low.rs", "fn f() { g().await; h.awaits(x) }")], &["low is pure, but asynchronous"]);
        check(purity, &[("low.rs", "fn f() { h.awaits(x) }")], &[]);
        check(purity, &[("link.rs", "use tokio::net; async fn f() {}"), ("low.rs", "use std::time::Duration;")], &[]);
    }

    #[test]
    fn a_lifted_ban_in_a_pure_module_is_found() {
        let lift = "#![allow(clippy::disallowed_types, reason = \"speed\")]";
        check(lifted_bans, &[("low.rs", lift)], &["low lifts a ban of clippy.toml"]);
        check(lifted_bans, &[("link.rs", lift)], &[]);
    }

    #[test]
    fn a_file_without_a_header_and_a_citation_of_nothing_are_found() {
        let texts = |text: &str| BTreeMap::from([(PathBuf::from("a.rs"), text.to_owned())]);
        assert_eq!(headers(&texts("use b;\n")), ["a.rs does not open with `//!`"]);
        assert_eq!(headers(&texts("//! A.\n")), [""; 0]);
        let protocol = "# Protocol\n## 1 Keys\n### 1.2 `RoutingKey`\n";
        assert_eq!(citations(&texts("// protocol.md §1.2. And (`protocol.md` §1)"), protocol), [""; 0]);
        let cited = citations(&texts("// protocol.md §1–3, protocol.md §1.3"), protocol);
        assert_eq!(cited, ["a.rs cites §3, which is not there", "a.rs cites §1.3, which is not there"]);
    }
}
