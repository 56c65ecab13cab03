//! Compiles the schema: what comes out is the module `world` of main.rs.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("schemas/world.json")
}
