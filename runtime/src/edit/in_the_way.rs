//! Records that break what an edit asks for.

use crate::apply::check::Findings;
use crate::error::{Result, SchemaEditError, Violation};
use crate::limits::SAMPLE_IDS_MAX;
use crate::record::heap_ref::Cells;
use crate::record::key::Key;
use crate::table::def::RelationDef;
use crate::table::lookup;
use crate::table::version::TableView;

/// Records that keep an edit from being made: how many, and the first of them.
#[derive(Default)]
pub(super) struct InTheWay {
    records: usize,
    first: Vec<Violation>,
}

/// Where records are looked for that refer to what is there no more.
pub(super) struct Orphans<'a> {
    pub(super) relation: &'a RelationDef,
    pub(super) from: TableView<'a>,
    pub(super) to: TableView<'a>,
    /// The table referred to as it was.
    pub(super) before: TableView<'a>,
    /// Its field that is referred to; `None` = by record id.
    pub(super) field: Option<usize>,
}

impl InTheWay {
    /// Adds what is wrong with one record, if anything is.
    pub(super) fn add(&mut self, violations: Vec<Violation>) {
        let is_wrong = !violations.is_empty();
        if is_wrong && self.records < SAMPLE_IDS_MAX {
            self.first.extend(violations);
        }
        self.records += usize::from(is_wrong);
    }

    /// Adds those of some records of `from` that refer to nothing.
    pub(super) fn find_strays(
        &mut self,
        relation: &RelationDef,
        from: TableView<'_>,
        to: TableView<'_>,
        rows: impl Iterator<Item = usize>,
    ) {
        let mut image = Vec::new();
        for row in rows {
            image.clear();
            from.gather(row, &mut image);
            let mut findings = Findings::new(from, from.version.id_at(row));
            findings.reference(relation, to, Cells::stored(&image, from.version.heap()));
            self.add(findings.into_violations());
        }
    }

    /// Adds the records that refer to one of some records which were there before, and are not, or not under that value.
    pub(super) fn find_orphans(&mut self, orphans: Orphans<'_>, rows: impl Iterator<Item = usize>) {
        let Orphans { relation, from, to, before, field } = orphans;
        let (index, mut image) = (&from.def.indexes[relation.from_index], Vec::new());
        for row in rows {
            let key = match field {
                None => before.version.id_at(row).map(Key::of_id),
                Some(field) => {
                    image.clear();
                    before.gather(row, &mut image);
                    let cells = Cells::stored(&image, before.version.heap());
                    let is_null = before.def.is_null(&image, field);
                    (!is_null).then(|| index.key_of_value(cells, &before.def.fields[field]))
                }
            };
            let Some(key) = key else { continue };
            let referring = lookup::all(from, relation.from_index, &key).filter_map(|id| from.version.row_of(id));
            // Whether it refers to nothing is asked of itself: perhaps another record has the value now.
            self.find_strays(relation, from, to, referring);
        }
    }

    /// An error, if there are any.
    pub(super) fn finish(self) -> Result<()> {
        match self.records {
            0 => Ok(()),
            records => Err(SchemaEditError::RecordsInTheWay { records, first: self.first }.into()),
        }
    }
}
