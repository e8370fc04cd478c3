//! `bolthole compare`: runs one workload over every overlay on all processors and writes what it comes to.
//!
//! What is run and how it is told are values of `lab::comparison`; here are the threads, the clock and the files.

mod earlier;
mod folder;

use serde_json::{Value, json};

use self::folder::Folder;
use super::arguments::CompareOptions;
use super::crew::{Crew, Done};
use super::failure::Failure;
use super::interrupt;
use super::memory;
use super::output::Output;
use super::seeds;
use crate::lab::comparison::base::Base;
use crate::lab::comparison::compared::Compared;
use crate::lab::comparison::report::Comparison;
use crate::lab::comparison::variation::{BASE, VARIATIONS, Variation};
use crate::lab::comparison::{self, Plan, plots, text};
use crate::lab::experiment::{Outcome, Outcomes, Sample};
use crate::sim::scenario::ModeName;

/// Runs the command.
pub(crate) fn run(options: &CompareOptions, output: &mut Output) -> Result<(), Failure> {
    interrupt::watch();
    let (comparison, folder) = if options.merge.is_empty() {
        measure(options, output.json())?
    } else {
        (earlier::read(&options.merge)?, Folder::make(&options.out)?)
    };
    folder.write("comparison.md", &text::markdown(&comparison))?;
    let values = serde_json::to_string_pretty(&comparison).expect("a comparison holds plain values");
    folder.write("comparison.json", &values)?;
    for plot in plots::plots(&comparison) {
        folder.write(&plot.file(), &plot.draw())?;
    }
    let ended = format!("{}\nReport, measurements and plots: {}", text::terminal(&comparison), options.out.display());
    output.result(&to_json(&comparison, options), &ended);
    Ok(())
}

fn measure(options: &CompareOptions, quiet: bool) -> Result<(Comparison, Folder), Failure> {
    let seeds = seeds::range(&options.seeds)?;
    let base = Base::new(options.nodes, options.lookups);
    let variations: Vec<Variation> = VARIATIONS.iter().copied().filter(|one| options.all || one.usual).collect();
    let plan = |mode: &ModeName| comparison::plan(&base, *mode, options.all, seeds.clone());
    let plans: Vec<Plan> = chosen(&options.only)?.iter().map(plan).collect();
    check(options, &plans)?;
    // Nothing is worse than an hour's work that cannot be written.
    let folder = Folder::make(&options.out)?;
    let trials: Vec<_> = plans.iter().map(|plan| plan.trials.clone()).collect();
    let done = Crew::new(options.threads).run(&trials, !quiet);
    let compared = |(plan, done): (Plan, Vec<Done>)| {
        Compared::new(plan.mode, base.nodes, Outcomes(done.into_iter().map(timed).collect()), plan.refused)
    };
    let modes = plans.into_iter().zip(done).map(compared).collect();
    Ok((Comparison::new(base.clone(), variations, modes), folder))
}

/// A trial's outcome with the one measure that only a real clock knows.
fn timed(done: Done) -> Outcome {
    let mut outcome = done.outcome;
    outcome.samples.push(Sample::new("wall_seconds", 0.0, done.seconds));
    outcome
}

fn chosen(names: &[String]) -> Result<Vec<ModeName>, Failure> {
    let is = |mode: &ModeName, name: &String| mode.to_string() == *name;
    if let Some(unknown) = names.iter().find(|name| !ModeName::ALL.iter().any(|mode| is(mode, name))) {
        let all: Vec<String> = ModeName::ALL.iter().map(ToString::to_string).collect();
        return Err(Failure::usage(format!("there is no overlay {unknown}; there are {}", all.join(", "))));
    }
    let is_chosen = |mode: &ModeName| names.is_empty() || names.iter().any(|name| is(mode, name));
    Ok(ModeName::ALL.iter().copied().filter(is_chosen).collect())
}

/// Refuses a workload that no overlay can go through, or that does not fit the memory.
fn check(options: &CompareOptions, plans: &[Plan]) -> Result<(), Failure> {
    if options.lookups == 0 {
        return Err(Failure::usage("--lookups must be at least 1"));
    }
    // Without its base no overlay can be compared, whatever else it can go through.
    if let Some(sentence) = plans.first().and_then(|plan| plan.refused.get(BASE))
        && plans.iter().all(|plan| plan.refused.contains_key(BASE))
    {
        return Err(Failure::usage(sentence.clone()));
    }
    let free = memory::free();
    let checked = plans.iter().flat_map(|plan| &plan.trials).try_for_each(|trial| trial.scenario.check(free));
    checked.map_err(|error| Failure::failed(error.to_string()))
}

/// The comparison without its thousands of samples: those are in the file.
fn to_json(comparison: &Comparison, options: &CompareOptions) -> Value {
    let mode = |mode: &Compared| json!({ "mode": mode.mode, "measures": mode.measures, "refused": mode.refused });
    json!({
        "workload": comparison.workload,
        "seeds": comparison.seeds(),
        "variations": comparison.variations,
        "modes": comparison.modes.iter().map(mode).collect::<Vec<_>>(),
        "claims": comparison.claims,
        "out": options.out,
    })
}
