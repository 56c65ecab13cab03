//! One of everything, there and back.

use super::golden::zoo::{
    Act, ActRef, Animal, AnimalPatch, Keeper, Kind, Label, LabelRecord, Maybe, Number, Stack, Tile, Zoo,
};
use dbgen_runtime::cell::{Array, FixedBytes, Str};
use dbgen_runtime::{Duration, Error, Result, Timestamp, Uuid};

fn stack(title: &str) -> Stack {
    let maybe = Maybe { nulls: Some(7), at: None, note: Some("deep".into()), to_record: false };
    Stack {
        title: title.into(),
        counts: vec![1, 2, 3],
        tags: vec!["red".into(), String::new(), "a longer one".into()],
        inner: vec![Maybe::default(), maybe],
        raw: vec![0, 255],
        long: "l".repeat(290),
    }
}

fn label() -> Label {
    let word = |text| Str::try_new(text).expect("it is short");
    Label { words: Array::of([word("a"), word("b")]), hash: FixedBytes::new([1, 2, 3, 4]), ..Label::default() }
}

/// An animal with something in every field.
fn full() -> Animal {
    let acts = vec![
        Act::Wait,
        Act::Go(Tile::new(3, 4)),
        Act::Say("hu".into()),
        Act::Stack(stack("s")),
        Act::Many(vec![stack("m"), Stack::default()]),
        Act::Bits([1, 2, 3, 4]),
        Act::Name("Otto".into()),
        Act::Kind(Kind::All),
    ];
    Animal {
        row: -5,
        nulls: Some(-1),
        value: None,
        key: Some("k".into()),
        nap: Duration::from_secs(9),
        uuid: Some(Uuid::from_bytes([7; 16])),
        label: label(),
        maybe: Some(Maybe { at: Some(Tile::new(1, 2)), ..Maybe::default() }),
        stack: stack("top"),
        act: Act::Many(vec![stack("act")]),
        last_act: Some(Act::Say("ho".into())),
        number: Number::Float(2.5),
        tiles: vec![Tile::new(5, 6), Tile::new(7, 8)],
        names: vec!["one".into(), "two".into()],
        acts,
        grid: vec![vec![1], vec![], vec![2, 3]],
        deep: Some(vec![vec!["x".into()], vec![], vec![String::new(), "yz".into()]]),
        pairs: vec![[1, 2], [3, 4]],
        words: ["eins".into(), "zwei".into()],
        kinds: [Kind::Self_, Kind::All],
        ..Animal::new([9; 32])
    }
}

#[test]
fn everything_comes_back() -> Result<()> {
    let db = Zoo::builder().open()?;
    let keeper = db.transact(|tx| tx.keeper_mut().insert(Keeper::new("Kim")))?;
    let expected = Animal { keeper: Some(keeper), ..full() };
    let id = db.transact(|tx| tx.animal_mut().insert(expected.clone()))?;
    let view = db.read();
    let record = view.animal().get(id)?.to_record();
    assert_eq!(record, Animal { id: record.id, ..expected });

    let empty = db.transact(|tx| tx.animal_mut().insert(Animal::new([0; 32])))?;
    let record = db.read().animal().get(empty)?.to_record();
    assert_eq!(record, Animal { id: record.id, ..Animal::new([0; 32]) });
    Ok(())
}

#[test]
fn lists_and_payloads_are_read_in_place() -> Result<()> {
    let db = Zoo::builder().open()?;
    let id = db.transact(|tx| tx.animal_mut().insert(full()))?;
    let view = db.read();
    let animal = view.animal().get(id)?;
    assert_eq!(animal.tiles(), [Tile::new(5, 6), Tile::new(7, 8)]);
    assert_eq!(animal.names()[1], "two");
    assert_eq!(animal.words(), ["eins", "zwei"]);
    assert_eq!(animal.stack().tags().iter().collect::<Vec<_>>(), ["red", "", "a longer one"]);
    assert_eq!(animal.stack().inner().get(1).and_then(|it| it.note()), Some("deep"));
    assert_eq!(animal.deep().and_then(|it| it.get(2)).and_then(|it| it.get(1)), Some("yz"));
    assert_eq!(animal.grid().iter().map(|row| row.len()).collect::<Vec<_>>(), [1, 0, 2]);
    assert!(matches!(animal.last_act(), Some(ActRef::Say("ho"))));
    let ActRef::Many(stacks) = animal.act() else { panic!("{:?}", animal.act()) };
    assert_eq!(stacks.iter().map(|it| it.title()).collect::<Vec<_>>(), ["act"]);
    assert_eq!(animal.acts().iter().next_back().map(ActRef::to_record), Some(Act::Kind(Kind::All)));
    assert_eq!(animal.label().words[0], "a");
    assert_eq!(animal.matrix(), [[1.0, 0.0], [0.0, 1.0]]);
    Ok(())
}

#[test]
fn every_kind_of_field_can_be_set() -> Result<()> {
    let db = Zoo::builder().open()?;
    let id = db.transact(|tx| tx.animal_mut().insert(full()))?;
    db.transact(|tx| {
        let mut animals = tx.animal_mut();
        let mut animal = animals.get_mut(id)?;
        animal.set_nulls(None)?;
        animal.set_value(Some(4.0))?;
        animal.set_key(None)?;
        animal.set_image("a new one")?;
        animal.set_maybe(None)?;
        animal.set_stack(&stack("other"))?;
        animal.set_act(&Act::Stack(stack("held")))?;
        animal.set_last_act(None)?;
        animal.set_acts(&[Act::Name("Ada".into()), Act::Wait])?;
        animal.set_grid(&[vec![9]])?;
        animal.set_deep(Some(&[vec!["q".into()]]))?;
        animal.set_pairs(&[[5, 6]])?;
        animal.set_words(&["drei".into(), String::new()])?;
        animal.set_kinds([Kind::None, Kind::Self_])?;
        animal.set_type(Kind::All)?;
        assert!(matches!(animal.set_row(6), Err(Error::Invalid(_))));
        assert!(matches!(animal.set_acts(&[Act::Name("longer than 8 bytes".into())]), Err(Error::Invalid(_))));
        Ok(())
    })?;
    let expected = Animal {
        nulls: None,
        value: Some(4.0),
        key: None,
        image: "a new one".into(),
        maybe: None,
        stack: stack("other"),
        act: Act::Stack(stack("held")),
        last_act: None,
        acts: vec![Act::Name("Ada".into()), Act::Wait],
        grid: vec![vec![9]],
        deep: Some(vec![vec!["q".into()]]),
        pairs: vec![[5, 6]],
        words: ["drei".into(), String::new()],
        kinds: [Kind::None, Kind::Self_],
        r#type: Kind::All,
        ..full()
    };
    let record = db.read().animal().get(id)?.to_record();
    assert_eq!(record, Animal { id: record.id, ..expected });
    Ok(())
}

#[test]
fn lookups_know_nulls() -> Result<()> {
    let db = Zoo::builder().open()?;
    let insert = |hash, nulls, key: Option<&str>| {
        let animal = Animal { nulls, key: key.map(str::to_owned), ..Animal::new([hash; 32]) };
        db.transact(|tx| tx.animal_mut().insert(animal))
    };
    let (a, b, c) = (insert(1, None, Some("x"))?, insert(2, Some(-3), None)?, insert(3, Some(4), None)?);
    let view = db.read();
    let animals = view.animal();
    let ids = |found: dbgen_runtime::typed::Found<'_, Animal>| found.map(|it| it.record_id()).collect::<Vec<_>>();
    assert_eq!(animals.by_key("x").map(|it| it.record_id()), Some(a));
    assert_eq!(ids(animals.by_type_nulls(Kind::None, None)), [a]);
    assert_eq!(ids(animals.by_type_nulls(Kind::None, 4)), [c]);
    assert_eq!(ids(animals.range_type_nulls(Kind::None, ..)), [b, c], "a range is one of values");
    assert_eq!(ids(animals.range_type_nulls(Kind::None, ..0)), [b]);
    assert_eq!(ids(animals.by_get(Kind::None, -3, None)), [b]);
    assert_eq!(ids(animals.by_iter(Kind::None, Timestamp::from_micros(1_767_323_045_000_000))), [a, b, c]);
    assert_eq!(ids(animals.by_uuid(None)), [a, b, c]);
    assert_eq!(animals.by_version_hashed(0).count(), 3);
    assert_eq!(animals.by_hash([2; 32]).map(|it| it.record_id()), Some(b));
    Ok(())
}

#[test]
fn a_table_beside_a_composite_of_its_name_is_a_record() -> Result<()> {
    let db = Zoo::builder().open()?;
    let id = db.transact(|tx| tx.label_mut().insert(LabelRecord { a: label() }))?;
    assert_eq!(*db.read().label().get(id)?.a(), label());
    let patch = AnimalPatch { number: Some(Number::Int(-1)), ..AnimalPatch::default() };
    let id = db.transact(|tx| tx.animal_mut().insert(full()))?;
    db.transact(|tx| tx.animal_mut().patch(id, patch))?;
    assert_eq!(db.read().animal().get(id)?.number().to_record(), Number::Int(-1));
    Ok(())
}

/// No write leaves anything behind that it would refuse; what a disk does is for the tests of recovery.
#[test]
fn every_record_that_was_written_passes_its_own_check() -> Result<()> {
    let db = Zoo::builder().open()?;
    let keeper = db.transact(|tx| tx.keeper_mut().insert(Keeper::new("Kim")))?;
    let ids = db.transact(|tx| {
        let mut animals = tx.animal_mut();
        let filled = Animal { keeper: Some(keeper), ..full() };
        Ok([animals.insert(filled)?, animals.insert(Animal { key: None, ..Animal::new([0; 32]) })?])
    })?;
    let view = db.read();
    for id in ids {
        assert_eq!(view.animal().get(id)?.check(), Ok(()));
        assert_eq!(view.as_ref().open_table("animal")?.get(id.record_id())?.check(), Ok(()));
    }
    assert_eq!(view.keeper().get(keeper)?.check(), Ok(()), "groups beside the row, and a null");
    Ok(())
}
