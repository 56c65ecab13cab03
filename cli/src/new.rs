//! `dbgen new`: a game project that builds, runs and is served.
//!
//! The files are those of `templates/`, with the project's name and the crates of dbgen filled in. A `dbgen` that still
//! has its checkout beside it (a developer's) names the crates by path, an installed one by version.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Misuse};
use crate::output;

/// Start a game project
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder to make; its name is the project's
    folder: PathBuf,
    /// How the schema is written
    #[arg(long, value_enum, default_value_t)]
    front_end: FrontEnd,
}

/// How a project writes its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum FrontEnd {
    /// A schema file, compiled by build.rs
    #[default]
    Build,
    /// Rust structs with derives
    Derive,
}

/// A file of a project, and what it is made from.
type Template = (&'static str, &'static str);

const SHARED: &[Template] = &[
    (".gitignore", include_str!("../templates/shared/gitignore")),
    ("README.md", include_str!("../templates/shared/README.md")),
];

const BUILD: &[Template] = &[
    ("Cargo.toml", include_str!("../templates/build/Cargo.toml")),
    ("build.rs", include_str!("../templates/build/build.rs")),
    ("schemas/world.json", include_str!("../templates/build/world.json")),
    ("src/main.rs", include_str!("../templates/build/main.rs")),
];

const DERIVE: &[Template] = &[
    ("Cargo.toml", include_str!("../templates/derive/Cargo.toml")),
    ("src/schema.rs", include_str!("../templates/derive/schema.rs")),
    ("src/main.rs", include_str!("../templates/derive/main.rs")),
];

/// Names that cargo refuses, or that a crate of the project has.
const TAKEN: &[&str] =
    &["alloc", "core", "dbgen", "dbgen-macros", "dbgen-runtime", "proc_macro", "std", "test", "world"];

impl FrontEnd {
    fn templates(self) -> &'static [Template] {
        match self {
            FrontEnd::Build => BUILD,
            FrontEnd::Derive => DERIVE,
        }
    }

    /// Where the project's schema stands.
    fn source(self) -> &'static str {
        match self {
            FrontEnd::Build => "`schemas/world.json`",
            FrontEnd::Derive => "`src/schema.rs`",
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let name = project_name(folder)?;
    refuse_full(folder)?;
    let fill = |template: &str| {
        template
            .replace("{name}", name)
            .replace("{source}", arguments.front_end.source())
            .replace("{dbgen-runtime}", &dependency("runtime"))
            .replace("{dbgen-macros}", &dependency("dbgen-macros"))
            .replace("{dbgen}", &dependency("dbgen"))
    };
    for (file, template) in SHARED.iter().chain(arguments.front_end.templates()) {
        write(&folder.join(file), &fill(template))?;
    }
    if arguments.front_end == FrontEnd::Build {
        write(&folder.join("schemas/dbgen.schema.json"), &dbgen_schema::json_schema())?;
    }
    output::print(&format!("made {name}; now: cd {} && cargo run\n", folder.display()))
}

/// The last part of the folder's path, if cargo takes it as the name of a package.
fn project_name(folder: &Path) -> Result<&str, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && dbgen::names::ident(&name.replace('-', "_")) == name.replace('-', "_")
        && !TAKEN.contains(&name);
    if is_valid { Ok(name) } else { Err(Failure::Usage(Misuse::ProjectName { name: name.to_owned() })) }
}

/// Nothing of the user's is written over.
fn refuse_full(folder: &Path) -> Result<(), Failure> {
    let is_full = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_full { Err(Failure::Usage(Misuse::FolderFull { folder: folder.to_owned() })) } else { Ok(()) }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::io(folder))?;
    }
    std::fs::write(path, text).map_err(Failure::io(path))
}

/// What a manifest says of a crate that lies in this folder of the checkout.
fn dependency(folder: &str) -> String {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join(folder));
    match checkout.filter(|path| path.join("Cargo.toml").is_file()) {
        // Forward slashes work on every system, and need no escaping in TOML.
        Some(path) => format!("path = \"{}\"", path.to_string_lossy().replace('\\', "/")),
        None => format!("version = \"{}\"", env!("CARGO_PKG_VERSION")),
    }
}
