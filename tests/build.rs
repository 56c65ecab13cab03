//! Compiles the schema that the Rust of the README uses, and the one that the state machine plays with.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/arena.json")?;
    dbgen::compile("fixtures/menagerie.json")
}
