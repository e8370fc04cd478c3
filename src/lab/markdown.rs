//! Writes a report as Markdown: the reproduction table first, then every experiment with its plots.

use std::fmt::Write;

use crate::lab::axis::number;
use crate::lab::report::{Report, Section};
use crate::lab::row::Row;
use crate::lab::statistics::Estimate;

/// The report. Plots are expected beside it, under [`file_name`].
pub fn write(report: &Report) -> String {
    let mut text = String::from("# Reproduction of the published Freenet\n\n");
    let _ = writeln!(text, "{}\n", verdict(report));
    text.push_str(&table(&report.sections));
    for section in &report.sections {
        text.push_str(&section_text(section));
    }
    text
}

/// How many lines are inside, as a sentence.
pub fn verdict(report: &Report) -> String {
    format!("{} of {} values lie inside their tolerance.", report.inside, report.lines)
}

/// The reproduction table: published, ours with its 95 % interval, tolerance, verdict, seeds.
pub fn table(sections: &[Section]) -> String {
    let mut text = String::from("| | published | ours | 95 % interval | tolerance | inside | trials | seeds |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for section in sections {
        for row in &section.rows {
            let seeds = row.seeds.clone().unwrap_or_else(|| section.trials.seeds());
            let _ = writeln!(text, "{}", table_line(row, &seeds));
        }
    }
    text
}

/// The file of a section's plot.
pub fn file_name(section: &Section, figure: &str) -> String {
    format!("{}-{figure}.svg", section.name)
}

fn section_text(section: &Section) -> String {
    let Section { title, about, command, .. } = section;
    let mut text = format!("\n## {title}\n\n{about}\n\n");
    for figure in &section.figures {
        let _ = writeln!(text, "![{}]({})\n", figure.title, file_name(section, figure.name));
    }
    let _ = writeln!(text, "Again: `{command}`");
    for row in &section.rows {
        if let Some(scenario) = row.scenario {
            let _ = writeln!(text, "- {}: `docs/scenarios/{scenario}`", row.what);
        }
    }
    text
}

fn table_line(row: &Row, seeds: &str) -> String {
    let Row { what, published, ours, tolerance, inside, .. } = row;
    let value = ours.map_or_else(|| "–".into(), |ours| number(ours.value));
    let trials = ours.map_or(0, |ours| ours.trials);
    let (low, high) = (number(tolerance.0), number(tolerance.1));
    let (interval, inside) =
        (ours.as_ref().map_or_else(|| "–".into(), interval), if *inside { "yes" } else { "**no**" });
    format!("| {what} | {published} | {value} | {interval} | {low}–{high} | {inside} | {trials} | {seeds} |")
}

fn interval(estimate: &Estimate) -> String {
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{}–{}", number(low), number(high)),
        _ => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::experiment::{Experiment, Findings, Outcome, Outcomes};
    use crate::lab::statistics::mean_estimate;

    fn findings(outcomes: &Outcomes) -> Findings {
        let ours = mean_estimate(&outcomes.values("x", 1.0));
        let rows = vec![Row::new("near", "5", ours, (4.0, 6.0)), Row::new("far", "9", ours, (8.0, 10.0))];
        Findings { rows, figures: Vec::new() }
    }

    #[test]
    fn the_table_says_what_is_inside_and_what_is_not() {
        let experiment = Experiment { name: "x", title: "X", about: "About X.", trials: |_| Vec::new(), findings };
        let sample = |value| crate::lab::experiment::Sample::new("x", 1.0, value);
        let trials = [4.0, 5.0, 6.0].map(|value| Outcome {
            variant: "".into(),
            seed: value as u64,
            samples: vec![sample(value)],
        });
        let report = Report::new(vec![Section::new(&experiment, Outcomes(trials.into()), "again".into())]);
        let text = write(&report);
        assert!(text.contains("1 of 2 values lie inside"));
        assert!(text.contains("| near | 5 | 5 | 2.5–7.5 | 4–6 | yes | 3 | 4–6 |"), "{text}");
        assert!(text.contains("| far | 9 | 5 | 2.5–7.5 | 8–10 | **no** | 3 | 4–6 |"), "{text}");
        assert!(text.contains("Again: `again`"));
    }
}
