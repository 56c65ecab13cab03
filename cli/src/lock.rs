//! `dbgen lock`: the file that keeps the ids of tables and fields through renames and reorderings.

use std::path::{Path, PathBuf};

use dbgen_schema::lock::{Drift, Lock};

use crate::failure::{Failure, Refusal};
use crate::input;
use crate::output::{self, Output};

/// Write the lock file of a schema: `arena.lock.json` beside `arena.json`
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schema file, JSON or TOML
    file: PathBuf,
    /// Change nothing; say where schema and lock file differ, and exit with 1 if they do
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut schema = input::load(&arguments.file)?;
    let path = Lock::path_of(&arguments.file);
    let old = input::lock(&arguments.file)?;
    let drifts = old.as_ref().map(|old| old.assign(&mut schema.clone()));
    if arguments.check {
        return match drifts.as_deref() {
            None => Err(Failure::Refused(Refusal::NotLocked { lock: path })),
            Some([]) => Ok(()),
            Some(drifts) => Err(Failure::Refused(Refusal::Drifted { lock: path, drifts: drifts.to_vec() })),
        };
    }
    let lock = Lock::update(old.as_ref(), &mut schema)
        .map_err(|conflicts| Failure::Refused(Refusal::Drifted { lock: path.clone(), drifts: conflicts }))?;
    Output::File(path.clone()).write(&lock.to_json_pretty())?;
    output::print(&summary(&path, drifts.as_deref()))
}

fn summary(path: &Path, drifts: Option<&[Drift]>) -> String {
    let path = path.display();
    match drifts {
        None => format!("{path}: written\n"),
        Some([]) => format!("{path}: up to date\n"),
        Some(drifts) => drifts.iter().map(|drift| format!("{path}: {drift}\n")).collect(),
    }
}
