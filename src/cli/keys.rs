//! `bolthole keys`: the subspaces that this node's owner may write in, and the reader keys others can seal to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::arguments::KeysCommand;
use super::failure::Failure;
use super::output::Output;
use super::secret;
use crate::daemon::data_dir::DataDir;
use crate::daemon::keeper::Keeper;
use crate::daemon::subspaces::{Shown, SubspaceError, Subspaces};

/// Runs the command.
pub(crate) fn run(command: KeysCommand, output: &mut Output) -> Result<(), Failure> {
    match command {
        KeysCommand::New { name, place } => {
            let data = place.directory()?;
            data.create()?;
            let keeper = secret::open(&data)?;
            Subspaces::new(&data, &keeper).make(&name)?;
            show(&name, &data, &keeper, output)
        }
        KeysCommand::Export { name, file, place } => {
            let data = place.directory()?;
            export(&name, &file, &data, &existing(&data)?, output)
        }
        KeysCommand::Import { name, file, place } => {
            let data = place.directory()?;
            let bytes = read(&file)?;
            let passphrase = secret::of_export(false)?;
            data.create()?;
            let keeper = secret::open(&data)?;
            Subspaces::new(&data, &keeper).import(&name, &bytes, &passphrase)?;
            show(&name, &data, &keeper, output)
        }
        KeysCommand::Show { name, place } => {
            let data = place.directory()?;
            show(&name, &data, &existing(&data)?, output)
        }
        KeysCommand::List { place } => list(&place.directory()?, output),
    }
}

/// The keeper of a directory that a node or a key was made in; listing must not make one.
fn existing(data: &DataDir) -> Result<Keeper, Failure> {
    if !data.path().is_dir() {
        return Err(Failure::failed(format!("there is no data directory {}", data.path().display())));
    }
    secret::open(data)
}

fn show(name: &str, data: &DataDir, keeper: &Keeper, output: &mut Output) -> Result<(), Failure> {
    let value = describe(&Subspaces::new(data, keeper).shown(name)?, data.path());
    let path = value["insert_uri_path"].as_str().unwrap_or_default();
    let request = value["request_uri"].as_str().unwrap_or_default();
    let sealed = if keeper.protected() { "sealed under the passphrase" } else { OPEN };
    let recipient = text(&value, "recipient");
    let text = format!(
        "subspace   {name}\nread with  {request}NAME\nreader     {recipient}\nkept in    {path}\n           {sealed}"
    );
    output.result(&value, &text);
    Ok(())
}

fn export(name: &str, file: &Path, data: &DataDir, keeper: &Keeper, output: &mut Output) -> Result<(), Failure> {
    let subspaces = Subspaces::new(data, keeper);
    let shown = subspaces.shown(name)?;
    let cannot = |error: io::Error| Failure::failed(format!("cannot write {}: {error}", file.display()));
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(cannot)?;
    let written = secret::of_export(true)
        .and_then(|passphrase| Ok(subspaces.export(name, &passphrase)?))
        .and_then(|bytes| target.write_all(&bytes).and_then(|()| target.sync_all()).map_err(cannot));
    if written.is_err() {
        let _ = fs::remove_file(file);
    }
    written?;
    let value = json!({ "name": name, "request_uri": shown.request_uri, "file": file });
    output.result(&value, &format!("the subspace {name} is in {}, sealed under its passphrase", file.display()));
    Ok(())
}

/// What may be an export: no more is read than one has.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(EXPORT_BYTES).read_to_end(&mut bytes));
    opened.map_err(|error| Failure::failed(format!("cannot read {}: {error}", file.display())))?;
    Ok(bytes)
}

fn list(data: &DataDir, output: &mut Output) -> Result<(), Failure> {
    let mut keys = Vec::new();
    if data.path().is_dir() && !Subspaces::names_in(data)?.is_empty() {
        let keeper = secret::open(data)?;
        keys.extend(Subspaces::new(data, &keeper).all_shown()?.iter().map(|shown| describe(shown, data.path())));
    }
    let lines: Vec<String> =
        keys.iter().map(|key| format!("{}  {}", text(key, "name"), text(key, "request_uri"))).collect();
    let text =
        if lines.is_empty() { "no subspaces; make one with `bolthole keys new NAME`".into() } else { lines.join("\n") };
    output.result(&json!({ "keys": keys }), &text);
    Ok(())
}

fn describe(shown: &Shown, data: &Path) -> Value {
    let Shown { name, request_uri, recipient } = shown;
    let insert = data.join("keys").join(name);
    json!({ "name": name, "request_uri": request_uri, "insert_uri_path": insert, "recipient": recipient })
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

impl From<SubspaceError> for Failure {
    fn from(error: SubspaceError) -> Self {
        match error {
            SubspaceError::BadName(_) => Self::usage(error.to_string()),
            _ => Self::failed(error.to_string()),
        }
    }
}

const OPEN: &str = "sealed under the node's secret, which lies open beside it: set BOLTHOLE_PASSPHRASE to protect it";
/// More than any export has.
const EXPORT_BYTES: u64 = 4_096;
