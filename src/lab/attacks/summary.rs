//! Findings as text: lines for a terminal, and a Markdown report with the table of all attacks and every rule apart.

use std::fmt::Write;

use crate::lab::attacks::finding::{Finding, Row};
use crate::lab::attacks::line::Line;
use crate::lab::axis::number;

/// A few lines for a terminal.
pub fn lines(finding: &Finding) -> String {
    let Finding { attack, build, nodes, colluders, headline, control, .. } = finding;
    let mut text = format!("{attack} on {build}: {nodes} nodes, {} colluding\n", percent(Some(*colluders)));
    if headline.recall.is_some() {
        let _ = writeln!(text, "  {:<58} {}", headline.measure, share(headline.recall));
        let _ = writeln!(text, "  {:<58} {}", "upper 95 % limit", share(headline.upper95));
        let _ = writeln!(text, "  {:<58} {}  {}", "goal", share(headline.goal), verdict(headline.met));
        let told = [
            ("precision", headline.precision),
            ("area under the curve", headline.auc),
            ("true positives at 0.1 % false ones", headline.tpr_at_fpr),
            ("bits lost of the anonymity set", headline.entropy_loss_bits),
            ("bits left to the 5 % of users worst off", headline.min_entropy_p5_bits),
            ("share of actions that a colluder saw", headline.visibility),
        ];
        for (name, value) in told.into_iter().filter(|(_, value)| value.is_some()) {
            let _ = writeln!(text, "  {name:<58} {}", share(value));
        }
        let _ = writeln!(text, "  {:<58} {}", "samples", headline.samples);
    }
    for row in &finding.parts {
        let name = if row.colluders > 0.0 {
            format!("{}: {}, {}", row.build, row.what, percent(Some(row.colluders)))
        } else {
            format!("{}: {}", row.build, row.what)
        };
        let _ = writeln!(text, "    {name:<56} {} ≤ {}", share(row.value), share(row.upper95));
    }
    for line in &finding.lines {
        let name = format!("{}: {}, {}", line.goal, line.what, percent(Some(line.colluders)));
        let (before, after, upper) = (share(line.before), share(line.after), share(line.upper95));
        let (sign, verdict) = (if line.is_least { "≥" } else { "≤" }, verdict(line.met));
        let bound = share(Some(line.bound));
        let _ = writeln!(text, "  {name:<58} before {before} after {after} ({upper}) {sign} {bound}  {verdict}");
    }
    for control in std::iter::once(control).chain(&finding.controls) {
        let reached = if control.reached { "reached" } else { "NOT REACHED" };
        let name = format!("control, {}: {}", control.build, control.measure);
        let _ = writeln!(text, "  {name:<58} {} of {}: {reached}", share(control.value), share(Some(control.level)));
    }
    text
}

/// The report. Plots are expected beside it, under [`file_name`].
pub fn markdown(findings: &[Finding], command: &str) -> String {
    let mut text = String::from("# Attacks on our own code\n\n");
    text.push_str(&goals(findings, command));
    text.push_str("\n## Headlines\n\n");
    text.push_str(&table(findings, command));
    for finding in findings {
        let _ = writeln!(text, "\n## {}: {}\n", finding.attack, finding.title);
        for figure in &finding.figures {
            let _ = writeln!(text, "![{}]({})\n", figure.title, file_name(finding, figure.name));
        }
        text.push_str(&rules(&finding.parts));
    }
    text
}

/// The table of goals: before, after, bound and floor of each, with the control that had to fall.
pub fn goals(findings: &[Finding], command: &str) -> String {
    let mut text = String::from(
        "| goal | what | colluders | before | after | upper 95 % | bound | floor | met | control: value of level | samples |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|---|---|\n");
    let lines = findings.iter().flat_map(|finding| finding.lines.iter().map(move |line| (finding.attack, line)));
    let mut lines: Vec<(&str, &Line)> = lines.collect();
    lines.sort_by_key(|(_, line)| line.goal[1..].parse::<u32>().unwrap_or(u32::MAX));
    for (attack, line) in lines {
        let control = &line.control;
        let _ = writeln!(
            text,
            "| {} `{attack}` | {} | {} | {} | {} | {} | {} {} | {} | {} | {}: {} of {} | {} |",
            line.goal,
            line.what,
            if line.colluders > 0.0 { percent(Some(line.colluders)) } else { "–".into() },
            share(line.before),
            share(line.after),
            share(line.upper95),
            if line.is_least { "≥" } else { "≤" },
            share(Some(line.bound)),
            share(line.floor),
            verdict(line.met),
            control.build,
            share(control.value),
            share(Some(control.level)),
            line.samples,
        );
    }
    let _ = writeln!(text, "\nGiven again by `{command}`.");
    text
}

/// One line for each attack.
pub fn table(findings: &[Finding], command: &str) -> String {
    let mut text = String::from(
        "| attack | colluders | control: value of level | measured | upper 95 % | goal | met | samples | command |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|\n");
    for finding in findings {
        let (headline, control) = (&finding.headline, &finding.control);
        let reached = format!("{} of {}", share(control.value), share(Some(control.level)));
        let _ = writeln!(
            text,
            "| {}: {} | {} | {}: {reached} | {} | {} | {} | {} | {} | `{command}` |",
            finding.attack,
            headline.measure,
            percent(Some(finding.colluders)),
            control.build,
            share(headline.recall),
            share(headline.upper95),
            share(headline.goal),
            verdict(headline.met),
            headline.samples,
        );
    }
    text
}

/// The file of a finding's plot.
pub fn file_name(finding: &Finding, figure: &str) -> String {
    format!("{}-{figure}.svg", finding.attack)
}

fn rules(rows: &[Row]) -> String {
    let mut text = String::from(
        "| build | | colluders | measured | upper 95 % | goal | met | samples |\n|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let Row { build, what, colluders, value, upper95, goal, met, samples } = row;
        let _ = writeln!(
            text,
            "| {build} | {what} | {} | {} | {} | {} | {} | {samples} |",
            if *colluders > 0.0 { percent(Some(*colluders)) } else { "–".into() },
            share(*value),
            share(*upper95),
            share(*goal),
            verdict(*met),
        );
    }
    text
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "–",
    }
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{} %", number(value * 100.0)))
}

/// A share to four places: small ones matter here.
fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.4}"))
}
