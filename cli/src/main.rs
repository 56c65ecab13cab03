//! The command line of dbgen.
//!
//! One file per subcommand, each with its arguments and a `run`. A `run` prints what was asked for to standard output;
//! what went wrong comes back as a [`Failure`], which `main` alone turns into text on standard error and an exit code:
//!
//! | code | meaning |
//! |---|---|
//! | 0 | done, and all is well |
//! | 1 | the answer is no: a schema has errors, a file is not formatted, a change is not allowed |
//! | 2 | the question could not be put: wrong arguments, a file that cannot be read or written |

mod backup;
mod check;
mod diff;
mod doc;
mod explain;
mod failure;
mod fmt;
mod generate;
mod input;
mod lock;
mod log;
mod new;
mod output;
mod progress;
mod recover;
mod serve;
mod snapshot;
mod version;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// Compile a game's schema into a database.
#[derive(Debug, Parser)]
#[command(name = "dbgen", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Arguments),
    Check(check::Arguments),
    Generate(generate::Arguments),
    Fmt(fmt::Arguments),
    Lock(lock::Arguments),
    Diff(diff::Arguments),
    Doc(doc::Arguments),
    Serve(serve::Arguments),
    Snapshot(snapshot::Arguments),
    Log(log::Arguments),
    Recover(recover::Arguments),
    Backup(backup::Arguments),
    Explain(explain::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::New(arguments) => new::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Lock(arguments) => lock::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Doc(arguments) => doc::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Recover(arguments) => recover::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
    }
}
