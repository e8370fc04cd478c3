//! `bolthole lab` on the command line: the experiments, and every attack by its name.
//!
//! An attack that waits for what is not built has its name here too, so that help and completions show what is to come.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `bolthole lab`.
#[derive(Debug, Subcommand)]
pub(crate) enum LabCommand {
    /// Reproduce the published figures of Freenet; write a table, the measurements and plots.
    Freenet(LabOptions),
    /// Accuse whoever the first colluder had a key from.
    FirstSpy(AttackOptions),
    /// Accuse whoever came before a colluder most often while a file was fetched.
    Predecessor(AttackOptions),
    /// Compare numbers of pinned middles, and networks in which few nodes relay.
    Middles(AttackOptions),
    /// Count how many blocks of a file a neighbour asks for (Levine).
    Levine(AttackOptions),
    /// Trace an inserter by predicted keys, moving towards it.
    MobileTracing(AttackOptions),
    /// Follow a request back by asking others for it again.
    Traceback(AttackOptions),
    /// Ask a node for a block to learn whether it fetched it.
    CacheProbe(AttackOptions),
    /// Hide a key by being near it.
    EclipseKey(AttackOptions),
    /// Look for a block on a disk that was taken.
    Seizure(AttackOptions),
    /// Wait 90 days for a guard that colludes.
    GuardChurn(AttackOptions),
    /// Watch sizes and times on the link to a guard.
    LinkTap(AttackOptions),
    /// Crowd the directory of relays.
    DirectorySybil(AttackOptions),
    /// Tell of no relay that does not collude.
    DirectoryViews(AttackOptions),
    /// Drop what none of one's own guards, so that clients leave honest guards.
    SelectiveDenial(AttackOptions),
    /// Measure what pre-routing costs.
    Cost(AttackOptions),
    /// Every attack that can be run.
    All(AttackOptions),
    /// What is none of these.
    #[command(external_subcommand)]
    Unknown(Vec<String>),
}

impl LabCommand {
    /// The attack by its name, if it is one.
    pub(crate) const fn attack(&self) -> Option<(&'static str, &AttackOptions)> {
        Some(match self {
            Self::FirstSpy(options) => ("first-spy", options),
            Self::Predecessor(options) => ("predecessor", options),
            Self::Middles(options) => ("middles", options),
            Self::Levine(options) => ("levine", options),
            Self::MobileTracing(options) => ("mobile-tracing", options),
            Self::Traceback(options) => ("traceback", options),
            Self::CacheProbe(options) => ("cache-probe", options),
            Self::EclipseKey(options) => ("eclipse-key", options),
            Self::Seizure(options) => ("seizure", options),
            Self::GuardChurn(options) => ("guard-churn", options),
            Self::LinkTap(options) => ("link-tap", options),
            Self::DirectorySybil(options) => ("directory-sybil", options),
            Self::DirectoryViews(options) => ("directory-views", options),
            Self::SelectiveDenial(options) => ("selective-denial", options),
            Self::Cost(options) => ("cost", options),
            Self::All(options) => ("all", options),
            Self::Freenet(_) | Self::Unknown(_) => return None,
        })
    }
}

/// `bolthole lab ATTACK`.
#[derive(Args, Debug)]
pub(crate) struct AttackOptions {
    /// Nodes of each network.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(50..=100_000))]
    pub(crate) nodes: u32,
    /// The fraction of them that colludes, above 0 and at most 0.5.
    #[arg(long, value_name = "F", default_value_t = 0.1, value_parser = fraction)]
    pub(crate) colluders: f64,
    /// The seed of the first network.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Networks of the build under attack, where an attack takes several: more of them narrow the limits [default: 4].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) networks: Option<u16>,
    /// Run the positive control only.
    #[arg(long)]
    pub(crate) control_only: bool,
    /// Write report.md, report.json and plots there; made if it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Networks run at once [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

fn fraction(text: &str) -> Result<f64, String> {
    let is_one = |value: &f64| *value > 0.0 && *value <= 0.5;
    text.parse().ok().filter(is_one).ok_or_else(|| "a fraction is above 0 and at most 0.5".to_owned())
}

/// `bolthole lab freenet`.
#[derive(Args, Debug)]
pub(crate) struct LabOptions {
    /// Where to write report.md, report.json and the plots; made if it does not exist.
    #[arg(long, value_name = "DIR", default_value = "lab-freenet")]
    pub(crate) out: PathBuf,
    /// Run this experiment only; may be given several times.
    #[arg(long, value_name = "EXPERIMENT")]
    pub(crate) only: Vec<String>,
    /// Few trials of small networks: shows in seconds that it works, and proves nothing.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Run only trials with these seeds, e.g. 1..10.
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<String>,
    /// Trials run at once [default: as many as there are processors].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Measure nothing; write one report from what earlier runs measured, by their report.json.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["only", "quick", "seeds", "threads"])]
    pub(crate) merge: Vec<PathBuf>,
    /// List the experiments and do nothing else.
    #[arg(long)]
    pub(crate) list: bool,
}
