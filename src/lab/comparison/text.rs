//! A comparison for people: as a Markdown report, and as text for a terminal.
//!
//! Everything but the last table follows from the workload and the seeds; the last one from the machine too.

use std::fmt::Write;

use crate::lab::axis::number;
use crate::lab::comparison::claims::Judged;
use crate::lab::comparison::evidence::{Side, Verdict};
use crate::lab::comparison::plots;
use crate::lab::comparison::report::Comparison;
use crate::lab::comparison::tables;
use crate::lab::comparison::variation::fewer;
use crate::sim::scenario::ModeName;

/// The report.
pub fn markdown(comparison: &Comparison) -> String {
    let mut text = String::from("# The overlays compared\n\n");
    let _ = writeln!(text, "{}\n", workload(comparison));
    for table in tables::tables(comparison) {
        let _ = writeln!(text, "{}", table.markdown());
    }
    for plot in plots::plots(comparison) {
        let _ = writeln!(text, "![{}]({})\n", plot.title(), plot.file());
    }
    text.push_str(&claims(comparison));
    text.push_str(&refused(comparison, "## What was not run\n\n", "- "));
    text.push_str(&tables::speed(comparison).markdown());
    text
}

/// The tables for a terminal.
pub fn terminal(comparison: &Comparison) -> String {
    let mut text = format!("{}\n\n", workload(comparison));
    for table in tables::tables(comparison) {
        let _ = writeln!(text, "{}", table.columns());
    }
    text.push_str(&verdicts(comparison));
    text.push_str(&refused(comparison, "Not run\n", ""));
    text.push_str(&tables::speed(comparison).columns());
    text
}

/// What was asked of every network, in a few sentences.
fn workload(comparison: &Comparison) -> String {
    let base = &comparison.workload;
    format!(
        "{} nodes, {} documents of one block, {} lookups ({} where something changes, of \
         flooding {}), Zipf {}, one lookup per node in \
         {} s, King-like latency. Seeds {}: means with Student's 95 % interval.",
        number(base.nodes.into()),
        number(f64::from(base.nodes) * f64::from(base.documents_per_node)),
        number(base.lookups.into()),
        number(base.lookups.div_ceil(fewer(ModeName::Chord)).into()),
        number(base.lookups.div_ceil(fewer(ModeName::Flooding)).into()),
        number(base.zipf),
        number(1.0 / base.lookups_per_node_second),
        comparison.seeds(),
    )
}

/// The claims as a table.
fn claims(comparison: &Comparison) -> String {
    let mut text = String::from(
        "## What the textbooks claim\n\nLimits of large and small are chosen; they stand in `lab::comparison::claims`.\n\n",
    );
    text.push_str("| | for or against | claim | measured | |\n|---|---|---|---|---|\n");
    for Judged { mode, side, claim, verdict } in &comparison.claims {
        let _ =
            writeln!(text, "| `{mode}` | {} | {claim} | {} | {} |", sign(*side), verdict.measured, word(verdict, "**"));
    }
    text.push('\n');
    text
}

/// The claims line by line.
fn verdicts(comparison: &Comparison) -> String {
    let mut text = String::from("What the textbooks claim\n");
    for Judged { mode, side, claim, verdict } in &comparison.claims {
        let _ = writeln!(text, "{:>9}  {mode} {} {claim}: {}", word(verdict, ""), sign(*side), verdict.measured);
    }
    text.push('\n');
    text
}

const fn sign(side: Side) -> &'static str {
    match side {
        Side::Advantage => "+",
        Side::Drawback => "−",
    }
}

fn word(verdict: &Verdict, mark: &str) -> String {
    match verdict.holds {
        Some(true) => "confirmed".into(),
        Some(false) => format!("{mark}refuted{mark}"),
        None => "–".into(),
    }
}

/// What an overlay could not go through, and why.
fn refused(comparison: &Comparison, head: &str, mark: &str) -> String {
    let mut text = String::new();
    for mode in &comparison.modes {
        let mut reasons: Vec<&String> = mode.refused.values().collect();
        reasons.sort();
        reasons.dedup();
        for reason in reasons {
            let names = mode.refused.iter().filter(|(_, other)| *other == reason).map(|(name, _)| name.as_str());
            let names: Vec<&str> = names.collect();
            let _ = writeln!(text, "{mark}{}: {} – {reason}", mode.mode, names.join(", "));
        }
    }
    if text.is_empty() { text } else { format!("{head}{text}\n") }
}
