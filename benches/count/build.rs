//! Compiles the world of the benchmarks.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/world.json")
}
