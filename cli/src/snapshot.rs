//! `dbgen snapshot`: the snapshots of a data folder.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use dbgen_runtime::Database;
use dbgen_runtime::recover::tools;
use dbgen_runtime::storage::Disk;

use crate::failure::{Failure, Misuse};
use crate::output;
use crate::progress::{Bar, reading};

/// List, take, prove and go back to snapshots of a data folder
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the snapshots, newest first
    List {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Take a snapshot of a database that is not running: the next start reads it instead of the log
    Create {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Prove a snapshot: every checksum, every length, every record
    Verify {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The commit of the snapshot; all of them if not given
        commit: Option<u64>,
    },
    /// Go back to a snapshot; what came after it goes to the folder `quarantine`, and is no longer part of the database
    Restore {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The commit of the snapshot
        commit: u64,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let disk = Disk::real();
    let (Command::List { data }
    | Command::Create { data }
    | Command::Verify { data, .. }
    | Command::Restore { data, .. }) = &arguments.command;
    Failure::unless_database(data)?;
    match &arguments.command {
        Command::List { data } => list(&disk, data),
        Command::Create { data } => create(data),
        Command::Verify { data, commit } => verify(&disk, data, *commit),
        Command::Restore { data, commit } => {
            known(&disk, data, Some(*commit))?;
            reading("restore", data, |disk| tools::restore(disk, data, *commit)).map_err(Failure::runtime)?;
            output::print(&format!("the database is at commit {commit} again\n"))
        }
    }
}

fn list(disk: &Disk, data: &Path) -> Result<(), Failure> {
    for (commit, manifest) in tools::snapshots(disk, data).map_err(Failure::runtime)? {
        let line = match manifest {
            Ok(manifest) => format!(
                "{commit}  tick {}, {} tables, {} bytes stored, {} in memory\n",
                manifest.tick,
                manifest.tables.len(),
                manifest.stored_bytes(),
                manifest.raw_bytes()
            ),
            Err(error) => format!("{commit}  unreadable: {error}\n"),
        };
        output::print(&line)?;
    }
    Ok(())
}

fn create(data: &Path) -> Result<(), Failure> {
    let (bar, files) = Bar::reading("open", data);
    let opened = Database::builder().data_dir(data).storage(files, false).open();
    bar.end();
    let db = opened.map_err(Failure::runtime)?;
    let bar = Bar::new("snapshot");
    let commit = db.snapshot_with(|done, total| bar.set(done, total)).map_err(Failure::runtime)?;
    bar.end();
    output::print(&format!("snapshot of commit {commit}\n"))
}

fn verify(disk: &Disk, data: &Path, commit: Option<u64>) -> Result<(), Failure> {
    let mut failure = None;
    let commits = known(disk, data, commit)?;
    let mut whole = Vec::new();
    for commit in commits {
        match reading("verify", &data.join(format!("snap-{commit:016}")), |disk| tools::prove(disk, data, commit)) {
            Ok(manifest) => {
                output::print(&format!("{commit}  whole, {} bytes\n", manifest.stored_bytes()))?;
                whole.push(commit);
            }
            Err(error) => {
                output::print(&format!("{commit}  damaged: {error}\n"))?;
                failure.get_or_insert(error);
            }
        }
    }
    let Some(failure) = failure else { return Ok(()) };
    if commit.is_none() {
        output::print(&match whole.first() {
            Some(newest) => format!("a start passes the damaged ones over and begins with that of commit {newest}\n"),
            None => "none is whole: restore a backup\n".to_owned(),
        })?;
    }
    Err(Failure::runtime(failure))
}

/// The snapshots that are asked for, newest first: one that must be there, or all.
fn known(disk: &Disk, data: &Path, commit: Option<u64>) -> Result<Vec<u64>, Failure> {
    let known = tools::snapshots(disk, data).map_err(Failure::runtime)?;
    let there: Vec<u64> = known.into_iter().map(|(commit, _)| commit).collect();
    match commit {
        None if !there.is_empty() => Ok(there),
        Some(commit) if there.contains(&commit) => Ok(vec![commit]),
        _ => Err(Failure::Usage(Misuse::NoSnapshot { folder: data.to_path_buf(), commit: commit.unwrap_or(0), there })),
    }
}
