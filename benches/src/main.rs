//! dbgen beside what a game would otherwise use, in one process and one run.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml` prints one table: ours beside the peer, minimum and median of
//! interleaved runs, and the ratio of the minima. `--only NAME` runs the scenes whose name contains NAME.

mod harness;
mod scenes;

use harness::Bench;

dbgen_runtime::include_schema!("world");

fn main() {
    let mut args = std::env::args().skip(1);
    let mut only = None;
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next()) {
            ("--only", Some(name)) => only = Some(name),
            _ => {
                eprintln!("usage: dbgen-benches [--only NAME]");
                std::process::exit(2);
            }
        }
    }
    let mut bench = Bench::new(only);
    scenes::run(&mut bench);
}
