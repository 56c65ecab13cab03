//! Compiles the schema that the Rust of the README uses.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/arena.json")
}
