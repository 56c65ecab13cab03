//! `dbgen generate`: the Rust that a build script would include, to look at or to keep.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// Generate the Rust of a schema
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The schema file, JSON or TOML
    file: PathBuf,
    /// Where to write; `-` is standard output
    #[arg(long, short, default_value = "-")]
    out: Output,
    /// Let records, patches, composites and enums implement serde's traits
    #[arg(long)]
    derive_serde: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut schema = input::load(&arguments.file)?;
    if let Some(behind) = dbgen::lock(&arguments.file, None, &mut schema).map_err(Failure::Generator)? {
        eprintln!("warning: {behind}");
    }
    let name = arguments.file.file_name().unwrap_or_default().to_string_lossy();
    let options = dbgen::Options::new().source_name(name).derive_serde(arguments.derive_serde);
    arguments.out.write(&dbgen::generate(&schema, &options).map_err(Failure::Generator)?)
}
