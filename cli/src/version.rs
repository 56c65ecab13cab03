//! Another version of a schema: in a file, or as git has it.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use dbgen_schema::lock::Lock;
use dbgen_schema::{Diagnostics, Format, Schema, Source};

use crate::failure::Failure;
use crate::input;

/// Where another version of a schema is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    /// In a file.
    File(PathBuf),
    /// In the file's history: `git:main`, `git:HEAD~3`.
    Git(String),
}

impl FromStr for Version {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Version, Infallible> {
        Ok(match text.strip_prefix("git:") {
            Some(revision) => Version::Git(revision.to_owned()),
            None => Version::File(text.into()),
        })
    }
}

impl Version {
    /// The schema, with the ids that its lock file gives it. `file` is the one that has a history.
    pub(crate) fn load(&self, file: &Path) -> Result<Schema, Failure> {
        match self {
            Version::File(other) => load_locked(other).map(|(schema, _)| schema),
            Version::Git(revision) => load_from_git(revision, file),
        }
    }
}

/// A schema file with its lock file, if it has one, and the ids that it gives.
pub(crate) fn load_locked(file: &Path) -> Result<(Schema, Option<Lock>), Failure> {
    let mut schema = input::load(file)?;
    let lock = input::lock(file)?;
    if let Some(lock) = &lock {
        lock.assign(&mut schema);
    }
    Ok((schema, lock))
}

fn load_from_git(revision: &str, file: &Path) -> Result<Schema, Failure> {
    let format = Format::of_path(file).unwrap_or(Format::Json);
    let source = Source { name: name_in_git(revision, file), text: show(revision, file)?, format };
    let mut schema = Schema::parse(&source).map_err(wrong)?;
    let lock_file = Lock::path_of(file);
    // The revision is there, since the schema came from it: what fails now is that it has no lock file.
    if let Ok(text) = show(revision, &lock_file) {
        let lock = Lock::parse(&name_in_git(revision, &lock_file), &text).map_err(wrong)?;
        lock.assign(&mut schema);
    }
    Ok(schema)
}

fn wrong(diagnostics: Diagnostics) -> Failure {
    Failure::Schema(Box::new(diagnostics))
}

fn name_in_git(revision: &str, file: &Path) -> String {
    format!("{revision}:{}", file.display())
}

/// A file as it was at a revision.
fn show(revision: &str, file: &Path) -> Result<String, Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["show", "--end-of-options", &format!("{revision}:./{name}")])
        .output()
        .map_err(Failure::io("git"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::Git { name: name_in_git(revision, file), said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
