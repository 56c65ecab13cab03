//! Every rule of evolution: what changes, which rule it is.

use std::collections::BTreeSet;

use dbgen_schema::evolve::rules::RULES;
use dbgen_schema::evolve::{Class, Plan, plan};
use dbgen_schema::{Format, Lock, Schema};

use crate::support::{fixtures, parse};

const BASE: &str = r#"
    name = "test"
    description = "A world"
    [custom_types.Vec2]
    fields = [{ name = "x", type = "f32" }, { name = "y", type = "f32" }]
    [custom_types.Pair]
    fields = [{ name = "x", type = "f32" }, { name = "y", type = "f32" }]
    [enums.Class]
    variants = ["warrior", "mage", { name = "pet", payload = "u8" }]
    [enums.Rank]
    variants = ["low", "high"]
    [enums.Grade]
    variants = ["low", "high"]
    [tables.guild]
    fields = [{ name = "name", type = "text" }, { name = "code", type = "u32", unique = true },
              { name = "other", type = "u32", unique = true }]
    [tables.clan]
    fields = [{ name = "name", type = "text" }]
    [tables.player]
    fields = [
      { name = "name", type = "str<16>" },
      { name = "hp", type = "i32", default = 1, min = 0, max = 100 },
      { name = "class", type = "Class" },
      { name = "rank", type = "Rank" },
      { name = "pos", type = "Vec2" },
      { name = "luck", type = "f64", allow_nan = true },
      { name = "bag", type = "[u16; 4]" },
      { name = "blob", type = "bytes<4>" },
      { name = "notes", type = "list<u8>" },
      { name = "bio", type = "text", nullable = true },
      { name = "guild", type = "ref<guild>", nullable = true },
      { name = "code", type = "u32", foreign_key = "guild.code" },
      { name = "number", type = "u64" },
    ]
    indexes = [{ name = "by_hp_name", fields = ["hp", "name"] }]
    [tables.timer]
    schedule = { at = "at", procedure = "fire" }
    fields = [{ name = "at", type = "timestamp" }, { name = "later", type = "timestamp" }]
    [tables.body]
    parent_table = "player"
    fields = [{ name = "height", type = "u8" }]
"#;

/// What is replaced by what, and the rules and paths that this must give.
type Case = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    (&[], &[]),
    // The schema and its types.
    (&[("name = \"test\"", "name = \"best\"")], &[("database_renamed", "best")]),
    (&[("\"A world\"", "\"Our world\"")], &[("docs_changed", "test")]),
    (&[("name = \"test\"", "name = \"test\"\nversion = \"2\"")], &[("docs_changed", "test")]),
    (&[("[enums.Grade]", "[enums.Level]")], &[("type_added", "Level"), ("type_removed", "Grade")]),
    (&[("[custom_types.Pair]", "[custom_types.Pear]")], &[("type_added", "Pear"), ("type_removed", "Pair")]),
    (&[("type = \"Vec2\"", "type = \"Pair\"")], &[("type_renamed", "player.pos")]),
    (&[("type = \"Rank\"", "type = \"Grade\"")], &[("type_renamed", "player.rank")]),
    (&[("type = \"Rank\"", "type = \"Class\"")], &[("type_changed", "player.rank")]),
    (
        &[(
            "[custom_types.Vec2]\n    fields = [",
            "[custom_types.Vec2]\n    fields = [{ name = \"z\", type = \"f32\", default = 0 }, ",
        )],
        &[("field_added", "Vec2.z")],
    ),
    (
        &[(
            "[custom_types.Vec2]\n    fields = [{ name = \"x\", type = \"f32\" }, ",
            "[custom_types.Vec2]\n    fields = [",
        )],
        &[("field_removed", "Vec2.x")],
    ),
    (
        &[(
            "[custom_types.Vec2]\n    fields = [{ name = \"x\", type = \"f32\" }, ",
            "[custom_types.Vec2]\n    fields = [{ name = \"east\", type = \"f32\", renamed_from = \"x\" }, ",
        )],
        &[("field_renamed", "Vec2.east")],
    ),
    (
        &[(
            "[custom_types.Vec2]\n    fields = [{ name = \"x\", type = \"f32\" }, { name = \"y\", type = \"f32\" }]",
            "[custom_types.Vec2]\n    fields = [{ name = \"y\", type = \"f32\" }, { name = \"x\", type = \"f32\" }]",
        )],
        &[("fields_reordered", "Vec2")],
    ),
    // Enums.
    (&[("[\"warrior\", \"mage\"", "[\"warrior\", \"sage\"")], &[("variant_renamed", "Class.sage")]),
    (
        &[(
            "[enums.Rank]\n    variants = [\"low\"",
            "[enums.Rank]\n    variants = [\"low\", { name = \"top\", number = 9 }, { name = \"mid\", number = 8 }, { name = \"high\", number = 1 }] # ",
        )],
        &[("variant_added", "Rank.top"), ("variant_added", "Rank.mid")],
    ),
    (
        &[("[enums.Rank]\n    variants = [\"low\", \"high\"]", "[enums.Rank]\n    variants = [\"low\"]")],
        &[("variant_removed", "Rank.high")],
    ),
    (
        &[("[enums.Rank]\n    variants = [\"low\", \"high\"]", "[enums.Rank]\n    variants = [\"high\", \"low\"]")],
        &[("variant_renumbered", "Rank.high"), ("variant_renumbered", "Rank.low")],
    ),
    (
        &[(
            "[enums.Rank]\n    variants = [\"low\", \"high\"]",
            "[enums.Rank]\n    variants = [\"low\", { name = \"high\", payload = \"u8\" }]",
        )],
        &[("payload_added", "Rank.high")],
    ),
    (&[("{ name = \"pet\", payload = \"u8\" }", "\"pet\"")], &[("payload_removed", "Class.pet")]),
    (&[("payload = \"u8\"", "payload = \"u16\"")], &[("field_widened", "Class.pet")]),
    (&[("payload = \"u8\"", "payload = \"text\"")], &[("type_changed", "Class.pet")]),
    (&[("{ name = \"pet\",", "{ name = \"pet\", description = \"A friend\",")], &[("docs_changed", "Class.pet")]),
    // Tables.
    (&[("[tables.clan]", "[tables.team]")], &[("table_added", "team"), ("table_removed", "clan")]),
    (&[("[tables.clan]", "[tables.team]\n    renamed_from = \"clan\"")], &[("table_renamed", "team")]),
    (&[("[tables.clan]", "[tables.clan]\n    capacity = 5")], &[("capacity_changed", "clan")]),
    (&[("[tables.clan]", "[tables.clan]\n    require_if_match = true")], &[("if_match_changed", "clan")]),
    (&[("[tables.clan]", "[tables.clan]\n    description = \"A team\"")], &[("docs_changed", "clan")]),
    (&[("[tables.clan]", "[tables.clan]\n    durability = \"none\"")], &[("durability_lowered", "clan")]),
    (&[("[tables.clan]", "[tables.clan]\n    parent_table = \"player\"")], &[("parent_changed", "clan")]),
    (&[("parent_table = \"player\"", "")], &[("parent_changed", "body")]),
    (&[("parent_table = \"player\"", "parent_table = \"clan\"")], &[("parent_changed", "body")]),
    (&[("procedure = \"fire\"", "procedure = \"burn\"")], &[("schedule_changed", "timer")]),
    (
        &[("at = \"at\"", "at = \"later\"")],
        &[("schedule_changed", "timer"), ("index_added", "timer.by_later"), ("index_removed", "timer.by_at")],
    ),
    // Fields.
    (
        &[("{ name = \"number\",", "{ name = \"extra\", type = \"u8\", nullable = true }, { name = \"number\",")],
        &[("field_added", "player.extra")],
    ),
    (
        &[("{ name = \"number\",", "{ name = \"extra\", type = \"u8\", default = 1 }, { name = \"number\",")],
        &[("field_added", "player.extra")],
    ),
    (
        &[("{ name = \"number\",", "{ name = \"extra\", type = \"u8\" }, { name = \"number\",")],
        &[("field_required", "player.extra")],
    ),
    (&[("{ name = \"number\", type = \"u64\" },", "")], &[("field_removed", "player.number")]),
    (
        &[("{ name = \"number\",", "{ name = \"count\", renamed_from = \"number\",")],
        &[("field_renamed", "player.count")],
    ),
    (
        &[
            ("{ name = \"number\", type = \"u64\" },", ""),
            (
                "{ name = \"name\", type = \"str<16>\" },",
                "{ name = \"number\", type = \"u64\" }, { name = \"name\", type = \"str<16>\" },",
            ),
        ],
        &[("fields_reordered", "player")],
    ),
    (
        &[("{ name = \"number\",", "{ name = \"number\", description = \"How many\",")],
        &[("docs_changed", "player.number")],
    ),
    (&[("{ name = \"number\",", "{ name = \"number\", group = \"hot\",")], &[("group_changed", "player.number")]),
    (
        &[("{ name = \"number\",", "{ name = \"number\", auto_increment = true,")],
        &[("auto_increment_changed", "player.number")],
    ),
    (&[("type = \"i32\"", "type = \"i64\"")], &[("field_widened", "player.hp")]),
    (&[("type = \"i32\"", "type = \"u32\"")], &[("field_narrowed", "player.hp")]),
    (&[("type = \"i32\"", "type = \"f64\"")], &[("type_changed", "player.hp")]),
    (&[("type = \"f64\"", "type = \"f32\"")], &[("field_narrowed", "player.luck")]),
    (&[("str<16>", "str<17>")], &[("field_grew", "player.name")]),
    (&[("str<16>", "text")], &[("field_grew", "player.name")]),
    (&[("str<16>", "str<15>")], &[("field_shrank", "player.name")]),
    (&[("[u16; 4]", "[u16; 5]")], &[("field_grew", "player.bag")]),
    (&[("[u16; 4]", "[u8; 5]")], &[("field_narrowed", "player.bag")]),
    (&[("[u16; 4]", "list<u16>")], &[("field_grew", "player.bag")]),
    (&[("list<u8>", "[u8; 4]")], &[("field_shrank", "player.notes")]),
    (&[("list<u8>", "list<u16>")], &[("field_widened", "player.notes")]),
    (&[("list<u8>", "list<text>")], &[("type_changed", "player.notes")]),
    (&[("bytes<4>", "bytes")], &[("field_grew", "player.blob")]),
    (&[("bytes<4>", "bytes<8>")], &[("type_changed", "player.blob")]),
    (&[("type = \"u64\"", "type = \"uuid\"")], &[("type_changed", "player.number")]),
    (&[("type = \"u64\"", "type = \"u64\", nullable = true")], &[("field_nullable", "player.number")]),
    (&[("type = \"text\", nullable = true", "type = \"text\"")], &[("field_not_null", "player.bio")]),
    (&[("default = 1", "default = 2")], &[("default_changed", "player.hp")]),
    (&[("min = 0", "min = 1")], &[("bounds_tightened", "player.hp")]),
    (&[("max = 100", "max = 99")], &[("bounds_tightened", "player.hp")]),
    (
        &[("min = 0, max = 100", "min = -1, max = 101")],
        &[("constraint_loosened", "player.hp"), ("constraint_loosened", "player.hp")],
    ),
    (&[(", min = 0, max = 100", "")], &[("constraint_loosened", "player.hp"), ("constraint_loosened", "player.hp")]),
    (&[(", allow_nan = true", "")], &[("nan_forbidden", "player.luck")]),
    (&[("type = \"u64\"", "type = \"u64\", unique = true")], &[("unique_added", "player.by_number")]),
    (
        &[("type = \"u64\"", "type = \"u64\", primary_key = true")],
        &[("primary_key_changed", "player.number"), ("unique_added", "player.by_number")],
    ),
    (&[("type = \"u64\"", "type = \"u64\", indexed = true")], &[("index_added", "player.by_number")]),
    (
        &[(
            "{ name = \"other\", type = \"u32\", unique = true }",
            "{ name = \"other\", type = \"u32\", indexed = true }",
        )],
        &[("constraint_loosened", "guild.by_other")],
    ),
    (
        &[("{ name = \"other\", type = \"u32\", unique = true }", "{ name = \"other\", type = \"u32\" }")],
        &[("index_removed", "guild.by_other")],
    ),
    (
        &[(
            "{ name = \"number\",",
            "{ name = \"key\", type = \"u8\", nullable = true, unique = true }, { name = \"number\",",
        )],
        &[("field_added", "player.key"), ("index_added", "player.by_key")],
    ),
    (
        &[(
            "{ name = \"number\",",
            "{ name = \"key\", type = \"u8\", default = 1, unique = true }, { name = \"number\",",
        )],
        &[("field_added", "player.key"), ("unique_added", "player.by_key")],
    ),
    (&[("by_hp_name", "ranking")], &[("index_renamed", "player.ranking")]),
    (
        &[("fields = [\"hp\", \"name\"]", "fields = [\"hp\", \"name\"], unique = true")],
        &[("unique_added", "player.by_hp_name")],
    ),
    (
        &[("fields = [\"hp\", \"name\"]", "fields = [\"hp\", \"name\"], kind = \"hash\"")],
        &[("index_added", "player.by_hp_name"), ("index_removed", "player.by_hp_name")],
    ),
    // References.
    (&[("ref<guild>", "ref<clan>")], &[("reference_retargeted", "player.guild")]),
    (
        &[("ref<guild>\", nullable = true", "ref<guild>\", nullable = true, on_delete = \"set_null\"")],
        &[("on_delete_changed", "player.guild")],
    ),
    (&[("ref<guild>", "u64")], &[("type_changed", "player.guild"), ("index_removed", "player.by_guild")]),
    (&[("guild.code", "guild.other")], &[("reference_retargeted", "player.code")]),
    (
        &[(", foreign_key = \"guild.code\"", "")],
        &[("index_removed", "player.by_code"), ("relation_removed", "player.code")],
    ),
    (
        &[("type = \"u64\"", "type = \"u32\", foreign_key = \"guild.code\"")],
        &[
            ("field_narrowed", "player.number"),
            ("index_added", "player.by_number"),
            ("reference_added", "player.number"),
        ],
    ),
    (
        &[(
            "[tables.timer]",
            "[[relations]]\n    name = \"member_of\"\n    from = \"player.guild\"\n    to = \"guild\"\n    [tables.timer]",
        )],
        &[("relation_renamed", "player.guild")],
    ),
    // Renaming what others refer to changes nothing else.
    (
        &[
            ("[tables.guild]", "[tables.band]\n    renamed_from = \"guild\""),
            ("ref<guild>", "ref<band>"),
            ("guild.code", "band.code"),
        ],
        &[("table_renamed", "band")],
    ),
];

fn toml(text: &str) -> Schema {
    parse(text, Format::Toml)
}

fn changes(plan: &Plan) -> Vec<(&str, &str)> {
    plan.changes.iter().map(|change| (change.rule.code, change.path.as_str())).collect()
}

fn replaced(replacements: &[(&str, &str)]) -> String {
    let mut text = BASE.to_string();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

#[test]
fn every_change_is_of_its_rule() {
    let base = toml(BASE);
    for (replacements, expected) in CASES {
        let plan = plan(&base, &toml(&replaced(replacements)), None);
        assert_eq!(changes(&plan), *expected, "{replacements:?}\n{plan}");
    }
}

/// The other way round most changes are of another rule, and none is forgotten.
#[test]
fn every_change_is_one_the_other_way_round_too() {
    let base = toml(BASE);
    for (replacements, expected) in CASES {
        let back = plan(&toml(&replaced(replacements)), &base, None);
        assert_eq!(back.changes.is_empty(), expected.is_empty(), "{replacements:?}\n{back}");
    }
}

#[test]
fn every_rule_has_a_case() {
    let mut seen: BTreeSet<&str> =
        CASES.iter().flat_map(|(_, expected)| expected.iter().map(|(code, _)| *code)).collect();
    // These have tests of their own.
    seen.extend(["id_reused", "enum_resized", "durability_raised"]);
    let missing: Vec<&str> = RULES.iter().map(|rule| rule.code).filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn more_durability_is_no_loss() {
    let (none, log) = (replaced(&[("[tables.clan]", "[tables.clan]\n    durability = \"none\"")]), BASE);
    assert_eq!(changes(&plan(&toml(&none), &toml(log), None)), [("durability_raised", "clan")]);
}

#[test]
fn an_enum_of_more_than_256_variants_takes_two_bytes() {
    let variants = |count: usize| {
        let names: Vec<String> = (0..count).map(|at| format!("\"v{at}\"")).collect();
        toml(&format!("name = \"test\"\n[enums.Item]\nvariants = [{}]\n", names.join(", ")))
    };
    let grown = plan(&variants(256), &variants(257), None);
    assert_eq!(changes(&grown), [("enum_resized", "Item"), ("variant_added", "Item.v256")]);
    assert_eq!(grown.class(), Class::Migrated);
}

#[test]
fn ids_tell_what_is_the_same_whatever_it_is_called() {
    let mut old = toml(BASE);
    let lock = Lock::update(None, &mut old).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    // Named in the schema itself, as a merge of two branches may.
    let mut new = toml(&replaced(&[("{ name = \"number\",", "{ name = \"count\", id = 13,")]));
    lock.assign(&mut new);
    assert_eq!(changes(&plan(&old, &new, Some(&lock))), [("field_renamed", "player.count")]);
    // Another id is another field, even under the same name.
    let mut new = toml(BASE);
    lock.assign(&mut new);
    new.tables[2].fields[12].id.0 = 99;
    let expected = [("field_required", "player.number"), ("field_removed", "player.number")];
    assert_eq!(changes(&plan(&old, &new, Some(&lock))), expected);
}

#[test]
fn fields_of_composites_have_ids_of_their_own() {
    let mut old = toml(BASE);
    let lock = Lock::update(None, &mut old).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    let vec2 = |fields: &str| {
        let before =
            "fields = [{ name = \"x\", type = \"f32\" }, { name = \"y\", type = \"f32\" }]\n    [custom_types.Pair]";
        toml(&replaced(&[(before, &format!("fields = [{fields}]\n    [custom_types.Pair]"))]))
    };
    // Renamed and moved: found by the former name once, by the id for good.
    let y = "{ name = \"y\", type = \"f32\" }";
    let mut new = vec2(&format!("{y}, {{ name = \"east\", type = \"f32\", renamed_from = \"x\" }}"));
    let lock = Lock::update(Some(&lock), &mut new).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    assert_eq!(changes(&plan(&old, &new, Some(&lock))), [("field_renamed", "Vec2.east"), ("fields_reordered", "Vec2")]);
    let mut later = vec2(&format!("{y}, {{ name = \"east\", type = \"f32\" }}"));
    lock.assign(&mut later);
    assert_eq!(changes(&plan(&new, &later, Some(&lock))), []);
    // The id of one that is gone is refused.
    let mut gone = vec2(y);
    let lock = Lock::update(Some(&lock), &mut gone).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    let mut reused = vec2(&format!("{y}, {{ name = \"z\", type = \"f32\", default = 0, id = 1 }}"));
    assert!(lock.assign(&mut reused).iter().any(dbgen_schema::lock::Drift::is_conflict));
    assert_eq!(changes(&plan(&gone, &reused, Some(&lock))), [("id_reused", "Vec2.z")]);
}

#[test]
fn an_id_of_the_dead_is_refused() {
    let mut first = toml(BASE);
    let lock = Lock::update(None, &mut first).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    let mut second = toml(&replaced(&[
        ("{ name = \"number\", type = \"u64\" },", ""),
        ("[enums.Rank]\n    variants = [\"low\", \"high\"]", "[enums.Rank]\n    variants = [\"low\"]"),
    ]));
    let lock = Lock::update(Some(&lock), &mut second).unwrap_or_else(|conflicts| panic!("{conflicts:?}"));
    let mut third = toml(&replaced(&[
        ("{ name = \"number\", type = \"u64\" },", "{ name = \"luck2\", type = \"u64\", default = 0, id = 13 },"),
        ("[enums.Rank]\n    variants = [\"low\", \"high\"]", "[enums.Rank]\n    variants = [\"low\", \"highest\"]"),
    ]));
    let conflicts = lock.assign(&mut third);
    assert_eq!(conflicts.iter().filter(|drift| drift.is_conflict()).count(), 2);
    let plan = plan(&second, &third, Some(&lock));
    assert_eq!(changes(&plan), [("id_reused", "Rank.highest"), ("id_reused", "player.luck2")]);
    assert_eq!(plan.class(), Class::Refused);
}

#[test]
fn allowances_take_obstacles_away_but_for_the_refused_ones() {
    let base = toml(BASE);
    let new = toml(&replaced(&[
        ("{ name = \"number\", type = \"u64\" },", ""),
        ("str<16>", "str<8>"),
        ("type = \"f64\"", "type = \"u8\""),
        (", allow_nan = true", ""),
        ("default = 1", "default = 2"),
    ]));
    let plan = plan(&base, &new, None);
    let obstacles = |allowed: &[&str]| -> Vec<&str> {
        let allowed: Vec<String> = allowed.iter().map(|it| (*it).to_string()).collect();
        plan.obstacles(&allowed).map(|change| change.rule.code).collect()
    };
    assert_eq!(obstacles(&[]), ["field_shrank", "type_changed", "field_removed"]);
    assert_eq!(obstacles(&["field_removed", "player.name", "player.luck"]), ["type_changed"]);
    assert_eq!(plan.class(), Class::Refused);
}

#[test]
fn the_text_of_a_plan_goes_from_the_impossible_to_the_harmless() {
    let base = toml(BASE);
    let new = toml(&replaced(&[
        ("type = \"u64\"", "type = \"uuid\""),
        ("str<16>", "str<8>"),
        ("type = \"i32\"", "type = \"i64\""),
        ("default = 1", "default = 2"),
    ]));
    let text = plan(&base, &new, None).to_string();
    let expected = "\
refused (1)
  player.number: `u64` becomes `uuid` [type_changed]
      Stored values are of another kind: add a field under another name, and remove this one later.
needs --allow (1)
  player.name: `str<16>` becomes `str<8>` [field_shrank]
      Opening fails if a stored value is too long; nothing is cut.
migrated (1)
  player.hp: `i32` becomes `i64` [field_widened]
      Every stored value fits the wider type.
compatible (1)
  player.hp: another default [default_changed]
";
    assert_eq!(text, expected);
    let json = plan(&base, &new, None).to_json();
    assert_eq!(json["class"], "refused");
    assert_eq!(json["changes"].as_array().map(Vec::len), Some(4));
    assert_eq!(plan(&base, &base, None).to_string(), "no changes\n");
}

#[test]
fn any_two_examples_can_be_compared() {
    let schemas = fixtures();
    for old in &schemas {
        for new in &schemas {
            let plan = plan(old, new, None);
            assert_eq!(plan.changes.is_empty(), old.says_the_same(new), "{plan}");
        }
    }
}
