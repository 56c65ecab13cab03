//! The typed face: what generated code offers, done to the same model.

use super::Seen;
use super::attempt::{Attempt, number};
use super::convert::{
    Alarm, Animal, AnimalPatch, Buff, Cage, Chain, Convert, Drift, Entity, Health, HealthRef, Keeper, KeeperPatch,
    Link, Note, Place, PlaceRef, Record, Tile, Tracker, Vec2, View, Visit, animal,
};
use super::rules::{Broken, Given, Refusal, agree};
use super::tape::Tape;
use super::values::{self, same};
use super::world::World;
use dbgen_runtime::{Component, Error, Id, Join, Table, Transaction, Value, Without};
use dbgen_schema::Type;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// One operation of the typed face.
pub fn operation(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    match attempt.tape.below(20) {
        0..=3 => match attempt.tape.below(6) {
            0..=2 => insert::<Animal>(attempt, tx),
            3 => insert::<Keeper>(attempt, tx),
            4 => insert::<Cage>(attempt, tx),
            _ => insert::<Visit>(attempt, tx),
        },
        15 => insert_many(attempt, tx),
        4 => match attempt.tape.below(3) {
            0 => update::<Animal>(attempt, tx),
            1 => update::<Keeper>(attempt, tx),
            _ => update::<Health>(attempt, tx),
        },
        5 => match attempt.tape.below(2) {
            0 => replace::<Animal>(attempt, tx),
            _ => replace::<Cage>(attempt, tx),
        },
        6 => patch_animal(attempt, tx),
        7 => patch_keeper(attempt, tx),
        8..=9 => set(attempt, tx),
        10 => for_each(attempt, tx),
        11 => whole_group(attempt, tx),
        12 => next_group(attempt, tx),
        13 if attempt.tape.one_in(2) => match attempt.tape.below(2) {
            0 => delete::<Animal>(attempt, tx),
            _ => delete::<Keeper>(attempt, tx),
        },
        14 => match attempt.tape.below(4) {
            0 => attach::<Health>(attempt, tx),
            1 => attach::<Place>(attempt, tx),
            2 => attach::<Drift>(attempt, tx),
            _ => attach::<Buff>(attempt, tx),
        },
        16 => match attempt.tape.below(3) {
            0 => update_where::<Animal>(attempt, tx),
            1 => update_where::<Keeper>(attempt, tx),
            _ => update_where::<Health>(attempt, tx),
        },
        17 if attempt.tape.one_in(2) => match attempt.tape.below(3) {
            0 => delete_where::<Animal>(attempt, tx),
            1 => delete_where::<Keeper>(attempt, tx),
            _ => delete_where::<Place>(attempt, tx),
        },
        18 => {
            let attempt = &mut *attempt;
            joined(attempt.world, tx.join());
            attempt.seen.kind("typed join");
        }
        19 => join_mut(attempt, tx),
        _ => match attempt.tape.below(3) {
            0 => detach::<Health>(attempt, tx),
            1 => detach::<Drift>(attempt, tx),
            _ => detach::<Place>(attempt, tx),
        },
    }
}

/// Values for all fields of a record that generated code knows; the others are left to the engine.
fn record<T: Record>(attempt: &mut Attempt<'_, '_>) -> (T, Vec<Given>) {
    let (table, known) = (T::INDEX, known::<T>(attempt.world));
    let mut given: Vec<Given> = (0..known).map(|at| attempt.given(table, at, false)).collect();
    let schema = attempt.world.schema.clone();
    if attempt.tape.one_in(12) {
        let strings: Vec<(usize, usize)> = (0..known)
            .filter_map(|at| match schema.tables[table].fields[at].ty {
                Type::Str(n) => Some((at, n as usize)),
                _ => None,
            })
            .collect();
        if !strings.is_empty() {
            let (at, n) = attempt.tape.of(&strings);
            given[at] = Given { field: at, value: Value::Text("y".repeat(n + 1)), broken: Some(Broken::TooLong) };
        }
    }
    let record = T::from_values(&given.iter().map(|given| given.value.clone()).collect::<Vec<_>>());
    // A field that was added at run time without a default is zero in records that generated code makes.
    for (at, field) in schema.tables[table].fields.iter().enumerate().skip(known) {
        if field.is_required() && !matches!(field.ty, Type::Ref(_)) {
            given.push(Given { field: at, value: values::zero(&schema, &field.ty), broken: None });
        }
    }
    (record, given)
}

/// Fields that generated code knows.
fn known<T: Table>(world: &World) -> usize {
    let compiled = super::compiled_schema();
    debug_assert_eq!(world.schema.tables[T::INDEX].name, T::NAME);
    compiled.tables[T::INDEX].fields.len()
}

fn insert<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    if attempt.world.tables[T::INDEX].rows.len() >= 24 {
        return;
    }
    let (record, given) = record::<T>(attempt);
    let expected = attempt.world.draft(T::INDEX, None, &given);
    let result = tx.table_mut::<T>().insert(record);
    attempt.seen.outcome("typed insert", &result);
    if let Some((id, values)) = agree(result, expected) {
        attempt.world.put(T::INDEX, id.get(), values);
    }
}

/// Several records, all or none.
fn insert_many(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let table = Keeper::INDEX;
    if attempt.world.tables[table].rows.len() >= 24 {
        return;
    }
    // The ids are known afterwards only: meanwhile the model has records without one.
    let mut trial = attempt.world.clone();
    let (mut records, mut drafts) = (Vec::new(), Vec::new());
    let mut is_expected = true;
    for at in 0..1 + attempt.tape.below(4) as u64 {
        let (record, given) = record::<Keeper>(attempt);
        records.push(record);
        match trial.draft(table, None, &given) {
            Ok(values) if is_expected => {
                drafts.push(values.clone());
                trial.put(table, (1_000 + at) << 32 | (3_000_000_000 + at), values);
            }
            Ok(_) => {}
            Err(_) => is_expected = false,
        }
    }
    let result = tx.table_mut::<Keeper>().insert_many(records);
    attempt.seen.outcome("typed insert many", &result);
    assert_eq!(result.is_ok(), is_expected, "{result:?}");
    // What is wrong with each row is told too, which `engine::many` looks at.
    if let Ok(ids) = result {
        for (id, values) in ids.into_iter().zip(drafts) {
            attempt.world.put(table, id.get(), values);
        }
    }
}

fn update<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(T::INDEX) else { return };
    let mut given = Vec::new();
    for _ in 0..=attempt.tape.below(3) {
        let at = attempt.tape.below(known::<T>(attempt.world));
        if given.iter().all(|given: &Given| given.field != at) {
            given.push(attempt.given(T::INDEX, at, false));
        }
    }
    let expected = attempt.world.clone().update(T::INDEX, id, &given);
    let result = tx.table_mut::<T>().update(typed_id::<T>(id), |record| {
        let mut values = record.to_values();
        given.iter().for_each(|given| values[given.field] = given.value.clone());
        *record = T::from_values(&values);
    });
    attempt.seen.outcome("typed update", &result);
    if agree(result, expected).is_some() {
        attempt.world.update(T::INDEX, id, &given).expect("it was accepted");
    }
}

fn replace<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(T::INDEX) else { return };
    let (record, mut given) = record::<T>(attempt);
    // What generated code does not know stays as it is.
    given.retain(|given| given.field < known::<T>(attempt.world));
    let result = tx.table_mut::<T>().replace(typed_id::<T>(id), &record);
    let expected = attempt.world.update(T::INDEX, id, &given);
    attempt.seen.outcome("typed replace", &result);
    agree(result, expected);
}

fn patch_animal(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(Animal::INDEX) else { return };
    let given: Vec<Given> = ["c", "bio", "maybe", "act", "cage", "pos", "steps"]
        .iter()
        .filter_map(|name| {
            let at = field(attempt.world, Animal::INDEX, name);
            attempt.tape.one_in(2).then(|| attempt.given(Animal::INDEX, at, false))
        })
        .collect();
    fn of<T: Convert>(world: &World, given: &[Given], name: &str) -> Option<T> {
        let at = field(world, Animal::INDEX, name);
        given.iter().find(|given| given.field == at).map(|given| T::from_value(&given.value))
    }
    let world = &*attempt.world;
    let patch = AnimalPatch {
        c: of(world, &given, "c"),
        bio: of(world, &given, "bio"),
        maybe: of(world, &given, "maybe"),
        act: of(world, &given, "act"),
        cage: of(world, &given, "cage"),
        pos: of(world, &given, "pos"),
        steps: of(world, &given, "steps"),
        ..AnimalPatch::default()
    };
    let result = tx.table_mut::<Animal>().patch(typed_id(id), patch);
    let expected = attempt.world.update(Animal::INDEX, id, &given);
    attempt.seen.outcome("typed patch", &result);
    agree(result, expected);
}

fn patch_keeper(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(Keeper::INDEX) else { return };
    let given: Vec<Given> = [1, 2, 3].map(|at| attempt.given(Keeper::INDEX, at, false)).into();
    let patch = KeeperPatch {
        badge: Some(u32::from_value(&given[0].value)),
        mood: Some(i8::from_value(&given[1].value)),
        boss: Some(Option::from_value(&given[2].value)),
        ..KeeperPatch::default()
    };
    let result = tx.table_mut::<Keeper>().patch(typed_id(id), patch);
    let expected = attempt.world.update(Keeper::INDEX, id, &given);
    attempt.seen.outcome("typed patch", &result);
    agree(result, expected);
}

/// A field by itself: ones with rules, ones in the heap, ones that nothing concerns.
fn set(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(Animal::INDEX) else { return };
    let name =
        attempt.tape.of(&["e", "chip", "note", "acts", "names", "grid", "mother", "a", "pos", "goal", "words", "name"]);
    let at = field(attempt.world, Animal::INDEX, name);
    let given = attempt.given(Animal::INDEX, at, false);
    let value = &given.value;
    let mut animals = tx.table_mut::<Animal>();
    let mut animal = animals.get_mut(typed_id(id)).expect("it is there");
    let is_free = matches!(name, "a" | "pos");
    let result = match name {
        "e" => animal.set_e(Convert::from_value(value)),
        "chip" => animal.set_chip(Convert::from_value(value)),
        "note" => animal.set_note(&Convert::from_value(value)),
        "acts" => animal.set_acts(&Vec::from_value(value)),
        "names" => animal.set_names(&Convert::from_value(value)),
        "grid" => animal.set_grid(&<Vec<Vec<i32>>>::from_value(value)),
        "mother" => animal.set_mother(Convert::from_value(value)),
        "goal" => animal.set_goal(Convert::from_value(value)),
        "words" => animal.set_words(<Option<Vec<String>>>::from_value(value).as_deref()),
        "name" => animal.set_name(<Option<String>>::from_value(value).as_deref()),
        "a" => {
            animal.set_a(Convert::from_value(value));
            Ok(())
        }
        _ => {
            animal.set_pos(Convert::from_value(value));
            Ok(())
        }
    };
    attempt.seen.outcome(if is_free { "typed set: free" } else { "typed set" }, &result);
    if is_free {
        // Nothing is asked, not even whether it differs.
        let mut values = attempt.world.tables[Animal::INDEX].rows[&id].values.clone();
        values[at] = given.value;
        attempt.world.write(Animal::INDEX, id, values);
        return;
    }
    let expected = attempt.world.update(Animal::INDEX, id, std::slice::from_ref(&given));
    agree(result, expected);
}

fn for_each(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let (c, at) = (i32::from(attempt.tape.byte() % 9), field(attempt.world, Animal::INDEX, "c"));
    tx.table_mut::<Animal>().for_each_mut(|mut animal| animal.set_c(c)).expect("no rule is broken");
    let ids: Vec<u64> = attempt.world.tables[Animal::INDEX].rows.keys().copied().collect();
    for id in ids {
        let given = [Given { field: at, value: c.to_value(), broken: None }];
        attempt.world.update(Animal::INDEX, id, &given).expect("no rule is broken");
    }
    attempt.seen.kind("typed for each");
}

/// A whole column group as a slice.
fn whole_group(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let step = f32::from(attempt.tape.byte() % 5);
    let group = tx.table_mut::<Animal>().group_mut::<animal::Motion>();
    assert_eq!(group.len(), attempt.world.tables[Animal::INDEX].rows.len());
    for motion in group {
        motion.pos = Vec2::new(motion.pos.x.get() + step, motion.vel.y.get());
    }
    moved(attempt.world, |pos, vel| Vec2::new(pos.x.get() + step, vel.y.get()));
    attempt.seen.kind("typed group, in place");
}

/// A whole column group from what it was.
fn next_group(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let by = f32::from(attempt.tape.byte() % 3);
    tx.table_mut::<Animal>().group_next::<animal::Motion, _>(|old, new| {
        assert_eq!(old.len(), new.len());
        for (old, new) in old.iter().zip(new) {
            *new = animal::Motion { pos: Vec2::new(by, old.pos.x.get()), vel: old.vel };
        }
    });
    moved(attempt.world, |pos, _| Vec2::new(by, pos.x.get()));
    attempt.seen.kind("typed group, from the one before");
}

/// All animals move.
fn moved(world: &mut World, next: impl Fn(Vec2, Vec2) -> Vec2) {
    let (pos, vel) = (field(world, Animal::INDEX, "pos"), field(world, Animal::INDEX, "vel"));
    let version = world.commit + 1;
    for row in world.tables[Animal::INDEX].rows.values_mut() {
        let row = std::sync::Arc::make_mut(row);
        row.values[pos] = next(Vec2::from_value(&row.values[pos]), Vec2::from_value(&row.values[vel])).to_value();
    }
    world.tables[Animal::INDEX].watermark = version;
    world.is_dirty = true;
}

fn delete<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let Some(id) = attempt.any_record(T::INDEX) else { return };
    let result = tx.table_mut::<T>().delete(typed_id(id));
    let expected = attempt.world.delete(T::INDEX, id);
    attempt.seen.outcome("typed delete", &result);
    if let Some((gone, expected)) = agree(result, expected) {
        assert_eq!(gone, expected, "so many records went");
    }
}

/// Whether a condition on the ids picks this one.
fn is_picked(id: u64, bit: u64) -> bool {
    id & bit == 0
}

/// Some fields of all records that a condition picks, all or none.
fn update_where<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let at = attempt.tape.below(known::<T>(attempt.world));
    let given = [attempt.given(T::INDEX, at, false)];
    let bit = 1 << attempt.tape.below(3);
    let rows = &attempt.world.tables[T::INDEX].rows;
    let picked: Vec<u64> = rows.keys().copied().filter(|id| is_picked(*id, bit)).collect();
    let mut trial = attempt.world.clone();
    let expected = picked.iter().try_for_each(|id| trial.update(T::INDEX, *id, &given).map(drop));
    // A record of generated code says its id where its type is known, which it is not here: they come in the table's order.
    let mut ids = tx.table::<T>().ids().map(Id::get).collect::<Vec<u64>>().into_iter();
    let result = tx.table_mut::<T>().update_where(
        |_| is_picked(ids.next().expect("a record for every id"), bit),
        |record| {
            let mut values = record.to_values();
            values[at] = given[0].value.clone();
            *record = T::from_values(&values);
        },
    );
    attempt.seen.outcome("typed update where", &result);
    assert_eq!(result.is_ok(), expected.is_ok(), "{result:?}, {expected:?}");
    if let Ok(count) = result {
        assert_eq!(count, picked.len());
        *attempt.world = trial;
    }
}

/// All records that a condition picks go, or none.
fn delete_where<T: Record>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let bit = 1 << attempt.tape.below(3);
    // Which of two goes first is the order of their rows.
    let order: Vec<u64> = tx.table::<T>().ids().map(Id::get).collect();
    let (mut trial, mut gone) = (attempt.world.clone(), 0);
    let expected = order.iter().filter(|id| is_picked(**id, bit)).try_for_each(|id| {
        match trial.delete(T::INDEX, *id) {
            Ok(count) => gone += count,
            // One before it has taken it along.
            Err(Refusal::NotFound) => {}
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    });
    let mut ids = order.into_iter();
    let result = tx.table_mut::<T>().delete_where(|_| is_picked(ids.next().expect("a record for every id"), bit));
    attempt.seen.outcome("typed delete where", &result);
    if let Some((count, ())) = agree(result, expected) {
        assert_eq!(count, gone, "so many records went");
        *attempt.world = trial;
    }
}

/// What a join asks for in both of its places: of a transaction, and of a view.
type Wounded = (Id<Entity>, Health, Option<Place>, Without<Drift>);

/// That a join finds the entities that the model has, with what belongs to each.
#[track_caller]
fn joined(world: &World, join: Join<'_, Wounded>) {
    let (hp, at) = (field(world, Health::INDEX, "hp"), field(world, Place::INDEX, "at"));
    let said = |(id, health, place, ()): (Id<Entity>, HealthRef<'_>, Option<PlaceRef<'_>>, ())| {
        (id.get(), health.hp(), place.map(|place| (place.at().x.get(), place.at().y.get())))
    };
    let mut together: Vec<_> = join.clone().into_par_iter().map(said).collect();
    let mut found: Vec<_> = join.map(said).collect();
    found.sort_unstable();
    together.sort_unstable();
    assert_eq!(found, together, "one thread or several");
    let rows = |table: usize| &world.tables[table].rows;
    let wounded = rows(Health::INDEX).iter().filter(|(id, _)| !rows(Drift::INDEX).contains_key(id));
    let expected = wounded.map(|(id, row)| {
        let place = rows(Place::INDEX).get(id).map(|row| Tile::from_value(&row.values[at]));
        (*id, i32::from_value(&row.values[hp]), place.map(|place| (place.x.get(), place.y.get())))
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
}

/// A group of a component, written where another one is missing.
fn join_mut(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let step = f32::from(attempt.tape.byte() % 5);
    let next = |by: Vec2, left: Vec2| Vec2::new(by.x.get() + step, left.y.get());
    let mut count = 0;
    tx.join_mut::<(&mut Drift, Without<Health>)>().for_each(|(drift, ())| {
        drift.by = next(drift.by, drift.left);
        count += 1;
    });
    let world = &mut *attempt.world;
    let (by, left) = (field(world, Drift::INDEX, "by"), field(world, Drift::INDEX, "left"));
    let well = world.tables[Health::INDEX].rows.clone();
    let version = world.commit + 1;
    for (_, row) in world.tables[Drift::INDEX].rows.iter_mut().filter(|(id, _)| !well.contains_key(id)) {
        let values = &mut std::sync::Arc::make_mut(row).values;
        values[by] = next(Vec2::from_value(&values[by]), Vec2::from_value(&values[left])).to_value();
        count -= 1;
    }
    assert_eq!(count, 0, "as many entities as the model has");
    // The group was lent whole.
    world.tables[Drift::INDEX].watermark = version;
    world.is_dirty = true;
    attempt.seen.kind("typed join, written");
}

fn attach<T: Record + Component>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let parent = <T::Parent as Table>::INDEX;
    let Some(owner) = attempt.any_record(parent) else { return };
    let (record, given) = record::<T>(attempt);
    let expected = attempt.world.draft(T::INDEX, Some(owner), &given);
    let result = tx.table_mut::<T>().attach(Id::from_u64(owner).expect("it has one"), record);
    attempt.seen.outcome("typed attach", &result);
    if let Some(((), values)) = agree(result, expected) {
        attempt.world.put(T::INDEX, owner, values);
    }
}

fn detach<T: Record + Component>(attempt: &mut Attempt<'_, '_>, tx: &mut Transaction) {
    let parent = <T::Parent as Table>::INDEX;
    let Some(owner) = attempt.any_record(parent) else { return };
    let result = tx.table_mut::<T>().detach(Id::from_u64(owner).expect("it has one"));
    let is_there = attempt.world.tables[T::INDEX].rows.contains_key(&owner);
    let expected = if is_there { attempt.world.delete(T::INDEX, owner).map(|_| true) } else { Ok(false) };
    attempt.seen.outcome("typed detach", &result);
    if let Some((had, expected)) = agree(result, expected) {
        assert_eq!(had, expected, "whether it had one");
    }
    // The table reads the same by its number.
    assert_eq!(number(tx, &attempt.world.schema, T::INDEX).at(), T::INDEX);
}

#[track_caller]
fn typed_id<T>(id: u64) -> Id<T> {
    Id::from_u64(id).expect("ids of the model come from the engine")
}

#[track_caller]
fn field(world: &World, table: usize, name: &str) -> usize {
    world.schema.tables[table].fields.iter().position(|field| field.name == name).expect("a field of the menagerie")
}

/// That generated code reads what the model holds.
#[track_caller]
pub fn compare(world: &World, view: &dbgen_runtime::View) {
    records::<Keeper>(world, view);
    records::<Cage>(world, view);
    records::<Animal>(world, view);
    records::<Visit>(world, view);
    records::<Chain>(world, view);
    records::<Link>(world, view);
    records::<Entity>(world, view);
    records::<Health>(world, view);
    records::<Place>(world, view);
    records::<Drift>(world, view);
    records::<Buff>(world, view);
    records::<Tracker>(world, view);
    records::<Alarm>(world, view);
}

#[track_caller]
fn records<T: Record>(world: &World, view: &dbgen_runtime::View) {
    let table = view.table::<T>();
    assert_eq!(table.len(), world.tables[T::INDEX].rows.len());
    for (id, row) in &world.tables[T::INDEX].rows {
        let record = T::decode(table.get(typed_id(*id)).expect("it is there"));
        for (at, value) in record.to_values().iter().enumerate() {
            assert!(same(value, &row.values[at]), "field {at} of {record:?} is not {:?}", row.values[at]);
        }
    }
}

/// Lookups of generated code, against the model.
pub fn lookup(world: &World, view: &dbgen_runtime::View, tape: &mut Tape<'_>, seen: &mut Seen) {
    joined(world, view.join());
    let view = View::from(view.clone());
    let animals = &world.tables[Animal::INDEX].rows;
    let (kind, c) = (field(world, Animal::INDEX, "kind"), field(world, Animal::INDEX, "c"));
    for (id, row) in &world.tables[Keeper::INDEX].rows {
        let name = String::from_value(&row.values[0]);
        assert_eq!(view.keeper().by_name(&name).map(|keeper| keeper.id().get()), Some(*id));
    }
    let keepers = &world.tables[Keeper::INDEX].rows;
    let names = keepers.values().map(|row| String::from_value(&row.values[0])).chain(["a name that nobody has".into()]);
    let names: Vec<String> = names.collect();
    let found = view.keeper().by_name_many(names.iter().map(String::as_str));
    let ids = keepers.keys().copied().map(Some).chain([None]);
    assert!(found.map(|keeper| keeper.map(|keeper| keeper.id().get())).eq(ids), "{names:?}");
    let low = i32::from(tape.byte() % 9) - 4;
    let high = low + i32::from(tape.byte() % 5);
    let wanted = super::convert::Kind::ALL[tape.below(3)];
    let mut found: Vec<u64> = view.animal().range_kind_c(wanted, low..high).map(|a| a.record_id().get()).collect();
    found.sort_unstable();
    let is_within = |values: &[Value]| {
        super::convert::Kind::from_value(&values[kind]) == wanted && (low..high).contains(&i32::from_value(&values[c]))
    };
    let expected: Vec<u64> = animals.iter().filter(|(_, row)| is_within(&row.values)).map(|(id, _)| *id).collect();
    assert_eq!(found, expected, "{wanted} from {low} to {high}");
    let serial: Vec<u64> = view.animal().iter().map(|animal| animal.record_id().get()).collect();
    let parallel: Vec<u64> = view.animal().par_iter().map(|animal| animal.record_id().get()).collect();
    assert_eq!(serial, parallel);
    assert_eq!(view.animal().motion().len(), serial.len());
    assert!(matches!(view.animal().get(typed_id(1 << 32 | 4_000_000_000)), Err(Error::NotFound { .. })));
    let titles: Vec<String> = view.animal().iter().map(|animal| animal.note().title().to_owned()).collect();
    let note = field(world, Animal::INDEX, "note");
    let expected: Vec<String> = serial.iter().map(|id| Note::from_value(&animals[id].values[note]).title).collect();
    assert_eq!(titles, expected);
    seen.kind("typed lookups");
}
