//! Puts the records of a folder (one file of JSON lines per table) into the database of the generated crate, then reads
//! every one of them back by its keys and proves that it is what was put in.

use std::path::Path;

use dbgen_runtime::Result;
use serde_json::Value as Json;
use used::catalog::*;

fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).expect("the folder of the records");
    let data = Data::read(Path::new(&folder));
    let db = Catalog::builder().open()?;
    db.transact(|tx| data.insert(tx))?;
    let view = db.read();
    data.compare(&view);
    data.look_up(&view);
    assert_eq!(view.check(), Ok(()));

    // What others name by its number stays; what nobody names goes, and is found no more.
    let used = view.item().by_item_id(data.food[0].item).expect("food is an item").id();
    assert!(db.transact(|tx| tx.item_mut().delete(used)).is_err());
    let Some(gone) = view.recipe().iter().next() else { return Ok(()) };
    let before = view.recipe().by_result(gone.result()).count();
    db.transact(|tx| tx.recipe_mut().delete(gone.id()))?;
    assert_eq!(db.read().recipe().by_result(gone.result()).count(), before - 1);
    Ok(())
}

/// What can be read from JSON; what is missing is `null`.
trait FromJson: Sized {
    fn from_json(json: &Json) -> Option<Self>;
}

macro_rules! numbers {
    ($($ty:ty)*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Json) -> Option<$ty> {
                json.as_u64()?.try_into().ok()
            }
        }
    )*};
}

numbers!(u8 u16 u32);

impl FromJson for f32 {
    fn from_json(json: &Json) -> Option<f32> {
        json.as_f64().map(|value| value as f32)
    }
}

impl FromJson for bool {
    fn from_json(json: &Json) -> Option<bool> {
        json.as_bool()
    }
}

impl FromJson for String {
    fn from_json(json: &Json) -> Option<String> {
        json.as_str().map(str::to_owned)
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: &Json) -> Option<Option<T>> {
        if json.is_null() { Some(None) } else { T::from_json(json).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &Json) -> Option<Vec<T>> {
        json.as_array()?.iter().map(T::from_json).collect()
    }
}

macro_rules! enums {
    ($($ty:ty)*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Json) -> Option<$ty> {
                json.as_str()?.parse().ok()
            }
        }
    )*};
}

enums!(StateKind BoundingBox EntityType EntityCategory BiomeCategory Dimension EnchantCategory EffectKind);

impl FromJson for Size {
    fn from_json(json: &Json) -> Option<Size> {
        Some(Size::new(f32::from_json(&json["width"])?, f32::from_json(&json["height"])?))
    }
}

impl FromJson for Ingredient {
    fn from_json(json: &Json) -> Option<Ingredient> {
        let [x, y] = ["x", "y"].map(|key| u8::from_json(&json[key]));
        Some(Ingredient::new(u32::from_json(&json["item"])?, x?, y?))
    }
}

/// The structs of named fields, each with the keys of its JSON.
macro_rules! structs {
    ($($ty:ident { $($field:ident)* })*) => {$(
        impl FromJson for $ty {
            fn from_json(json: &Json) -> Option<$ty> {
                Some($ty { $($field: FromJson::from_json(&json[stringify!($field).trim_start_matches("r#")])?),* })
            }
        }
    )*};
}

structs! {
    BlockState { name kind num_values }
    Item { item_id name display_name stack_size max_durability enchant_categories repair_with }
    Block {
        block_id name display_name hardness resistance stack_size diggable transparent emit_light filter_light material
        bounding_box default_state min_state_id max_state_id states drops
    }
    EntityTypeRecord { entity_type_id name display_name size r#type category }
    Biome { biome_id name category temperature has_precipitation dimension display_name color }
    Enchantment { enchantment_id name display_name max_level treasure_only curse category weight exclude }
    Effect { effect_id name display_name kind }
    Food { item food_points saturation effective_quality }
    Recipe { result count shaped ingredients }
}

/// The records of one table, as they stand in its file.
fn records<T: FromJson>(folder: &Path, table: &str) -> Vec<T> {
    let path = folder.join(table).with_extension("ndjson");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let record = |line: &str| {
        let json: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{table}: {error}: {line}"));
        T::from_json(&json).unwrap_or_else(|| panic!("no record of {table}: {line}"))
    };
    text.lines().map(record).collect()
}

/// All tables: their records read, inserted, and each compared with what is found for it.
macro_rules! tables {
    ($($table:ident $table_mut:ident: $ty:ident, $find:expr;)*) => {
        struct Data {
            $($table: Vec<$ty>,)*
        }

        impl Data {
            fn read(folder: &Path) -> Data {
                Data { $($table: records(folder, stringify!($table)),)* }
            }

            fn insert(&self, tx: &mut Tx) -> Result<()> {
                $(for record in &self.$table {
                    tx.$table_mut().insert(record.clone())?;
                })*
                Ok(())
            }

            fn compare(&self, view: &View) {
                let mut total = 0;
                $(
                    let find: fn(&View, &$ty) -> Option<$ty> = $find;
                    for record in &self.$table {
                        assert_eq!(find(view, record).as_ref(), Some(record));
                    }
                    assert_eq!(view.$table().len(), self.$table.len());
                    println!("{}: {} records equal", stringify!($table), self.$table.len());
                    total += self.$table.len();
                )*
                println!("{total} records equal");
            }
        }
    };
}

tables! {
    item item_mut: Item, |view, it| view.item().by_item_id(it.item_id).map(|found| found.to_record());
    block block_mut: Block, |view, it| view.block().by_name(&it.name).map(|found| found.to_record());
    entity_type entity_type_mut: EntityTypeRecord,
        |view, it| view.entity_type().by_name(&it.name).map(|found| found.to_record());
    biome biome_mut: Biome, |view, it| view.biome().by_biome_id(it.biome_id).map(|found| found.to_record());
    enchantment enchantment_mut: Enchantment,
        |view, it| view.enchantment().by_name(&it.name).map(|found| found.to_record());
    effect effect_mut: Effect, |view, it| view.effect().by_effect_id(it.effect_id).map(|found| found.to_record());
    food food_mut: Food, |view, it| view.food().by_item(it.item).map(|found| found.to_record());
    recipe recipe_mut: Recipe,
        |view, it| view.recipe().by_result(it.result).map(|found| found.to_record()).find(|found| found == it);
}

impl Data {
    /// Every index answers as a search through all records would.
    fn look_up(&self, view: &View) {
        for it in &self.block {
            let same = self.block.iter().filter(|other| other.material == it.material).count();
            assert_eq!(view.block().by_material(&it.material).count(), same);
            // The block that a state belongs to, by an index of two columns.
            let found: Vec<u32> =
                view.block().range_state_range(it.min_state_id, it.max_state_id..).map(|it| it.block_id()).collect();
            assert!(found.contains(&it.block_id), "{}: {found:?}", it.name);
        }
        for it in &self.biome {
            let same = self.biome.iter().filter(|other| other.category == it.category).count();
            assert_eq!(view.biome().by_category(it.category).count(), same);
        }
        let mut made = 0;
        for it in &self.item {
            made += view.recipe().by_result(it.item_id).count();
            let next = view.item().range_item_id(it.item_id..).next().map(|found| found.item_id());
            assert_eq!(next, Some(it.item_id));
        }
        assert_eq!(made, self.recipe.len(), "every recipe makes an item");
        println!("{} lookups agree", self.block.len() * 2 + self.biome.len() + self.item.len() * 2);
    }
}
