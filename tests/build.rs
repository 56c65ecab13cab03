//! Compiles the schema that the Rust of the README uses, and the one that the state machine plays with.

fn main() -> Result<(), dbgen::Error> {
    dbgen::compile("../schemas/arena.json")?;
    dbgen::compile("fixtures/menagerie.json")?;
    // One of everything, with serde's traits.
    dbgen::configure().schema("fixtures/zoo.json").schema("fixtures/post.json").derive_serde(true).compile()
}
