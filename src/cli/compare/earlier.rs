//! What earlier comparisons measured, read from their comparison.json and joined: the same workload, other seeds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::super::failure::Failure;
use crate::lab::comparison::base::Base;
use crate::lab::comparison::compared::Compared;
use crate::lab::comparison::report::Comparison;
use crate::lab::comparison::variation::VARIATIONS;
use crate::lab::experiment::{Outcome, Outcomes};
use crate::sim::scenario::ModeName;

/// Of a comparison, what was measured; all else follows from it.
#[derive(Deserialize)]
struct Earlier {
    workload: Base,
    modes: Vec<Measured>,
}

#[derive(Deserialize)]
struct Measured {
    mode: ModeName,
    refused: BTreeMap<String, String>,
    trials: Outcomes,
}

/// Several comparisons as one. A trial that was run twice counts once.
pub(super) fn read(files: &[PathBuf]) -> Result<Comparison, Failure> {
    let all = files.iter().map(|file| Ok((file, earlier(file)?))).collect::<Result<Vec<_>, Failure>>()?;
    let workload = all[0].1.workload.clone();
    for (file, earlier) in &all {
        if let Some(difference) = earlier.workload.difference(&workload) {
            let (name, first) = (file.display(), files[0].display());
            return Err(Failure::usage(format!("{name} has another workload than {first}: {difference}")));
        }
    }
    let parts: Vec<Measured> = all.into_iter().flat_map(|(_, earlier)| earlier.modes).collect();
    let of = |mode: &ModeName| together(*mode, &workload, &parts);
    let modes: Vec<Compared> = ModeName::ALL.iter().filter_map(of).collect();
    let ran = |name: &str| {
        modes
            .iter()
            .any(|mode| mode.refused.contains_key(name) || mode.trials.0.iter().any(|trial| trial.variant == name))
    };
    let variations = VARIATIONS.iter().copied().filter(|variation| ran(variation.name)).collect();
    Ok(Comparison::new(workload, variations, modes))
}

fn earlier(file: &Path) -> Result<Earlier, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{name} is no comparison: {error}")))
}

fn together(mode: ModeName, workload: &Base, parts: &[Measured]) -> Option<Compared> {
    let parts = || parts.iter().filter(|part| part.mode == mode);
    parts().next()?;
    let mut trials = Outcomes::default();
    for outcome in parts().flat_map(|part| &part.trials.0) {
        let same = |known: &Outcome| known.seed == outcome.seed && known.variant == outcome.variant;
        if !trials.0.iter().any(same) {
            trials.0.push(outcome.clone());
        }
    }
    let refused = parts().flat_map(|part| part.refused.clone()).collect();
    Some(Compared::new(mode, workload.nodes, trials, refused))
}
