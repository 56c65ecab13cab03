//! The commands over a schema of the size of a shipping game's: `schemas/mmo.json`, 125 tables.

use std::path::Path;
use std::process::Command;

/// Runs the program in `folder`; what it printed, if it exits with `code`.
#[track_caller]
fn dbgen(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dbgen"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_large_schema_is_checked_locked_compared_documented_and_generated() {
    let folder = tempfile::tempdir().expect("a folder");
    let (at, file) = (folder.path(), folder.path().join("mmo.json"));
    let text = std::fs::read_to_string(dbgen_tests::root().join("schemas/mmo.json")).expect("it is there");
    std::fs::write(&file, &text).expect("a copy");

    assert_eq!(dbgen(at, &["check", "mmo.json"], 0), "mmo.json: ok, 125 tables, 703 fields\n");
    assert_eq!(dbgen(at, &["fmt", "--check", "mmo.json"], 0), "");
    dbgen(at, &["lock", "mmo.json"], 0);
    let lock = std::fs::read_to_string(at.join("mmo.lock.json")).expect("it was written");
    assert!(lock.contains("\"ItemStack\"") && lock.contains("\"player_state\"") && lock.contains("\"DamageSource\""));

    let doc = dbgen(at, &["doc", "mmo.json"], 0);
    assert_eq!(doc.lines().filter(|line| line.starts_with("## `")).count(), 125);
    assert!(doc.contains("erDiagram") && doc.contains("| `contents` | `ItemStack?` |"));

    let code = dbgen(at, &["generate", "mmo.json"], 0);
    assert!(code.contains("pub struct PlayerState {") && code.contains("fn range_item_side_price("));
    assert!(code.lines().count() < 125 * 400, "{} lines", code.lines().count());

    // A designer renames a part of a composite, drops a table and narrows a type.
    std::fs::copy(&file, at.join("before.json")).expect("a copy");
    std::fs::copy(at.join("mmo.lock.json"), at.join("before.lock.json")).expect("a copy");
    let changed = [
        (
            "\"name\": \"durability\", \"type\": \"i32\", \"nullable\": true }",
            "\"name\": \"wear\", \"type\": \"i32\", \"nullable\": true, \"renamed_from\": \"durability\" }",
        ),
        ("\"name\": \"tiles\", \"type\": \"i32\"", "\"name\": \"tiles\", \"type\": \"i16\""),
        ("\"name\": \"energy\", \"type\": \"i32\"", "\"name\": \"energy\", \"type\": \"i64\""),
    ];
    let mut new = text;
    for (from, to) in changed {
        assert!(new.contains(from), "{from}");
        new = new.replacen(from, to, 1);
    }
    std::fs::write(&file, new).expect("a new version");
    let plan = dbgen(at, &["diff", "before.json", "mmo.json"], 0);
    for line in [
        "ItemStack.wear: `durability` is called `wear` [field_renamed]",
        "claim_local.tiles: `i32` becomes `i16` [field_narrowed]",
        "empire_node.energy: `i32` becomes `i64` [field_widened]",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
    dbgen(at, &["check", "mmo.json", "--against", "before.json"], 1);
    dbgen(at, &["check", "mmo.json", "--against", "before.json", "--allow", "claim_local.tiles"], 0);
    dbgen(at, &["check", "mmo.json", "--against", "nothing.json"], 2);
}
