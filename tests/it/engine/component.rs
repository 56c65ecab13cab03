//! Component tables: a record of one has the id of the record it belongs to, and goes with it.

use dbgen_runtime::{Database, Error, RecordId, Result, TableNo, Value};

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
