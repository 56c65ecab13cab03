//! Joins that write.
//!
//! A column group that is written is taken out of its table for the time of the join, all of it; the others are read. So
//! what is given of an entity borrows from the join, one entity at a time: [`JoinMut::for_each`] instead of an iterator.

use super::member::{NeedOf, RawId, Taken};
use super::read::{PROBE_ROWS, ROWS_MIN, moved};
use super::tuple::{MembersMut, writes_once};
use super::walk::{NONE, Rows, Walk};
use super::{MEMBERS_MAX, Parts, Source};
use crate::engine::Engine;
use crate::table::version::TableView;
use crate::threads::each_piece;
use crate::txn::Transaction;
use crate::typed::Table;
use crate::typed::parallel::{piece_rows, probed};

/// The entities that have what is asked for, to be written, in the order of the rows of the member that is walked.
pub struct JoinMut<'t, M: MembersMut> {
    walk: Walk<'t>,
    data: M::Data<'t>,
}

/// What a join takes of the tables.
struct Tables<'t> {
    owner: Option<(TableView<'t>, Source<'t>)>,
    /// Per member.
    taken: [Option<Taken<'t>>; MEMBERS_MAX],
    sources: [Source<'t>; MEMBERS_MAX],
    bits: [usize; MEMBERS_MAX],
}

impl Transaction {
    /// The entities that have what the members ask for, to be written.
    ///
    /// ```text
    /// tick.join_mut::<(&mut Position, &Velocity, Without<Frozen>)>().for_each(|(position, velocity, ())| …);
    /// ```
    pub fn join_mut<M: MembersMut>(&mut self) -> JoinMut<'_, M> {
        const {
            assert!(writes_once(M::NEEDS, M::WRITES), "a table that this join writes stands in it a second time");
        }
        let mut tables = self.engine.take(M::NEEDS, M::WRITES, M::Owner::INDEX);
        let Some(owner) = tables.owner else { unreachable!("a compiled table is there") };
        let at = |table: usize| M::NEEDS.iter().position(|need| need.table == table).unwrap_or(0);
        let sources = |table: usize| (tables.sources[at(table)], tables.bits[at(table)]);
        let walk = Walk::new(Parts::new(M::NEEDS.iter().copied(), owner, sources));
        let mut taken = tables.taken.iter_mut();
        let data = M::data(|| taken.next().and_then(Option::take).unwrap_or(Taken::Nothing));
        JoinMut { walk, data }
    }
}

impl Engine {
    fn take(&mut self, needs: &[NeedOf], writes: &[Option<usize>], owner: usize) -> Tables<'_> {
        let (catalog, tables, version) = self.side_by_side();
        let mut took = Tables {
            owner: None,
            taken: [const { None }; MEMBERS_MAX],
            sources: [Source::default(); MEMBERS_MAX],
            bits: [0; MEMBERS_MAX],
        };
        for (def, table) in catalog.tables().iter().zip(tables) {
            let members = || (0..needs.len()).filter(|at| needs[*at].table == def.at);
            let written = members().find_map(|at| Some((at, writes[at]?)));
            let mut source = None;
            if let Some((at, group)) = written {
                table.touch();
                let (rows, runs) = table.rows_and_runs(def);
                let mut groups = rows.take_groups(version);
                took.taken[at] = Some(Taken::Group(groups.write(group)));
                source = Some(Source::new(groups.beside.ids, groups.beside.slots, groups.beside.len).with_runs(runs));
            } else if def.at == owner || members().next().is_some() {
                let (view, runs) = (table.view(def), table.id_runs());
                let ids = view.source().with_runs(runs);
                members().for_each(|at| took.taken[at] = Some(Taken::Read(view)));
                source = Some(ids);
                took.owner = took.owner.or((def.at == owner).then_some((view, ids)));
            }
            for at in members() {
                took.sources[at] = source.unwrap_or_default();
                took.bits[at] = def.component_bit;
            }
        }
        took
    }
}

impl<M: MembersMut> JoinMut<'_, M> {
    /// Calls `each` for every entity.
    pub fn for_each(mut self, each: impl FnMut(M::Item<'_>)) {
        for_each_of::<M>(self.walk, &mut self.data, each);
    }

    /// Calls `each` for every entity, on as many threads as are worth it, if the rows of all members lie side by side;
    /// otherwise on this one. What is written is the same either way.
    pub fn par_for_each(self, each: impl Fn(M::Item<'_>) + Send + Sync) {
        let rows = self.walk.rows();
        let probe = if rows.len() < ROWS_MIN { 0 } else { PROBE_ROWS };
        let (left, mut data) = (rows.start + probe..rows.end, self.data);
        let elapsed = probed(probe, |of| {
            for_each_of::<M>(self.walk.part(rows.start + of.start..rows.start + of.end), &mut data, &each);
        });
        let walk = self.walk.part(left.clone());
        let runs = piece_rows(elapsed, probe, left.len()).and_then(|piece| runs(walk.clone(), piece));
        let Some(runs) = runs else {
            return for_each_of::<M>(walk, &mut data, each);
        };
        let (mut rest, mut before) = (data, [0; MEMBERS_MAX]);
        let mut pieces = Vec::with_capacity(runs.len());
        for run in runs {
            // Members that are not there have no rows to cut.
            let ahead = |at: usize| if run.bases[at] >= NONE { 0 } else { run.bases[at] - before[at] };
            let (_, from_here) = M::split(rest, &std::array::from_fn(ahead));
            let len = run.ids.len() as u64;
            let lens = run.bases.map(|base| if base >= NONE { 0 } else { len });
            let (piece, behind) = M::split(from_here, &lens);
            for (before, base) in before.iter_mut().zip(&run.bases).filter(|(_, base)| **base < NONE) {
                *before = base + len;
            }
            rest = behind;
            pieces.push((piece, run.ids, run.bases.map(|base| if base >= NONE { NONE } else { 0 })));
        }
        each_piece(pieces.into_iter(), |(mut data, ids, bases)| {
            each_of::<M>(&mut data, ids, &bases, &mut |item| each(item));
        });
    }
}

impl<M: MembersMut> std::fmt::Debug for JoinMut<'_, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JoinMut(at most {} entities)", self.walk.rows_left())
    }
}

/// Calls `each` for the entities of a walk.
fn for_each_of<M: MembersMut>(mut walk: Walk<'_>, data: &mut M::Data<'_>, mut each: impl FnMut(M::Item<'_>)) {
    loop {
        while let Some((ids, bases)) = walk.next_lined_up() {
            each_of::<M>(data, ids, &bases, &mut each);
        }
        let Some((id, rows)) = walk.next() else { return };
        each(M::item(data, RawId(id), &rows));
        while let Some((id, rows)) = walk.next_found() {
            each(M::item(data, RawId(id), &rows));
        }
    }
}

/// Calls `each` for the entities of a run whose members lie side by side.
#[inline]
#[allow(clippy::needless_range_loop, reason = "by number all members are as long as the loop, and ask for no length")]
fn each_of<M: MembersMut>(data: &mut M::Data<'_>, ids: &[[u8; 8]], bases: &Rows, each: &mut impl FnMut(M::Item<'_>)) {
    // Members that are not there have no rows.
    let here = |base: u64, of: u64| if base >= NONE { 0 } else { of };
    let (starts, lens) = (bases.map(|base| here(base, base)), bases.map(|base| here(base, ids.len() as u64)));
    let mut block = M::block(data, &starts, &lens);
    let first = bases.map(|base| if base >= NONE { NONE } else { 0 });
    for offset in 0..ids.len() {
        each(M::item(&mut block, RawId(&ids[offset]), &moved(&first, offset)));
    }
}

/// Entities whose members lie side by side.
struct Run<'t> {
    ids: &'t [[u8; 8]],
    bases: Rows,
}

/// The whole walk as runs, in each of which, and from each to the next, the rows of every member go upwards; `None` if
/// they do not, or some must be looked up.
fn runs(mut walk: Walk<'_>, piece_rows: usize) -> Option<Vec<Run<'_>>> {
    let all = walk.ids();
    let mut runs: Vec<Run<'_>> = Vec::new();
    let (mut start, mut ends) = (walk.rows().start, [0; MEMBERS_MAX]);
    while walk.rows_left() > 0 {
        let (ids, bases) = walk.next_lined_up()?;
        let goes_on = runs.last().is_some_and(|run| {
            let len = run.ids.len();
            let follows = |at: usize| bases[at] == run.bases[at] + len as u64 || bases[at].min(run.bases[at]) >= NONE;
            len < piece_rows && (0..MEMBERS_MAX).all(follows)
        });
        let is_upward = (0..MEMBERS_MAX).all(|at| bases[at] >= NONE || bases[at] >= ends[at]);
        if !is_upward {
            return None;
        }
        ends = std::array::from_fn(|at| if bases[at] >= NONE { ends[at] } else { bases[at] + ids.len() as u64 });
        match runs.last_mut().filter(|_| goes_on) {
            Some(run) => run.ids = all.get(start - run.ids.len()..start + ids.len())?,
            None => runs.push(Run { ids, bases }),
        }
        start += ids.len();
    }
    Some(runs)
}
