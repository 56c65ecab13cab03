//! Compiles the schema of the benchmarks: a world with the tables that a game would have.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("world.json")
}
