//! `dbgen fmt`: schema files in their canonical form.
//!
//! The canonical form is what the model writes: keys in one order, nothing said that is the default, one field a line.
//! `$schema`, which is the editor's and not the model's, stays. TOML is left to its author: it has comments, which the
//! model does not know, and a formatter must lose nothing.

use std::path::{Path, PathBuf};

use dbgen_schema::Format;
use dbgen_schema::write::to_json_pretty;

use crate::failure::{Failure, Misuse, Refusal};
use crate::input;
use crate::output::Output;

/// Write schema files in their canonical form
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Schema files, JSON
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut unformatted = Vec::new();
    for file in &arguments.files {
        if Format::of_path(file) == Some(Format::Toml) {
            return Err(Failure::Usage(Misuse::FormatsJsonOnly { file: file.clone() }));
        }
        let after = canonical(file)?;
        if input::text(file)? != after {
            if arguments.check {
                unformatted.push(file.clone());
            } else {
                Output::File(file.clone()).write(&after)?;
            }
        }
    }
    if unformatted.is_empty() { Ok(()) } else { Err(Failure::Refused(Refusal::Unformatted(unformatted))) }
}

/// The schema of a file as it should stand there.
fn canonical(file: &Path) -> Result<String, Failure> {
    let text = to_json_pretty(&input::load(file)?);
    let source: serde_json::Value = serde_json::from_str(&input::text(file)?).unwrap_or_default();
    Ok(match source.get("$schema") {
        Some(reference) => text.replacen("{\n", &format!("{{\n  \"$schema\": {reference},\n"), 1),
        None => text,
    })
}
