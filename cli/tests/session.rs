//! Runs one session: a golden script over a temporary folder.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

use goldenscript::{Context, Runner};
use tempfile::TempDir;

pub(crate) struct Session {
    folder: TempDir,
}

impl Session {
    /// Plays a script; panics where its output is not what the script says.
    #[track_caller]
    pub(crate) fn play(script: &str) {
        let text = std::fs::read_to_string(script).expect("the script is there");
        if text.contains("> git ") && Command::new("git").arg("--version").output().is_err() {
            eprintln!("{script}: not played, since there is no git here");
            return;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in dbgen_tests::files("cli/tests/files", "").into_iter().chain(["schemas/arena.json".to_owned()]) {
            let name = Path::new(&file).file_name().expect("a name");
            std::fs::copy(dbgen_tests::root().join(&file), folder.path().join(name)).expect("a copy");
        }
        goldenscript::run(&mut Session { folder }, script).expect("the script runs");
    }

    fn dbgen(&self, arguments: &[String]) -> std::io::Result<String> {
        let output = Command::new(env!("CARGO_BIN_EXE_dbgen"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_COLOR", "1")
            .output()?;
        Ok(transcript(&output))
    }

    /// Git as it is on a machine where nobody has set it up. What it prints depends on its version; it is not shown.
    fn git(&self, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(self.folder.path()).output()?;
        if output.status.success() { Ok(String::new()) } else { Err(transcript(&output).into()) }
    }

    fn ls(&self) -> std::io::Result<String> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.folder.path())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names.join("\n"))
    }

    fn cat(&self, file: &str) -> std::io::Result<String> {
        std::fs::read_to_string(self.folder.path().join(file))
    }

    fn replace(&self, file: &str, old: &str, new: &str) -> Result<String, Box<dyn Error>> {
        let before = self.cat(file)?;
        if !before.contains(old) {
            return Err(format!("{file} holds no {old:?}").into());
        }
        std::fs::write(self.folder.path().join(file), before.replace(old, new))?;
        Ok(String::new())
    }
}

impl Runner for Session {
    type Command = goldenscript::Command;

    fn run(&mut self, command: &goldenscript::Command, _: &Context) -> Result<String, Box<dyn Error>> {
        let words = dbgen_tests::curl::words(&command.name);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        Ok(match words.as_slice() {
            ["dbgen", arguments @ ..] => self.dbgen(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())?,
            ["git", arguments @ ..] => self.git(arguments)?,
            ["ls"] => self.ls()?,
            ["cat", file] => self.cat(file)?,
            ["replace", file, old, new] => self.replace(file, old, new)?,
            other => return Err(format!("no such command: {other:?}").into()),
        })
    }
}

/// What a person saw on the terminal, with the system's own words for a missing file as `(no such file)`.
fn transcript(output: &Output) -> String {
    let missing = std::fs::metadata("a file that is not there").map(drop).expect_err("it is not there").to_string();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in String::from_utf8_lossy(&output.stderr).replace(&missing, "(no such file)").lines() {
        let _ = writeln!(text, "{}", format!("! {line}").trim_end());
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => drop(writeln!(text, "[exit {code}]")),
        None => text.push_str("[killed by a signal]\n"),
    }
    text
}
