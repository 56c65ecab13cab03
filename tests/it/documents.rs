//! What the documents show is true. The README's Rust is compiled as documentation tests of this crate, its curl session is
//! played by the tests of the command line; here is the rest. `UPDATE_GOLDENFILES=1` writes what is derived from code.

use dbgen_schema::evolve::rules::RULES;
use dbgen_tests::{read, root};

#[test]
fn the_rules_of_evolution_are_those_of_the_code() {
    const FILE: &str = "docs/EVOLUTION.md";
    const TABLE: &str = "| rule | class | what becomes of stored data | in buf |\n";
    let before = read(FILE);
    let (prose, _) = before.split_once(TABLE).expect("the file ends with the table");
    let rows = RULES.iter().map(|rule| {
        let buf: Vec<_> = rule.buf.iter().map(|name| format!("`{name}`")).collect();
        format!("| `{}` | {} | {} | {} |\n", rule.code, rule.class.as_str(), rule.what, buf.join(", "))
    });
    let after = format!("{prose}{TABLE}|---|---|---|---|\n{}", rows.collect::<String>());
    if std::env::var_os("UPDATE_GOLDENFILES").is_some() {
        std::fs::write(root().join(FILE), &after).expect("the file is written");
    }
    assert!(read(FILE) == after, "{FILE} differs from the table of rules; UPDATE_GOLDENFILES=1 writes it");
}
