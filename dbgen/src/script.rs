//! The entry for build scripts: files in, files out, and a word to cargo.
//!
//! Output goes into `OUT_DIR` alone, one file per schema, named after it; a file that would not change is not written, so
//! that what depends on it is not built again. Cargo is told every path that was read, and only paths that exist: one
//! that does not would make every build run the script.

use crate::names::snake;
use crate::{Error, Options, generate, lock};
use dbgen_schema::lock::Lock;
use dbgen_schema::{Diagnostics, Parsed, Schema};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Mistakes that cargo is told one by one; the rest is counted.
const CARGO_LINES_MAX: usize = 20;

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
    lock: Option<PathBuf>,
    out_dir: Option<PathBuf>,
}

impl Configuration {
    /// A schema, or a folder of them, relative to the crate's root. May be said several times.
    pub fn schema(mut self, path: impl AsRef<Path>) -> Self {
        self.schemas.push(path.as_ref().to_owned());
        self
    }

    /// The lock file of the schema, if it does not lie beside it (`arena.lock.json` beside `arena.json`). For one schema only.
    pub fn lock(mut self, path: impl AsRef<Path>) -> Self {
        self.lock = Some(path.as_ref().to_owned());
        self
    }

    /// An attribute for the record of a table, or of every one (`"*"`): `#[derive(PartialOrd)]`.
    pub fn table_attribute(mut self, table: impl Into<String>, attribute: impl Into<String>) -> Self {
        self.options = self.options.table_attribute(table, attribute);
        self
    }

    /// Makes records, patches, composites and enums implement serde's `Serialize` and `Deserialize`: in JSON as the server
    /// shows them, in compact formats as bytes. The crate needs no dependency for it but the format it wants to write.
    pub fn derive_serde(mut self, derive: bool) -> Self {
        self.options = self.options.derive_serde(derive);
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
    /// As [`compile`]; [`Error::Configuration`] if a setting is not what it should be; [`Error::Locked`] if a schema
    /// contradicts its lock file.
    pub fn compile(self) -> Result<(), Error> {
        self.options.check()?;
        let out_dir = self.target_dir()?;
        let schemas = read_all(&self.files()?)?;
        refuse_equal_names(&schemas)?;
        if let (Some(lock), [_, _, ..]) = (&self.lock, schemas.as_slice()) {
            let given = lock.display().to_string();
            return Err(Error::Configuration { setting: "lock", given, expected: "one schema that it belongs to" });
        }
        std::fs::create_dir_all(&out_dir).map_err(|source| Error::Io { path: out_dir.clone(), source })?;
        for (path, mut schema) in schemas {
            watch(self.lock.as_deref().unwrap_or(&Lock::path_of(&path)));
            if let Some(behind) = lock(&path, self.lock.as_deref(), &mut schema)? {
                println!("cargo::warning={behind}");
            }
            let options = self.options.clone().source_name(file_name(&path));
            let file = out_dir.join(format!("{}.rs", snake(&schema.name)));
            write_if_changed(&file, &generate(&schema, &options)?)?;
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

/// Reads all schemas, so that the mistakes of all files are told at once: to cargo one line each, as editors read it; the text
/// for people is in the error.
fn read_all(paths: &[PathBuf]) -> Result<Vec<(PathBuf, Schema)>, Error> {
    let (mut schemas, mut mistaken) = (Vec::new(), Vec::new());
    for path in paths {
        let Parsed { schema, diagnostics, .. } = Parsed::from_file(path);
        tell_cargo(&diagnostics);
        match schema {
            Some(schema) => schemas.push((path.clone(), schema)),
            None => mistaken.push(diagnostics),
        }
    }
    if mistaken.is_empty() { Ok(schemas) } else { Err(Error::Schema(mistaken)) }
}

fn tell_cargo(diagnostics: &Diagnostics) {
    let mut told = 0;
    for mistake in diagnostics.mistakes().iter().take(CARGO_LINES_MAX) {
        println!("cargo::{}={}", mistake.first.severity.as_str(), mistake.one_line());
        told += mistake.count();
    }
    if let Some(more @ 1..) = diagnostics.len().checked_sub(told) {
        println!("cargo::warning=and {more} more");
    }
}

/// Every schema becomes a file of its name, so names must differ.
fn refuse_equal_names(schemas: &[(PathBuf, Schema)]) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    match schemas.iter().find(|(_, schema)| !names.insert(snake(&schema.name))) {
        None => Ok(()),
        Some((path, _)) => Err(Error::Configuration {
            setting: "schema",
            given: path.display().to_string(),
            expected: "schemas of different names",
        }),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const MINIMAL: &str =
        r#"{ "name": "tiny", "version": "1", "tables": { "a": { "fields": [{ "name": "x", "type": "u8" }] } } }"#;

    /// A folder with these files, and one for the output.
    fn folders(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let out = folder.path().join("out");
        (folder, out)
    }

    #[test]
    fn what_would_not_change_is_not_written() {
        let (folder, out) = folders(&[("tiny.json", MINIMAL)]);
        let compile = || configure().schema(folder.path().join("tiny.json")).out_dir(&out).compile();
        compile().expect("it compiles");
        let file = out.join("tiny.rs");
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&file)
            .and_then(|file| file.set_modified(long_ago))
            .expect("a file of ours");
        compile().expect("it compiles again");
        let modified = fs::metadata(&file).and_then(|it| it.modified()).expect("it is there");
        assert_eq!(modified, long_ago);
    }

    #[test]
    fn a_folder_is_compiled_whole_and_by_name() {
        let other = MINIMAL.replace("tiny", "other");
        let lock = ("tiny.lock.json", "not a schema");
        let (folder, out) = folders(&[("b.json", MINIMAL), ("a.json", &other), ("dbgen.schema.json", "{}"), lock]);
        configure().schema(folder.path()).out_dir(&out).compile().expect("both compile");
        assert!(out.join("tiny.rs").exists() && out.join("other.rs").exists());
    }

    #[test]
    fn mistakes_of_all_files_are_told() {
        let wrong = MINIMAL.replace("u8", "i23");
        let (folder, out) = folders(&[("a.json", &wrong), ("b.json", "{")]);
        let error = configure().schema(folder.path()).out_dir(&out).compile().expect_err("both are wrong");
        let text = format!("{error:?}");
        assert!(text.starts_with("the schema has 2 mistakes\n\n"), "{text}");
        assert!(text.contains("a.json") && text.contains("i23") && text.contains("b.json"), "{text}");
        assert!(!out.exists());
    }

    #[test]
    fn settings_are_checked() {
        let (folder, out) = folders(&[("a.json", MINIMAL), ("b.json", MINIMAL)]);
        let refused = |configuration: Configuration| configuration.out_dir(&out).compile().expect_err("refused");
        for (error, setting) in [
            (refused(configure()), "`schema` is `nothing`"),
            (refused(configure().schema(folder.path())), "schemas of different names"),
            (refused(configure().schema(folder.path().join("a.json")).lock("no.lock.json")), "no.lock.json"),
            (refused(configure().schema(folder.path()).runtime_path("not a path")), "`runtime_path` is `not a path`"),
            (refused(configure().schema(folder.path()).table_attribute("a", "#[")), "`table_attribute` is `#[`"),
        ] {
            assert!(error.to_string().contains(setting), "{error}");
        }
    }

    #[test]
    fn a_missing_schema_is_a_mistake_with_its_path() {
        let error = configure().schema("no/such.json").out_dir("no/such/out").compile().expect_err("it is missing");
        assert!(error.to_string().contains("no/such.json"), "{error}");
    }
}
