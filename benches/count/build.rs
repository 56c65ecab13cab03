//! Compiles the worlds of the benchmarks.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/world.json")?;
    dbgen::compile("../schemas/entities.json")
}
