//! `dbgen check`: everything that is wrong with schema files.

use std::path::{Path, PathBuf};

use dbgen_schema::{Diagnostics, Parsed, Schema};

use crate::failure::{Failure, Refusal};
use crate::{input, output};

/// Check schema files and report everything that is wrong with them
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Schema files, JSON or TOML
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Report as JSON: a list with an object per file
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let parsed: Vec<_> = arguments.files.iter().map(Parsed::from_file).collect();
    if arguments.json {
        let reports: serde_json::Value = parsed.iter().map(|it| it.diagnostics.to_json()).collect();
        output::print(&format!("{reports:#}\n"))?;
    } else {
        for (file, it) in arguments.files.iter().zip(&parsed) {
            eprint!("{}", input::render(&it.diagnostics));
            output::print(&summary(file, it))?;
        }
    }
    if parsed.iter().any(|it| input::is_unreadable(&it.diagnostics)) {
        return Err(Failure::Refused(Refusal::Unreadable));
    }
    if parsed.iter().any(|it| it.schema.is_none()) {
        return Err(Failure::Refused(Refusal::Invalid));
    }
    Ok(())
}

/// One line about a file.
fn summary(file: &Path, parsed: &Parsed) -> String {
    let said = match &parsed.schema {
        Some(schema) => format!("ok, {}", extent(schema)),
        None => "not ok".to_owned(),
    };
    format!("{}: {said}{}\n", file.display(), counts(&parsed.diagnostics))
}

fn extent(schema: &Schema) -> String {
    let fields = schema.tables.iter().map(|table| table.fields.len()).sum();
    format!("{}, {}", count(schema.tables.len(), "table"), count(fields, "field"))
}

fn counts(diagnostics: &Diagnostics) -> String {
    let warnings = diagnostics.iter().filter(|it| it.severity == dbgen_schema::Severity::Warning).count();
    let errors = diagnostics.len() - warnings;
    let parts = [(errors, "error"), (warnings, "warning")];
    parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!(", {}", count(n, what))).collect()
}

/// `1 table`, `2 tables`.
fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
