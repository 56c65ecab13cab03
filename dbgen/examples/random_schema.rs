//! Writes a random schema to standard output: `cargo run -p dbgen --example random_schema -- SEED TABLES COMPOSITES ENUMS
//! FIELDS`. With 7 300 235 60 7 it has the size of a shipping game's; `docs/BUILD_TIMES.md` says what its code costs.

#[path = "../tests/it/random.rs"]
mod random;

use dbgen_schema::{Format, Schema, Source};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [seed, tables, composites, enums, fields] = numbers[..] else {
        eprintln!("usage: random_schema SEED TABLES COMPOSITES ENUMS FIELDS");
        std::process::exit(2);
    };
    let size = random::Size { tables, composites, enums, fields };
    // Not every seed gives a schema that passes: composites can grow too large.
    let schema = (seed as u64..).map(|seed| random::schema(seed, size)).find(|text| {
        let source = Source { name: "random.json".to_owned(), text: text.clone(), format: Format::Json };
        Schema::parse(&source).is_ok()
    });
    println!("{}", schema.unwrap_or_default());
}
