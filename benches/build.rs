//! Compiles the schemas of the benchmarks: a world with the tables that a game would have, and one kept as entities and
//! components.

fn main() -> Result<(), dbgen::Error> {
    dbgen::configure().schema("schemas/world.json").schema("schemas/entities.json").compile()
}
