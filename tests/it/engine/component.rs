//! Component tables: a record of one has the id of the record it belongs to, and goes with it.

use dbgen_runtime::{Database, Error, Id, RecordId, Result, TableNo, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};

dbgen_macros::schema!("../tests/fixtures/ecs.json");
use ecs::{Entity, Frozen, Health};

const SCHEMA: &str = r#"{ "name": "ecs", "version": "1", "tables": {
    "entity":   { "fields": [ {"name":"label","type":"text","default":""} ] },
    "health":   { "parent_table": "entity", "fields": [ {"name":"hp","type":"i32","min":0,"indexed":true} ] },
    "name":     { "parent_table": "entity", "fields": [ {"name":"name","type":"text"} ] } } }"#;

struct Ecs {
    db: Database,
    entity: TableNo,
    health: TableNo,
    name: TableNo,
}

impl Ecs {
    fn open() -> Ecs {
        let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
        let view = db.read();
        let number = |name: &str| view.open_table(name).expect("a table").number();
        Ecs { entity: number("entity"), health: number("health"), name: number("name"), db }
    }

    fn spawn(&self, hp: Option<i32>, name: Option<&str>) -> Result<RecordId> {
        self.db.transact(|tx| {
            let id = tx.insert_values(self.entity, &[])?;
            hp.map_or(Ok(()), |hp| tx.attach_values(self.health, id, &[(0, hp.into())]))?;
            name.map_or(Ok(()), |name| tx.attach_values(self.name, id, &[(0, name.into())]))?;
            Ok(id)
        })
    }

    fn lens(&self) -> [usize; 3] {
        let view = self.db.read();
        view.verify().expect("whole");
        ["entity", "health", "name"].map(|name| view.open_table(name).expect("a table").len())
    }
}

#[test]
fn a_component_is_found_by_its_owners_id_and_goes_with_it() {
    let ecs = Ecs::open();
    let both = ecs.spawn(Some(10), Some("both")).expect("spawned");
    let bare = ecs.spawn(None, None).expect("spawned");
    let named = ecs.spawn(None, Some("named")).expect("spawned");
    assert_eq!(ecs.lens(), [3, 1, 2]);
    let view = ecs.db.read();
    let names = view.open_table("name").expect("a table");
    assert_eq!(names.get(named).expect("it has one").value(0), Value::from("named"));
    assert!(names.get(bare).is_err());
    assert_eq!(
        ecs.db.transact(|tx| tx.delete_record(ecs.entity, both)).expect("despawned"),
        3,
        "itself and two components"
    );
    assert_eq!(ecs.lens(), [2, 0, 1]);
    // The slot is used again with another generation: the old id finds neither entity nor component.
    let next = ecs.spawn(Some(1), None).expect("spawned");
    assert_ne!(next, both);
    let view = ecs.db.read();
    assert!(view.open_table("health").expect("a table").get(both).is_err());
    assert_eq!(ecs.lens(), [3, 1, 1]);
}

#[test]
fn a_component_needs_an_owner_that_exists_and_has_none_yet() {
    let ecs = Ecs::open();
    let id = ecs.spawn(Some(10), None).expect("spawned");
    let attach = |owner| ecs.db.transact(|tx| tx.attach_values(ecs.health, owner, &[(0, 5.into())]));
    let twice = attach(id).expect_err("one each");
    assert!(twice.to_string().contains("`health._id` must be unique"), "{twice}");
    ecs.db.transact(|tx| tx.delete_record(ecs.entity, id)).expect("despawned");
    let orphan = attach(id).expect_err("its owner is gone");
    assert!(orphan.to_string().contains("refers to a record of `entity` that does not exist"), "{orphan}");
    let alone = ecs.db.transact(|tx| tx.insert_values(ecs.health, &[(0, 5.into())])).expect_err("it belongs to nobody");
    assert!(matches!(alone, Error::Invalid(_)), "{alone}");
    assert_eq!(ecs.lens(), [0, 0, 0]);
}

/// A world of entities without components.
fn world(entities: usize) -> (ecs::Ecs, Vec<Id<Entity>>) {
    let db = ecs::Ecs::builder().open().expect("it opens");
    let spawned = db.transact(|tx| tx.entity_mut().insert_many((0..entities).map(|_| Entity { label: None })));
    (db, spawned.expect("spawned"))
}

/// How many entities are frozen, and have health.
fn counts(db: &ecs::Ecs) -> (usize, usize) {
    let view = db.read();
    view.as_ref().verify().expect("whole");
    (view.frozen().len(), view.health().len())
}

#[test]
fn many_components_come_and_go_in_one_call() {
    let (db, ids) = world(500);
    let frozen = |id: &Id<Entity>| (*id, Frozen { until: id.get() as u32 });
    db.transact(|tx| tx.frozen_mut().attach_many(ids[100..].iter().map(frozen))).expect("they have none");
    db.transact(|tx| tx.health_mut().attach_many(ids.iter().map(|id| (*id, Health { hp: 5 }))))
        .expect("they have none");
    assert_eq!(counts(&db), (400, 500));
    let view = db.read();
    assert!(ids[..100].iter().all(|id| view.frozen().of(*id).is_none()));
    assert!(ids[100..].iter().all(|id| view.frozen().of(*id).is_some_and(|it| it.until() == id.get() as u32)));
    let gone = db.transact(|tx| tx.frozen_mut().detach_many(ids[50..150].iter().copied()));
    assert_eq!(gone.expect("it is no error that some have none"), 50);
    let twice = db.transact(|tx| tx.health_mut().detach_many([ids[7], ids[7]]));
    assert_eq!(twice.expect("the second time there is none"), 1);
    assert_eq!(counts(&db), (350, 499));
}

/// What is wrong with one of them does not hide what is wrong with another, and none of them stays; what the transaction did
/// before does.
#[test]
fn of_many_components_all_come_or_none() {
    let (db, ids) = world(20);
    db.transact(|tx| tx.entity_mut().delete(ids[4]).map(drop)).expect("despawned");
    let refused = db.transact(|tx| {
        tx.frozen_mut().attach(ids[9], Frozen { until: 1 })?;
        Ok(tx.frozen_mut().attach_many(ids.iter().map(|id| (*id, Frozen { until: 2 }))))
    });
    let Err(Error::Invalid(violations)) = refused.expect("the transaction goes on") else { panic!("they are refused") };
    let rows: Vec<_> = violations.iter().map(|violation| violation.row).collect();
    assert_eq!(rows, [Some(4), Some(9)], "{violations:?}");
    assert_eq!(counts(&db), (1, 0));
    let panicked = db.transact(|tx| {
        let broken = ids[..4].iter().map(|id| if *id == ids[3] { panic!("a game's mistake") } else { *id });
        let many =
            catch_unwind(AssertUnwindSafe(|| tx.health_mut().attach_many(broken.map(|id| (id, Health { hp: 1 })))));
        Ok(many.is_err())
    });
    assert!(panicked.expect("the transaction goes on"));
    assert_eq!(counts(&db), (1, 0));
}
