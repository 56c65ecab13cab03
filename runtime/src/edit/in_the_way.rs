//! Records that break what an edit asks for.

use crate::apply::check::Findings;
use crate::error::{Result, SchemaEditError, Violation};
use crate::limits::SAMPLE_IDS_MAX;
use crate::record::heap_ref::Cells;
use crate::table::def::RelationDef;
use crate::table::version::TableView;

/// Records that keep an edit from being made: how many, and the first of them.
#[derive(Default)]
pub(super) struct InTheWay {
    records: usize,
    first: Vec<Violation>,
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

    /// Adds the records of `from` that refer to nothing.
    pub(super) fn find_strays(&mut self, relation: &RelationDef, from: TableView<'_>, to: TableView<'_>) {
        let mut image = Vec::new();
        for row in 0..from.version.len() {
            image.clear();
            from.gather(row, &mut image);
            let mut findings = Findings::new(from, from.version.id_at(row));
            findings.reference(relation, to, Cells::stored(&image, from.version.heap()));
            self.add(findings.into_violations());
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
