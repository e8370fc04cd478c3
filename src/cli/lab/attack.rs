//! `bolthole lab ATTACK`: runs the networks of attacks on all processors; prints and writes what they come to.
//!
//! The attacks are values of the module `lab`; here are the threads and the files. A control that does not fall fails the
//! command, for then the attack has shown nothing.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::super::arguments::lab::AttackOptions;
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::progress::Progress;
use crate::lab::attacks::attack::{Attack, Job, Parts};
use crate::lab::attacks::finding::Finding;
use crate::lab::attacks::part::{Part, Plan};
use crate::lab::attacks::{ATTACKS, summary};
use crate::lab::svg;

/// Runs the attack `name`, or with the name `all` every one there is.
pub(super) fn run(name: &str, options: &AttackOptions, output: &mut Output) -> Result<(), Failure> {
    let chosen: Vec<&Attack> = ATTACKS.iter().filter(|attack| name == ALL || attack.name == name).collect();
    let plan = plan(options);
    if let Some(folder) = &options.out {
        make_folder(folder)?;
    }
    let findings: Vec<Finding> = chosen.iter().map(|attack| attacked(attack, &plan, options, output.json())).collect();
    if let Some(folder) = &options.out {
        write(&findings, &command(name, options), folder)?;
    }
    output.result(&to_json(name, &findings), &text(&findings));
    verdict(&findings)
}

fn plan(options: &AttackOptions) -> Plan {
    let AttackOptions { nodes, colluders, seed, networks, control_only, .. } = *options;
    Plan { nodes, fraction: colluders, seed, asked_networks: networks, control_only }
}

fn attacked(attack: &Attack, plan: &Plan, options: &AttackOptions, quiet: bool) -> Finding {
    let threads = options.threads.map_or_else(processors, usize::from);
    let done = work_off((attack.jobs)(plan), plan, threads, !quiet);
    (attack.conclude)(plan, &Parts::of(done))
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs all jobs, so many at once; gives what they yielded in their order.
fn work_off(jobs: Vec<Job>, plan: &Plan, threads: usize, show: bool) -> Vec<(Job, Part)> {
    let progress = Mutex::new(Progress::networks(jobs.len() as u64, show));
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let take_turns = || {
        while let Some((at, job)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?)))
        {
            let part = (job.course)(plan, job, &mut |_, _| {});
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((at, part));
            progress.lock().unwrap_or_else(PoisonError::into_inner).set(done.len() as u64);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(take_turns);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(at, part)| (jobs[at], part)).collect()
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::failed(format!("cannot make {}: {error}", folder.display())))
}

fn write(findings: &[Finding], command: &str, folder: &Path) -> Result<(), Failure> {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
    };
    file("report.md", &summary::markdown(findings, command))?;
    let values = serde_json::to_string_pretty(findings).expect("a finding holds plain values");
    file("report.json", &values)?;
    for finding in findings {
        for figure in &finding.figures {
            file(&summary::file_name(finding, figure.name), &svg::draw(figure))?;
        }
    }
    Ok(())
}

/// The command that runs it again.
fn command(name: &str, options: &AttackOptions) -> String {
    let AttackOptions { nodes, colluders, seed, networks, .. } = options;
    let networks = networks.map_or(String::new(), |networks| format!(" --networks {networks}"));
    format!("bolthole lab {name} --nodes {nodes} --colluders {colluders} --seed {seed}{networks}")
}

fn to_json(name: &str, findings: &[Finding]) -> Value {
    match findings {
        [one] if name != ALL => json!(one),
        all => json!({ "results": all }),
    }
}

fn text(findings: &[Finding]) -> String {
    findings.iter().map(summary::lines).collect::<Vec<String>>().join("\n")
}

/// Fails if a control did not fall.
fn verdict(findings: &[Finding]) -> Result<(), Failure> {
    let failed: Vec<String> = findings
        .iter()
        .flat_map(|finding| std::iter::once(&finding.control).chain(&finding.controls).map(move |one| (finding, one)))
        .filter(|(_, control)| !control.reached)
        .map(|(finding, control)| {
            let value = control.value.map_or_else(|| "nothing".into(), |value| format!("{value:.4}"));
            format!(
                "the control of {} did not reach its level: {} of {} is {value}, not {:.4}",
                finding.attack, control.measure, control.build, control.level
            )
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::failed(failed.join("; "))) }
}

/// The name that stands for every attack.
const ALL: &str = "all";
