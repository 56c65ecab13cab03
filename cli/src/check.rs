//! `dbgen check`: everything that is wrong with schema files, and with what changed since an older version.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dbgen_schema::evolve::{self, Plan};
use dbgen_schema::{Diagnostics, Parsed, Schema};
use serde_json::Value;

use crate::failure::{Failure, Refusal};
use crate::version::Version;
use crate::{input, output};

/// Check schema files and report everything that is wrong with them
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Schema files, JSON or TOML
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// An older version, with which data may be stored: a file, or `git:REVISION`. What stored data do not survive
    /// is an error
    #[arg(long, value_name = "VERSION")]
    against: Option<Version>,
    /// Changes to accept though data may be lost: codes of rules, or paths such as `player.hp`
    #[arg(long, value_name = "CODE|PATH", requires = "against")]
    allow: Vec<String>,
    /// Report as JSON: a list with an object per file
    #[arg(long)]
    json: bool,
}

/// What there is to say about a file.
struct Report {
    parsed: Parsed,
    /// What lies between it and the version that it is checked against.
    plan: Option<Plan>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let reports = arguments.files.iter().map(|file| report(arguments, file)).collect::<Result<Vec<_>, _>>()?;
    if arguments.json {
        let list: Value = reports.iter().map(Report::to_json).collect();
        output::print(&format!("{list:#}\n"))?;
    } else {
        for (file, it) in arguments.files.iter().zip(&reports) {
            eprint!("{}", input::render(&it.parsed.diagnostics));
            output::print(&summary(file, &it.parsed))?;
            output::print(&it.plan.as_ref().map(Plan::to_string).unwrap_or_default())?;
        }
    }
    verdict(&reports, &arguments.allow)
}

fn report(arguments: &Arguments, file: &Path) -> Result<Report, Failure> {
    let parsed = Parsed::from_file(file);
    let plan = match (&arguments.against, &parsed.schema) {
        (Some(version), Some(schema)) => Some(plan(version, file, schema.clone())?),
        _ => None,
    };
    Ok(Report { parsed, plan })
}

fn plan(version: &Version, file: &Path, mut new: Schema) -> Result<Plan, Failure> {
    let lock = input::lock(file)?;
    if let Some(lock) = &lock {
        lock.assign(&mut new);
    }
    Ok(evolve::plan(&version.load(file)?, &new, lock.as_ref()))
}

fn verdict(reports: &[Report], allow: &[String]) -> Result<(), Failure> {
    if reports.iter().any(|it| input::is_unreadable(&it.parsed.diagnostics)) {
        return Err(Failure::Refused(Refusal::Unreadable));
    }
    if reports.iter().any(|it| it.parsed.schema.is_none()) {
        return Err(Failure::Refused(Refusal::Invalid));
    }
    let plans = reports.iter().filter_map(|it| it.plan.as_ref());
    let codes: BTreeSet<_> = plans.flat_map(|plan| plan.obstacles(allow)).map(|change| change.rule.code).collect();
    if codes.is_empty() {
        return Ok(());
    }
    Err(Failure::Refused(Refusal::Breaking { codes: codes.into_iter().collect() }))
}

impl Report {
    fn to_json(&self) -> Value {
        let mut report = self.parsed.diagnostics.to_json();
        if let (Some(plan), Some(members)) = (&self.plan, report.as_object_mut()) {
            members.insert("plan".to_owned(), plan.to_json());
        }
        report
    }
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
