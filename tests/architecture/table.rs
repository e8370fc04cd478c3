//! The import table of `docs/architecture.md`, read from its Markdown.
//!
//! Rows under `## Layers` are modules that exist, rows under `### To come` are modules that do not yet. A row may name
//! several modules; `*` after a name means: only with the feature `daemon`.

use std::collections::{BTreeMap, BTreeSet};

/// The rule.
pub(crate) struct Table {
    /// Modules that exist.
    pub(crate) present: BTreeMap<String, Row>,
    /// Modules that are only announced.
    pub(crate) to_come: BTreeSet<String>,
}

/// What the table says of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// It may import from lower layers.
    pub(crate) layer: u32,
    /// Modules of its own layer that it may import as well.
    pub(crate) beside: BTreeSet<String>,
    /// Whether it exists only with the feature `daemon`.
    pub(crate) daemon: bool,
}

impl Table {
    /// Reads the table, or says what is missing.
    pub(crate) fn parse(markdown: &str) -> Result<Self, String> {
        let (present, to_come) = section(markdown, "## Layers").ok_or("no section `## Layers`")?;
        let present: BTreeMap<String, Row> = rows(present)?.into_iter().collect();
        let to_come = rows(to_come)?.into_iter().map(|(name, _)| name).collect();
        if present.is_empty() { Err("no rows".into()) } else { Ok(Self { present, to_come }) }
    }

    /// Whether the module at `path` exists only with the feature `daemon`. The binary does what `cli` does.
    pub(crate) fn is_daemon(&self, path: &[String]) -> bool {
        let Some(top) = path.first() else { return false };
        top == "main" || self.present.get(top).is_some_and(|row| row.daemon)
    }
}

fn section<'a>(markdown: &'a str, heading: &str) -> Option<(&'a str, &'a str)> {
    let body = markdown.split_once(&format!("\n{heading}\n"))?.1;
    let body = body.split_once("\n## ").map_or(body, |(inside, _)| inside);
    Some(body.split_once("\n### To come\n").unwrap_or((body, "")))
}

fn rows(text: &str) -> Result<Vec<(String, Row)>, String> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [layer, modules, beside, _caption] = cells[..] else { return Err(format!("not four cells: {line}")) };
        let Ok(layer) = layer.parse() else { continue };
        let beside: BTreeSet<String> = names(beside).map(|(name, _)| name).collect();
        found.extend(names(modules).map(|(name, daemon)| (name, Row { layer, beside: beside.clone(), daemon })));
    }
    Ok(found)
}

/// The names in backquotes, each with whether a `*` follows.
fn names(cell: &str) -> impl Iterator<Item = (String, bool)> {
    let pieces: Vec<&str> = cell.split('`').collect();
    let named = |i: usize| (pieces[i].to_owned(), pieces.get(i + 1).is_some_and(|after| after.starts_with('*')));
    (1..pieces.len()).step_by(2).map(named).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_from_its_markdown() {
        let text = "\n## Layers\n\n| layer | module | beside | caption |\n|---|---|---|---|\n| 1 | `a`*, `b` | `c` | x |\n\
                    \n### To come\n| layer | module | beside | caption |\n| 2 | `d` | | x |\n\n## Next\n| 9 | `z` | | x |\n";
        let table = Table::parse(text).expect("a table");
        let row = |daemon| Row { layer: 1, beside: BTreeSet::from(["c".to_owned()]), daemon };
        assert_eq!(table.present, BTreeMap::from([("a".to_owned(), row(true)), ("b".to_owned(), row(false))]));
        assert_eq!(table.to_come, BTreeSet::from(["d".to_owned()]));
    }
}
