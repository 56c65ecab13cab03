//! What the tests of both kinds of index share.

use proptest::sample;

use crate::table::buffer::{Buffer, BufferMut};
use crate::table::catch_up::CatchUp;
use crate::table::journal::{Journal, Mark};

/// A table of one buffer, with its journal.
#[derive(Debug)]
pub(super) struct OneBuffer {
    buffers: Vec<Buffer>,
    journal: Journal,
}

impl Default for OneBuffer {
    fn default() -> OneBuffer {
        OneBuffer { buffers: vec![Buffer::default()], journal: Journal::default() }
    }
}

impl OneBuffer {
    pub(super) fn holding(bytes: &[u8]) -> OneBuffer {
        let mut table = OneBuffer::default();
        table.edit().append(bytes);
        table
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.buffers[0].bytes()
    }

    pub(super) fn edit(&mut self) -> BufferMut<'_> {
        BufferMut::new(&mut self.buffers[0], &mut self.journal, 0)
    }

    /// The buffer as it is now, as another version of the table.
    pub(super) fn copy(&self) -> Vec<Buffer> {
        self.buffers.clone()
    }

    pub(super) fn mark(&mut self) -> Mark {
        self.journal.mark()
    }

    pub(super) fn rollback(&mut self, mark: Mark, published: &[Buffer]) {
        self.journal.rollback(mark, &mut self.buffers, published);
    }

    /// Commits, and brings `version`, which lacks what was noted since the last time, up to now. Gives the bytes
    /// copied.
    pub(super) fn publish_to(&mut self, version: &mut [Buffer]) -> usize {
        self.journal.commit();
        let mut entries = Vec::new();
        self.journal.publish(&mut entries);
        CatchUp::default().run(version, &self.buffers, std::iter::once(entries.as_slice()), None)
    }

    #[track_caller]
    pub(super) fn assert_equals(&self, version: &[Buffer]) {
        assert!(self.buffers == version, "the buffers differ");
    }
}

/// An index of either kind in such a table, and the plain set that it is held against.
pub(super) trait Subject {
    type Step;
    type Model: Clone + Default;

    fn table(&mut self) -> &mut OneBuffer;
    /// Takes a step in both.
    fn apply(&mut self, step: &Self::Step, model: &mut Self::Model);
    /// Sound, and the same as the set.
    fn assert_holds(&self, model: &Self::Model);
}

/// Takes all steps; looks at everything after every so many of them.
#[track_caller]
pub(super) fn assert_like_a_set<S: Subject>(mut subject: S, steps: &[S::Step], between_looks: usize) {
    let mut model = S::Model::default();
    for batch in steps.chunks(between_looks) {
        batch.iter().for_each(|step| subject.apply(step, &mut model));
        subject.assert_holds(&model);
    }
}

/// Takes batches of steps back, each third of them, and publishes the others: both know bytes alone.
#[track_caller]
pub(super) fn assert_undone_and_published<S: Subject>(mut subject: S, steps: &[S::Step]) {
    let mut model = S::Model::default();
    let mut published = subject.table().copy();
    for (at, batch) in steps.chunks(50).enumerate() {
        let (before, model_before, mark) = (subject.table().copy(), model.clone(), subject.table().mark());
        batch.iter().for_each(|step| subject.apply(step, &mut model));
        if at % 3 == 0 {
            subject.table().rollback(mark, &published);
            subject.table().assert_equals(&before);
            model = model_before;
        } else {
            subject.table().publish_to(&mut published);
            subject.table().assert_equals(&published);
        }
        subject.assert_holds(&model);
    }
}

/// Overwrites bytes here and there; with `heads` of (page bytes, head bytes) only in the heads of pages.
pub(super) fn damage(bytes: &mut [u8], hits: &[(sample::Index, u8)], heads: Option<(usize, usize)>) {
    for (at, value) in hits {
        let at = at.index(bytes.len());
        let at = heads.map_or(at, |(page, head)| at - at % page + at % head);
        bytes[at] = *value;
    }
}
