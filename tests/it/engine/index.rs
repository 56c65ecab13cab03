//! Indexes of every kind against plain sorted maps: hashes, and trees over texts that are longer than their keys.

use dbgen_runtime::{Database, Error, RecordId, Result, Rule, TableNo, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Bound;

const SCHEMA: &str = include_str!("library.json");

dbgen_macros::schema!("it/engine/library.json");

#[derive(Debug, Clone, PartialEq)]
struct Book {
    title: String,
    subtitle: Option<String>,
    shelf: u8,
    scan: Vec<u8>,
    code: u32,
}

#[derive(Debug, Clone)]
enum Step {
    Insert(Book),
    Update(usize, Book),
    Title(usize, String),
    Delete(usize),
    /// What follows it in its transaction is undone.
    Undo,
}

/// Titles of every length around that of a key, most of which begin alike.
fn title() -> impl Strategy<Value = String> {
    let stem = prop_oneof![
        Just(""),
        Just("minecraft:polished_bla"),
        Just("minecraft:polished_blac"),
        Just("minecraft:polished_blackstone_brick_")
    ];
    (stem, vec(prop_oneof![Just('a'), Just('b'), Just('\0'), Just('字')], 0..3))
        .prop_map(|(stem, end)| stem.chars().chain(end).collect())
}

fn book() -> impl Strategy<Value = Book> {
    let scan = (prop_oneof![Just(0_usize), Just(22), Just(30)], vec(0..3_u8, 0..4));
    (title(), proptest::option::of(title()), 0..3_u8, scan, 0..40_u32).prop_map(
        |(title, subtitle, shelf, scan, code)| {
            let scan = [vec![7; scan.0], scan.1].concat();
            Book { title, subtitle, shelf, scan, code }
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        6 => book().prop_map(Step::Insert),
        3 => (any::<usize>(), book()).prop_map(|(n, book)| Step::Update(n, book)),
        3 => (any::<usize>(), title()).prop_map(|(n, title)| Step::Title(n, title)),
        2 => any::<usize>().prop_map(Step::Delete),
        1 => Just(Step::Undo),
    ];
    vec(vec(step, 1..12), 1..12)
}

fn values(book: &Book) -> Vec<(usize, Value)> {
    vec![
        (0, book.title.as_str().into()),
        (1, book.subtitle.clone().into()),
        (2, book.shelf.into()),
        (3, Value::Bytes(book.scan.clone())),
        (4, book.code.into()),
    ]
}

type Model = BTreeMap<RecordId, Book>;

fn pick(model: &Model, n: usize) -> Option<RecordId> {
    model.keys().nth(n.checked_rem(model.len())?).copied()
}

/// Whether the database did as the model would: a taken scan or code is refused, by name.
#[track_caller]
fn agrees<T>(model: &Model, itself: Option<RecordId>, book: &Book, outcome: Result<T>) -> Option<T> {
    let others = || model.iter().filter(|(id, _)| Some(**id) != itself).map(|(_, book)| book);
    let mut taken = Vec::new();
    if others().any(|other| other.scan == book.scan) {
        taken.push("by_scan");
    }
    if others().any(|other| other.code == book.code) {
        taken.push("by_code");
    }
    match outcome {
        Ok(done) => {
            assert!(taken.is_empty(), "{taken:?} should have been refused");
            Some(done)
        }
        Err(Error::Invalid(violations)) => {
            let named = violations.iter().map(|violation| match &violation.rule {
                Rule::Unique { index, .. } => index.as_str(),
                other => panic!("{other:?}"),
            });
            assert_eq!(named.collect::<Vec<_>>(), taken);
            None
        }
        Err(other) => panic!("{other}"),
    }
}

fn check(db: &Database, model: &Model) {
    let view = db.read();
    assert_eq!(view.verify(), Ok(()));
    let table = view.open_table("book").expect("the table");
    let found = |index: &str, low: Bound<&[Value]>, high: Bound<&[Value]>| -> Vec<RecordId> {
        let forth: Vec<_> = table.find_range(index, low, high).expect("a range").map(|record| record.id()).collect();
        let mut back: Vec<_> =
            table.find_range(index, low, high).expect("a range").rev().map(|record| record.id()).collect();
        back.reverse();
        assert_eq!(forth, back, "both directions give the same");
        // From both ends in turn, every record comes once.
        let (mut ends, mut n) = (table.find_range(index, low, high).expect("a range"), 0);
        while let Some(record) = if n % 2 == 0 { ends.next() } else { ends.next_back() } {
            assert!(forth.contains(&record.id()));
            n += 1;
        }
        assert_eq!(n, forth.len());
        forth
    };
    let sorted = |wanted: &dyn Fn(&Book) -> bool, whole: bool| -> Vec<RecordId> {
        let mut ids: Vec<_> = model.iter().filter(|(_, book)| wanted(book)).collect();
        ids.sort_by_key(|(id, book)| {
            let first = if whole { Some((book.shelf, book.title.clone(), book.subtitle.clone())) } else { None };
            (first, if whole { String::new() } else { book.title.clone() }, **id)
        });
        ids.into_iter().map(|(id, _)| *id).collect()
    };
    assert_eq!(found("by_title", Bound::Unbounded, Bound::Unbounded), sorted(&|_| true, false));
    assert_eq!(found("by_both", Bound::Unbounded, Bound::Unbounded), sorted(&|_| true, true));
    for book in model.values() {
        let title = [Value::from(book.title.as_str())];
        let equal = Bound::Included(&title[..]);
        assert_eq!(found("by_title", equal, equal), sorted(&|other| other.title == book.title, false));
        assert_eq!(
            found("by_title", Bound::Excluded(&title), Bound::Unbounded),
            sorted(&|other| other.title > book.title, false)
        );
        assert_eq!(found("by_title", Bound::Unbounded, equal), sorted(&|other| other.title <= book.title, false));
        let both = [Value::from(book.shelf), title[0].clone(), book.subtitle.clone().into()];
        let same = |other: &Book| other.shelf == book.shelf && other.title == book.title;
        assert_eq!(
            found("by_both", Bound::Included(&both[..2]), Bound::Excluded(&both)),
            sorted(&|other| same(other) && other.subtitle < book.subtitle, true)
        );
        assert_eq!(
            found("by_both", Bound::Included(&both), Bound::Included(&both[..1])),
            sorted(
                &|other| other.shelf == book.shelf && (&other.title, &other.subtitle) >= (&book.title, &book.subtitle),
                true
            )
        );
        let by_scan = table.find("by_scan", &[Value::Bytes(book.scan.clone())]).expect("a look-up");
        assert_eq!(by_scan.map(|record| record.value(4)), Some(book.code.into()));
        let by_code = table.find("by_code", &[book.code.into()]).expect("a look-up");
        assert_eq!(by_code.map(|record| record.value(3)), Some(Value::Bytes(book.scan.clone())));
        let mut hashed: Vec<_> =
            table.find_all("by_title_hashed", &title).expect("a look-up").map(|record| record.value(0)).collect();
        hashed.dedup();
        assert_eq!(hashed, title);
        let on_shelf = table.find_all("by_shelf", &[book.shelf.into()]).expect("a look-up").count();
        assert_eq!(on_shelf, model.values().filter(|other| other.shelf == book.shelf).count());
    }
}

fn run(db: &Database, book: TableNo, model: &mut Model, transaction: &[Step]) {
    let before = model.clone();
    let undone = transaction.iter().any(|step| matches!(step, Step::Undo));
    let ended = db.transact(|tx| {
        for step in transaction {
            match step {
                Step::Insert(new) => {
                    let id = agrees(model, None, new, tx.insert_values(book, &values(new)));
                    id.map(|id| model.insert(id, new.clone()));
                }
                Step::Update(n, new) => {
                    let Some(id) = pick(model, *n) else { continue };
                    let done = agrees(model, Some(id), new, tx.update_values(book, id, &values(new)));
                    done.map(|()| model.insert(id, new.clone()));
                }
                Step::Title(n, title) => {
                    let Some(id) = pick(model, *n) else { continue };
                    tx.update_values(book, id, &[(0, title.as_str().into())])?;
                    model.entry(id).and_modify(|book| book.title = title.clone());
                }
                Step::Delete(n) => {
                    let Some(id) = pick(model, *n) else { continue };
                    tx.delete_record(book, id)?;
                    model.remove(&id);
                }
                Step::Undo => {}
            }
        }
        if undone { Err(Error::abort("undone")) } else { Ok(()) }
    });
    if undone {
        *model = before;
    } else {
        ended.expect("a transaction");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_index_finds_what_a_sorted_map_finds(transactions in steps()) {
        let db = Database::builder().schema_json(SCHEMA).open().expect("the schema");
        let book = db.read().open_table("book").expect("the table").number();
        let mut model = Model::new();
        for transaction in &transactions {
            run(&db, book, &mut model, transaction);
            check(&db, &model);
        }
    }
}

#[test]
fn a_hash_says_that_it_has_no_ranges() {
    let db = Database::builder().schema_json(SCHEMA).open().expect("the schema");
    let view = db.read();
    let table = view.open_table("book").expect("the table");
    let low = [Value::from(3_u8)];
    let outcome = table.find_range("by_shelf", Bound::Included(&low), Bound::Unbounded).map(Iterator::count);
    assert!(matches!(outcome, Err(Error::Unsupported { .. })), "{outcome:?}");
    assert_eq!(table.find_all("by_shelf", &low).expect("one key").count(), 0);
}

#[test]
fn an_error_shows_the_long_text_that_is_taken() {
    let schema = r#"{ "name": "a", "version": "1", "tables": { "page": { "fields": [
        {"name":"url","type":"text","unique":true}] } } }"#;
    let db = Database::builder().schema_json(schema).open().expect("the schema");
    let page = db.read().open_table("page").expect("the table").number();
    let url = "https://example.org/a/rather/long/path/to/a/page";
    let insert = || db.transact(|tx| tx.insert_values(page, &[(0, url.into())]));
    insert().expect("the first");
    let Err(Error::Invalid(violations)) = insert() else { panic!("the second is refused") };
    assert_eq!(violations[0].value, Value::from(url));
}

#[test]
fn generated_lookups_by_text_find_the_whole_of_it() {
    let db = library::Library::builder().open().expect("the schema");
    let long = |end: &str| format!("a title that is much longer than its key, {end}");
    let book = |n: u32, title: String, subtitle: Option<String>| library::Book {
        subtitle,
        shelf: (n % 2) as u8,
        title: title.clone(),
        ..library::Book::new(title, n)
    };
    db.transact(|tx| {
        let mut books = tx.book_mut();
        for (n, end) in ["c", "a", "b"].into_iter().enumerate() {
            books.insert(book(n as u32, long(end), (n > 0).then(|| long("s"))))?;
        }
        books.insert(book(3, "short".to_owned(), None))?;
        Ok(())
    })
    .expect("books");
    let view = db.read();
    let codes = |found: dbgen_runtime::__private::Found<'_, library::Book>| -> Vec<u32> {
        found.map(|book| book.code()).collect()
    };
    assert_eq!(codes(view.book().by_title(&long("b"))), [2]);
    assert_eq!(codes(view.book().range_title(long("a").as_str()..=long("b").as_str())), [1, 2]);
    assert_eq!(codes(view.book().range_title(long("b").as_str()..)), [2, 0, 3]);
    assert_eq!(codes(view.book().by_both(0, &long("c"), None)), [0]);
    assert_eq!(codes(view.book().by_title_hashed(&long("a"))), [1]);
    assert_eq!(view.book().by_scan(long("a").as_bytes()).map(|book| book.code()), Some(1));
    assert_eq!(view.book().by_code(3).map(|book| book.title().to_owned()).as_deref(), Some("short"));
    assert_eq!(view.as_ref().verify(), Ok(()));
}
