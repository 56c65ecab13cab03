//! `dbgen backup`: a copy of a data folder that a server may be writing to.

use std::path::PathBuf;

use dbgen_runtime::recover::tools;
use dbgen_runtime::storage::Disk;

use crate::failure::Failure;
use crate::output;
use crate::progress::Bar;

/// Copy a data folder while its server runs; the copy is proved and can be served
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The data folder
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the copy goes: a folder that is empty or not there
    #[arg(value_name = "TARGET")]
    target: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    Failure::unless_database(&arguments.data)?;
    let bar = Bar::new("backup");
    let mut done = 0;
    let copied = tools::backup(&Disk::real(), &arguments.data, &arguments.target, &mut |bytes| {
        done += bytes;
        bar.add(done);
    });
    bar.end();
    let commit = copied.map_err(Failure::runtime)?;
    output::print(&format!("{done} bytes copied, up to commit {commit}\n"))
}
