//! `bolthole sim`: a scenario file in, one report out.
//!
//! Reads the file, lays it over the defaults of its mode, refuses what makes no sense or does not fit the memory that is
//! free, and adds to the report what only a real clock knows. The simulation itself is in `sim`.
#![allow(clippy::disallowed_types, reason = "events per second need a real clock")]

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use toml::{Table, Value as Toml};

use super::arguments::SimOptions;
use super::failure::Failure;
use super::memory;
use super::output::Output;
use super::progress::Progress;
use super::seeds;
use crate::sim::distribution::Summary;
use crate::sim::report::Report;
use crate::sim::run::run as run_scenario;
use crate::sim::scenario::{ModeName, Scenario};

/// Runs the command.
pub(crate) fn run(options: &SimOptions, output: &mut Output) -> Result<(), Failure> {
    if let Some(mode) = &options.defaults {
        return defaults(mode, output);
    }
    let path = options.scenario.as_deref().expect("clap requires it without --defaults");
    let first = read(path)?;
    first.check(memory::free()).map_err(|error| Failure::usage(error.to_string()))?;
    let Some(seeds) = &options.seeds else {
        let report = timed(&first, output);
        output.result(&to_json(&report), &text(&report));
        return Ok(());
    };
    let mut reports = Vec::new();
    for seed in seeds::range(seeds)? {
        reports.push(timed(&Scenario { seed, ..first.clone() }, output));
    }
    let spread = spread(&reports);
    let value = json!({ "trials": reports.iter().map(to_json).collect::<Vec<_>>(), "spread": spread });
    output.result(&value, &spread_text(&reports, &spread));
    Ok(())
}

fn defaults(mode: &str, output: &mut Output) -> Result<(), Failure> {
    let mode = mode_of(mode)?;
    let table = defaults_of(mode, NODES)?;
    let text = toml::to_string(&table).map_err(|error| Failure::failed(error.to_string()))?;
    let value = serde_json::to_value(Scenario::defaults(mode, NODES)).map_err(|e| Failure::failed(e.to_string()))?;
    output.result(&value, &text);
    Ok(())
}

/// Reads a scenario and fills in the defaults.
fn read(path: &Path) -> Result<Scenario, Failure> {
    let name = path.display();
    let text = content(path).map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))?;
    parse(&text).map_err(|sentence| Failure::usage(format!("{name}: {sentence}")))
}

/// What a scenario says.
pub(crate) fn parse(text: &str) -> Result<Scenario, String> {
    let wanted: Table = toml::from_str(text).map_err(|error| sentence(&error))?;
    let mode = match wanted.get("mode") {
        Some(Toml::String(name)) => mode_of(name).map_err(|failure| failure.sentence)?,
        Some(_) => return Err("`mode` is the name of an overlay in quotes".into()),
        None => return Err("`mode` is missing: which overlay?".into()),
    };
    let nodes = match wanted.get("nodes") {
        None => NODES,
        Some(value) => value
            .as_integer()
            .and_then(|nodes| u32::try_from(nodes).ok())
            .ok_or("`nodes` is a whole number between 2 and 4294967295")?,
    };
    let mut table = defaults_of(mode, nodes).map_err(|failure| failure.sentence)?;
    lay_over(&mut table, wanted);
    table.try_into().map_err(|error| sentence(&error))
}

fn mode_of(name: &str) -> Result<ModeName, Failure> {
    let found = ModeName::ALL.iter().copied().find(|mode| mode.to_string() == name);
    found.ok_or_else(|| {
        let names: Vec<String> = ModeName::ALL.iter().map(ToString::to_string).collect();
        Failure::usage(format!("there is no overlay {name}; there are {}", names.join(", ")))
    })
}

fn defaults_of(mode: ModeName, nodes: u32) -> Result<Table, Failure> {
    Table::try_from(Scenario::defaults(mode, nodes)).map_err(|error| Failure::failed(error.to_string()))
}

/// Replaces the values in `table` by those in `wanted`, table by table. Unknown keys stay, so that reading refuses them.
fn lay_over(table: &mut Table, wanted: Table) {
    for (key, value) in wanted {
        match (table.get_mut(&key), value) {
            (Some(Toml::Table(below)), Toml::Table(above)) => lay_over(below, above),
            // A whole number is meant where a fraction stands: `loss = 0`.
            (Some(below @ Toml::Float(_)), Toml::Integer(whole)) => *below = Toml::Float(whole as f64),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

fn timed(scenario: &Scenario, output: &Output) -> Report {
    let mut progress = Progress::steps(!output.json());
    let begun = Instant::now();
    let mut show = |done: u64, of: u64| {
        progress.total(of);
        progress.set(done);
    };
    let mut report = run_scenario(scenario, &mut show);
    let seconds = begun.elapsed().as_secs_f64();
    report.wall_seconds = Some(seconds);
    report.events_per_second = Some(report.events as f64 / seconds);
    report.peak_memory_bytes = memory::peak();
    report
}

fn to_json(report: &Report) -> Value {
    serde_json::to_value(report).expect("a report holds plain values")
}

/// The quartiles of every trial's path, averaged as the papers do, and the median over trials.
fn spread(reports: &[Report]) -> Value {
    let column = |value: fn(&Summary) -> f64| -> Option<(f64, f64)> {
        let values: Option<Vec<f64>> = reports
            .iter()
            .map(|report| report.path_with_failures.as_ref().or(report.hops.as_ref()).map(value))
            .collect();
        Summary::of(values?).map(|summary| (summary.mean, summary.p50))
    };
    let quartiles = [column(|path| path.p25), column(|path| path.p50), column(|path| path.p75)];
    let of = |pick: fn((f64, f64)) -> f64| quartiles.map(|column| column.map(pick));
    let success: Vec<f64> = reports.iter().filter_map(|report| report.success).collect();
    json!({
        "trials": reports.len(),
        "mean_of_quartiles": of(|column| column.0),
        "median_of_quartiles": of(|column| column.1),
        "success": Summary::of(success),
    })
}

fn spread_text(reports: &[Report], spread: &Value) -> String {
    let all: Vec<String> =
        reports.iter().map(|report| format!("seed {}\n{}", report.scenario.seed, text(report))).collect();
    format!("{}\n\nover all seeds: {spread}", all.join("\n\n"))
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} nodes of {} in {}, seed {}",
        report.scenario.nodes,
        report.scenario.mode,
        serde_json::to_string(&report.fidelity).unwrap_or_default().trim_matches('"'),
        report.scenario.seed
    )];
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{name:<26} {value}"));
        }
    };
    let quartiles = |summary: &Option<Summary>| {
        summary.map(|s| format!("{:.1} / {:.1} / {:.1}   mean {:.2}, 99 % {:.1}", s.p25, s.p50, s.p75, s.mean, s.p99))
    };
    line("success", report.success.map(|share| format!("{:.3} %", share * 100.0)));
    line("  of what still exists", report.success_of_existing.map(|share| format!("{:.3} %", share * 100.0)));
    line("hops, quartiles", quartiles(&report.hops));
    line("path as in the paper", quartiles(&report.path_with_failures));
    line("latency ms", quartiles(&report.latency_ms));
    line("messages per lookup", report.messages_per_lookup.map(|count| format!("{count:.1}")));
    line("links", report.degree.as_ref().and_then(|degree| quartiles(&Some(degree.summary))));
    line("full tables", report.degree.as_ref().map(|degree| format!("{:.1} %", degree.full * 100.0)));
    line("copies per document", quartiles(&report.copies_per_document));
    line("events per second", report.events_per_second.map(|rate| format!("{:.2} M", rate / 1e6)));
    line("wall seconds", report.wall_seconds.map(|seconds| format!("{seconds:.1}")));
    lines.join("\n")
}

/// One sentence out of the parser's several lines.
fn sentence(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

fn content(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        return std::io::stdin().read_to_string(&mut text).map(|_| text);
    }
    std::fs::read_to_string(path)
}

/// The default number of nodes.
const NODES: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::FREENET;
    use crate::lab::experiment::Outcomes;

    #[test]
    fn every_ready_scenario_is_possible() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scenarios");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).expect("there are ready scenarios") {
            let path = entry.expect("a readable folder").path();
            let scenario = read(&path).map_err(|failure| failure.sentence).expect("it parses");
            assert_eq!(scenario.check(u64::MAX), Ok(()), "{}", path.display());
            count += 1;
        }
        assert!(count > 0);
    }

    #[test]
    fn what_freenet_cannot_simulate_is_refused_by_name() {
        for (line, part) in [
            ("neighbors = 3", "neighbors"),
            ("prerouting = true", "freenet.prerouting is not available yet"),
            ("neighbours = 49", "freenet.neighbours is between 8 and 48, not 49"),
        ] {
            let text = format!("mode = \"freenet\"\n[freenet]\n{line}\n");
            let sentence = match parse(&text) {
                Err(sentence) => sentence,
                Ok(scenario) => scenario.check(u64::MAX).map_err(|error| error.to_string()).expect_err("impossible"),
            };
            assert!(sentence.contains(part), "{sentence}");
        }
        let large = parse("mode = \"freenet\"\nnodes = 1000000").expect("it parses");
        let sentence = large.check(1 << 30).map_err(|error| error.to_string()).expect_err("too large");
        assert!(sentence.contains("needs about"), "{sentence}");
    }

    #[test]
    fn every_scenario_that_a_report_names_exists_and_states_the_published_value() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scenarios");
        let rows = FREENET.iter().flat_map(|one| (one.findings)(&Outcomes::default()).rows);
        let named: Vec<&str> = rows.filter_map(|row| row.scenario).collect();
        assert!(named.len() > 10, "{named:?}");
        for name in named {
            let text = std::fs::read_to_string(Path::new(folder).join(name));
            let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(text.contains("# Published: "), "{name} states no published value");
        }
    }
}
