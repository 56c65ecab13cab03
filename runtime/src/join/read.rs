//! Joins that read.

use super::member::{NeedOf, RawId, Reads, Tables};
use super::tuple::Members;
use super::walk::{BLOCK_ROWS, Rows, Walk};
use super::{MEMBERS_MAX, Need, Part, Parts, Source};
use crate::table::mask::MaskTest;
use crate::table::version::TableView;
use crate::threads::each_piece;
use crate::txn::Transaction;
use crate::typed::Table;
use crate::typed::parallel::{piece_rows, probed};
use crate::view::View;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use std::ops::Range;

/// Rows that are worth a thread of their own, whatever is done with them.
const PIECE_ROWS: usize = 16 * 1024;
/// So few rows are not even timed.
pub(super) const ROWS_MIN: usize = 4096;
/// Rows that are walked before it is decided whether to share out the rest.
pub(super) const PROBE_ROWS: usize = 16 * BLOCK_ROWS;

/// The entities that have what is asked for, in the order of the rows of the member that is walked.
///
/// A `for` loop is fine; [`for_each`](Iterator::for_each) and other methods that take all of it are faster, since they see
/// whole blocks. [`par_for_each`](Join::par_for_each) and rayon's methods share it out over the cores.
#[derive(Clone)]
pub struct Join<'v, M: Members> {
    walk: Walk<'v>,
    data: M::Data<'v>,
}

impl View {
    /// The entities that have what the members ask for, at this commit.
    ///
    /// ```text
    /// for (id, position, velocity) in view.join::<(Id<Entity>, Position, &Velocity)>() { … }
    /// ```
    pub fn join<'v, M: Members + 'v>(&'v self) -> Join<'v, M> {
        Join::new(Tables(Reads::Published(&self.version)))
    }
}

impl Transaction {
    /// The entities that have what the members ask for; the transaction's own writes are seen.
    pub fn join<'v, M: Members + 'v>(&'v self) -> Join<'v, M> {
        Join::new(Tables(Reads::Running(self)))
    }
}

impl<'v> Parts<'v> {
    /// What these needs ask of these tables; `owner` is the table of the entities.
    pub(crate) fn new(
        needs: impl ExactSizeIterator<Item = NeedOf>,
        owner: (TableView<'v>, Source<'v>),
        source: impl Fn(usize) -> (Source<'v>, usize),
    ) -> Parts<'v> {
        let unused = Part::new(Need::Nothing, Source::default());
        let (mut parts, mut test, count) = ([unused; MEMBERS_MAX], MaskTest::default(), needs.len());
        for (part, need) in parts.iter_mut().zip(needs) {
            let is_owner = need.table == owner.0.def.at;
            let (source, bit) = if is_owner { (owner.1, 0) } else { source(need.table) };
            *part = Part::new(need.need, source);
            match need.need {
                Need::Required | Need::With if !is_owner => test.ask(bit, true),
                Need::Without => test.ask(bit, false),
                _ => {}
            }
        }
        Parts { parts, count, owner: owner.1, masks: owner.0.masks(), test }
    }
}

impl<'v, M: Members + 'v> Join<'v, M> {
    fn new(tables: Tables<'v>) -> Self {
        let source = |table: usize| (tables.source(table), tables.view(table).def.component_bit);
        let owner = M::Owner::INDEX;
        let parts = Parts::new(M::NEEDS.iter().copied(), (tables.view(owner), tables.source(owner)), source);
        Join { walk: Walk::new(parts), data: M::data(tables) }
    }

    /// Calls `each` for every entity, on as many threads as are worth it.
    pub fn par_for_each(self, each: impl Fn(M::Item<'v>) + Send + Sync) {
        let rows = self.walk.rows();
        let probe = if rows.len() < ROWS_MIN { 0 } else { PROBE_ROWS };
        let rest = rows.start + probe..rows.end;
        let elapsed = probed(probe, |of| self.part(rows.start + of.start..rows.start + of.end).for_each(&each));
        match piece_rows(elapsed, probe, rest.len()) {
            None => self.part(rest).for_each(each),
            Some(piece) => each_piece(self.part(rest).pieces(piece).into_iter(), |piece| piece.0.for_each(&each)),
        }
    }

    /// The same over some of the rows.
    fn part(&self, rows: Range<usize>) -> Self {
        Join { walk: self.walk.part(rows), data: self.data }
    }

    /// The same in pieces of so many rows, or a few more.
    fn pieces(&self, rows: usize) -> Vec<Piece<'v, M>> {
        let (all, step) = (self.walk.rows(), rows.next_multiple_of(BLOCK_ROWS));
        let piece = |start: usize| Piece(self.part(start..all.end.min(start + step)));
        all.clone().step_by(step).map(piece).collect()
    }
}

impl<M: Members> std::fmt::Debug for Join<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Join(at most {} entities)", self.walk.rows_left())
    }
}

impl<'v, M: Members> Iterator for Join<'v, M> {
    type Item = M::Item<'v>;

    #[inline]
    fn next(&mut self) -> Option<M::Item<'v>> {
        let (id, rows) = self.walk.next()?;
        Some(M::item(self.data, RawId(id), &rows))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.walk.rows_left()))
    }

    fn fold<B, F: FnMut(B, M::Item<'v>) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        loop {
            while let Some((ids, bases)) = self.walk.next_lined_up() {
                folded = fold_block::<M, _, _>(self.data, ids, &bases, folded, &mut f);
            }
            let Some(item) = self.next() else { return folded };
            folded = f(folded, item);
            while let Some((id, rows)) = self.walk.next_found() {
                folded = f(folded, M::item(self.data, RawId(id), &rows));
            }
        }
    }
}

/// Folds the entities of a block that is lined up. It is a function of its own so that what is folded stays in a register:
/// around the loop there are calls.
#[inline(never)]
#[allow(clippy::needless_range_loop, reason = "by number all members are as long as the loop, and ask for no length")]
fn fold_block<'v, M: Members, B, F: FnMut(B, M::Item<'v>) -> B>(
    data: M::Data<'v>,
    ids: &'v [[u8; 8]],
    bases: &Rows,
    init: B,
    f: &mut F,
) -> B {
    let (block, first) = M::block(data, bases, ids.len());
    let mut folded = init;
    for offset in 0..ids.len() {
        folded = f(folded, M::item(block, RawId(&ids[offset]), &moved(&first, offset)));
    }
    folded
}

/// The rows of an entity `offset` rows behind another one, of a block that is lined up.
#[inline]
pub(super) fn moved(bases: &Rows, offset: usize) -> Rows {
    bases.map(|base| base + offset as u64)
}

impl<'v, M: Members + 'v> IntoParallelIterator for Join<'v, M>
where
    M::Item<'v>: Send,
{
    type Item = M::Item<'v>;
    type Iter = rayon::iter::FlatMapIter<rayon::vec::IntoIter<Piece<'v, M>>, fn(Piece<'v, M>) -> Join<'v, M>>;

    fn into_par_iter(self) -> Self::Iter {
        let join: fn(Piece<'v, M>) -> Join<'v, M> = |piece| piece.0;
        self.pieces(PIECE_ROWS).into_par_iter().flat_map_iter(join)
    }
}

/// A part of a join for one thread.
#[doc(hidden)]
pub struct Piece<'v, M: Members>(Join<'v, M>);
