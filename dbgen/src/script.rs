//! The entry for build scripts: files in, files out, and a word to cargo.
//!
//! Output goes into `OUT_DIR` alone, one file per schema, named after it; a file that would not change is not written, so
//! that what depends on it is not built again. Cargo is told every path that was read, and only paths that exist: one
//! that does not would make every build run the script.

use crate::{Error, Options, generate};
use dbgen_schema::Schema;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Errors that cargo is told one by one; the rest is counted.
const CARGO_ERRORS_MAX: usize = 20;

/// Compiles a schema in a build script. `include_schema!` of the runtime brings the result into the crate.
///
/// ```no_run
/// fn main() -> Result<(), dbgen::Error> {
///     dbgen::compile("schemas/arena.json")
/// }
/// ```
///
/// The path is relative to the crate's root; for a folder, every `.json` and `.toml` in it is compiled.
///
/// # Errors
/// [`Error::Schema`] with every mistake in the schema, which cargo has been told as well, so that it is enough to return
/// it from `main`; [`Error::Io`] if a file cannot be read or written.
pub fn compile(path: impl AsRef<Path>) -> Result<(), Error> {
    configure().schema(path).compile()
}

/// Compiles schemas in a build script, with settings.
///
/// ```no_run
/// fn main() -> Result<(), dbgen::Error> {
///     dbgen::configure()
///         .schema("schemas/arena.json")
///         .table_attribute("player", "#[derive(PartialOrd)]")
///         .compile()
/// }
/// ```
pub fn configure() -> Configuration {
    Configuration::default()
}

/// What [`configure`] gives.
#[derive(Debug, Clone, Default)]
#[must_use = "nothing is compiled before `compile()`"]
pub struct Configuration {
    schemas: Vec<PathBuf>,
    options: Options,
    out_dir: Option<PathBuf>,
}

impl Configuration {
    /// A schema, or a folder of them, relative to the crate's root. May be said several times.
    pub fn schema(mut self, path: impl AsRef<Path>) -> Self {
        self.schemas.push(path.as_ref().to_owned());
        self
    }

    /// An attribute for the record of a table, or of every one (`"*"`): `#[derive(PartialOrd)]`.
    pub fn table_attribute(mut self, table: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.options = self.options.table_attribute(table, attribute);
        self
    }

    /// Where generated code finds the runtime, for those who re-export or rename it: `::my_engine::dbgen_runtime`.
    pub fn runtime_path(mut self, path: impl Into<String>) -> Self {
        self.options = self.options.runtime_path(path);
        self
    }

    /// Where to write, instead of cargo's `OUT_DIR`.
    pub fn out_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.out_dir = Some(path.as_ref().to_owned());
        self
    }

    /// Compiles.
    ///
    /// # Errors
    /// As [`compile`]; [`Error::Configuration`] if a setting is not what it should be.
    pub fn compile(self) -> Result<(), Error> {
        let compiled = self.compile_all();
        if let Err(Error::Schema(diagnostics)) = &compiled {
            tell_cargo(diagnostics);
        }
        compiled
    }

    fn compile_all(&self) -> Result<(), Error> {
        self.options.check()?;
        let out_dir = self.target_dir()?;
        let mut written = BTreeSet::new();
        for path in self.files()? {
            let schema = Schema::from_file(&path).map_err(|diagnostics| Error::Schema(Box::new(diagnostics)))?;
            let name = crate::names::snake(&schema.name);
            if !written.insert(name.clone()) {
                return Err(Error::Configuration {
                    setting: "schema",
                    given: path.display().to_string(),
                    expected: "schemas of different names",
                });
            }
            let options = self.options.clone().source_name(file_name(&path));
            write_if_changed(&out_dir.join(format!("{name}.rs")), &generate(&schema, &options)?)?;
        }
        Ok(())
    }

    fn target_dir(&self) -> Result<PathBuf, Error> {
        let given = self.out_dir.clone().or_else(|| std::env::var_os("OUT_DIR").map(PathBuf::from));
        given.ok_or(Error::NotInBuildScript { variable: "OUT_DIR" })
    }

    /// The schema files, folders looked into. Cargo is told of each.
    fn files(&self) -> Result<Vec<PathBuf>, Error> {
        if self.schemas.is_empty() {
            let (setting, given) = ("schema", "nothing".to_owned());
            return Err(Error::Configuration { setting, given, expected: "a path" });
        }
        let mut files = Vec::new();
        for path in &self.schemas {
            watch(path);
            if path.is_dir() {
                files.extend(schemas_in(path)?.inspect(|file| watch(file)));
            } else {
                files.push(path.clone());
            }
        }
        Ok(files)
    }
}

/// The schemas of a folder, by name, so that every build sees them in one order.
fn schemas_in(folder: &Path) -> Result<impl Iterator<Item = PathBuf> + use<>, Error> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        files.push(entry.map_err(io)?.path());
    }
    files.sort();
    Ok(files.into_iter().filter(|path| path.is_file() && is_schema(path)))
}

/// Whether a file of a folder is meant to be compiled: not the lock files, nor the JSON Schema for editors.
fn is_schema(path: &Path) -> bool {
    let name = file_name(path);
    let is_ours = matches!(path.extension().and_then(OsStr::to_str), Some("json" | "toml"));
    is_ours && !name.ends_with(".lock.json") && !name.ends_with(".schema.json")
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Tells cargo to come back when the path changes.
fn watch(path: &Path) {
    if path.exists() {
        println!("cargo::rerun-if-changed={}", path.display());
    }
}

fn write_if_changed(path: &Path, content: &str) -> Result<(), Error> {
    if std::fs::read(path).is_ok_and(|before| before == content.as_bytes()) {
        return Ok(());
    }
    std::fs::write(path, content).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// One line per mistake, as editors read it. The text for people is in the error that `main` returns.
fn tell_cargo(diagnostics: &dbgen_schema::Diagnostics) {
    for diagnostic in diagnostics.iter().take(CARGO_ERRORS_MAX) {
        println!("cargo::error={}", diagnostic.one_line());
    }
    if let Some(more @ 1..) = diagnostics.len().checked_sub(CARGO_ERRORS_MAX) {
        println!("cargo::error=and {more} more");
    }
}
