//! Ids that stay the same through whatever happens to names.

use dbgen_schema::lock::Drift;
use dbgen_schema::{Format, Lock, Schema, StableId};

use crate::support::{fixtures, parse};

const FIRST: &str = r#"
    name = "test"
    [enums.Class]
    variants = ["warrior", "mage", "rogue"]
    [tables.guild]
    fields = [{ name = "name", type = "text" }]
    [tables.player]
    fields = [{ name = "name", type = "text" }, { name = "hp", type = "i32" }, { name = "mana", type = "i32" }]
"#;

fn toml(text: &str) -> Schema {
    parse(text, Format::Toml)
}

#[track_caller]
fn update(old: Option<&Lock>, schema: &mut Schema) -> Lock {
    Lock::update(old, schema).unwrap_or_else(|conflicts| panic!("{conflicts:?}"))
}

fn first() -> Lock {
    update(None, &mut toml(FIRST))
}

/// `table.field=id` of everything.
fn ids(schema: &Schema) -> Vec<String> {
    let fields = |table: &dbgen_schema::Table| -> String {
        table.fields.iter().map(|field| format!(" {}={}", field.name, field.id.0)).collect()
    };
    schema.tables.iter().map(|table| format!("{}={}:{}", table.name, table.id.0, fields(table))).collect()
}

fn sentences(drifts: &[Drift]) -> Vec<String> {
    drifts.iter().map(Drift::to_string).collect()
}

#[test]
fn ids_are_given_in_the_order_of_the_file() {
    let mut schema = toml(FIRST);
    update(None, &mut schema);
    assert_eq!(ids(&schema), ["guild=1: name=1", "player=2: name=1 hp=2 mana=3"]);
}

#[test]
fn the_file_reads_back_and_assigns_the_same_ids() {
    for schema in fixtures() {
        let mut numbered = schema.clone();
        let lock = update(None, &mut numbered);
        let text = lock.to_json_pretty();
        assert_eq!(Lock::parse("lock", &text), Ok(lock.clone()), "{text}");
        let mut again = schema.clone();
        assert_eq!(lock.assign(&mut again), []);
        assert!(again.says_the_same(&numbered));
        assert_eq!(update(Some(&lock), &mut again), lock, "nothing has changed");
    }
}

#[test]
fn reordering_renaming_adding_and_removing_keep_ids_and_give_none_twice() {
    let lock = first();
    let mut schema = toml(
        r#"
        name = "test"
        [enums.Class]
        variants = ["warrior", { name = "thief", number = 2 }, "bard"]
        [tables.hero]
        renamed_from = "player"
        fields = [{ name = "level", type = "i32" }, { name = "health", type = "i32", renamed_from = "hp" },
                  { name = "name", type = "text" }]
        [tables.npc]
        fields = [{ name = "name", type = "text" }]
        "#,
    );
    let drifts = lock.assign(&mut schema);
    let expected = [
        "`player` is called `hero` now",
        "`npc` is new",
        "`guild` is gone",
        "`hero.level` is new",
        "`hero.hp` is called `health` now",
        "`hero.mana` is gone",
        "`Class.rogue` is called `thief` now",
        "`Class.bard` is new",
        "`Class.mage` is gone",
    ];
    assert_eq!(sentences(&drifts), expected);
    assert!(!drifts.iter().any(Drift::is_conflict));
    assert_eq!(ids(&schema), ["hero=2: level=0 health=2 name=1", "npc=0: name=0"]);

    let lock = update(Some(&lock), &mut schema);
    assert_eq!(ids(&schema), ["hero=2: level=4 health=2 name=1", "npc=3: name=1"]);
    assert_eq!(lock.retired_tables.get(&1).map(String::as_str), Some("guild"));

    // What comes back under its old name is something new.
    let mut schema = toml(FIRST);
    schema.tables[1].renamed_from = Some("hero".to_string());
    update(Some(&lock), &mut schema);
    assert_eq!(ids(&schema), ["guild=4: name=1", "player=2: name=1 hp=5 mana=6"]);
}

#[test]
fn a_written_id_renames_and_one_of_the_dead_is_refused() {
    let lock = first();
    let text = |field: &str| {
        format!("name = \"test\"\n[tables.player]\nfields = [{{ name = \"name\", type = \"text\" }}, {field}]\n")
    };
    let mut renamed = toml(&text("{ name = \"health\", type = \"i32\", id = 2 }"));
    let lock = update(Some(&lock), &mut renamed);
    assert_eq!(ids(&renamed), ["player=2: name=1 health=2"]);

    let conflicts = |field: &str| {
        let conflicts = Lock::update(Some(&lock), &mut toml(&text(field))).expect_err("a conflict");
        assert!(conflicts.iter().all(Drift::is_conflict));
        sentences(&conflicts)
    };
    assert_eq!(
        conflicts("{ name = \"luck\", type = \"i32\", id = 3 }"),
        ["`player.luck` has the id 3, which belonged to `player.mana`: ids are never given twice"]
    );
    assert_eq!(
        conflicts("{ name = \"health\", type = \"i32\", id = 9 }"),
        ["`player.health` has the id 9, but the lock file says 2: ids never change"]
    );
    assert_eq!(
        conflicts("{ name = \"luck\", type = \"i32\", id = 1 }"),
        ["`player.luck` has the id 1, which belonged to `player.name`: ids are never given twice"]
    );
}

#[test]
fn variants_keep_their_numbers() {
    let lock = first();
    let conflicts = |variants: &str| {
        let text =
            format!("{}\n[enums.Class]\nvariants = {variants}\n", FIRST.replace("[enums.Class]", "[enums.Other]"));
        Lock::update(Some(&lock), &mut toml(&text)).map_err(|conflicts| sentences(&conflicts))
    };
    let swapped = conflicts(r#"["mage", "warrior", "rogue"]"#).expect_err("renumbered");
    let expected = [
        "`Class.mage` has the id 0, but the lock file says 1: ids never change",
        "`Class.warrior` has the id 1, but the lock file says 0: ids never change",
    ];
    assert_eq!(swapped, expected);
    let lock = conflicts(r#"["warrior", "mage"]"#).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    let mut again = toml(&FIRST.replace("rogue", "bard"));
    let reused = Lock::update(Some(&lock), &mut again).expect_err("a number of the dead");
    let expected = ["`Class.bard` has the id 2, which belonged to `Class.rogue`: ids are never given twice"];
    assert_eq!(sentences(&reused), expected);
}

#[test]
fn a_change_of_meaning_is_drift_too() {
    let lock = first();
    let mut schema = toml(&FIRST.replace("\"i32\"", "\"i64\""));
    assert_eq!(lock.assign(&mut schema), [Drift::Changed]);
    let mut schema = toml(&FIRST.replace("type = \"i32\" }]", "type = \"i32\", description = \"Blue\" }]"));
    assert_eq!(lock.assign(&mut schema), [], "a description changes nothing");
}

#[test]
fn tables_made_at_run_time_keep_their_ids_and_take_none_from_others() {
    let mut schema = toml(FIRST);
    schema.tables[1].id = StableId(StableId::RUNTIME_MIN + 7);
    update(None, &mut schema);
    assert_eq!(ids(&schema)[0], "guild=1: name=1");
    assert_eq!(schema.tables[1].id.0, StableId::RUNTIME_MIN + 7);
}

#[test]
fn a_broken_file_is_reported_with_places() {
    let problems = |text: &str| {
        let problems = Lock::parse("arena.lock.json", text).expect_err(text);
        problems.iter().map(|it| format!("{}:{} {}", it.line, it.column, it.code)).collect::<Vec<String>>()
    };
    let good = first().to_json_pretty();
    assert_eq!(problems(""), ["1:1 syntax_error"]);
    assert_eq!(problems(&good.replace("\"lock\": 1", "\"lock\": 2")), ["2:11 lock_version"]);
    assert_eq!(problems(&good.replace("\"hp\": 2", "\"hp\": 1")).len(), 1);
    assert_eq!(problems(&good.replace("\"hp\": 2", "\"hp\": -2")).len(), 1);
    assert_eq!(problems("{ \"lock\": 1, \"fingerprint\": \"xyz\" }"), ["1:29 lock_entry"]);
    assert_eq!(problems("{ \"lock\": 1, \"fingerprint\": 5, \"tabels\": {} }").len(), 2);
    let retired = "{ \"lock\": 1, \"fingerprint\": \"0000000000000000\", \"retired_tables\": { \"x\": 5 } }";
    assert_eq!(problems(retired), ["1:69 lock_entry"]);
}
