//! The tree against a `BTreeSet`, which is slow and right, and against damaged bytes.

use std::collections::BTreeSet;
use std::ops::Bound;

use proptest::prelude::*;

use super::super::fault::Wrong;
use super::super::pages::u32_at;
use super::super::{AT_ONCE, Wanted};
use super::node::ITEMS_AT;
use super::*;
use crate::table::index::testing::{OneBuffer, Subject, assert_like_a_set, assert_undone_and_published, damage};

/// A tree in the only buffer of a table, as the engine keeps it.
struct Bench {
    table: OneBuffer,
    shape: Shape,
}

impl Bench {
    fn new(item_bytes: usize) -> Bench {
        Bench { table: OneBuffer::default(), shape: Shape::new(item_bytes).expect("a width within the limits") }
    }

    fn tree(&self) -> BTree<'_> {
        BTree::new(self.table.bytes(), self.shape)
    }

    fn edit(&mut self) -> BTreeMut<'_> {
        BTreeMut::new(self.table.edit(), self.shape)
    }
}

impl Subject for Bench {
    type Step = Step;
    type Model = BTreeSet<Vec<u8>>;

    fn table(&mut self) -> &mut OneBuffer {
        &mut self.table
    }

    fn apply(&mut self, step: &Step, model: &mut Self::Model) {
        apply(step, self, model);
    }

    #[track_caller]
    fn assert_holds(&self, model: &Self::Model) {
        self.tree().check().expect("a sound tree");
        assert_eq!(self.tree().len(), model.len() as u64);
        assert!(self.tree().iter().eq(model.iter().map(Vec::as_slice)), "forwards");
        assert!(self.tree().iter().rev().eq(model.iter().rev().map(Vec::as_slice)), "backwards");
    }
}

/// An item of `item_bytes` for a number: neighbours in number are neighbours in order, and long common beginnings
/// occur.
fn item(number: u64, item_bytes: usize) -> Vec<u8> {
    // One digit in front, one at the very end and the same in between, so that some differ in the first bytes that are
    // compared and some only in the last.
    let mut item = vec![b'k'; item_bytes];
    let digits = number.to_be_bytes();
    item[..2].copy_from_slice(&digits[5..7]);
    item[item_bytes - 1] = digits[7];
    item
}

/// What an item is compared with: the definition of bounds that `BTree::range` documents, word by word.
fn within(item: &[u8], lower: Bound<&[u8]>, upper: Bound<&[u8]>) -> bool {
    let head = |prefix: &[u8]| item[..prefix.len().min(item.len())].to_vec();
    let from = match lower {
        Bound::Included(prefix) => head(prefix).as_slice() >= prefix,
        Bound::Excluded(prefix) => head(prefix).as_slice() > prefix,
        Bound::Unbounded => true,
    };
    let to = match upper {
        Bound::Included(prefix) => head(prefix).as_slice() <= prefix,
        Bound::Excluded(prefix) => head(prefix).as_slice() < prefix,
        Bound::Unbounded => true,
    };
    from && to
}

fn borrowed(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(prefix) => Bound::Included(prefix),
        Bound::Excluded(prefix) => Bound::Excluded(prefix),
        Bound::Unbounded => Bound::Unbounded,
    }
}

#[test]
fn items_are_compared_and_copied_as_bytes_whatever_their_width() {
    use super::node::{copy_item, is_less};
    for width in 9..=40 {
        let item: Vec<u8> = (0..width).map(|n| n as u8 + 100).collect();
        let mut copy = vec![0; width];
        copy_item(&mut copy, &item);
        assert_eq!(copy, item);
        assert!(!is_less(&item, &item), "{width}");
        for at in 0..width {
            let mut other = item.clone();
            other[at] ^= 0xFF;
            // What follows is smaller where this one is larger: it must not count.
            let rest = if other[at] > item[at] { 0 } else { 0xFF };
            other[at + 1..].fill(rest);
            assert_eq!(is_less(&item, &other), item < other, "byte {at} of {width}");
            assert_eq!(is_less(&other, &item), other < item, "byte {at} of {width}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64),
    Remove(u64),
    InsertSorted { from: u64, step: u64, count: u64 },
    RemoveRun { from: u64, count: u64 },
    Range { lower: Bound<(u64, usize)>, upper: Bound<(u64, usize)> },
    Prefix(u64, usize),
    Clear,
}

fn steps(numbers: u64, count: usize) -> impl Strategy<Value = Vec<Step>> {
    let bound = move || {
        prop_oneof![
            4 => (0..numbers, 0..220_usize).prop_map(Bound::Included),
            4 => (0..numbers, 0..220_usize).prop_map(Bound::Excluded),
            1 => Just(Bound::Unbounded),
        ]
    };
    let step = prop_oneof![
        400 => (0..numbers).prop_map(Step::Insert),
        300 => (0..numbers).prop_map(Step::Remove),
        8 => (0..numbers, 1..9_u64, 0..300_u64).prop_map(|(from, step, count)| Step::InsertSorted { from, step, count }),
        8 => (0..numbers, 0..300_u64).prop_map(|(from, count)| Step::RemoveRun { from, count }),
        100 => (bound(), bound()).prop_map(|(lower, upper)| Step::Range { lower, upper }),
        100 => (0..numbers, 0..220_usize).prop_map(|(number, len)| Step::Prefix(number, len)),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, count)
}

fn prefix_of((number, len): (u64, usize), item_bytes: usize) -> Vec<u8> {
    let mut prefix = item(number, item_bytes);
    prefix.resize(len.min(item_bytes + 3), b'!');
    prefix
}

fn apply(step: &Step, bench: &mut Bench, model: &mut BTreeSet<Vec<u8>>) {
    let width = bench.shape.item_bytes();
    match step {
        Step::Insert(number) => {
            let item = item(*number, width);
            assert_eq!(bench.edit().insert(&item), model.insert(item.clone()));
            assert!(bench.tree().contains(&item));
        }
        Step::Remove(number) => {
            let item = item(*number, width);
            assert_eq!(bench.edit().remove(&item), model.remove(&item));
            assert!(!bench.tree().contains(&item));
        }
        Step::InsertSorted { from, step, count } => {
            let items: Vec<_> = (0..*count).map(|at| item(from + at * step, width)).collect();
            let new = items.iter().filter(|item| model.insert((*item).clone())).count();
            assert_eq!(bench.edit().insert_sorted(&items), new);
        }
        Step::RemoveRun { from, count } => {
            for number in *from..from + count {
                let item = item(number, width);
                assert_eq!(bench.edit().remove(&item), model.remove(&item));
            }
        }
        Step::Range { lower, upper } => {
            let (lower, upper) = (lower.map(|at| prefix_of(at, width)), upper.map(|at| prefix_of(at, width)));
            let (lower, upper) = (borrowed(&lower), borrowed(&upper));
            let expected: Vec<_> = model.iter().filter(|item| within(item, lower, upper)).collect();
            assert_range(bench.tree().range(lower, upper), &expected);
        }
        Step::Prefix(number, len) => {
            let prefix = prefix_of((*number, *len), width);
            let expected: Vec<_> = model.iter().filter(|item| item.starts_with(&prefix)).collect();
            assert_range(bench.tree().with_prefix(&prefix), &expected);
            assert_eq!(bench.tree().first_with_prefix(&prefix), expected.first().map(|item| item.as_slice()));
            let others = model.iter().map(Vec::as_slice).take(AT_ONCE);
            let wanted: Vec<_> = [&[][..], &prefix].into_iter().chain(others).take(AT_ONCE).collect();
            let found = bench.tree().first_with_prefixes(&Wanted::new(wanted.iter().copied()));
            let one_by_one = wanted.iter().map(|prefix| bench.tree().first_with_prefix(prefix));
            assert!(one_by_one.eq(found[..wanted.len()].iter().copied()), "{wanted:?}: {found:?}");
        }
        Step::Clear => {
            bench.edit().clear();
            model.clear();
        }
    }
}

/// Forwards, backwards, and taking turns from both ends.
#[track_caller]
fn assert_range(range: Range<'_>, expected: &[&Vec<u8>]) {
    assert!(range.clone().eq(expected.iter().copied()));
    assert!(range.clone().rev().eq(expected.iter().rev().copied()));
    let (mut range, mut expected) = (range, expected.iter().copied());
    loop {
        assert_eq!(range.next(), expected.next().map(Vec::as_slice));
        let back = range.next_back();
        assert_eq!(back, expected.next_back().map(Vec::as_slice));
        if back.is_none() {
            break assert_eq!(range.next(), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn behaves_like_a_set(
        item_bytes in prop_oneof![9..=40_usize, 9..=200_usize, 900..=1024_usize],
        steps in (300..40_000_u64).prop_flat_map(|numbers| steps(numbers, 2_000)),
    ) {
        assert_like_a_set(Bench::new(item_bytes), &steps, 100);
    }

    #[test]
    fn undo_and_catch_up_need_not_know_the_tree(
        item_bytes in 9..=60_usize,
        steps in (300..5_000_u64).prop_flat_map(|numbers| steps(numbers, 1_500)),
    ) {
        assert_undone_and_published(Bench::new(item_bytes), &steps);
    }

    #[test]
    fn damaged_bytes_do_no_harm(
        item_bytes in 9..=60_usize,
        numbers in prop::collection::vec(0..2_000_u64, 1..600),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        into_heads in any::<bool>(),
    ) {
        let mut bench = Bench::new(item_bytes);
        for number in &numbers {
            bench.edit().insert(&item(*number, item_bytes));
        }
        let mut bytes = bench.table.bytes().to_vec();
        damage(&mut bytes, &hits, into_heads.then_some((bench.shape.page_bytes(), ITEMS_AT)));
        exercise(&bytes, bench.shape);
    }

    #[test]
    fn random_bytes_do_no_harm(item_bytes in 9..=60_usize, bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
        exercise(&bytes, Shape::new(item_bytes).expect("a width within the limits"));
    }
}

/// Uses all of the read side; what it finds does not matter. Changes are made only if the bytes pass.
fn exercise(bytes: &[u8], shape: Shape) {
    let tree = BTree::new(bytes, shape);
    let limit = bytes.len() * 2;
    for number in (0..2_000).step_by(97) {
        let item = item(number, shape.item_bytes());
        tree.contains(&item);
        tree.first_with_prefix(&item[..2]);
        tree.first_with_prefixes(&Wanted::new([&item[..], &item[..2]]));
        let range = tree.range(Bound::Excluded(&item[..3]), Bound::Unbounded);
        assert!(range.clone().take(limit + 1).count() <= limit);
        assert!(range.rev().take(limit + 1).count() <= limit);
    }
    assert!(tree.iter().take(limit + 1).count() <= limit);
    if tree.check().is_ok() {
        let mut table = OneBuffer::holding(bytes);
        let mut edit = BTreeMut::new(table.edit(), shape);
        for number in 0..2_000 {
            edit.insert(&item(number, shape.item_bytes()));
        }
        edit.as_tree().check().expect("a sound tree stays one");
    }
}

#[test]
fn shapes_fit_the_pages() {
    assert_eq!(Shape::new(8), None);
    assert_eq!(Shape::new(1025), None);
    for (item_bytes, page_bytes, leaf_max) in
        [(9, 512, 55), (24, 512, 20), (35, 512, 14), (36, 1024, 28), (291, 4096, 14), (292, 4096, 13), (1024, 4096, 3)]
    {
        let shape = Shape::new(item_bytes).expect("a width within the limits");
        assert_eq!((shape.page_bytes(), shape.entries_max(0)), (page_bytes, leaf_max), "{item_bytes} bytes");
    }
    assert_eq!(Shape::new(1024).map(|shape| shape.entries_max(1)), Some(4));
}

#[test]
fn ascending_inserts_leave_leaves_full() {
    let mut bench = Bench::new(24);
    for number in 0..2_000 {
        bench.edit().insert(&item(number, 24));
    }
    bench.tree().check().expect("a sound tree");
    let pages = bench.table.bytes().len() / 512;
    assert!(pages <= 1 + 2_000 / 20 + 100 / 8, "{pages} pages for 100 full leaves");
}

#[test]
fn bulk_building_fills_nine_tenths() {
    let mut bench = Bench::new(24);
    assert_eq!(bench.edit().insert_sorted((0..20_000).map(|number| item(number, 24))), 20_000);
    bench.tree().check().expect("a sound tree");
    let pages = bench.table.bytes().len() / 512;
    assert!((1_112..1_250).contains(&pages), "{pages} pages for 1,112 leaves of 18 items");
}

/// What is taken out makes room: a queue that moves through the key space for ever stays as small as it is.
#[test]
fn removed_pages_are_used_again() {
    let mut bench = Bench::new(16);
    let mut pages = Vec::new();
    for round in 0..60 {
        for number in round * 500..(round + 1) * 500 {
            bench.edit().insert(&item(number, 16));
            if number >= 1_000 {
                assert!(bench.edit().remove(&item(number - 1_000, 16)));
            }
        }
        bench.tree().check().expect("a sound tree");
        pages.push(bench.table.bytes().len() / 512);
    }
    assert_eq!(pages[10], pages[59]);
    for number in 29_000..30_000 {
        assert!(bench.edit().remove(&item(number, 16)));
    }
    assert!(bench.tree().is_empty());
    bench.tree().check().expect("all pages free");
}

/// Random removals leave no near-empty pages behind.
#[test]
fn thinning_out_merges_pages() {
    let mut bench = Bench::new(24);
    bench.edit().insert_sorted((0..20_000).map(|number| item(number, 24)));
    for number in (0..20_000).filter(|number| number % 10 != 0) {
        bench.edit().remove(&item(number, 24));
    }
    bench.tree().check().expect("a sound tree");
    let free = u32_at(bench.table.bytes(), 12);
    assert!(free > 850, "{free} pages free after nine tenths of the items went");
}

/// The note of a change is about as long as the change, not as a page.
#[test]
fn an_insert_notes_what_moved() {
    let mut bench = Bench::new(24);
    bench.edit().insert_sorted((0..4_000).map(|number| item(number * 2, 24)));
    let mut published = bench.table.copy();
    bench.table.publish_to(&mut published);
    bench.edit().insert(&item(4_001, 24));
    let copied = bench.table.publish_to(&mut published);
    bench.table.assert_equals(&published);
    assert!(copied <= 20 * 24 + 16, "{copied} bytes");
}

#[test]
fn a_check_names_the_fault() {
    let mut bench = Bench::new(24);
    bench.edit().insert_sorted((0..200).map(|number| item(number, 24)));
    let sound = bench.table.bytes().to_vec();
    let fault_after = |at: usize, value: u8| {
        let mut bytes = sound.clone();
        bytes[at] = value;
        BTree::new(&bytes, bench.shape).check().expect_err("damaged").wrong
    };
    assert_eq!(fault_after(0, 0), Wrong::Format);
    assert_eq!(fault_after(6, 25), Wrong::Format);
    assert_eq!(fault_after(ROOT_AT, 99), Wrong::Link);
    assert_eq!(fault_after(ROOT_AT + 8, 0), Wrong::ItemCount);
    assert_eq!(fault_after(512, 7), Wrong::Kind);
    assert_eq!(fault_after(512 + 2, 200), Wrong::Count);
    assert_eq!(fault_after(512 + 4, 1), Wrong::Neighbours);
    assert_eq!(fault_after(512 + ITEMS_AT, 0xFF), Wrong::Summary);
    assert_eq!(fault_after(512 + ITEMS_AT + 24, 0xFF), Wrong::Order, "the second item is no end of the leaf");
    let shorter = &sound[..sound.len() - 1];
    assert_eq!(BTree::new(shorter, bench.shape).check().expect_err("cut").wrong, Wrong::Length);
    let fault = BTree::new(&sound, Shape::new(16).expect("a width")).check().expect_err("of other items");
    assert_eq!(fault.to_string(), "index page 0: not the header of this index");
}
