//! Databases of structs: what the derives make is what a schema file would have given, and works as that does.

use dbgen_macros::{Composite, Enumeration, Table, database};
use dbgen_runtime::{Error, Id, Result, Str, Text};

// The fixtures, under the strictest lints of a user.
#[forbid(unsafe_code)]
#[deny(warnings, missing_docs, clippy::all, rust_2018_idioms)]
#[path = "../../fixtures/arena.rs"]
mod arena_in_rust;
#[forbid(unsafe_code)]
#[deny(warnings, missing_docs, clippy::all, rust_2018_idioms)]
#[path = "../../fixtures/zoo.rs"]
mod zoo_in_rust;

/// The fixtures, under the names that the goldens have.
mod golden {
    pub(super) mod arena {
        pub(crate) use super::super::arena_in_rust::{Class, Guild, Player, Vec3, arena::*};
    }
    pub(super) mod zoo {
        pub(crate) use super::super::zoo_in_rust::zoo::*;
        pub(crate) use super::super::zoo_in_rust::{
            Act, Animal, Keeper, Kind, Label, LabelRecord, Maybe, Number, Stack, Tile,
        };
    }
}

// Whatever is tested of the goldens holds for these.
#[allow(clippy::duplicate_mod, reason = "the same tests, of other code")]
#[path = "arena.rs"]
mod arena;
#[allow(clippy::duplicate_mod, reason = "the same tests, of other code")]
#[path = "zoo.rs"]
mod zoo;

/// Structs of plain fields, private to a module, as a game has them.
mod plain {
    use super::*;

    #[derive(Composite, Debug, Clone, PartialEq)]
    struct Point {
        x: f32,
        #[field(default = 1.0)]
        y: f32,
    }

    #[derive(Enumeration, Debug, Clone, PartialEq)]
    enum Order {
        MoveTo(Point),
        Say(Text),
        Wait,
    }

    mod world {
        use super::super::*;

        /// A place in the world
        #[derive(Table, Debug, Clone)]
        #[table(index(x, y, unique = true))]
        pub(crate) struct Site {
            pub(crate) x: i32,
            pub(crate) y: i32,
        }
    }
    use world::Site;

    #[derive(Table, Debug, Clone)]
    #[table(name = "unit", capacity = 10, durability = "snapshot")]
    struct Fighter {
        #[field(unique)]
        name: Str<8>,
        at: Point,
        #[field(group = motion)]
        from: Point,
        #[field(group = motion)]
        speed: Point,
        #[field(default = [Order::Wait, Order::Say("hu".into())])]
        orders: Vec<Order>,
        home: Option<Id<world::Site>>,
        #[field(renamed_from = "hit_points", name = "hp", min = 0)]
        health: i16,
    }

    database! {
        name: Game,
        tables: [Fighter, Site],
        types: [Point, Order],
    }
    use game::{Game, Unit};

    #[test]
    fn structs_of_plain_fields_are_records() -> Result<()> {
        let db = Game::builder().open()?;
        let (id, home) = db.transact(|tx| {
            let home = tx.site_mut().insert(Site { x: 1, y: 2 })?;
            let at = Point { x: 3.0, ..Point::default() };
            let fighter = Fighter { at, home: Some(home), ..Unit::new("Ayla") };
            Ok((tx.unit_mut().insert(fighter)?, home))
        })?;
        let view = db.read();
        let unit = view.unit().get(id)?;
        assert_eq!((unit.name(), unit.at().x(), unit.at().y(), unit.home()), ("Ayla", 3.0, 1.0, Some(home)));
        assert_eq!(unit.to_record().orders, [Order::Wait, Order::Say("hu".into())]);
        assert_eq!(Order::default(), Order::MoveTo(Point { x: 0.0, y: 1.0 }));
        assert_eq!(view.site().by_x_y(1, 2).map(|site| site.id()), Some(home));
        view.check().expect("whole");
        Ok(())
    }

    #[test]
    fn a_group_of_plain_fields_is_a_slice_that_computes() -> Result<()> {
        let db = Game::builder().open()?;
        let speed = Point { x: 2.0, y: 4.0 };
        let id = db.transact(|tx| tx.unit_mut().insert(Fighter { speed: speed.clone(), ..Unit::new("Ayla") }))?;
        db.transact(|tx| {
            for motion in tx.unit_mut().motion_mut() {
                motion.from += motion.speed * 0.5;
                motion.speed = Point { x: 0.0, ..speed.clone() }.into();
            }
            tx.unit_mut().get_mut(id)?.set_at(&speed)
        })?;
        let unit = db.read().unit().get(id)?.to_record();
        assert_eq!((unit.from, unit.at), (Point { x: 1.0, y: 3.0 }, speed));
        assert_eq!(Point::from(db.read().unit().motion()[0].speed), Point { x: 0.0, y: 4.0 });
        db.read().check().expect("whole");
        Ok(())
    }

    #[test]
    fn the_rules_of_attributes_hold() -> Result<()> {
        let db = Game::builder().open()?;
        let insert = |unit: Fighter| db.transact(|tx| tx.unit_mut().insert(unit));
        assert!(matches!(insert(Fighter { health: -1, ..Unit::new("Bo") }), Err(Error::Invalid(_))));
        assert!(matches!(insert(Unit::new("longer than 8")), Err(Error::Invalid(_))));
        insert(Unit::new("Bo"))?;
        assert!(matches!(insert(Unit::new("Bo")), Err(Error::Invalid(_))));
        db.read().check().expect("whole");
        Ok(())
    }
}
