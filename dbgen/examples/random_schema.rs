//! Writes a random schema to standard output, and to standard error what compiling it takes:
//! `cargo run --release -p dbgen --example random_schema -- SEED TABLES COMPOSITES ENUMS FIELDS`. With 7 300 235 60 7 it has
//! the size of a shipping game's; `docs/BUILD_TIMES.md` says what that costs.

#[path = "../tests/it/random.rs"]
mod random;

use dbgen::{Options, generate};
use dbgen_schema::{Format, Schema, Source};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [seed, tables, composites, enums, fields] = numbers[..] else {
        eprintln!("usage: random_schema SEED TABLES COMPOSITES ENUMS FIELDS");
        std::process::exit(2);
    };
    let size = random::Size { tables, composites, enums, fields };
    // Not every seed gives a schema that passes: composites can grow too large.
    let source =
        |seed| Source { name: "random.json".to_owned(), text: random::schema(seed, size), format: Format::Json };
    let Some((source, _)) = (seed as u64..).find_map(|seed| Some((source(seed), Schema::parse(&source(seed)).ok()?)))
    else {
        return;
    };
    #[allow(clippy::disallowed_methods, reason = "the time that it takes is what is told")]
    let started = std::time::Instant::now();
    let code =
        Schema::parse(&source).ok().and_then(|schema| generate(&schema, &Options::new()).ok()).unwrap_or_default();
    let lines = code.lines().count();
    eprintln!("checked and generated in {:?}: {lines} lines, {} bytes", started.elapsed(), code.len());
    println!("{}", source.text);
}
