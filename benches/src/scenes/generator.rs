//! What the generator costs a build, and the runtime a user's list of dependencies.

use crate::race::{Race, Runs};
use dbgen::{Options, generate};
use dbgen_runtime::schema::{Format, Schema, Source};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::process::Command;

/// A schema of 300 tables with 2,000 fields, 300 unique keys and 130 further indexes: a shipping game's.
pub fn generate_300() -> Vec<Runs> {
    let text = schema().to_string();
    let side = move || {
        let source = Source { name: "many.json".to_owned(), text: text.clone(), format: Format::Json };
        let schema = Schema::parse(&source).expect("a schema");
        black_box(generate(&schema, &Options::default()).expect("code"));
        1
    };
    Race::new().side("dbgen", side).run()
}

fn schema() -> Value {
    let types = ["i32", "u64", "f32", "text", "bool", "str<24>", "list<u32>", "timestamp"];
    let table = |n: usize| {
        let key = json!({ "name": "key", "type": "u64", "primary_key": true });
        let fields = if n % 3 == 2 { 6 } else { 7 };
        let mut all = vec![key];
        all.extend((1..fields).map(|field| {
            json!({
                "name": format!("field_{field}"),
                "type": types[(n + field) % types.len()],
                "nullable": field == 5,
            })
        }));
        if n % 7 < 3 {
            all[1] = json!({ "name": "field_1", "type": "u32", "indexed": true });
        }
        json!({ "fields": all })
    };
    let tables: Map<String, Value> = (0..300).map(|n| (format!("table_{n}"), table(n))).collect();
    json!({ "name": "many", "version": "1", "tables": tables })
}

/// Counts what `cargo tree` lists; no side if there is no cargo.
pub fn crates() -> Vec<Runs> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let tree = ["tree", "--locked", "--offline", "-p", "dbgen-runtime", "--no-default-features", "-e", "normal"];
    let output = Command::new("cargo").args(tree).args(["--prefix", "none", "--manifest-path", manifest]).output();
    let Ok(output) = output else { return Vec::new() };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let crates: BTreeSet<&str> =
        text.lines().filter_map(|line| line.split(' ').next()).filter(|n| !n.is_empty()).collect();
    if crates.is_empty() {
        return Vec::new();
    }
    vec![Runs::of("dbgen", vec![crates.len() as f64])]
}
