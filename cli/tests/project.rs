//! A package in a folder of its own, made of what the program wrote, as its user would build it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder with a package. It is gone when this is dropped; what was built from it stays in the workspace's target folder.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Project {
    /// A package that depends on the runtime, with the versions of this workspace's lock file.
    #[track_caller]
    pub(crate) fn new(name: &'static str) -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let project = Project { folder, name };
        let runtime = dbgen_tests::root().join("runtime").to_string_lossy().replace('\\', "/");
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\n\
                 dbgen-runtime = {{ path = \"{runtime}\", features = [\"server\"] }}\n\
                 serde_json = {{ version = \"1\", features = [\"preserve_order\"] }}\n\n[workspace]\n"
            ),
        );
        std::fs::copy(dbgen_tests::root().join("Cargo.lock"), project.path("Cargo.lock")).expect("a copy");
        project
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        let path = self.folder.path().join(file);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).expect("a folder in a temporary folder");
        }
        path
    }

    /// Writes a file of it.
    #[track_caller]
    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.path(file), text).expect("a file in a temporary folder");
    }

    /// Changes a file of it, as its author would.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, before: &str, after: &str) {
        let text = std::fs::read_to_string(self.path(file)).expect("the file is there");
        assert!(text.contains(before), "{text}");
        self.write(file, &text.replacen(before, after, 1));
    }

    /// Runs the program `dbgen`, which must succeed; what it printed.
    #[track_caller]
    pub(crate) fn dbgen(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
        succeeded(command.args(arguments).env("NO_COLOR", "1").output().expect("the program runs"))
    }

    /// Builds it, without a warning.
    #[track_caller]
    pub(crate) fn build(&self) {
        assert_eq!(self.cargo(&["build"]), "");
    }

    /// Compiles it as far as errors can be found, without a warning.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert_eq!(self.cargo(&["check"]), "");
    }

    /// Runs what was built, which must succeed; what it printed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let program = target().join("debug").join(self.name).with_extension(std::env::consts::EXE_EXTENSION);
        succeeded(Command::new(program).args(arguments).output().expect("it runs"))
    }

    /// Runs cargo. It builds into this workspace's own target folder, with the same settings, so that what the tests were
    /// built from need not be built again.
    #[track_caller]
    fn cargo(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .args(["--quiet", "--offline", "--config", "profile.dev.debug='line-tables-only'"])
            .args(["--config", "profile.dev.package.'*'.debug=false"])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", target())
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }
}

/// The target folder that this test was built into.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_dbgen")).ancestors().nth(2).expect("target/debug/dbgen")
}

#[track_caller]
fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
