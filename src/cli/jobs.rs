//! `bolthole jobs`: the work that a node has been given, and how it is to go on.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::arguments::{Background, ClientOptions, JobOrder, JobsCommand, JobsOptions};
use super::client::Client;
use super::failure::Failure;
use super::interrupt;
use super::output::Output;
use super::progress::Progress;
use crate::daemon::job::{Inserted, JobChange, JobId, JobRequest, JobState, JobView, Priority, PublishedSite, What};
use crate::daemon::quantity::Size;

/// Runs the command.
pub(crate) fn run(options: &JobsOptions, output: &mut Output) -> Result<(), Failure> {
    let client = |own: &ClientOptions| Client::find(&own.or(&options.client));
    match &options.command {
        None => list(&client(&options.client)?, output),
        Some(JobsCommand::List(own)) => list(&client(&own.client)?, output),
        Some(JobsCommand::Show(job)) => {
            let view = client(&job.client)?.get(&format!("/v1/jobs/{}", job.id))?;
            tell(&view, output);
            Ok(())
        }
        Some(JobsCommand::Pause(job)) => change(&client(&job.client)?, job.id, paused(true), output),
        Some(JobsCommand::Resume(job)) => change(&client(&job.client)?, job.id, paused(false), output),
        Some(JobsCommand::Priority(JobOrder { id, priority, client: own })) => {
            let priority = Some(Priority::from(*priority));
            change(&client(own)?, *id, JobChange { paused: None, priority }, output)
        }
        Some(JobsCommand::Cancel(job)) => {
            client(&job.client)?.cancel(JobId(job.id))?;
            output.result(&json!({ "id": job.id, "cancelled": true }), &format!("job {} is cancelled", job.id));
            Ok(())
        }
        Some(JobsCommand::Wait(job)) => {
            let client = client(&job.client)?;
            interrupt::watch();
            wait(&client, JobId(job.id), output)?;
            tell(&client.get(&format!("/v1/jobs/{}", job.id))?, output);
            Ok(())
        }
    }
}

/// Starts a job that lasts, sending `document` if it needs one. Its end if it was waited for; else its number was told.
pub(super) fn start(
    client: &Client,
    request: &JobRequest,
    document: Option<&mut dyn std::io::Read>,
    background: Background,
    output: &mut Output,
) -> Result<Option<JobState>, Failure> {
    let id = client.start(request)?.id;
    interrupt::watch();
    if let Some(document) = document {
        let cancelling = client.clone();
        interrupt::on_stop(move || cancelling.forget(id));
        if let Err(failure) = client.send(id, document) {
            // The job knows better why the node stopped reading.
            return Err(client.finish(id, |_| {}).err().unwrap_or(failure));
        }
        interrupt::clear();
    }
    if background.wait {
        return wait(client, id, output).map(Some);
    }
    output.result(&json!({ "job": id }), &format!("job {}", id.0));
    Ok(None)
}

/// The file as the node is told of it.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::failed(format!("cannot name {}: {error}", path.display())))
}

fn wait(client: &Client, id: JobId, output: &Output) -> Result<JobState, Failure> {
    let mut progress = Progress::blocks(Some(0), !output.json());
    let mut said = None;
    client.end_of(id, |view| {
        // Of a fetch it is not known how many blocks it takes.
        let (now, total) = share(view).unwrap_or((view.progress.blocks, 0));
        progress.total(total);
        progress.set(now);
        if let JobState::Waiting { sentence: Some(sentence) } = &view.state
            && said.as_ref() != Some(sentence)
        {
            output.note(&format!("job {} waits: {sentence}", id.0));
            said = Some(sentence.clone());
        }
    })
}

const fn paused(paused: bool) -> JobChange {
    JobChange { paused: Some(paused), priority: None }
}

fn change(client: &Client, id: u64, change: JobChange, output: &mut Output) -> Result<(), Failure> {
    tell(&client.change(JobId(id), change)?, output);
    Ok(())
}

#[derive(Deserialize)]
struct List {
    jobs: Vec<JobView>,
}

fn list(client: &Client, output: &mut Output) -> Result<(), Failure> {
    let List { mut jobs } = client.get("/v1/jobs")?;
    let value = json!({ "jobs": jobs });
    jobs.sort_by_key(|view| (view.state.is_end(), view.id));
    let mut text = match jobs.len() {
        0 => "no jobs".to_owned(),
        1 => "1 job".to_owned(),
        more => format!("{more} jobs"),
    };
    for view in &jobs {
        let _ = write!(text, "\n{:>5}  {}", view.id.0, line(view));
    }
    output.result(&value, &text);
    Ok(())
}

fn tell(view: &JobView, output: &mut Output) {
    let value = serde_json::to_value(view).expect("a job holds only plain values");
    let mut text = format!("job {}: {}", view.id.0, line(view));
    match &view.state {
        JobState::Inserted(Inserted { uri, .. }) | JobState::Published(PublishedSite { uri, .. }) => {
            let _ = write!(text, "\n{uri}");
        }
        _ => {}
    }
    output.result(&value, &text);
}

/// How far a job is, and how far it goes: what goes out by the blocks that are stored, what comes in by the bytes that are
/// there.
const fn share(view: &JobView) -> Option<(u64, u64)> {
    let progress = &view.progress;
    match (view.about.what, progress.total_blocks, progress.total_bytes) {
        (What::Insert | What::Publish, Some(all), _) => Some((progress.blocks, all)),
        (What::Fetch | What::Save, _, Some(all)) => Some((progress.bytes, all)),
        _ => None,
    }
}

/// A job in a line.
fn line(view: &JobView) -> String {
    let state = match &view.state {
        JobState::Running => "running",
        JobState::Waiting { .. } => "waiting",
        JobState::Paused { .. } => "paused",
        JobState::Failed(_) => "failed",
        _ => "done",
    };
    let what = match view.about.what {
        What::Insert => "insert",
        What::Fetch => "fetch",
        What::Find => "find",
        What::Publish => "publish",
        What::Save => "save",
    };
    let progress = &view.progress;
    let far = match (share(view), progress.total_bytes) {
        (Some((now, all)), Some(bytes)) if all > 0 => format!("{:>3} % of {}", 100 * now.min(all) / all, Size(bytes)),
        _ => Size(progress.bytes).to_string(),
    };
    let priority = match view.about.priority {
        Priority::Low => ", low priority",
        Priority::Normal => "",
        Priority::High => ", high priority",
    };
    let why = match &view.state {
        JobState::Waiting { sentence: Some(why) } | JobState::Paused { sentence: Some(why) } => format!(": {why}"),
        JobState::Failed(failure) => format!(": {failure}"),
        _ => String::new(),
    };
    let files = progress.total_files.map_or_else(String::new, |all| format!(", {} of {all} files", progress.files));
    format!("{state:<8} {what:<7} {far:>16}{files}, {} blocks{priority}  {}{why}", progress.blocks, view.about.title)
}
