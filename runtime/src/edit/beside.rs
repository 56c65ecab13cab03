//! Edits of the schema beside the loop: carrying a million records over takes a second, in which the world goes on.
//!
//! ```text
//! with the engine     beside it                                 with the engine again
//! look: what is       plan: every table in its new shape,       finish: catch up, check, publish
//! published           of the version that was looked at
//!                     follow: catch up with a later version  ◄── much was written meanwhile: look again
//! ```
//!
//! What was written meanwhile is caught up with row by row (`follow`); the more of that is done beside, the less is left for
//! the moment in which the engine is taken, and after a few rounds what is left is done then, so that every edit ends. Its
//! place among the commits is that moment: what came before is of the old schema, also in the log.
//!
//! A record that breaks a new rule is told with the version of which it was found. Beside the engine that is a version which
//! may be past: the edit is then planned again, of a later one, a few times ([`Finished`] and who drives this count them), so
//! that a record which is mended meanwhile is not in the way; one that comes while the edit is made is. Was the schema
//! edited meanwhile, this edit is planned again from the new one.

use super::carry::{Carried, carry, check_rows};
use super::follow::{follow, stirred};
use super::in_the_way::{InTheWay, Orphans};
use super::shapes::Shapes;
use super::tables::Tables;
use super::{Drawn, Made, SchemaEdit};
use crate::engine::{Engine, NewTable, Version};
use crate::error::Result;
use crate::sync::Arc;
use crate::table::def::RelationDef;
use crate::table::missed::{Kept, Missed};
use crate::table::reaper::drop_later;
use crate::table::version::TableView;
use crate::table::writer::TableWriter;

/// Rows that are caught up with while the engine is taken: no longer than a tick may wait.
pub(crate) const FOLLOWED_ROWS_MAX: usize = 512;

/// A published version, from which on the tables remember what is written.
pub(crate) struct Seen {
    version: Arc<Version>,
    /// For as long as this is there.
    _kept: Kept,
}

/// A later version, with what was written to each table meanwhile.
pub(crate) struct Later {
    seen: Seen,
    missed: Vec<Missed>,
    /// Rows that have to be carried over again, or checked.
    pub(crate) rows: usize,
}

/// An edit that has been made of a version, but for its end.
pub(crate) struct Plan {
    edits: Vec<SchemaEdit>,
    drawn: Drawn,
    /// The version that it is made of.
    seen: Seen,
    tables: Vec<Made>,
}

/// What came of the end of an edit.
pub(crate) enum Finished {
    /// It is made; the schema's new version.
    Done(u64),
    /// Much was written meanwhile: catch up with it, and come again.
    Behind(Box<Plan>, Later),
    /// What it was made of is gone: plan it again.
    Stale(Vec<SchemaEdit>),
}

impl Engine {
    /// Looks at what is published, and has all tables remember what is written from now on; `None` if readers keep what was
    /// committed from being published. Must not run inside a transaction.
    pub(crate) fn look(&mut self) -> Option<Seen> {
        self.publish();
        if self.tables.iter().any(TableWriter::is_dirty) {
            return None;
        }
        let kept = Kept::default();
        for table in &mut self.tables {
            table.keep_since(&kept);
        }
        Some(Seen { version: self.published().load(), _kept: kept })
    }

    /// Ends an edit that was made beside: what is left of it to do is done now, if `rows_max` rows are no less than that. Must
    /// not run inside a transaction.
    ///
    /// # Errors
    /// As [`edit_schema`](Engine::edit_schema). Nothing is changed then.
    pub(crate) fn finish_edit(&mut self, mut plan: Plan, rows_max: usize) -> Result<Finished> {
        self.check_writable()?;
        let Some(seen) = self.look() else { return Ok(Finished::Stale(plan.edits)) };
        let missed = match std::sync::Arc::ptr_eq(&self.catalog, &plan.seen.version.catalog) {
            true => plan.missed(self),
            false => None,
        };
        let Some(missed) = missed else { return Ok(Finished::Stale(plan.edits)) };
        let mut later = Later { seen, missed, rows: 0 };
        later.rows = plan.rows_behind(&later);
        if later.rows > rows_max {
            plan.let_go(&later);
            return Ok(Finished::Behind(Box::new(plan), later));
        }
        plan.follow(later)?;
        let Plan { edits, drawn, seen, tables } = plan;
        let version = self.take_over(drawn, tables)?;
        self.tape.edit(&edits);
        // The old tables are large: giving them back takes as long as a tick.
        drop_later(seen);
        Ok(Finished::Done(version))
    }
}

/// The tables with so many records and more that edits of a version carry over, or look through.
pub(crate) fn heavy_tables(version: &Version, edits: &[SchemaEdit], records: usize) -> Vec<usize> {
    let is_large = |at: &usize| version.tables[*at].len() >= records;
    if edits.is_empty() || !(0..version.tables.len()).any(|at| is_large(&at)) {
        return Vec::new();
    }
    // What cannot be drawn is no work: it is refused.
    let Ok(drawn) = Drawn::new(&Tables::published(version), edits) else { return Vec::new() };
    let relations: Vec<usize> = drawn.new_relations(&version.catalog).map(|relation| relation.from_table).collect();
    let heavy = |at: usize| {
        let from = drawn.origins.tables[at].from.filter(is_large)?;
        let components = drawn.components(&version.catalog, at, from);
        let shapes = drawn.shapes(&version.catalog, at, from, &components);
        let is_light = shapes.is_as_it_is() && shapes.ruled_anew().is_empty() && !relations.contains(&at);
        (!is_light).then_some(from)
    };
    (0..drawn.catalog.tables().len()).filter_map(heavy).collect()
}

impl Seen {
    /// The commit of the version.
    pub(crate) fn commit(&self) -> u64 {
        self.version.commit
    }
}

impl Plan {
    /// What it makes.
    pub(crate) fn into_edits(self) -> Vec<SchemaEdit> {
        self.edits
    }

    /// Makes an edit of a version, but for its end. Needs nobody's leave.
    ///
    /// # Errors
    /// As [`Engine::edit_schema`].
    pub(crate) fn new(seen: Seen, edits: Vec<SchemaEdit>) -> Result<Plan> {
        let tables = Tables::published(&seen.version);
        let drawn = Drawn::new(&tables, &edits)?;
        let mut made = drawn.carry(&tables)?;
        drawn.check_relations(&tables, &made)?;
        for (def, table) in drawn.catalog.tables().iter().zip(&mut made) {
            if let Made::Anew(_, writer) = table {
                // A second version, to write on: the first transaction would have to make it.
                writer.touch();
                writer.rows(def);
                writer.commit();
                writer.publish(seen.version.commit);
            }
        }
        Ok(Plan { edits, drawn, seen, tables: made })
    }

    /// Lets go of the version that it is made of, where only what was written since is needed any more: two versions held at
    /// once are one too many, and the writer would have to copy a table whole.
    fn let_go(&mut self, later: &Later) {
        // Of records that are referred to, what they were is asked for.
        if self.new_relations().next().is_none() {
            self.seen.version = later.seen.version.clone();
        }
    }

    /// The shapes of table `at`, which was table `from`.
    fn shapes<'a>(&'a self, at: usize, from: usize, components: &'a [Option<usize>]) -> Shapes<'a> {
        self.drawn.shapes(&self.seen.version.catalog, at, from, components)
    }

    /// What was written since to every table that it looks at.
    fn missed(&self, engine: &Engine) -> Option<Vec<Missed>> {
        let one = |(at, table): (usize, &TableWriter)| match self.looks_at(at) {
            true => table.missed_since(self.seen.version.tables[at].seq),
            false => Some(Missed::default()),
        };
        engine.tables.iter().enumerate().map(one).collect()
    }

    /// Whether what is written to old table `from` can matter to it.
    fn looks_at(&self, from: usize) -> bool {
        let is_ruled = |at: usize| !self.shapes(at, from, &[]).ruled_anew().is_empty();
        let of_table = |(at, made): (usize, &Made)| match made {
            Made::New(_) => false,
            Made::AsItIs(table) => *table == from && is_ruled(at),
            Made::Anew(table, _) => *table == from,
        };
        let of_relation = |relation: &RelationDef| {
            let is = |at: usize| self.drawn.origins.tables[at].from == Some(from);
            is(relation.from_table) || is(relation.to_table)
        };
        self.tables.iter().enumerate().any(of_table) || self.new_relations().any(of_relation)
    }

    fn new_relations(&self) -> impl Iterator<Item = &RelationDef> {
        self.drawn.new_relations(&self.seen.version.catalog)
    }

    /// How many rows have to be carried over again, or checked.
    fn rows_behind(&self, later: &Later) -> usize {
        let one = |(at, made): (usize, &Made)| {
            let from = match made {
                Made::New(_) => return 0,
                Made::AsItIs(from) | Made::Anew(from, _) => *from,
            };
            let (was, is) = (&self.seen.version.tables[from], &later.seen.version.tables[from]);
            let rows = stirred(self.shapes(at, from, &[]), &later.missed[from], was.len().max(is.len()));
            rows.into_iter().map(|rows| rows.len()).sum()
        };
        self.tables.iter().enumerate().map(one).sum()
    }

    /// Catches up with a later version.
    ///
    /// # Errors
    /// As [`Engine::edit_schema`]: records that came meanwhile may be in the way.
    pub(crate) fn follow(&mut self, later: Later) -> Result<()> {
        let Later { seen, missed, .. } = later;
        let (was, is) = (Tables::published(&self.seen.version), Tables::published(&seen.version));
        let mut in_the_way = InTheWay::default();
        for (at, made) in self.tables.iter_mut().enumerate() {
            let (from, writer) = match made {
                Made::New(_) => continue,
                Made::AsItIs(from) => (*from, None),
                Made::Anew(from, writer) => (*from, Some(writer)),
            };
            let components = self.drawn.components(&self.seen.version.catalog, at, from);
            let shapes = self.drawn.shapes(&self.seen.version.catalog, at, from, &components);
            match writer {
                Some(writer) => follow(shapes, is.view(from), &missed[from], writer, seen.version.commit)?,
                None => {
                    let now = is.view(from);
                    let rows = stirred(shapes, &missed[from], now.version.len()).into_iter();
                    check_rows(shapes, now, rows, &mut in_the_way);
                }
            }
        }
        in_the_way.finish()?;
        self.follow_relations(&was, &is, &missed)?;
        self.seen = seen;
        Ok(())
    }

    /// Checks of relations that are new what was written meanwhile: the records that refer, and those that referred to
    /// records which have gone.
    fn follow_relations(&self, was: &Tables<'_>, is: &Tables<'_>, missed: &[Missed]) -> Result<()> {
        for relation in self.new_relations() {
            let view = |at: usize| self.drawn.view(is, &self.tables, at);
            let origin = |at: usize| self.drawn.origins.tables[at].from;
            let (from, to) = (view(relation.from_table), view(relation.to_table));
            let mut in_the_way = InTheWay::default();
            if let Some(old) = origin(relation.from_table) {
                let field = self.drawn.origins.tables[relation.from_table].members[relation.from_field];
                let group = field.map(|field| was.view(old).def.fields[field].at.group);
                let rows = rows_of(&missed[old], was.view(old), group, from.version.len());
                in_the_way.find_strays(relation, from, to, rows.into_iter().flatten());
            }
            if let Some(old) = origin(relation.to_table) {
                let before = was.view(old);
                let field = relation.to_value.map(|(_, field)| self.to_field(relation.to_table, old, field));
                match field {
                    // Its values have come into another shape: they are not compared with what they were.
                    Some(None) => in_the_way.find_strays(relation, from, to, 0..from.version.len()),
                    field => {
                        let field = field.flatten();
                        let group = field.map(|field| before.def.fields[field].at.group);
                        let rows = rows_of(&missed[old], before, group, before.version.len());
                        let orphans = Orphans { relation, from, to, before, field };
                        in_the_way.find_orphans(orphans, rows.into_iter().flatten());
                    }
                }
            }
            in_the_way.finish()?;
        }
        Ok(())
    }

    /// The old field whose cells are those of field `field` of table `at`.
    fn to_field(&self, at: usize, from: usize, field: usize) -> Option<usize> {
        self.shapes(at, from, &[]).same_cell(field)
    }
}

/// Rows of the first `rows` that are other ones now, or have something else in a column group.
fn rows_of(missed: &Missed, old: TableView<'_>, group: Option<usize>, rows: usize) -> Vec<std::ops::Range<usize>> {
    let strides: Vec<usize> = old.def.layout.groups.iter().map(|group| group.stride).collect();
    missed.rows(&strides, |at| Some(at) == group, rows)
}

impl Drawn {
    /// Every table of the new schema with the records that it had.
    pub(super) fn carry(&self, tables: &Tables<'_>) -> Result<Vec<Made>> {
        let one = |at: usize| {
            let Some(from) = self.origins.tables[at].from else {
                return Ok(Made::New(Box::new(TableWriter::empty(&self.catalog.tables()[at]))));
            };
            let components = self.components(tables.catalog, at, from);
            Ok(match carry(self.shapes(tables.catalog, at, from, &components), tables.view(from))? {
                Carried::AsItIs => Made::AsItIs(from),
                Carried::Anew(version) => Made::Anew(from, Box::new(TableWriter::new(version))),
            })
        };
        (0..self.catalog.tables().len()).map(one).collect()
    }
}

impl Made {
    /// The table, to be put into the place of the old one by commit `commit`.
    pub(super) fn into_new(self, commit: u64) -> NewTable {
        match self {
            Made::New(writer) => NewTable::Made(writer),
            Made::AsItIs(from) => NewTable::Kept(from),
            Made::Anew(_, mut writer) => {
                writer.is_carried(commit);
                NewTable::Made(writer)
            }
        }
    }
}
