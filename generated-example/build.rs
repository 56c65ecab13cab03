//! Compiles the schema. The generated file lands in OUT_DIR; `include_schema!` in main.rs brings it in.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/arena.json")
}
