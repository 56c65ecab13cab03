//! Random schemas, as text: valid by construction, of any size, under names that collide as often as the language lets them.

use std::fmt::Write;

/// How much of everything a schema has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) tables: usize,
    pub(crate) composites: usize,
    pub(crate) enums: usize,
    /// Fields of a table or composite, at most.
    pub(crate) fields: usize,
}

/// A sequence of numbers that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % n.max(1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Names that mean something in Rust, or to the generator.
const AWKWARD: &str = "\
    self Self super crate type fn match async dyn id version row rows nulls to_record image value key cell view \
    get iter len insert option result string vec str u8 rt core std clone default from into new name all none some \
    ok err tx tick player players player_ref player_mut player_cell box drop debug table Option Result String Vec \
    Some None Ok Err self_ Clone Copy Iterator ToString to_string into_iter eq cmp hash fmt borrow deref as_ref \
    as_mut try_into try_from to_owned take map join check slices nested desc field update patch delete of find \
    group Id View Tx Tick Send Sync Sized Drop Fn Box Debug Default Table Component Facade main test cfg derive \
    include format assert union auto raw gen try yield macro_rules static abstract become final priv typeof \
    unsized virtual await encode decode apply heap Row row_mut Lane Lanes number NUMBER ALL NAME INDEX DESC bytes \
    text list enum struct where mut ref do extern table_mut by_name range_name by_key_0 range_key_0 \
    insert_many for_each_mut iter_mut bool char usize i128 attach detach";

const SCALARS: &[&str] =
    &["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool", "timestamp", "duration", "uuid"];

/// What can stand in an index.
const KEYS: &[&str] =
    &["i8", "i32", "u16", "u64", "f32", "bool", "timestamp", "uuid", "str<8>", "str<300>", "bytes<4>"];

/// The schema that a seed stands for.
pub(crate) fn schema(seed: u64, size: Size) -> String {
    let mut dice = Dice(seed | 1 << 60);
    let mut composites: Vec<String> = names(&mut dice, size.composites + size.enums, "Type");
    let enums = composites.split_off(size.composites);
    let tables: Vec<String> = names(&mut dice, size.tables, "tab");
    let mut text = String::from("{\"name\": \"random_world\", \"version\": \"1\",\n\"custom_types\": {");
    let mut types: Vec<String> = Vec::new();
    for (at, name) in composites.iter().enumerate() {
        let fields = fields(&mut dice, size.fields.min(6), &types);
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n\"{name}\": {{ \"fields\": [{}] }}", fields.join(", "));
        types.push(name.clone());
    }
    text.push_str("},\n\"enums\": {");
    for (at, name) in enums.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n\"{name}\": {{ \"variants\": [{}] }}", variants(&mut dice, &types).join(", "));
    }
    types.extend(enums.iter().cloned());
    text.push_str("},\n\"tables\": {");
    for (at, name) in tables.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(text, "{comma}\n{}", table(&mut dice, name, &tables, size.fields, &types));
    }
    text.push_str("}}");
    text
}

/// Distinct names, also in any other case.
fn names(dice: &mut Dice, count: usize, prefix: &str) -> Vec<String> {
    let awkward: Vec<&str> = AWKWARD.split_ascii_whitespace().collect();
    let mut names: Vec<String> = Vec::new();
    for at in 0..count {
        let awkward = dice.of(&awkward);
        let taken = names.iter().any(|name| plain(name) == plain(awkward));
        names.push(if taken { format!("{prefix}{at}") } else { awkward.to_owned() });
    }
    names
}

/// A name without what distinguishes none: case and underscores.
fn plain(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

fn table(dice: &mut Dice, name: &str, tables: &[String], fields_max: usize, types: &[String]) -> String {
    let mut fields = fields(dice, fields_max, types);
    let keys = 1 + dice.below(4);
    for at in 0..keys {
        let nullable = if dice.one_in(3) { ", \"nullable\": true" } else { "" };
        let unique = if dice.one_in(4) { ", \"unique\": true" } else { "" };
        fields.push(format!("{{\"name\": \"key_{at}\", \"type\": \"{}\"{nullable}{unique}}}", dice.of(KEYS)));
    }
    if dice.one_in(2) {
        let to = &tables[dice.below(tables.len())];
        fields.push(format!(
            "{{\"name\": \"refers\", \"type\": \"ref<{to}>\", \"nullable\": true, \"on_delete\": \"set_null\"}}"
        ));
    }
    let columns: Vec<String> = (0..keys).map(|at| format!("\"key_{at}\"")).collect();
    let kind = dice.of(&["btree", "btree", "hash"]);
    let name_of_index = dice.of(&["by_all_keys", "iter", "get", "rows", "ranked"]);
    let index =
        format!("{{\"name\": \"{name_of_index}\", \"fields\": [{}], \"kind\": \"{kind}\"}}", columns.join(", "));
    let indexes = if dice.one_in(2) && keys > 1 { index } else { String::new() };
    format!("\"{name}\": {{ \"fields\": [{}], \"indexes\": [{indexes}] }}", fields.join(", "))
}

fn fields(dice: &mut Dice, max: usize, types: &[String]) -> Vec<String> {
    let count = 1 + dice.below(max);
    let names = names(dice, count, "field_");
    let mut field = |name: String| {
        let ty = ty(dice, types, 0);
        let nullable = if dice.one_in(4) { ", \"nullable\": true" } else { "" };
        format!("{{\"name\": \"{name}\", \"type\": \"{ty}\"{nullable}}}")
    };
    names.into_iter().map(&mut field).collect()
}

fn variants(dice: &mut Dice, types: &[String]) -> Vec<String> {
    let most = if dice.one_in(20) { 300 } else { 6 };
    let count = 1 + dice.below(most);
    let with_payloads = dice.one_in(3);
    let names = names(dice, count, "variant_");
    let mut variant = |name: String| {
        if with_payloads && dice.one_in(2) {
            let composite = if types.is_empty() || dice.one_in(2) { None } else { types.get(dice.below(types.len())) };
            let payload = composite.cloned().unwrap_or_else(|| ty(dice, types, 0));
            format!("{{\"name\": \"{name}\", \"payload\": \"{payload}\"}}")
        } else {
            format!("\"{name}\"")
        }
    };
    names.into_iter().map(&mut variant).collect()
}

fn ty(dice: &mut Dice, types: &[String], depth: usize) -> String {
    match dice.below(if depth < 2 { 12 } else { 8 }) {
        0 => format!("str<{}>", 1 + dice.below(40)),
        1 => "text".to_owned(),
        2 => dice.of(&["bytes", "bytes<16>", "str<300>"]).to_owned(),
        3 | 4 if !types.is_empty() => types[dice.below(types.len())].clone(),
        8 | 9 => format!("list<{}>", ty(dice, types, depth + 1)),
        10 => format!("[{}; {}]", ty(dice, types, depth + 1), 1 + dice.below(4)),
        _ => dice.of(SCALARS).to_owned(),
    }
}
