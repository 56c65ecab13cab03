//! `dbgen recover`: opens a data folder, says what it came to, and closes it.

use std::path::PathBuf;

use dbgen_runtime::Database;

use crate::failure::Failure;
use crate::output;
use crate::progress::Bar;

/// Recover a data folder, and say what it came to
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The data folder
    #[arg(long, value_name = "DIR", required_unless_present = "folder")]
    data: Option<PathBuf>,
    /// The same, without the name
    #[arg(value_name = "DIR", conflicts_with = "data", hide = true)]
    folder: Option<PathBuf>,
    /// Give up what cannot be read: everything behind the first damage in the log goes to the folder `quarantine`.
    /// Acknowledged commits may be lost
    #[arg(long)]
    salvage: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(data) = arguments.data.as_ref().or(arguments.folder.as_ref()) else { return Ok(()) };
    Failure::unless_database(data)?;
    let (bar, files) = Bar::reading("recover", data);
    let builder = Database::builder().data_dir(data).storage(files, false);
    let builder = if arguments.salvage { builder.salvage() } else { builder };
    let opened = builder.open();
    bar.end();
    let db = opened.map_err(Failure::runtime)?;
    let Some(status) = db.durability() else { return Ok(()) };
    let recovered = status.recovered;
    for bad in &recovered.bad_snapshots {
        output::print(&format!("passed over: {bad}\n"))?;
    }
    let (commit, snapshot, records) = (recovered.commit, recovered.snapshot, recovered.records);
    output::print(&format!("commit {commit}: the snapshot of commit {snapshot} and {records} records of the log\n"))?;
    if recovered.torn_bytes > 0 {
        output::print(&format!("{} bytes behind them are in quarantine\n", recovered.torn_bytes))?;
    }
    Ok(())
}
