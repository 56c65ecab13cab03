//! Entities that have some components and lack others: a join that gives ids alone, for tables known by name.

use super::walk::{Walk, id_in};
use super::{MEMBERS_MAX, Need, Part, Parts, Source};
use crate::id::RecordId;
use crate::table::mask::MaskTest;
use crate::table::version::TableView;

/// The ids of entities that have what is asked for.
#[derive(Debug, Clone)]
pub struct Entities<'v>(Walk<'v>);

impl<'v> Entities<'v> {
    /// The records of `owner` whose components are as asked.
    pub(crate) fn new(owner: TableView<'v>, asked: &[(TableView<'v>, Need)]) -> Entities<'v> {
        let mut test = MaskTest::default();
        asked.iter().for_each(|(view, need)| test.ask(view.def.component_bit, *need == Need::With));
        // Masks say it all; of the tables only the smallest is walked.
        let with = asked.iter().filter(|(_, need)| *need == Need::With).map(|(view, _)| view.source());
        let smallest = with.min_by_key(|source| source.ids.len());
        let mut parts = [Part::new(Need::Nothing, Source::default()); MEMBERS_MAX];
        parts[0] = match smallest {
            Some(source) => Part::new(Need::With, source),
            None if asked.is_empty() => Part::new(Need::Nothing, Source::default()),
            None => Part::new(Need::Without, Source::default()),
        };
        let (owner, masks) = (owner.source(), owner.masks());
        Entities(Walk::new(Parts { parts, count: 1, owner, masks, test }))
    }
}

impl Iterator for Entities<'_> {
    type Item = RecordId;

    fn next(&mut self) -> Option<RecordId> {
        self.0.next().and_then(|(id, _)| id_in(id))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.0.rows_left()))
    }
}
