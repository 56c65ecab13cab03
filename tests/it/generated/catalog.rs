//! Game data of designers: lists of composites with text in them, references by value, an index over a range of numbers.

dbgen_macros::schema!("fixtures/catalog.json");

use catalog::{
    Block, BlockState, Catalog, EntityType, EntityTypeRecord, Food, Ingredient, Item, Recipe, Size, StateKind,
};
use dbgen_runtime::{Error, Result};

fn filled() -> Result<Catalog> {
    let db = Catalog::builder().open()?;
    db.transact(|tx| {
        for (id, name, durability) in
            [(1, "stick", None), (2, "plank", None), (3, "pickaxe", Some(59)), (4, "bread", None)]
        {
            let made_of = if durability.is_some() { vec!["plank".to_owned()] } else { Vec::new() };
            tx.item_mut().insert(Item {
                display_name: name.to_uppercase(),
                stack_size: if durability.is_some() { 1 } else { 64 },
                max_durability: durability,
                repair_with: made_of,
                ..Item::new(id, name)
            })?;
        }
        let state = |name: &str, kind, num_values| BlockState { name: name.to_owned(), kind, num_values };
        for (id, name, states) in [
            (1, "stone", vec![]),
            (2, "stairs", vec![state("facing", StateKind::Enum, 4), state("waterlogged", StateKind::Bool, 2)]),
            (3, "wheat", vec![state("age", StateKind::Int, 8)]),
        ] {
            tx.block_mut().insert(Block {
                material: if id == 3 { "plant" } else { "rock" }.to_owned(),
                hardness: (id != 3).then_some(1.5),
                min_state_id: id * 10,
                max_state_id: id * 10 + 7,
                drops: vec![id, 4],
                states,
                ..Block::new(id, name)
            })?;
        }
        tx.entity_type_mut().insert(EntityTypeRecord {
            size: Size::new(0.6, 1.8),
            r#type: EntityType::Person,
            ..EntityTypeRecord::new(7, "player")
        })?;
        tx.food_mut().insert(Food { food_points: 5.0, ..Food::new(4) })?;
        let ingredients =
            (0..3).map(|x| Ingredient::new(2, x, 0)).chain([Ingredient::new(1, 1, 1), Ingredient::new(1, 1, 2)]);
        tx.recipe_mut().insert(Recipe { count: 1, result: 3, shaped: true, ingredients: ingredients.collect() })?;
        Ok(())
    })?;
    Ok(db)
}

#[test]
fn what_designers_wrote_is_found_and_read_in_place() -> Result<()> {
    let view = filled()?.read();
    let stairs = view.block().by_name("stairs").expect("there are stairs");
    let states: Vec<_> = stairs.states().iter().map(|it| (it.name(), it.kind(), it.num_values())).collect();
    assert_eq!(states, [("facing", StateKind::Enum, 4), ("waterlogged", StateKind::Bool, 2)]);
    assert_eq!(view.block().by_material("rock").map(|it| it.name()).collect::<Vec<_>>(), ["stone", "stairs"]);
    assert_eq!(view.block().range_block_id(2..).count(), 2);
    assert_eq!(view.block().range_state_range(20, 25..).map(|it| it.name()).collect::<Vec<_>>(), ["stairs"]);
    assert_eq!(view.entity_type().by_name("player").map(|it| it.size().height.get()), Some(1.8));

    let pickaxe = view.item().by_name("pickaxe").expect("there is one");
    assert_eq!((pickaxe.max_durability(), pickaxe.repair_with().get(0)), (Some(59), Some("plank")));
    let recipe = view.recipe().by_result(pickaxe.item_id()).next().expect("it can be made");
    let names: Vec<_> = recipe
        .ingredients()
        .iter()
        .filter_map(|it| view.item().by_item_id(it.item.get()))
        .map(|it| it.name())
        .collect();
    assert_eq!(names, ["plank", "plank", "plank", "stick", "stick"]);
    assert_eq!(view.check(), Ok(()));
    Ok(())
}

#[test]
fn what_others_name_by_value_stays() -> Result<()> {
    let db = filled()?;
    let bread = db.read().item().by_name("bread").expect("there is bread").id();
    assert!(matches!(db.transact(|tx| tx.item_mut().delete(bread)), Err(Error::Restricted { .. })));
    assert!(matches!(db.transact(|tx| tx.food_mut().insert(Food::new(99))), Err(Error::Invalid(_))));
    let stick = db.read().item().by_name("stick").expect("there is a stick").id();
    assert_eq!(db.transact(|tx| tx.item_mut().delete(stick))?, 1, "a list of numbers refers to nothing");
    Ok(())
}
