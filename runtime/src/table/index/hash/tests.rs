//! The hash against a `BTreeSet` of pairs, which is slow and right, and against damaged bytes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::fault::Wrong;
use super::super::{AT_ONCE, Items, Wanted, hash_entry, head_bits};
use super::*;
use crate::id::RecordId;
use crate::table::index::testing::{OneBuffer, Subject, assert_like_a_set, assert_undone_and_published, damage};

/// A hash in the only buffer of a table, as the engine keeps it.
struct Bench {
    table: OneBuffer,
    shape: HashShape,
}

type Model = BTreeSet<(Vec<u8>, u64)>;

impl Bench {
    fn new(key_bytes: usize) -> Bench {
        Bench { table: OneBuffer::default(), shape: HashShape::new(key_bytes).expect("a width within the limits") }
    }

    fn index(&self) -> HashIndex<'_> {
        HashIndex::new(self.table.bytes(), self.shape)
    }

    fn edit(&mut self) -> HashIndexMut<'_> {
        HashIndexMut::new(self.table.edit(), self.shape)
    }

    fn pages(&self) -> usize {
        self.table.bytes().len() / self.shape.page_bytes()
    }

    /// How many buckets and how many trees there are.
    fn census(&self) -> (usize, usize) {
        let (index, root) = (self.index(), self.index().root());
        let directories: BTreeSet<u32> = (0..1 << root.height).map(|at| index.directory(root, at).0).collect();
        let pages = directories.iter().filter(|page| **page != NONE).filter_map(|page| index.pages.get(*page));
        let slots = |page: &[u8]| (0..self.shape.slots()).map(|at| u32_at(page, at * SLOT_BYTES)).collect::<Vec<_>>();
        let holders: BTreeSet<u32> = pages.flat_map(slots).filter(|page| *page != NONE).collect();
        let kinds = holders.iter().filter_map(|page| index.pages.get(*page)).map(|page| page[0]);
        let (buckets, trees): (Vec<u8>, Vec<u8>) = kinds.partition(|found| *found == kind::BUCKET);
        (buckets.len(), trees.len())
    }

    #[track_caller]
    fn assert_key(&self, key: &[u8], model: &Model) {
        let of_key = (key.to_vec(), 0)..=(key.to_vec(), u64::MAX);
        let expected: Vec<_> = model.range(of_key).map(|(_, record)| *record).collect();
        let mut found: Vec<_> = self.index().get_all(key).collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        match self.index().get(key) {
            Some(record) => assert!(expected.contains(&record)),
            None => assert!(expected.is_empty()),
        }
        self.assert_many(model, key);
    }

    /// Keys that are looked for at once are found as each by itself; one of another width is not.
    #[track_caller]
    fn assert_many(&self, model: &Model, key: &[u8]) {
        let others = model.iter().map(|(key, _)| key.as_slice()).take(AT_ONCE);
        let wanted: Vec<&[u8]> = [&[], key, &key[1..]].into_iter().chain(others).take(AT_ONCE).collect();
        let found = self.index().get_many(&Wanted::new(wanted.iter().copied()));
        assert!(wanted.iter().zip(found).all(|(key, found)| found == self.index().get(key)), "{wanted:?}: {found:?}");
        assert!(found[wanted.len()..].iter().all(Option::is_none));
    }
}

impl Subject for Bench {
    type Step = Step;
    type Model = Model;

    fn table(&mut self) -> &mut OneBuffer {
        &mut self.table
    }

    fn apply(&mut self, step: &Step, model: &mut Self::Model) {
        apply(step, self, model);
    }

    #[track_caller]
    fn assert_holds(&self, model: &Self::Model) {
        self.index().check().expect("a sound hash");
        assert_eq!(self.index().len(), model.len() as u64);
        assert!(model.iter().all(|(key, record)| self.index().contains(key, *record)));
    }
}

/// A key for a number: its bytes at the end, as in keys that order, as far as there is room.
fn key(number: u64, key_bytes: usize) -> Vec<u8> {
    let mut key = vec![b'k'; key_bytes];
    let digits = number.to_be_bytes();
    let len = key_bytes.min(3);
    key[key_bytes - len..].copy_from_slice(&digits[8 - len..]);
    key
}

/// Adds items of one width; says how many were new.
fn insert_all(bench: &mut Bench, items: &[Vec<u8>]) -> usize {
    let parts: BTreeSet<(u64, &[u8], u64)> = items
        .iter()
        .map(|item| item.split_at(bench.shape.key_bytes()))
        .map(|(key, id)| (hash_of(key), key, id_of(id)))
        .collect();
    let keys: Vec<u8> = parts.iter().flat_map(|(_, key, _)| key.to_vec()).collect();
    let ids: Vec<RecordId> = parts.iter().map(|(_, _, id)| RecordId::new(*id as u32, (id >> 32) as u32)).collect();
    let of_head = head_bits(parts.len());
    let order: Vec<u64> =
        parts.iter().zip(0..).map(|((hash, ..), number)| hash_entry(*hash, number, of_head)).collect();
    let key_bytes = bench.shape.key_bytes();
    bench.edit().insert_all(Items::new((&keys, key_bytes), &ids, &order))
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64, u64),
    Remove(u64, u64),
    /// Many records with one key.
    InsertEqual(u64, u64),
    RemoveEqual(u64),
    InsertRun(u64, u64),
    /// Many pairs in one call: so many numbers, each with so many records.
    InsertAll(u64, u64, u64),
    RemoveRun(u64, u64),
    Get(u64),
    Clear,
}

fn steps(numbers: u64, count: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        300 => (0..numbers, 0..3_u64).prop_map(|(number, record)| Step::Insert(number, record)),
        200 => (0..numbers, 0..3_u64).prop_map(|(number, record)| Step::Remove(number, record)),
        6 => (0..numbers, 0..200_u64).prop_map(|(number, count)| Step::InsertEqual(number, count)),
        6 => (0..numbers).prop_map(Step::RemoveEqual),
        8 => (0..numbers, 0..400_u64).prop_map(|(from, count)| Step::InsertRun(from, count)),
        8 => (0..numbers, 0..900_u64, 1..4_u64).prop_map(|(from, count, each)| Step::InsertAll(from, count, each)),
        2 => (0..numbers, 0..2_u64, 0..300_u64).prop_map(|(from, count, each)| Step::InsertAll(from, count, each)),
        6 => (0..numbers, 0..400_u64).prop_map(|(from, count)| Step::RemoveRun(from, count)),
        100 => (0..numbers).prop_map(Step::Get),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, count)
}

fn apply(step: &Step, bench: &mut Bench, model: &mut Model) {
    let width = bench.shape.key_bytes();
    let insert = |bench: &mut Bench, model: &mut Model, number: u64, record: u64| {
        let key = key(number, width);
        assert_eq!(bench.edit().insert(&key, record), model.insert((key, record)));
    };
    let remove = |bench: &mut Bench, model: &mut Model, number: u64, record: u64| {
        let key = key(number, width);
        assert_eq!(bench.edit().remove(&key, record), model.remove(&(key, record)));
    };
    match *step {
        Step::Insert(number, record) => insert(bench, model, number, record),
        Step::Remove(number, record) => remove(bench, model, number, record),
        Step::InsertEqual(number, count) => (0..count).for_each(|record| insert(bench, model, number, record)),
        Step::RemoveEqual(number) => (0..200).for_each(|record| remove(bench, model, number, record)),
        Step::InsertRun(from, count) => (from..from + count).for_each(|number| insert(bench, model, number, 0)),
        Step::InsertAll(from, count, each) => {
            let numbers = (from..from + count).flat_map(|number| (0..each).map(move |record| (number, record)));
            let items: Vec<Vec<u8>> = numbers
                .clone()
                .map(|(number, record)| [key(number, width), record.to_be_bytes().to_vec()].concat())
                .collect();
            let new = numbers.filter(|(number, record)| model.insert((key(*number, width), *record))).count();
            assert_eq!(insert_all(bench, &items), new);
        }
        Step::RemoveRun(from, count) => (from..from + count).for_each(|number| remove(bench, model, number, 0)),
        Step::Get(number) => bench.assert_key(&key(number, width), model),
        Step::Clear => {
            bench.edit().clear();
            model.clear();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_set_of_pairs(
        key_bytes in prop_oneof![1..=24_usize, 1..=200_usize, 900..=1016_usize],
        steps in (30..40_000_u64).prop_flat_map(|numbers| steps(numbers, 2_000)),
    ) {
        assert_like_a_set(Bench::new(key_bytes), &steps, 200);
    }

    #[test]
    fn undo_and_catch_up_need_not_know_the_hash(
        key_bytes in 1..=40_usize,
        steps in (30..5_000_u64).prop_flat_map(|numbers| steps(numbers, 1_000)),
    ) {
        assert_undone_and_published(Bench::new(key_bytes), &steps);
    }

    #[test]
    fn damaged_bytes_do_no_harm(
        key_bytes in 1..=40_usize,
        numbers in prop::collection::vec(0..3_000_u64, 1..900),
        equal in 0..100_u64,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        into_heads in any::<bool>(),
    ) {
        let mut bench = Bench::new(key_bytes);
        for number in &numbers {
            bench.edit().insert(&key(*number, key_bytes), *number);
        }
        for record in 0..equal {
            bench.edit().insert(&key(7, key_bytes), record);
        }
        let mut bytes = bench.table.bytes().to_vec();
        damage(&mut bytes, &hits, into_heads.then_some((bench.shape.page_bytes(), 24)));
        exercise(&bytes, bench.shape);
    }

    #[test]
    fn random_bytes_do_no_harm(key_bytes in 1..=40_usize, bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
        exercise(&bytes, HashShape::new(key_bytes).expect("a width within the limits"));
    }
}

/// Uses all of the read side; what it finds does not matter. Changes are made only if the bytes pass.
fn exercise(bytes: &[u8], shape: HashShape) {
    let index = HashIndex::new(bytes, shape);
    for number in 0..3_000 {
        let key = key(number, shape.key_bytes());
        index.get(&key);
        index.get_many(&Wanted::new([&key[..], &[]]));
        assert!(index.get_all(&key).take(bytes.len() + 1).count() <= bytes.len());
    }
    if index.check().is_ok() {
        let mut table = OneBuffer::holding(bytes);
        let mut edit = HashIndexMut::new(table.edit(), shape);
        for number in 0..3_000 {
            edit.insert(&key(number, shape.key_bytes()), number);
            edit.remove(&key(number / 2, shape.key_bytes()), number / 2);
        }
        edit.as_index().check().expect("a sound hash stays one");
    }
}

#[test]
fn shapes_fit_the_pages() {
    assert_eq!(HashShape::new(0), None);
    assert_eq!(HashShape::new(1017), None);
    for (key_bytes, page_bytes, items_max) in [(1, 512, 50), (4, 512, 39), (8, 512, 29), (16, 512, 20), (1016, 4096, 3)]
    {
        let shape = HashShape::new(key_bytes).expect("a width within the limits");
        assert_eq!((shape.page_bytes(), shape.items_max()), (page_bytes, items_max), "{key_bytes} bytes");
    }
}

/// The hash is part of the format: an index that was written yesterday is found with it tomorrow.
#[test]
fn hashes_never_change() {
    let long: Vec<u8> = (0..40).collect();
    assert_eq!(
        [&b""[..], b"a", b"abcd", b"abcdefgh", b"abcdefghijklmnop", b"abcdefghijklmnopq", &long].map(hash_of),
        [
            11_216_705_944_786_624_478,
            2_789_174_938_970_042_258,
            84_757_849_112_158_929,
            9_663_116_262_194_734_296,
            2_521_339_655_057_075_816,
            12_986_336_157_249_467_212,
            18_288_356_198_028_096_191
        ]
    );
}

/// Numbers that count up must spread evenly, or buckets would be half empty.
#[test]
fn ids_that_count_up_fill_pages_like_random_ones() {
    let mut bench = Bench::new(8);
    for number in 0..50_000_u64 {
        bench.edit().insert(&number.to_be_bytes(), number);
    }
    bench.index().check().expect("a sound hash");
    let (buckets, trees) = bench.census();
    assert_eq!(trees, 0);
    let fill = 50_000.0 / (buckets * bench.shape.items_max()) as f64;
    assert!(fill > 0.6, "buckets are {fill:.2} full");
    assert!(bench.pages() < buckets * 11 / 10, "{} pages for {buckets} buckets", bench.pages());
}

/// A class that every second player has: thousands of equal keys are not searched one by one.
#[test]
fn thousands_of_equal_keys_become_a_tree() {
    let (mut bench, mut model) = (Bench::new(4), Model::new());
    for record in 0..5_000 {
        for number in [1, 2, record + 10] {
            bench.edit().insert(&key(number, 4), record);
            model.insert((key(number, 4), record));
        }
    }
    bench.assert_holds(&model);
    bench.assert_key(&key(1, 4), &model);
    assert_eq!(bench.census().1, 2);
    for record in 0..4_995 {
        assert!(bench.edit().remove(&key(1, 4), record));
        model.remove(&(key(1, 4), record));
    }
    bench.assert_holds(&model);
    bench.assert_key(&key(1, 4), &model);
    assert_eq!(bench.census().1, 1, "five equal keys fit a bucket again");
}

/// Keys chosen to agree in the first 16 bits of their hash would ask for 65,536 slots to be told apart.
#[test]
fn keys_that_agree_in_many_bits_cost_no_directory() {
    let (mut bench, mut model) = (Bench::new(8), Model::new());
    let alike = (0_u64..).map(u64::to_be_bytes).filter(|key| hash_of(key) >> 48 == 0xABCD);
    for (record, key) in alike.take(60).enumerate() {
        bench.edit().insert(&key, record as u64);
        model.insert((key.to_vec(), record as u64));
    }
    bench.assert_holds(&model);
    assert!(bench.pages() < 32, "{} pages for 60 items", bench.pages());
    for number in 0..3_000_u64 {
        bench.edit().insert(&number.to_be_bytes(), number);
        model.insert((number.to_be_bytes().to_vec(), number));
    }
    bench.assert_holds(&model);
    for (key, record) in std::mem::take(&mut model) {
        assert!(bench.edit().remove(&key, record));
    }
    bench.assert_holds(&model);
}

#[test]
fn removed_pages_are_used_again() {
    let mut bench = Bench::new(8);
    let mut pages = Vec::new();
    for round in 0..40_u64 {
        for number in round * 1_000..(round + 1) * 1_000 {
            bench.edit().insert(&number.to_be_bytes(), number);
            if number >= 3_000 {
                assert!(bench.edit().remove(&(number - 3_000).to_be_bytes(), number - 3_000));
            }
        }
        bench.index().check().expect("a sound hash");
        pages.push(bench.pages());
    }
    assert!(pages[39] <= pages[10] * 11 / 10, "{pages:?}");
}

/// An insert notes its item, not its page.
#[test]
fn an_insert_notes_what_it_wrote() {
    let mut bench = Bench::new(16);
    for number in 0..4_000 {
        bench.edit().insert(&key(number, 16), number);
    }
    let mut published = bench.table.copy();
    bench.table.publish_to(&mut published);
    bench.edit().insert(&key(4_001, 16), 1);
    let copied = bench.table.publish_to(&mut published);
    bench.table.assert_equals(&published);
    assert!(copied <= 24 + 2 + 8, "{copied} bytes");
}

#[test]
fn a_check_names_the_fault() {
    let mut bench = Bench::new(16);
    for number in 0..200 {
        bench.edit().insert(&key(number, 16), number);
    }
    let sound = bench.table.bytes().to_vec();
    let bucket = sound.chunks_exact(512).position(|page| page[0] == kind::BUCKET).expect("a bucket") * 512;
    let fault_after = |at: usize, value: u8| {
        let mut bytes = sound.clone();
        bytes[at] = value;
        HashIndex::new(&bytes, bench.shape).check().expect_err("damaged").wrong
    };
    assert_eq!(fault_after(5, 1), Wrong::Format);
    assert_eq!(fault_after(ROOT_AT, 99), Wrong::Link);
    assert_eq!(fault_after(ROOT_AT + 4, 70), Wrong::Count);
    assert_eq!(fault_after(ROOT_AT + 8, 7), Wrong::ItemCount);
    assert_eq!(fault_after(bucket, 9), Wrong::Kind);
    assert_eq!(fault_after(bucket + 1, 60), Wrong::Summary);
    assert_eq!(fault_after(bucket + 2, 0), Wrong::Count);
    assert_eq!(fault_after(bucket + 4, sound[bucket + 4] ^ 1), Wrong::Summary);
    assert_eq!(fault_after(bucket + 4 + 20, b'x'), Wrong::Order);
}

/// A batch goes into about as many pages as one by one, and none of them is a tree.
#[test]
fn a_batch_is_spread_evenly() {
    let items: Vec<Vec<u8>> = (0..100_000_u64).map(|n| [&n.to_le_bytes()[..], &n.to_be_bytes()[..]].concat()).collect();
    let (mut one_by_one, mut batch) = (Bench::new(8), Bench::new(8));
    items.iter().for_each(|item| assert!(one_by_one.edit().insert(&item[..8], id_of(item))));
    assert_eq!(insert_all(&mut batch, &items), items.len());
    batch.index().check().expect("a sound hash");
    let (expected, len) = (one_by_one.table.bytes().len(), batch.table.bytes().len());
    assert!(len <= expected + expected / 4, "{len} bytes, {expected} one by one");
    let page_bytes = batch.shape.page_bytes();
    assert!(batch.table.bytes().chunks_exact(page_bytes).skip(1).all(|page| page[0] != kind::TREE));
}
