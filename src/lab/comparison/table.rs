//! A table as a value: overlays downwards, what was measured across. Written as Markdown, or in columns for a terminal.

use std::fmt::Write;

use serde::Serialize;

use crate::lab::axis::number;

/// One table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// What it shows.
    pub title: &'static str,
    /// How to read it.
    pub about: &'static str,
    /// Over each column but the first.
    pub heads: Vec<String>,
    /// What stands before a row, and its cells.
    pub rows: Vec<(String, Vec<String>)>,
}

impl Table {
    /// The same without columns that say nothing in any row.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        let says = |column: usize| self.rows.iter().any(|(_, cells)| cells[column] != NOTHING);
        let kept: Vec<usize> = (0..self.heads.len()).filter(|column| says(*column)).collect();
        let keep = |all: &[String]| kept.iter().map(|column| all[*column].clone()).collect::<Vec<_>>();
        self.heads = keep(&self.heads);
        for (_, cells) in &mut self.rows {
            *cells = keep(cells);
        }
        self
    }

    /// As Markdown, with its heading.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.about);
        let _ = writeln!(text, "| | {} |", self.heads.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(self.heads.len()));
        for (name, cells) in &self.rows {
            let _ = writeln!(text, "| `{name}` | {} |", cells.join(" | "));
        }
        text
    }

    /// In columns of one width each, with its heading.
    pub fn columns(&self) -> String {
        let length = |text: &str| text.chars().count();
        let first = self.rows.iter().map(|(name, _)| length(name)).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().map(|(_, cells)| length(&cells[column]));
            cells.max().unwrap_or(0).max(length(&self.heads[column]))
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let line = |name: &str, cells: &[String]| {
            let cells: String = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:>width$}")).collect();
            format!("{name:<first$}{cells}\n")
        };
        let mut text = format!("{}\n", self.title);
        text.push_str(&line("", &self.heads));
        for (name, cells) in &self.rows {
            text.push_str(&line(name, cells));
        }
        text
    }
}

/// What stands where nothing was measured.
pub const NOTHING: &str = "–";

/// A share as per cent, finer near the ends.
pub(super) fn percent(share: f64) -> String {
    let per_cent = share * 100.0;
    let is_coarse = (1.0..99.0).contains(&per_cent) || per_cent == 0.0 || per_cent >= 100.0;
    if is_coarse { number(per_cent) } else { format!("{per_cent:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_without_a_number_is_left_out_and_the_others_line_up() {
        let cells = |a: &str, b: &str| vec![a.to_owned(), NOTHING.to_owned(), b.to_owned()];
        let table = Table {
            title: "T",
            about: "About.",
            heads: vec!["hops".into(), "none".into(), "state".into()],
            rows: vec![("chord".into(), cells("4.9 ± 0.1", "30")), ("central".into(), cells(NOTHING, "10,001"))],
        };
        let table = table.without_empty_columns();
        let expected = "T\n              hops   state\nchord    4.9 ± 0.1      30\ncentral          –  10,001\n";
        assert_eq!(table.columns(), expected);
        assert!(table.markdown().contains("| | hops | state |\n|---|---|---|\n| `chord` | 4.9 ± 0.1 | 30 |"));
    }
}
