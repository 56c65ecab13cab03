//! `dbgen diff`: what lies between two versions of a schema, for data that is stored under the older one.

use std::path::PathBuf;

use dbgen_schema::evolve;

use crate::failure::Failure;
use crate::output;
use crate::version::{self, Version};

/// Show what a change of a schema means for stored data
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The older version: a file, or `git:REVISION` of the newer one's
    old: Version,
    /// The newer version
    new: PathBuf,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (new, lock) = version::load_locked(&arguments.new)?;
    let old = arguments.old.load(&arguments.new)?;
    let plan = evolve::plan(&old, &new, lock.as_ref());
    output::print(&if arguments.json { format!("{:#}\n", plan.to_json()) } else { plan.to_string() })
}
