//! A tool that knows no schema when it is built: it opens a schema file, fills a table, edits the schema, and shows what is
//! there.
//!
//! ```text
//! cargo run -p dbgen-runtime --example inspect                      # the schema below
//! cargo run -p dbgen-runtime --example inspect schemas/arena.toml   # any other: shows its tables
//! ```

use dbgen_runtime::{Database, Result, SchemaEdit, Value};
use serde_json::json;

const SHOP: &str = r#"{ "name": "shop", "version": "1", "tables": {
    "maker": { "fields": [ {"name":"name","type":"str<24>","unique":true} ] },
    "item": { "fields": [
        {"name":"name","type":"str<24>","unique":true}, {"name":"price","type":"u32","default":1,"indexed":true},
        {"name":"maker","type":"ref<maker>","nullable":true,"on_delete":"set_null"} ] } } }"#;

fn main() -> Result<()> {
    if let Some(path) = std::env::args().nth(1) {
        return show(&Database::builder().schema_file(path).open()?);
    }
    let db = Database::builder().schema_json(SHOP).open()?;

    // One transaction: all of it or nothing. What breaks a rule says which, of which field, and with what value.
    let sword = db.transact(|tx| {
        let maker = tx.insert_named("maker", &[("name", "Anvil & Sons".into())])?;
        tx.insert_named("item", &[("name", "shield".into()), ("price", 30_u32.into())])?;
        tx.insert_named(
            "item",
            &[("name", "sword".into()), ("price", 50_u32.into()), ("maker", Value::Ref(maker.get()))],
        )
    })?;
    if let Err(twice) = db.transact(|tx| tx.insert_named("item", &[("name", "sword".into())])) {
        println!("refused: {twice}");
    }

    // A view is the whole database at one commit, and stays so whatever happens next.
    let view = db.read();
    let dear = view.open_table("item")?.find_range(
        "by_price",
        std::ops::Bound::Included(&[40_u32.into()]),
        std::ops::Bound::Unbounded,
    )?;
    for item in dear {
        println!("{} costs {:?}", item.id(), item.get("price")?);
    }

    // The schema changes while the database runs; records follow.
    db.edit_schema([
        SchemaEdit::rename_field("item", "price", "cost"),
        SchemaEdit::alter_field("item", "cost", json!({ "type": "u64" })),
        SchemaEdit::add_field("item", json!({ "name": "weight", "type": "f32", "default": 1.5 })),
        SchemaEdit::create_index("item", json!({ "name": "by_maker_cost", "fields": ["maker", "cost"] })),
    ])?;
    db.transact(|tx| tx.update_named("item", sword, &[("cost", 5_000_000_000_u64.into())]))?;
    assert!(view.open_table("item")?.get(sword)?.get("cost").is_err(), "the view is of before");
    show(&db)
}

/// All tables with their fields and records.
fn show(db: &Database) -> Result<()> {
    let view = db.read();
    for table in view.tables() {
        println!("{} ({} records)", table.schema().name, table.len());
        for record in table.iter() {
            let values: Vec<String> = record.named_values().map(|(name, value)| format!("{name}: {value:?}")).collect();
            println!("  {} {{ {} }}", record.id(), values.join(", "));
        }
    }
    Ok(())
}
