//! What earlier runs measured, read from their reports.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::failure::Failure;
use crate::lab::FREENET;
use crate::lab::experiment::{Experiment, Outcome, Outcomes};
use crate::lab::report::Section;

/// Of a report, what was measured; all else follows from it.
#[derive(Deserialize)]
struct Earlier {
    sections: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    name: String,
    command: String,
    trials: Outcomes,
}

/// The sections of several reports together. A trial that was run twice counts once.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Section>, Failure> {
    let mut all = Vec::new();
    for file in files {
        all.extend(sections(file)?);
    }
    let of = |one: &Experiment| together(one, &all);
    Ok(FREENET.iter().filter_map(of).collect())
}

fn sections(file: &Path) -> Result<Vec<Measured>, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))?;
    let earlier: Earlier =
        serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{name} is no report: {error}")))?;
    match earlier.sections.iter().find(|one| FREENET.iter().all(|known| known.name != one.name)) {
        Some(unknown) => Err(Failure::usage(format!("{name} speaks of {}, which is no experiment", unknown.name))),
        None => Ok(earlier.sections),
    }
}

fn together(experiment: &Experiment, all: &[Measured]) -> Option<Section> {
    let parts = || all.iter().filter(|part| part.name == experiment.name);
    let mut trials = Outcomes::default();
    for outcome in parts().flat_map(|part| &part.trials.0) {
        let same = |known: &Outcome| known.seed == outcome.seed && known.variant == outcome.variant;
        if !trials.0.iter().any(same) {
            trials.0.push(outcome.clone());
        }
    }
    trials.0.sort_by_key(|outcome| outcome.seed);
    let mut commands: Vec<&str> = parts().map(|part| part.command.as_str()).collect();
    commands.sort_unstable();
    commands.dedup();
    (!trials.0.is_empty()).then(|| Section::new(experiment, trials, commands.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_read_back_to_the_last_bit() {
        // Measured, and read a bit too high by a parser that hurries.
        let text = r#"{"sections":[{"name":"x","command":"c","trials":[{"seed":5,"samples":[
            {"name":"hops","at":5000.0,"value":9.101419878296147}]}]}]}"#;
        let earlier: Earlier = serde_json::from_str(text).expect("a report");
        assert_eq!(earlier.sections[0].trials.values("hops", 5_000.0), vec![9.101_419_878_296_147]);
    }
}
