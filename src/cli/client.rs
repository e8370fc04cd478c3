//! The command line as a client of a running node: finding its local interface and asking it.

use std::fs;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, SendBody};

use super::arguments::ClientOptions;
use super::failure::Failure;
use crate::api::TOKEN_HEADER_PREFIX;
use crate::daemon::data_dir::DataDir;
use crate::daemon::job::{JobChange, JobFailure, JobId, JobRequest, JobState, JobView};

/// A running node as its owner's commands see it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
    authorization: String,
    /// Whether every job goes without pre-routing.
    direct: bool,
}

/// What a running node leaves in its data directory for its owner's commands.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Door {
    /// Where the interface listens.
    pub(crate) address: SocketAddr,
    /// The file that holds the token.
    pub(crate) token: PathBuf,
}

impl Client {
    /// Finds the node that `options` mean.
    pub(crate) fn find(options: &ClientOptions) -> Result<Self, Failure> {
        let data = options.place.directory()?;
        let (address, token) = match options.api.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => {
                let address = parse_address(text)?;
                let token =
                    options.token.clone().or_else(|| Door::announced(address)).unwrap_or_else(|| data.file(TOKEN));
                (address, token)
            }
            None => {
                let door = Door::read(&data)?;
                (door.address, options.token.clone().unwrap_or(door.token))
            }
        };
        let token = fs::read_to_string(&token).map_err(|error| no_token(address, &token, &error))?;
        Ok(Self::new(address, token.trim()))
    }

    fn new(address: SocketAddr, token: &str) -> Self {
        // A proxy from the environment must never see the token.
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).max_redirects(0).build();
        Self {
            agent: config.new_agent(),
            base: format!("http://{address}"),
            authorization: format!("{TOKEN_HEADER_PREFIX}{token}"),
            direct: false,
        }
    }

    /// The same, all of whose jobs go without pre-routing if `direct` says so.
    pub(crate) fn going(self, direct: bool) -> Self {
        Self { direct, ..self }
    }

    /// Asks for a value.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.value(self.stream(path)?)
    }

    /// Asks for a body that is read as it comes.
    pub(crate) fn stream(&self, path: &str) -> Result<Response<Body>, Failure> {
        let request = self.agent.get(self.url(path)).header("Authorization", &self.authorization);
        self.checked(request.call())
    }

    /// Asks for a value that is made for this request.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let post = self.agent.post(self.url(path)).header("Authorization", &self.authorization);
        self.value(self.checked(post.send_empty())?)
    }

    /// The address of a path, for others to open.
    pub(crate) fn at(&self, path: &str) -> String {
        self.url(path)
    }

    /// Starts a job.
    pub(crate) fn start(&self, request: &JobRequest) -> Result<JobView, Failure> {
        let request = if self.direct { request.clone().directly() } else { request.clone() };
        let body = serde_json::to_vec(&request).expect("a request holds only plain values");
        let post = self.agent.post(self.url("/v1/jobs")).header("Authorization", &self.authorization);
        self.value(self.checked(post.header("Content-Type", "application/json").send(&body[..]))?)
    }

    /// Sends the document of an insert.
    pub(crate) fn send(&self, id: JobId, document: &mut dyn Read) -> Result<(), Failure> {
        let put = self.agent.put(self.url(&data_path(id))).header("Authorization", &self.authorization);
        self.checked(put.send(SendBody::from_reader(document))).map(|_| ())
    }

    /// Takes the document of a fetch.
    pub(crate) fn take(&self, id: JobId) -> Result<Response<Body>, Failure> {
        self.stream(&data_path(id))
    }

    /// Waits for the end of a job and forgets it; `seen` is told of every step.
    pub(crate) fn finish(&self, id: JobId, seen: impl FnMut(&JobView)) -> Result<JobState, Failure> {
        let end = self.followed(id, seen)?;
        if !matches!(end, JobState::Paused { .. }) {
            self.forget(id);
        }
        outcome(id, end)
    }

    /// Waits for the end of a job that lasts, which is then still remembered; `seen` is told of every step.
    pub(crate) fn end_of(&self, id: JobId, seen: impl FnMut(&JobView)) -> Result<JobState, Failure> {
        outcome(id, self.followed(id, seen)?)
    }

    /// The state in which a job has ended, or rests.
    fn followed(&self, id: JobId, mut seen: impl FnMut(&JobView)) -> Result<JobState, Failure> {
        let mut view: JobView = self.get(&format!("/v1/jobs/{}", id.0))?;
        loop {
            seen(&view);
            match view.state {
                JobState::Running | JobState::Waiting { .. } => {}
                end => return Ok(end),
            }
            view = self.after(id, view.state.name())?;
        }
    }

    /// Where a job stands, at once if that is not the state `seen`; else after a change or a while.
    pub(crate) fn after(&self, id: JobId, seen: &str) -> Result<JobView, Failure> {
        self.get(&format!("/v1/jobs/{}?wait=30&seen={seen}", id.0))
    }

    /// Changes how a job goes on.
    pub(crate) fn change(&self, id: JobId, change: JobChange) -> Result<JobView, Failure> {
        let body = serde_json::to_vec(&change).expect("a change holds only plain values");
        let patch = self.agent.patch(self.url(&format!("/v1/jobs/{}", id.0)));
        let patch = patch.header("Authorization", &self.authorization).header("Content-Type", "application/json");
        self.value(self.checked(patch.send(&body[..]))?)
    }

    /// Ends a job and forgets it.
    pub(crate) fn cancel(&self, id: JobId) -> Result<(), Failure> {
        let delete = self.agent.delete(self.url(&format!("/v1/jobs/{}", id.0)));
        self.checked(delete.header("Authorization", &self.authorization).call()).map(|_| ())
    }

    /// Ends a job and forgets it. The node may have gone; then so has the job.
    pub(crate) fn forget(&self, id: JobId) {
        let delete = self.agent.delete(self.url(&format!("/v1/jobs/{}", id.0)));
        let _ = delete.header("Authorization", &self.authorization).call();
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn value<T: DeserializeOwned>(&self, mut response: Response<Body>) -> Result<T, Failure> {
        let body = response.body_mut().read_to_vec().map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body)
            .map_err(|_| Failure::failed(format!("what answers at {} is not a node of this version", self.base)))
    }

    fn checked(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Failure> {
        let mut response = sent.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body: Value = response.body_mut().read_json().unwrap_or_default();
        let sentence = body["error"].as_str().unwrap_or("the node refused without a reason").to_owned();
        Err(match status {
            StatusCode::UNAUTHORIZED => {
                Failure::failed(format!("the node at {} refuses the token: {sentence}", self.base))
            }
            StatusCode::NOT_FOUND => Failure::not_found(sentence),
            StatusCode::BAD_REQUEST => Failure::usage(sentence),
            _ => Failure::failed(sentence),
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let cause = match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "nothing listens there".to_owned()
            }
            other => other.to_string(),
        };
        Failure::unreachable(format!("no node answers at {}: {cause}", self.base))
    }
}

impl Door {
    /// Reads what the node in `data` left.
    fn read(data: &DataDir) -> Result<Self, Failure> {
        let missing = || {
            Failure::unreachable(format!(
                "no node is running on {}: start one with `bolthole node`, or name another with --data or --api",
                data.path().display()
            ))
        };
        let bytes = data.read(API)?.ok_or_else(missing)?;
        serde_json::from_slice(&bytes).map_err(|_| Failure::failed(format!("{} is damaged", data.file(API).display())))
    }

    /// Leaves it, in `data` and where a command that knows only the address looks.
    pub(crate) fn open(&self, data: &DataDir) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).expect("an address and a path");
        data.replace(API, &text)?;
        if let Some(directory) = announcements() {
            // A convenience: without it a command must be told the data directory.
            let _ = directory.create().and_then(|()| directory.replace(&announcement(self.address), &text));
        }
        Ok(())
    }

    /// Takes it away when the node stops.
    pub(crate) fn close(&self, data: &DataDir) {
        data.remove(API);
        if let Some(directory) = announcements() {
            directory.remove(&announcement(self.address));
        }
    }

    /// The token file of the node whose interface is at `address`, if it left word.
    fn announced(address: SocketAddr) -> Option<PathBuf> {
        let bytes = announcements()?.read(&announcement(address)).ok()??;
        serde_json::from_slice::<Self>(&bytes).ok().filter(|door| door.address == address).map(|door| door.token)
    }
}

/// Where this user's running nodes leave word: gone with the session where the system provides that.
fn announcements() -> Option<DataDir> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_RUNTIME_DIR")
        .or_else(|| variable("XDG_CACHE_HOME"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .map(|base| DataDir::new(base.join("bolthole")))
}

fn announcement(address: SocketAddr) -> String {
    format!("api-{}", address.to_string().replace([':', '[', ']'], "-"))
}

fn parse_address(text: &str) -> Result<SocketAddr, Failure> {
    let bare = text.trim().trim_start_matches("http://").trim_end_matches('/');
    bare.replace("localhost", "127.0.0.1")
        .parse()
        .map_err(|_| Failure::usage(format!("\"{text}\" is no address of a local interface: write 127.0.0.1:PORT")))
}

fn outcome(id: JobId, end: JobState) -> Result<JobState, Failure> {
    match end {
        JobState::Paused { sentence } => Err(rests(id, sentence)),
        JobState::Failed(failure) => Err(failure.into()),
        done => Ok(done),
    }
}

fn rests(id: JobId, sentence: Option<String>) -> Failure {
    let why = sentence.unwrap_or_else(|| format!("go on with `bolthole jobs resume {}`", id.0));
    Failure::failed(format!("job {} rests: {why}", id.0))
}

fn data_path(id: JobId) -> String {
    format!("/v1/jobs/{}/data", id.0)
}

fn no_token(address: SocketAddr, path: &Path, error: &io::Error) -> Failure {
    Failure::unreachable(format!(
        "cannot read the token for {address} from {}: {error}; name the node's data directory with --data",
        path.display()
    ))
}

impl From<JobFailure> for Failure {
    fn from(failure: JobFailure) -> Self {
        use crate::daemon::job::FailureKind;
        match failure.kind {
            FailureKind::NotFound => Self::not_found(failure.sentence),
            FailureKind::BadRequest => Self::usage(failure.sentence),
            FailureKind::OutOfRange
            | FailureKind::Unavailable
            | FailureKind::Cancelled
            | FailureKind::DiskFull
            | FailureKind::Failed => Self::failed(failure.sentence),
        }
    }
}

/// Where a running node leaves the address of its interface.
const API: &str = "api";
/// Where the token lies.
pub(crate) const TOKEN: &str = "token";
