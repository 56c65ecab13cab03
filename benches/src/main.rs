//! dbgen beside what a game would otherwise use, in one process and one run.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml` prints one table: a scene per block, ours beside each peer, the
//! minimum and the median of interleaved runs, the ratio of the minima, the bar and whether it is met.
//!
//! - `--only NAME` runs the scenes whose name contains NAME; may be said several times.
//! - `--list` names the scenes.
//! - `--json FILE` writes the same for machines, `--markdown FILE` for a document.

// Time is what a benchmark is about: the system's clock, uninjected.
#![allow(clippy::disallowed_methods)]

mod peers;
mod race;
mod report;
mod scene;
mod scenes;

use scene::{Outcome, Scene};
use std::process::ExitCode;

dbgen_runtime::include_schema!("world");
dbgen_runtime::include_schema!("entities");

const USAGE: &str = "usage: dbgen-benches [--only NAME]... [--list] [--json FILE] [--markdown FILE]";

#[derive(Default)]
struct Args {
    only: Vec<String>,
    list: bool,
    json: Option<String>,
    markdown: Option<String>,
}

fn main() -> ExitCode {
    if let Some(code) = scenes::memory::probe_if_asked() {
        return code;
    }
    let Some(args) = Args::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let wanted: Vec<&'static Scene> = scenes::SCENES.iter().filter(|scene| args.wants(scene)).collect();
    if args.list {
        wanted.iter().for_each(|scene| println!("{:<22} {}", scene.name, scene.title));
        return ExitCode::SUCCESS;
    }
    if wanted.is_empty() {
        eprintln!("no scene has such a name; --list names them");
        return ExitCode::from(2);
    }
    let outcomes = run(&wanted);
    report::print_summary(&outcomes);
    let json = args.json.map(|path| (path, format!("{:#}\n", report::json(&outcomes))));
    let markdown = args.markdown.map(|path| (path, report::markdown(&outcomes)));
    for (path, text) in json.into_iter().chain(markdown) {
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{path}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(scenes: &[&'static Scene]) -> Vec<Outcome> {
    report::head();
    let mut outcomes = Vec::new();
    for (at, scene) in scenes.iter().enumerate() {
        eprintln!("[{}/{}] {}", at + 1, scenes.len(), scene.name);
        let outcome = scene.outcome();
        report::print(&outcome);
        outcomes.push(outcome);
    }
    outcomes
}

impl Args {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Args> {
        let mut args = Args::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--only" => args.only.push(words.next()?),
                "--json" => args.json = Some(words.next()?),
                "--markdown" => args.markdown = Some(words.next()?),
                "--list" => args.list = true,
                _ => return None,
            }
        }
        Some(args)
    }

    fn wants(&self, scene: &Scene) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| scene.name.contains(name.as_str()))
    }
}
