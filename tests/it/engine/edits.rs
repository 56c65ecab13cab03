//! Edits of the schema while the database runs: what they keep, what they refuse, and that a refused one changes nothing.

use crate::generated::golden::arena::{Arena, Class, Guild, Player};
use dbgen_runtime::error::SchemaEditError;
use dbgen_runtime::schema::StableId;
use dbgen_runtime::{__private, Database, Error, RecordId, Rule, SchemaEdit, TableNo, Value, Violation};
use serde_json::json;

const SHOP: &str = r#"{ "name": "shop", "version": "1", "tables": {
    "maker": { "fields": [ {"name":"code","type":"u32","unique":true}, {"name":"about","type":"text","nullable":true} ] },
    "item": { "fields": [
        {"name":"name","type":"str<16>","unique":true}, {"name":"price","type":"i32","indexed":true},
        {"name":"weight","type":"f32","default":1.5}, {"name":"tags","type":"list<text>","default":[]},
        {"name":"sizes","type":"[u8; 2]","default":[1, 2]}, {"name":"maker","type":"ref<maker>","nullable":true},
        {"name":"code","type":"u32","nullable":true} ] },
    "stock": { "parent_table": "item", "fields": [ {"name":"count","type":"u16"} ] } } }"#;

struct Shop {
    db: Database,
    items: Vec<RecordId>,
    makers: Vec<RecordId>,
}

impl Shop {
    fn open() -> Shop {
        let db = Database::builder().schema_json(SHOP).open().expect("it opens");
        let (mut items, mut makers) = (Vec::new(), Vec::new());
        db.transact(|tx| {
            let (maker, item, stock) = (tx.open_table("maker")?, tx.open_table("item")?, tx.open_table("stock")?);
            for n in 0..3_u32 {
                let about = if n == 0 { Value::Null } else { Value::from("long ".repeat(n as usize * 9)) };
                makers.push(tx.insert_values(maker, &[(0, (n + 70).into()), (1, about)])?);
            }
            for n in 0..20_i32 {
                let tags = Value::List((0..n % 4).map(|t| Value::from(format!("tag {t} of {n}"))).collect());
                let of = Value::Ref(makers[n as usize % 3].get());
                let values = [(0, format!("item {n}").into()), (1, (n % 5).into()), (3, tags), (5, of)];
                let id = tx.insert_values(item, &values)?;
                tx.attach_values(stock, id, &[(0, 7_u16.into())])?;
                items.push(id);
            }
            // Rows that do not lie in the order of their ids.
            tx.delete_record(item, items.remove(3))?;
            tx.delete_record(item, items.remove(8)).map(drop)
        })
        .expect("filled");
        Shop { db, items, makers }
    }

    /// Makes the edits; the database must be whole after them, also for a view taken before, which does not change.
    #[track_caller]
    fn edit(&self, edits: impl AsRef<[SchemaEdit]>) {
        let before = self.db.read();
        let rows = before.open_table("item").map(|item| item.iter().map(|it| it.values()).collect::<Vec<_>>());
        let edited = self.db.edit_schema(edits).expect("an edit that is allowed");
        let after = self.db.read();
        assert_eq!((after.schema_version(), before.schema_version()), (edited, edited - 1));
        before.verify().expect("the old version is whole");
        after.verify().expect("the new version is whole");
        let still = before.open_table("item").map(|item| item.iter().map(|it| it.values()).collect::<Vec<_>>());
        assert_eq!(still.ok(), rows.ok(), "a view does not change");
    }

    /// Makes edits that are refused; nothing may have changed then.
    #[track_caller]
    fn refused(&self, edits: impl AsRef<[SchemaEdit]>) -> Error {
        let (before, bytes) = (self.db.read(), __private::buffers(&self.db).expect("no transaction runs"));
        let error = self.db.edit_schema(edits).expect_err("an edit that is not allowed");
        assert!(__private::buffers(&self.db).expect("no transaction runs") == bytes, "{error}: bytes have changed");
        assert_eq!(self.db.read().schema(), before.schema(), "{error}");
        assert_eq!(self.db.read().commit(), before.commit(), "{error}");
        error
    }

    /// The records in the way of the edits: how many, the ids of the first, and what is wrong with the very first.
    #[track_caller]
    fn in_the_way(&self, edits: impl AsRef<[SchemaEdit]>) -> (usize, Vec<RecordId>, Violation) {
        match self.refused(edits) {
            Error::SchemaEdit(SchemaEditError::RecordsInTheWay { records, first }) => {
                (records, first.iter().filter_map(|violation| violation.id).collect(), first[0].clone())
            }
            other => panic!("records in the way, not {other}"),
        }
    }

    #[track_caller]
    fn value(&self, table: &str, id: RecordId, field: &str) -> Value {
        let view = self.db.read();
        let table = view.open_table(table).expect("a table");
        let (at, _) = table.schema().field(field).expect("a field");
        table.get(id).expect("a record").value(at.at())
    }

    fn number(&self, table: &str) -> TableNo {
        self.db.read().open_table(table).expect("a table").number()
    }
}

#[test]
fn ts_3_a_renamed_table_keeps_records_references_components_and_indexes() {
    let shop = Shop::open();
    shop.edit(SchemaEdit::rename_table("item", "thing"));
    shop.edit(SchemaEdit::rename_table("maker", "smith"));
    assert!(matches!(shop.db.read().open_table("item"), Err(Error::UnknownTable { .. })));
    let first = shop.items[0];
    assert_eq!(shop.value("thing", first, "maker"), Value::Ref(shop.makers[0].get()));
    assert_eq!(shop.value("stock", first, "count"), Value::from(7_u16));
    let view = shop.db.read();
    let found = view.open_table("thing").expect("a table").find("by_name", &["item 5".into()]).expect("an index");
    assert_eq!(found.expect("a record").value(0), Value::from("item 5"));
    // The relation lives on: a maker that is referred to stays.
    let smith = shop.number("smith");
    let refused = shop.db.transact(|tx| tx.delete_record(smith, shop.makers[0]));
    assert!(matches!(refused, Err(Error::Restricted { .. })));
    let taken = shop.refused(SchemaEdit::rename_table("thing", "stock"));
    assert!(matches!(taken, Error::SchemaEdit(SchemaEditError::TableExists { .. })), "{taken}");
}

#[test]
fn ts_3_a_renamed_field_keeps_values_indexes_and_foreign_keys() {
    let shop = Shop::open();
    let by_price_name = json!({ "name": "by_price_name", "fields": ["price", "name"] });
    shop.edit([
        SchemaEdit::create_index("item", by_price_name),
        SchemaEdit::alter_field("item", "code", json!({ "foreign_key": "maker.code" })),
        SchemaEdit::rename_field("item", "price", "cost"),
        SchemaEdit::rename_field("maker", "code", "number"),
    ]);
    assert_eq!(shop.value("item", shop.items[1], "cost"), Value::from(1));
    let view = shop.db.read();
    let item = view.open_table("item").expect("a table");
    assert_eq!(item.find_all("by_cost", &[2.into()]).expect("an index").count(), 4);
    assert_eq!(item.find_all("by_price_name", &[2.into()]).expect("an index").count(), 4);
    let relation = view.schema().relations.iter().find(|it| it.to_field.is_some()).expect("a relation by value");
    assert_eq!(
        view.schema().tables[relation.to_table.at()].fields[relation.to_field.expect("one").at()].name,
        "number"
    );
    let item = item.number();
    let stray = shop.db.transact(|tx| tx.update_values(item, shop.items[0], &[(6, 5_u32.into())]));
    assert!(matches!(stray, Err(Error::Invalid(_))), "the foreign key is kept");
    let taken = shop.refused(SchemaEdit::rename_field("item", "cost", "name"));
    assert!(matches!(taken, Error::SchemaEdit(SchemaEditError::FieldExists { .. })), "{taken}");
}

#[test]
fn ts_4_a_widened_field_keeps_its_values() {
    let shop = Shop::open();
    shop.edit([
        SchemaEdit::alter_field("item", "price", json!({ "type": "i64", "nullable": true })),
        SchemaEdit::alter_field("item", "weight", json!({ "type": "f64" })),
        SchemaEdit::alter_field("item", "name", json!({ "type": "str<300>" })),
        SchemaEdit::alter_field("item", "sizes", json!({ "type": "[u32; 4]", "default": [0, 0, 0, 0] })),
        SchemaEdit::alter_field("maker", "about", json!({ "type": "str<200>" })),
    ]);
    let (first, second) = (shop.items[0], shop.items[1]);
    assert_eq!(shop.value("item", second, "price"), Value::from(1));
    assert_eq!(shop.value("item", second, "weight"), Value::Float(1.5));
    assert_eq!(shop.value("item", second, "tags"), Value::List(vec!["tag 0 of 1".into()]));
    let sizes = [1_u32, 2, 0, 0].map(Value::from);
    assert_eq!(shop.value("item", first, "sizes"), Value::List(sizes.to_vec()));
    assert_eq!(shop.value("maker", shop.makers[0], "about"), Value::Null);
    assert_eq!(shop.value("maker", shop.makers[2], "about"), Value::from("long ".repeat(18)));
    let item = shop.number("item");
    let wide = [(0, Value::from("x".repeat(300))), (1, (1_i64 << 40).into()), (2, Value::Float(1e300))];
    shop.db.transact(|tx| tx.update_values(item, first, &wide)).expect("what is wide fits");
    shop.db.transact(|tx| tx.update_values(item, second, &[(1, Value::Null)])).expect("null fits");
    // Back again: what does not fit is in the way, whole or not at all.
    let (records, ids, violation) =
        shop.in_the_way(SchemaEdit::alter_field("item", "name", json!({ "type": "str<16>" })));
    assert_eq!((records, ids, violation.field.as_str()), (1, vec![first], "name"));
    assert!(matches!(violation.rule, Rule::TooLong { max: 16, got: 300 }), "{violation}");
    let narrow = [
        SchemaEdit::alter_field("item", "weight", json!({ "type": "f64", "max": 10.0 })),
        SchemaEdit::alter_field("item", "price", json!({ "type": "i32" })),
    ];
    let (records, ids, _) = shop.in_the_way(&narrow);
    assert_eq!((records, ids.first()), (1, Some(&first)));
    // A null that may no longer be becomes the default, if there is one.
    let (_, ids, violation) = shop.in_the_way(SchemaEdit::alter_field("item", "price", json!({ "nullable": false })));
    assert_eq!((ids, violation.rule), (vec![second], Rule::NotNull));
    shop.edit(SchemaEdit::alter_field("item", "price", json!({ "nullable": null, "default": -1 })));
    assert_eq!(shop.value("item", second, "price"), Value::from(-1));
}

#[test]
fn a_value_is_never_rounded_and_never_another_kind() {
    let shop = Shop::open();
    let item = shop.number("item");
    shop.edit(SchemaEdit::alter_field("item", "weight", json!({ "type": "f64" })));
    shop.db.transact(|tx| tx.update_values(item, shop.items[4], &[(2, Value::Float(0.1))])).expect("a double");
    let (records, ids, _) = shop.in_the_way(SchemaEdit::alter_field("item", "weight", json!({ "type": "f32" })));
    assert_eq!((records, ids), (1, vec![shop.items[4]]), "0.1 is no f32");
    let to_text = json!({ "type": "text", "default": null });
    let (records, ids, violation) = shop.in_the_way(SchemaEdit::alter_field("item", "weight", to_text));
    assert_eq!((records, ids.len()), (18, 5), "all of them, the first are named");
    assert!(matches!(violation.rule, Rule::Type { .. }), "{violation}");
}

#[test]
fn ts_4_a_changed_default_is_for_records_to_come() {
    let shop = Shop::open();
    shop.edit(SchemaEdit::alter_field("item", "weight", json!({ "default": 9.0 })));
    assert_eq!(shop.value("item", shop.items[0], "weight"), Value::from(1.5_f32));
    let item = shop.number("item");
    let new = shop.db.transact(|tx| tx.insert_values(item, &[(0, "new".into()), (1, 3.into())])).expect("inserted");
    assert_eq!(shop.value("item", new, "weight"), Value::from(9.0_f32));
    let (records, ids, violation) = shop.in_the_way(SchemaEdit::alter_field("item", "weight", json!({ "min": 2.0 })));
    assert_eq!((records, ids.len()), (18, 5));
    assert!(matches!(violation.rule, Rule::OutOfRange { .. }), "{violation}");
}

#[test]
fn several_edits_are_one_step_and_see_each_other() {
    let shop = Shop::open();
    let to =
        |table: &str| json!({ "fields": [ { "name": "other", "type": format!("ref<{table}>"), "nullable": true } ] });
    shop.edit([
        SchemaEdit::create_table("left", to("right")),
        SchemaEdit::create_table("right", to("left")),
        SchemaEdit::add_field("left", json!({ "name": "n", "type": "u8" })),
        SchemaEdit::rename_field("left", "n", "number"),
    ]);
    assert_eq!(shop.db.read().schema().relations.len(), 3);
    // The last one is wrong: none is made.
    let error = shop.refused([
        SchemaEdit::drop_table("stock"),
        SchemaEdit::rename_table("item", "thing"),
        SchemaEdit::drop_field("item", "name"),
    ]);
    assert!(matches!(error, Error::UnknownTable { .. }), "{error}");
    // A field that goes and comes again in one step is another one.
    shop.edit([
        SchemaEdit::drop_field("item", "weight"),
        SchemaEdit::add_field("item", json!({ "name": "weight", "type": "f32", "default": 4.0 })),
    ]);
    assert_eq!(shop.value("item", shop.items[0], "weight"), Value::from(4.0_f32));
    assert_eq!(shop.db.edit_schema([]).expect("nothing to do"), shop.db.read().schema_version());
}

#[test]
fn an_index_is_made_of_the_records_that_are_there_and_finds_those_to_come() {
    let shop = Shop::open();
    let unique = json!({ "name": "by_price_weight", "fields": ["price", "weight"], "unique": true });
    let (records, ids, violation) = shop.in_the_way(SchemaEdit::create_index("item", unique));
    assert_eq!((records, ids.len()), (13, 5), "five prices, eighteen records");
    assert!(matches!(violation.rule, Rule::Unique { .. }) && violation.field == "price,weight", "{violation}");
    let view = shop.db.read();
    let first = view.open_table("item").expect("a table").iter().next().expect("a record").id();
    assert!(!ids.contains(&first), "the first of each price is not in the way");

    shop.edit([
        SchemaEdit::create_index("item", json!({ "fields": ["weight", "price", "name"] })),
        SchemaEdit::create_index("item", json!({ "name": "same_maker", "fields": ["maker"], "kind": "hash" })),
    ]);
    let item = shop.number("item");
    let new = [(0, "new".into()), (1, 77.into()), (5, Value::Ref(shop.makers[1].get()))];
    let new = shop.db.transact(|tx| tx.insert_values(item, &new)).expect("inserted");
    let view = shop.db.read();
    let table = view.open_table("item").expect("a table");
    let name = table.schema().indexes.iter().find(|index| index.fields.len() == 3).expect("an index").name.clone();
    let key = [Value::from(1.5_f32), 77.into()];
    assert_eq!(table.find(&name, &key).expect("an index").map(|it| it.id()), Some(new));
    let by_maker = table.find_all("same_maker", &[Value::Ref(shop.makers[1].get())]).expect("an index").count();
    assert_eq!(by_maker, table.iter().filter(|it| it.value(5) == Value::Ref(shop.makers[1].get())).count());
    let again = shop.refused(SchemaEdit::create_index("item", json!({ "name": "same_maker", "fields": ["code"] })));
    assert!(matches!(again, Error::SchemaEdit(SchemaEditError::IndexExists { .. })), "{again}");
}

#[test]
fn an_index_is_dropped_unless_something_needs_it() {
    let shop = Shop::open();
    shop.edit([SchemaEdit::drop_index("item", "by_price"), SchemaEdit::drop_index("item", "by_name")]);
    let item = shop.number("item");
    shop.db.transact(|tx| tx.update_values(item, shop.items[0], &[(0, "item 5".into())])).expect("no longer unique");
    let needed = shop.refused(SchemaEdit::drop_index("item", "by_maker"));
    assert!(matches!(needed, Error::SchemaEdit(SchemaEditError::IndexNeeded { .. })), "{needed}");
    shop.edit(SchemaEdit::alter_field("item", "code", json!({ "foreign_key": "maker.code" })));
    let needed = shop.refused(SchemaEdit::drop_index("maker", "by_code"));
    assert!(matches!(needed, Error::SchemaEdit(SchemaEditError::IndexNeeded { .. })), "{needed}");
    let unknown = shop.refused(SchemaEdit::drop_index("maker", "by_cod"));
    assert_eq!(unknown.to_string(), "table `maker` has no index `by_cod`; did you mean `by_code`?");
    // Two records have the name now.
    let (records, _, _) = shop.in_the_way(SchemaEdit::alter_field("item", "name", json!({ "unique": true })));
    assert_eq!(records, 1);
}

#[test]
fn rl_2_a_relation_that_leads_elsewhere_is_checked_anew() {
    let shop = Shop::open();
    let item = shop.number("item");
    let values = [(6, 70_u32.into())];
    shop.db.transact(|tx| shop.items.iter().try_for_each(|id| tx.update_values(item, *id, &values))).expect("written");
    let relation = json!({ "name": "made_by", "from": "item.code", "to": "maker.code", "on_delete": "set_null" });
    shop.edit(SchemaEdit::CreateRelation { definition: relation.clone() });
    let again = shop.refused(SchemaEdit::CreateRelation { definition: relation });
    assert!(matches!(again, Error::SchemaEdit(SchemaEditError::RelationExists { .. })), "{again}");
    // The same name, from the same field, to another table: it is another relation.
    let other = json!({ "fields": [ { "name": "code", "type": "u32", "unique": true } ] });
    let (records, ids, violation) = shop.in_the_way([
        SchemaEdit::create_table("other", other),
        SchemaEdit::DropRelation { name: "made_by".to_owned() },
        SchemaEdit::CreateRelation {
            definition: json!({ "name": "made_by", "from": "item.code", "to": "other.code" }),
        },
    ]);
    assert_eq!((records, ids.len()), (18, 5));
    assert!(matches!(violation.rule, Rule::Reference { .. }), "{violation}");
}

#[test]
fn a_dropped_table_takes_its_components_and_references_along_only_if_told_to() {
    let shop = Shop::open();
    match shop.refused(SchemaEdit::drop_table("item")) {
        Error::SchemaEdit(SchemaEditError::TableReferenced { by, .. }) => assert_eq!(by, ["stock"]),
        other => panic!("{other}"),
    }
    shop.edit(SchemaEdit::DropTable { table: "maker".to_owned(), cascade: true });
    assert!(shop.db.read().schema().tables.iter().all(|table| table.field("maker").is_none()));
    shop.edit(SchemaEdit::DropTable { table: "item".to_owned(), cascade: true });
    assert!(shop.db.read().schema().tables.is_empty());
}

/// The number of a table was its place, and nothing else: when a table before it was dropped, whoever kept the number wrote
/// into the next one.
#[test]
fn a_kept_number_of_a_table_names_that_table_or_nothing() {
    let table = |name: &str| SchemaEdit::create_table(name, json!({ "fields": [{ "name": "n", "type": "i32" }] }));
    let db = Database::builder().open().expect("it opens");
    db.edit_schema([table("a"), table("b"), table("c")]).expect("made");
    let number = |name: &str| db.read().open_table(name).expect("it is there").number();
    let kept = ["a", "b", "c"].map(number);
    let write = |table: TableNo| db.transact(|tx| tx.insert_values(table, &[(0, 7.into())]));
    // What leaves a table in its place leaves its number good.
    db.edit_schema(SchemaEdit::add_field("a", json!({ "name": "m", "type": "i32", "default": 1 }))).expect("added");
    db.edit_schema(SchemaEdit::rename_table("c", "d")).expect("renamed");
    for table in kept {
        write(table).expect("it is where it was");
    }

    db.edit_schema(SchemaEdit::drop_table("b")).expect("dropped");
    write(kept[0]).expect("those before it stay");
    let is_stale = |table: TableNo| {
        let id = RecordId::from_u64(1 << 32).expect("an id");
        let told = db.transact(|tx| {
            let results = [
                tx.read_table(table).map(drop),
                tx.insert_values(table, &[]).map(drop),
                tx.attach_values(table, id, &[]),
                tx.insert_many(table, [[].as_slice()]).map(drop),
                tx.update_values(table, id, &[]),
                tx.replace_values(table, id, &[]),
                tx.update_where(table, |_| true, &[]).map(drop),
                tx.delete_where(table, |_| true).map(drop),
                tx.delete_record(table, id).map(drop),
                tx.expect_version(table, id, 1),
                tx.reserve(table, 1),
            ];
            Ok(results.into_iter().all(|done| matches!(done, Err(Error::StaleTable { at }) if at == table.at())))
        });
        told.expect("each is refused by itself")
    };
    assert!(is_stale(kept[1]) && is_stale(kept[2]));
    // Not even a table of the same name at the same place is the one that has gone.
    db.edit_schema([SchemaEdit::drop_table("d"), table("b")]).expect("made anew");
    assert_eq!(number("b").at(), kept[1].at());
    assert!(is_stale(kept[1]));
    write(number("b")).expect("asked for anew");
    assert_eq!(db.read().open_table("a").map(|table| table.len()).ok(), Some(2));
    db.read().verify().expect("whole");
}

#[test]
fn what_is_made_at_run_time_has_an_id_that_no_lock_file_gives() {
    let shop = Shop::open();
    shop.edit(SchemaEdit::create_table("new", json!({ "fields": [ { "name": "n", "type": "u8" } ] })));
    shop.edit(SchemaEdit::add_field("item", json!({ "name": "n", "type": "u8", "default": 1 })));
    let ids = |table: &str, field: &str| {
        let view = shop.db.read();
        let (_, table) = view.schema().table(table).expect("a table");
        (table.id.0, table.field(field).expect("a field").1.id.0)
    };
    let (table, field) = ids("new", "n");
    assert_eq!((table, field, ids("item", "n").1), (StableId::RUNTIME_MIN, table + 1, table + 2));
    assert_eq!(ids("item", "name"), (0, 0), "what was there has the ids of its file");
    shop.edit(SchemaEdit::rename_field("new", "n", "number"));
    assert_eq!(ids("new", "number"), (table, field));
    shop.edit(SchemaEdit::drop_table("new"));
    shop.edit(SchemaEdit::create_table("new", json!({ "fields": [ { "name": "n", "type": "u8" } ] })));
    assert_eq!(ids("new", "n").0, table + 3, "no id is given twice");
}

fn arena() -> (Arena, dbgen_runtime::Id<Player>) {
    let db = Arena::builder().open().expect("it opens");
    let ayla = db.transact(|tx| {
        let guild = tx.guild_mut().insert(Guild::new("Night Watch"))?;
        tx.player_mut().insert(Player { class: Class::Mage, guild: Some(guild), kills: 3, ..Player::new("Ayla") })
    });
    let ayla = ayla.expect("inserted");
    (db, ayla)
}

#[test]
fn compiled_tables_stay_as_they_were_compiled() {
    let (db, ayla) = arena();
    let before = __private::buffers(&db).expect("no transaction runs");
    for (edit, what) in [
        (SchemaEdit::rename_table("player", "person"), "player"),
        (SchemaEdit::drop_table("player"), "player"),
        (SchemaEdit::rename_field("player", "hp", "health"), "player.hp"),
        (SchemaEdit::alter_field("player", "hp", json!({ "type": "i64" })), "player.hp"),
        (SchemaEdit::alter_field("player", "hp", json!({ "nullable": true })), "player.hp"),
        (SchemaEdit::DropField { table: "player".into(), field: "guild".into(), cascade: true }, "player.guild"),
        (SchemaEdit::drop_index("player", "by_class_hp"), "player.by_class_hp"),
        (SchemaEdit::drop_index("guild", "by_name"), "guild.name"),
        // Would stand for an index that generated code knows by its number.
        (SchemaEdit::create_index("player", json!({ "name": "mine", "fields": ["guild"] })), "player.by_guild"),
    ] {
        match db.edit_schema(&edit) {
            Err(Error::SchemaEdit(SchemaEditError::Compiled { what: refused })) => {
                assert_eq!(refused, what, "{edit:?}")
            }
            other => panic!("{edit:?}: {other:?}"),
        }
    }
    for edit in [
        SchemaEdit::alter_field("player", "kills", json!({ "max": 10 })),
        SchemaEdit::create_index("player", json!({ "fields": ["kills"], "unique": true })),
    ] {
        let error = db.edit_schema(&edit).expect_err("compiled code would not obey");
        assert!(matches!(error, Error::SchemaEdit(SchemaEditError::WrittenUnchecked { .. })), "{edit:?}: {error}");
    }
    assert!(__private::buffers(&db).expect("no transaction runs") == before);
    assert_eq!(db.read().player().get(ayla).expect("she is there").kills(), 3);
}

#[test]
fn generated_code_keeps_what_was_added_to_its_tables() {
    let (db, ayla) = arena();
    db.edit_schema([
        SchemaEdit::add_field("player", json!({ "name": "mana", "type": "u16", "default": 50, "indexed": true })),
        SchemaEdit::create_index("player", json!({ "fields": ["kills"] })),
        SchemaEdit::create_index("player", json!({ "fields": ["mana", "hp"], "unique": false })),
        SchemaEdit::alter_field("player", "hp", json!({ "default": 7 })),
    ])
    .expect("all of it is allowed");
    // A field that compiled code writes without asking has an index now.
    let bert = db.transact(|tx| {
        tx.player_mut().get_mut(ayla)?.set_kills(9);
        tx.player_mut().insert(Player { kills: 9, ..Player::new("Bert") })
    });
    let bert = bert.expect("written");
    let view = db.as_dynamic().read();
    view.verify().expect("whole");
    let player = view.open_table("player").expect("a table");
    let found: Vec<RecordId> =
        player.find_all("by_kills", &[9_u32.into()]).expect("an index").map(|it| it.id()).collect();
    assert_eq!(found, [ayla.record_id(), bert.record_id()]);
    assert_eq!(player.find_all("by_mana", &[50_u16.into()]).expect("an index").count(), 2);
    db.edit_schema([
        SchemaEdit::rename_field("player", "mana", "magic"),
        SchemaEdit::alter_field("player", "magic", json!({ "type": "u32", "nullable": true })),
        SchemaEdit::drop_index("player", "by_kills"),
    ])
    .expect("what was made at run time is free to change");
    db.transact(|tx| tx.player_mut().update(ayla, |p| p.hp += 1)).expect("written");
    let view = db.read();
    assert_eq!(view.player().by_name("Ayla").expect("found").hp(), 101);
    assert_eq!(view.player().by_class_hp(Class::Mage, 101).count(), 1);
    let dynamic = db.as_dynamic().read();
    dynamic.verify().expect("whole");
    let at = dynamic.open_table("player").expect("a table");
    let (magic, _) = at.schema().field("magic").expect("a field");
    assert_eq!(at.get(ayla.record_id()).expect("she is there").value(magic.at()), Value::from(50_u16));
}

#[test]
fn the_world_goes_on_while_its_schema_is_edited() {
    let (db, ayla) = arena();
    let mut world = db
        .tick_loop(60.0)
        .system("train", move |tick| tick.player_mut().update(ayla, |player| player.kills += 1))
        .stepped()
        .expect("a loop");
    let old = db.read();
    for n in 0..6 {
        world.step().expect("a tick");
        let table = format!("made_{n}");
        db.edit_schema([
            SchemaEdit::create_table(&table, json!({ "fields": [ { "name": "n", "type": "u8" } ] })),
            SchemaEdit::add_field("player", json!({ "name": format!("extra_{n}"), "type": "text", "default": "some" })),
        ])
        .expect("edited");
        db.as_dynamic().read().verify().expect("whole");
    }
    assert_eq!(db.read().player().get(ayla).expect("she is there").kills(), 9);
    assert_eq!(old.player().get(ayla).expect("she is there").kills(), 3, "a view does not change");
}
