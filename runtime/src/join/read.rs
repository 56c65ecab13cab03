//! Joins that read.

use super::member::{NeedOf, Reads, Tables};
use super::tuple::Members;
use super::walk::{NONE, Rows, Walk, id_in};
use super::{MEMBERS_MAX, Need, Part, Parts, Source};
use crate::table::mask::MaskTest;
use crate::table::version::TableView;
use crate::txn::Transaction;
use crate::typed::Table;
use crate::view::View;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

/// Rows that are worth a thread of their own.
const PIECE_ROWS: usize = 4096;

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
    /// ```ignore
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
        owner: TableView<'v>,
        source: impl Fn(usize) -> (Source<'v>, usize),
    ) -> Parts<'v> {
        let unused = Part::new(Need::Nothing, Source::default());
        let (mut parts, mut test, count) = ([unused; MEMBERS_MAX], MaskTest::default(), needs.len());
        for (part, need) in parts.iter_mut().zip(needs) {
            let is_owner = need.table == owner.def.at;
            let (source, bit) = if is_owner { (owner.source(), 0) } else { source(need.table) };
            *part = Part::new(need.need, source);
            match need.need {
                Need::Required | Need::With if !is_owner => test.ask(bit, true),
                Need::Without => test.ask(bit, false),
                _ => {}
            }
        }
        Parts { parts, count, owner: owner.source(), masks: owner.masks(), test }
    }
}

impl<'v, M: Members + 'v> Join<'v, M> {
    fn new(tables: Tables<'v>) -> Self {
        let source = |table: usize| {
            let view = tables.view(table);
            (view.source(), view.def.component_bit)
        };
        let parts = Parts::new(M::NEEDS.iter().copied(), tables.view(M::Owner::INDEX), source);
        Join { walk: Walk::new(parts), data: M::data(tables) }
    }

    /// Calls `each` for every entity, on as many threads as are worth it.
    pub fn par_for_each(self, each: impl Fn(M::Item<'v>) + Send + Sync)
    where
        M::Item<'v>: Send,
    {
        if self.walk.rows_left() < 2 * PIECE_ROWS {
            return self.for_each(each);
        }
        self.into_par_iter().for_each(each);
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
        Some(M::item(self.data, id, &rows))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.walk.rows_left()))
    }

    fn fold<B, F: FnMut(B, M::Item<'v>) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        loop {
            while let Some((ids, bases)) = self.walk.next_lined_up() {
                for (offset, id) in ids.iter().enumerate() {
                    let Some(id) = id_in(id) else { continue };
                    folded = f(folded, M::item(self.data, id, &moved(&bases, offset as u32)));
                }
            }
            let Some(item) = self.next() else { return folded };
            folded = f(folded, item);
        }
    }
}

/// The rows of an entity `offset` rows behind another one, of a block that is lined up.
#[inline]
pub(super) fn moved(bases: &Rows, offset: u32) -> Rows {
    bases.map(|base| if base == NONE { NONE } else { base + offset })
}

impl<'v, M: Members + 'v> IntoParallelIterator for Join<'v, M>
where
    M::Item<'v>: Send,
{
    type Item = M::Item<'v>;
    type Iter = rayon::iter::FlatMapIter<rayon::vec::IntoIter<Piece<'v, M>>, fn(Piece<'v, M>) -> Join<'v, M>>;

    fn into_par_iter(self) -> Self::Iter {
        let rows = self.walk.rows();
        let pieces = rows.clone().step_by(PIECE_ROWS).map(|start| {
            let piece = start..rows.end.min(start + PIECE_ROWS);
            Piece(Join { walk: self.walk.part(piece), data: self.data })
        });
        let join: fn(Piece<'v, M>) -> Join<'v, M> = |piece| piece.0;
        pieces.collect::<Vec<_>>().into_par_iter().flat_map_iter(join)
    }
}

/// A part of a join for one thread.
#[doc(hidden)]
pub struct Piece<'v, M: Members>(Join<'v, M>);
