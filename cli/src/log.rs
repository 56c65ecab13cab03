//! `dbgen log`: the log of a data folder.

use std::path::PathBuf;

use clap::Subcommand;
use dbgen_runtime::log::format::Kind;
use dbgen_runtime::recover::tools;
use dbgen_runtime::storage::Disk;

use crate::failure::Failure;
use crate::output;
use crate::progress::reading;

/// Show or prove the log of a data folder; a database may have it open
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every record, one a line
    Dump {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Prove the log behind the newest snapshot, and say how it ends
    Verify {
        /// The data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (Command::Dump { data } | Command::Verify { data }) = &arguments.command;
    Failure::unless_database(data)?;
    match &arguments.command {
        Command::Dump { data } => {
            output::print("segment      offset      commit        tick     durable  kind     payload\n")?;
            let mut line = |record: &tools::LogRecord| {
                let kind = match record.kind {
                    Kind::Effects => "effects",
                    Kind::Schema => "schema",
                    Kind::Marker if record.is_closed => "closed",
                    Kind::Marker => "marker",
                };
                let (segment, offset, commit) = (record.segment, record.offset, record.commit);
                let (tick, durable, payload) = (record.tick, record.durable, record.payload_bytes);
                let line = format!(
                    "{segment:>7} {offset:>11} {commit:>11} {tick:>11} {durable:>11}  {kind:<7} {payload:>8}\n"
                );
                output::print(&line).map_err(dbgen_runtime::Error::abort)
            };
            for tools::Unread { path, offset, bytes, .. } in
                tools::dump(&Disk::real(), data, &mut line).map_err(Failure::runtime)?
            {
                let path = path.display();
                output::print(&format!(
                    "{path}, byte {offset}: {bytes} bytes follow that are no record; `dbgen log verify` says what they are\n"
                ))?;
            }
            Ok(())
        }
        Command::Verify { data } => {
            let ending = reading("log", data, |disk| tools::check(disk, data)).map_err(Failure::runtime)?;
            let (records, bytes, commit) = (ending.records, ending.bytes, ending.last);
            let torn = match ending.torn.len() {
                0 => String::new(),
                torn => format!("; {torn} bytes behind it are torn, and no acknowledged commit is among them"),
            };
            output::print(&format!("whole: {records} records in {bytes} bytes, up to commit {commit}{torn}\n"))
        }
    }
}
