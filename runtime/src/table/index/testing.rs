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
        let entries = self.journal.publish(Vec::new());
        CatchUp::default().run(version, &self.buffers, std::iter::once(entries.as_slice()), None)
    }

    #[track_caller]
    pub(super) fn assert_equals(&self, version: &[Buffer]) {
        assert!(self.buffers == version, "the buffers differ");
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
