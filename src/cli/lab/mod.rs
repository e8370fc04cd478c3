//! `bolthole lab`: runs experiments and attacks on all processors and writes what they come to.
//!
//! The experiments are values of the module `lab`; here are the threads, the progress bar and the files.

mod attack;
mod earlier;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::lab::{LabCommand, LabOptions};
use super::crew::{Crew, Done};
use super::failure::Failure;
use super::memory;
use super::output::Output;
use super::seeds;
use crate::lab::experiment::{Effort, Experiment, Outcomes, Trial};
use crate::lab::report::{Report, Section};
use crate::lab::{FREENET, markdown, svg};

/// Runs the command.
pub(crate) fn run(command: &LabCommand, output: &mut Output) -> Result<(), Failure> {
    if let Some((name, options)) = command.attack() {
        return attack::run(name, options, output);
    }
    match command {
        LabCommand::Freenet(options) if options.list => {
            list(output);
            Ok(())
        }
        LabCommand::Freenet(options) => freenet(options, output),
        LabCommand::Unknown(words) => {
            let name = words.first().map_or("", String::as_str);
            Err(Failure::usage(format!("there is no experiment or attack {name}; `bolthole lab --help` names them")))
        }
        _ => Ok(()),
    }
}

fn list(output: &mut Output) {
    let lines: Vec<String> = FREENET.iter().map(|one| format!("{:<24} {}", one.name, one.title)).collect();
    let all: Vec<Value> = FREENET.iter().map(|one| json!({ "name": one.name, "title": one.title })).collect();
    output.result(&json!({ "experiments": all }), &lines.join("\n"));
}

fn freenet(options: &LabOptions, output: &mut Output) -> Result<(), Failure> {
    // Nothing is worse than an hour's work that cannot be written.
    let make = || make_folder(&options.out);
    let sections = if options.merge.is_empty() {
        measure(options, make, output.json())?
    } else {
        let sections = earlier::read(&options.merge)?;
        make()?;
        sections
    };
    let report = Report::new(sections);
    write(&report, &options.out)?;
    output.result(&to_json(&report, &options.out), &text(&report, &options.out));
    Ok(())
}

fn measure(options: &LabOptions, make: impl Fn() -> Result<(), Failure>, quiet: bool) -> Result<Vec<Section>, Failure> {
    let chosen = chosen(options)?;
    let plans = chosen.iter().map(|one| trials(one, options)).collect::<Result<Vec<_>, _>>()?;
    if plans.iter().all(Vec::is_empty) {
        return Err(Failure::usage("no trial of these experiments has such a seed"));
    }
    check_memory(&plans)?;
    make()?;
    let outcomes = Crew::new(options.threads).run(&plans, !quiet);
    let sections = chosen.iter().zip(outcomes).filter(|(_, done)| !done.is_empty());
    let outcomes = |done: Vec<Done>| Outcomes(done.into_iter().map(|one| one.outcome).collect());
    Ok(sections.map(|(one, done)| Section::new(one, outcomes(done), again(one, options))).collect())
}

fn chosen(options: &LabOptions) -> Result<Vec<&'static Experiment>, Failure> {
    if let Some(unknown) = options.only.iter().find(|name| FREENET.iter().all(|one| one.name != **name)) {
        return Err(Failure::usage(format!(
            "there is no experiment {unknown}; `bolthole lab freenet --list` names them"
        )));
    }
    let is_chosen = |one: &&Experiment| options.only.is_empty() || options.only.iter().any(|name| name == one.name);
    Ok(FREENET.iter().filter(is_chosen).collect())
}

fn trials(experiment: &Experiment, options: &LabOptions) -> Result<Vec<Trial>, Failure> {
    let effort = if options.quick { Effort::Quick } else { Effort::Full };
    let mut trials = (experiment.trials)(effort);
    if let Some(text) = &options.seeds {
        let seeds = seeds::range(text)?;
        trials.retain(|trial| seeds.contains(&trial.scenario.seed));
    }
    Ok(trials)
}

fn check_memory(plans: &[Vec<Trial>]) -> Result<(), Failure> {
    let free = memory::free();
    let checked = plans.iter().flatten().try_for_each(|trial| trial.scenario.check(free));
    checked.map_err(|error| Failure::failed(error.to_string()))
}

/// The command that runs an experiment again.
fn again(experiment: &Experiment, options: &LabOptions) -> String {
    let quick = if options.quick { " --quick" } else { "" };
    let seeds = options.seeds.as_ref().map(|seeds| format!(" --seeds {seeds}")).unwrap_or_default();
    format!("bolthole lab freenet --only {}{quick}{seeds}", experiment.name)
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::failed(format!("cannot make {}: {error}", folder.display())))
}

fn write(report: &Report, folder: &Path) -> Result<(), Failure> {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
    };
    file("report.md", &markdown::write(report))?;
    let values = serde_json::to_string_pretty(report).expect("a report holds plain values");
    file("report.json", &values)?;
    for section in &report.sections {
        for figure in &section.figures {
            file(&markdown::file_name(section, figure.name), &svg::draw(figure))?;
        }
    }
    Ok(())
}

/// The report without its thousands of samples: those are in the file.
fn to_json(report: &Report, folder: &Path) -> Value {
    let section = |section: &Section| {
        json!({
            "name": section.name, "title": section.title, "command": section.command,
            "seeds": section.trials.seeds(), "rows": section.rows,
        })
    };
    let sections: Vec<Value> = report.sections.iter().map(section).collect();
    json!({ "lines": report.lines, "inside": report.inside, "out": folder, "experiments": sections })
}

fn text(report: &Report, folder: &Path) -> String {
    let mut lines = Vec::new();
    for section in &report.sections {
        lines.push(format!("{}, seeds {}", section.title, section.trials.seeds()));
        for row in &section.rows {
            let ours = row.ours.map_or_else(|| "–".into(), |ours| crate::lab::axis::number(ours.value));
            let mark = if row.inside { "" } else { "  outside its tolerance" };
            lines.push(format!("  {:<72} published {:<12} ours {ours}{mark}", row.what, row.published));
        }
    }
    lines.push(format!("{} Report and plots: {}", markdown::verdict(report), folder.display()));
    lines.join("\n")
}
