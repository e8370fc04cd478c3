//! Which data directory, which configuration file, which node: what every command looks for first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::arguments::Place;
use super::failure::Failure;
use crate::daemon::config::{BadConfig, Config, TEMPLATE};
use crate::daemon::data_dir::{DataDir, DataError};

impl Place {
    /// The data directory that is meant.
    pub(crate) fn directory(&self) -> Result<DataDir, Failure> {
        match &self.data {
            Some(path) => Ok(DataDir::new(path)),
            None => default_directory().map(DataDir::new),
        }
    }
}

/// The configuration in `data`; the defaults if there is none.
pub(crate) fn config(data: &DataDir) -> Result<Config, Failure> {
    let path = data.file(CONFIG);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("{} line {line}: the text is not UTF-8", path.display()))
    })?;
    Ok(Config::parse(&text, &path)?)
}

/// Leaves a configuration file that sets nothing and explains everything, if there is none.
pub(crate) fn explain(data: &DataDir) -> Result<(), Failure> {
    if !data.file(CONFIG).exists() {
        data.replace(CONFIG, TEMPLATE.as_bytes())?;
    }
    Ok(())
}

/// A path from a configuration file, which starts at the data directory.
pub(crate) fn resolve(data: &DataDir, path: &Path) -> PathBuf {
    data.path().join(path)
}

fn default_directory() -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".local/share")))
        .map(|base| base.join("bolthole"))
        .ok_or_else(|| Failure::usage("there is no home directory here: name a data directory with --data"))
}

impl From<BadConfig> for Failure {
    fn from(error: BadConfig) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::failed(error.to_string())
    }
}

const CONFIG: &str = "config.toml";
